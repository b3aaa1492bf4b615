"""What the DNS server must be given by whoever runs it: the protocols at its seams.

`Process` is the part of a container's process that CoreDNS uses; `Upstream` is the resolver
outside the cluster, and `UpstreamZone` one whose records a learner can edit.

Rule of use: the server keeps nothing that a restart may not lose.

Upstream: coredns plugin/forward
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

from k8slab.addons.coredns.names import is_ip
from k8slab.addons.coredns.records import NOERROR, NXDOMAIN, Answer, Record
from k8slab.linux.netns import NetNamespace
from k8slab.sim import Group, Signal, Simulation

VERSION = "1.14.6"  # of CoreDNS
UPSTREAM_TTL = 300  # s
LOOPBACK = ("127.0.0.0/8", "::1/128")
ROOT_SOA = Record(
    ".",
    "SOA",
    86400,
    "a.root-servers.net. nstld.verisign-grs.com. 2026010100 1800 900 604800 86400",
)


class Process(Protocol):
    """A process in a container."""

    sim: Simulation
    name: str
    args: tuple[str, ...]
    env: Mapping[str, str]
    hostname: str
    net: NetNamespace
    group: Group  # its tasks, and the owner of its sockets
    terminated: Signal

    def log(self, line: str) -> None:
        """Print a line."""

    def folder(self, path: str) -> tuple[Any, str]:
        """Return the folder that holds the path, and the path in it."""

    def handle_sigterm(self) -> None:
        """Keep SIGTERM from ending the process."""


class Upstream(Protocol):
    """A resolver that knows the names outside the cluster."""

    def answer(self, qname: str, qtype: str) -> Answer:
        """Return its answer."""

    def is_outside(self, ip: str) -> bool:
        """Say whether a server's address is outside the cluster: such questions come here."""


class UpstreamZone:
    """The world outside as a mapping: names to addresses, or to one other name.

    The mapping is looked at anew for each question, so whoever gave it may edit it.

    >>> world = UpstreamZone({"example.com": ["203.0.113.7"]})
    >>> print(world.answer("example.com.", "A").answers[0])
    example.com. 300 IN A 203.0.113.7
    """

    def __init__(
        self,
        records: MutableMapping[str, Sequence[str]] | None = None,
        inside: Sequence[str] = (),
        servers: Sequence[str] = (),
    ) -> None:
        """Begin with these records, known to all `servers`; `inside` are the cluster's networks."""
        self.records: MutableMapping[str, Sequence[str]] = {} if records is None else records
        self._inside = tuple(ip_network(each, strict=False) for each in (*LOOPBACK, *inside))
        self._servers = tuple(servers)

    @property
    def hosts(self) -> str:
        """The addresses of all names, as /etc/hosts has them."""
        lines = [f"{ip} {name}" for name, ips in self.records.items() for ip in ips if is_ip(ip)]
        return "\n".join(lines)

    def is_outside(self, ip: str) -> bool:
        """Say whether a server's address is outside the cluster."""
        address = ip_address(ip)
        inside = any(address in network for network in self._inside)
        return ip in self._servers or not inside

    def answer(self, qname: str, qtype: str) -> Answer:
        """Return addresses; NXDOMAIN for names that nobody entered."""
        name = qname.lower().rstrip(".")
        values = self.records.get(name)
        if values is None:
            return Answer(NXDOMAIN, authority=(ROOT_SOA,))
        found = []
        for value in values:
            if not is_ip(value):
                alias = value.rstrip(".") + "."
                found.append(Record(f"{name}.", "CNAME", UPSTREAM_TTL, alias))
                if alias.rstrip(".") != name:
                    found += self.answer(alias, qtype).answers
            elif qtype == ("AAAA" if ":" in value else "A"):
                found.append(Record(f"{name}.", qtype, UPSTREAM_TTL, value))
        if not found:
            return Answer(NOERROR, authority=(ROOT_SOA,))
        return Answer(NOERROR, tuple(found))
