"""The hosts plugin: addresses from lines as /etc/hosts has them.

    hosts {
        192.168.10.20 registry.example
        ttl 60
        fallthrough            # without it, all other names end here with SERVFAIL
    }

Rule of use: pure; `answer` returns None where the next plugin is to be asked.

Upstream: coredns plugin/hosts
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import ServerBlock
from k8slab.addons.coredns.names import absolute, address_of_reverse, is_in, is_ip
from k8slab.addons.coredns.records import NOERROR, SERVFAIL, Answer, Record

TTL = 3600  # s


class Hosts:
    """The names and addresses of one hosts plugin."""

    def __init__(self, block: ServerBlock) -> None:
        """Read the plugin of a server block; without one every name goes on to the next plugin."""
        plugin = block.plugin("hosts")
        self._there = plugin is not None
        lines = plugin.properties if plugin is not None else ()
        args = [arg for arg in plugin.args if "/" not in arg] if plugin is not None else []
        self._zones = tuple(map(absolute, args)) or block.zones
        self._fall: tuple[str, ...] = ()
        self._ttl = TTL
        self._addresses: dict[str, list[str]] = {}
        self._names: dict[str, list[str]] = {}
        for first, *rest in lines:
            if first == "fallthrough":
                self._fall = tuple(map(absolute, rest)) or self._zones
            elif first == "ttl" and rest:
                self._ttl = int(rest[0])
            elif is_ip(first):
                self._add(first, [absolute(name) for name in rest])

    def _add(self, ip: str, names: Sequence[str]) -> None:
        for name in names:
            self._addresses.setdefault(name, []).append(ip)
        self._names.setdefault(ip, []).extend(names)

    def answer(self, name: str, qtype: str) -> Answer | None:
        """Return the answer, None if the next plugin is to be asked."""
        if not self._there:
            return None
        if qtype == "PTR":
            found = self._names.get(address_of_reverse(name), [])
            return self._found(name, "PTR", found) if found else None
        if not _is_in(name, self._zones):
            return None
        addresses = self._addresses.get(name, [])
        if addresses:
            wanted = [ip for ip in addresses if qtype == ("AAAA" if ":" in ip else "A")]
            return self._found(name, qtype, wanted)
        return None if _is_in(name, self._fall) else Answer(SERVFAIL)

    def _found(self, name: str, qtype: str, data: Sequence[str]) -> Answer:
        return Answer(NOERROR, tuple(Record(name, qtype, self._ttl, each) for each in data))


def _is_in(name: str, zones: Sequence[str]) -> bool:
    return any(is_in(name, zone) for zone in zones)
