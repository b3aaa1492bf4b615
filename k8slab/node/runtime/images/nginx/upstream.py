"""Groups of backends: who is in them, and whose turn it is.

Names are looked up once, when the configuration is read: nginx does not start without all of them,
and goes on sending to the addresses that it found then, whatever DNS says later. Only a proxy_pass
with a variable in it asks again, through the `resolver` that the configuration names.

Turns go by weight, evenly mixed. A backend that failed `max_fails` times within `fail_timeout` is
left out for as long, unless it is the only one; backups are asked when nobody else is left.

Rule of use: `pick` until it returns None, and tell of each that `failed`.

Upstream: nginx src/http/ngx_http_upstream_round_robin.c, src/http/modules/ngx_http_upstream_*.c
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import msgspec

from k8slab.node.runtime.images.nginx.config import Config
from k8slab.node.runtime.images.nginx.syntax import ConfigError, Directive
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.resolve import is_address, look_up

PORTS = {"http": 80, "https": 443}


class Url(msgspec.Struct, frozen=True):
    """Where proxy_pass sends to."""

    scheme: str
    host: str
    port: int
    path: str = ""  # "": the request's own path goes on unchanged
    given: str = ""  # host and port as written


class Peer(msgspec.Struct):
    """One backend, and how it has been lately."""

    ip: str
    port: int
    weight: int = 1
    backup: bool = False
    down: bool = False
    max_fails: int = 1
    fail_timeout: float = 10.0  # s
    current: int = 0  # of the smooth round robin
    fails: int = 0
    failed_at: float = 0.0  # virtual seconds
    active: int = 0  # requests under way


class Group:
    """Backends that are asked in turns."""

    def __init__(self, peers: Iterable[Peer], method: str = "") -> None:
        self.peers = list(peers)
        self._method = method  # "", "least_conn" or "ip_hash"

    def pick(self, now: float, tried: Iterable[Peer], client: str) -> Peer | None:
        """Return whose turn it is of those that were not tried yet."""
        left = [peer for peer in self.peers if not any(peer is other for other in tried)]
        for backup in (False, True):
            usable = [
                peer
                for peer in left
                if peer.backup == backup and not peer.down and self._is_well(peer, now)
            ]
            if usable:
                return self._turn(usable, client)
        return None

    def failed(self, peer: Peer, now: float) -> None:
        """Note that a backend did not answer."""
        if now - peer.failed_at > peer.fail_timeout:
            peer.fails = 0
        peer.fails, peer.failed_at = peer.fails + 1, now

    def _is_well(self, peer: Peer, now: float) -> bool:
        if len(self.peers) == 1 or not peer.max_fails or peer.fails < peer.max_fails:
            return True
        return now - peer.failed_at > peer.fail_timeout

    def _turn(self, usable: list[Peer], client: str) -> Peer:
        if self._method == "ip_hash" and client.count(".") == 3:
            number = 89
            for part in client.split(".")[:3]:
                number = (number * 113 + int(part)) % 6271
            return usable[number % len(usable)]
        if self._method == "least_conn":
            least = min(peer.active / peer.weight for peer in usable)
            usable = [peer for peer in usable if peer.active / peer.weight == least]
        for peer in usable:
            peer.current += peer.weight
        chosen = max(usable, key=lambda peer: peer.current)
        chosen.current -= sum(peer.weight for peer in usable)
        return chosen


def parse_url(text: str, where: str = "") -> Url:
    """Return the parts of what proxy_pass names. Raises ConfigError."""
    scheme, found, rest = text.partition("://")
    if not found or scheme not in PORTS:
        raise ConfigError(f"invalid URL prefix in {where}" if where else f'invalid URL "{text}"')
    at = min((rest.find(letter) % (len(rest) + 1) for letter in "/?"), default=len(rest))
    given, path = rest[:at], rest[at:]
    host, _, port = given.rpartition(":") if ":" in given else (given, "", "")
    return Url(scheme, host, int(port) if port.isdigit() else PORTS[scheme], path, given)


async def groups_of(
    process: Process, config: Config, directives: Iterable[Directive]
) -> dict[str, Group]:
    """Return all groups by name, with their addresses. Raises ConfigError for unknown hosts."""
    groups = {}
    for name, upstream in config.upstreams.items():
        methods = [each.name for each in upstream.directives if each.name in METHODS]
        peers: list[Peer] = []
        for each in upstream.directives:
            if each.name == "server":
                peers += await _peers(process, each)
        if not peers:
            raise ConfigError(f'no servers are inside upstream "{name}"')
        groups[name] = Group(peers, methods[-1] if methods else "")
    for each in directives:
        if each.name != "proxy_pass" or "$" in each.args[0]:
            continue
        url = parse_url(each.args[0], each.where)
        if url.given not in groups:
            addresses = await _addresses(process, url.host, url.host, each.where)
            groups[url.given] = Group(Peer(ip, url.port) for ip in addresses)
    return groups


METHODS = ("ip_hash", "least_conn")


async def _peers(process: Process, line: Directive) -> list[Peer]:
    given, *flags = line.args
    host, _, port = given.rpartition(":") if ":" in given else (given, "", "80")
    settings: Mapping[str, str] = dict(
        (name, value) for name, _, value in (flag.partition("=") for flag in flags)
    )
    return [
        Peer(
            ip,
            int(port),
            weight=int(settings.get("weight", "1")),
            backup="backup" in settings,
            down="down" in settings,
            max_fails=int(settings.get("max_fails", "1")),
            fail_timeout=seconds(settings.get("fail_timeout", "10s")),
        )
        for ip in await _addresses(process, host, given, line.where)
    ]


async def _addresses(process: Process, host: str, given: str, where: str) -> tuple[str, ...]:
    if is_address(host):
        return (host,)
    found = (await look_up(process, host)).addresses
    if not found:
        raise ConfigError(f'host not found in upstream "{given}" in {where}')
    return found


def everywhere(directives: Iterable[Directive]) -> Iterator[Directive]:
    """Yield directives with all that stand in their blocks."""
    for each in directives:
        yield each
        yield from everywhere(each.block or ())


def seconds(text: str) -> float:
    """Read a time such as 500ms, 5s, 1m or 2h.

    >>> seconds("500ms"), seconds("5"), seconds("1m")
    (0.5, 5.0, 60.0)
    """
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0), ("d", 86400.0)):
        if text.endswith(unit):
            return float(text.removesuffix(unit)) * factor
    return float(text)
