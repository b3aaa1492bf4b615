"""The acl plugin: who may ask what, by the address that the question comes from.

    acl corp.example {
        allow net 10.244.0.0/16         # the first rule that fits decides
        filter type AAAA                # an empty answer
        block                           # REFUSED; `drop` says nothing at all
    }

The address is the one that the packet has when it arrives: behind a masquerading node it is the
node's.

Rule of use: a question that no rule fits is allowed.

Upstream: coredns plugin/acl
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import msgspec

from k8slab.addons.coredns.corefile import Plugin, Setting, Wrong, all_zones
from k8slab.addons.coredns.names import matches
from k8slab.addons.coredns.plugin import Failure, Next, Request, Site
from k8slab.addons.coredns.records import NOERROR, REFUSED, Answer

ACTIONS = ("allow", "block", "filter", "drop")
DROPPED = "DROPPED"  # in the place of an rcode: nothing is answered


class Policy(msgspec.Struct, frozen=True):
    """One line: an action, for which types and sources; empty means all."""

    zones: tuple[str, ...]
    action: str
    types: tuple[str, ...] = ()
    nets: tuple[IPv4Network | IPv6Network, ...] = ()

    def fits(self, request: Request) -> bool:
        """Say whether the policy is about a question."""
        if not matches(request.name, self.zones):
            return False
        if self.types and request.type not in self.types:
            return False
        if not self.nets:
            return True
        if not request.client:
            return False
        client = ip_address(request.client)
        return any(client.version == net.version and client in net for net in self.nets)


class Acl:
    """Allows, blocks, filters or drops questions."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next = following
        self._policies = tuple(
            _policy(setting, all_zones(stanza.args) or site.zones)
            for stanza in stanzas
            for setting in stanza.settings
        )

    async def serve(self, request: Request) -> Answer:
        """Let the question through, or answer it."""
        action = next((each.action for each in self._policies if each.fits(request)), "allow")
        if action == "block":
            return Answer(REFUSED)
        if action == "filter":
            return Answer(NOERROR)
        if action == "drop":
            raise Failure(DROPPED)
        return await self._next(request)


def _policy(setting: Setting, zones: tuple[str, ...]) -> Policy:
    if setting.name not in ACTIONS:
        words = f"unexpected token {setting.name!r}; expect 'allow', 'block', 'filter' or 'drop'"
        raise setting.wrong(words.replace("'", '"', 2))
    found: dict[str, list[str]] = {"type": [], "net": []}
    section: list[str] | None = None
    for word in setting.words:
        if word.lower() in found:
            section = found[word.lower()]
            continue
        if section is None:
            raise setting.wrong(f'unexpected token "{word}"; expect "type | net"')
        section.append(word)
    types = () if "*" in found["type"] else tuple(word.upper() for word in found["type"])
    nets = [] if "*" in found["net"] else found["net"]
    try:
        return Policy(zones, setting.name, types, tuple(ip_network(net, False) for net in nets))
    except ValueError:
        raise Wrong(f'illegal CIDR notation "{nets[0]}"') from None
