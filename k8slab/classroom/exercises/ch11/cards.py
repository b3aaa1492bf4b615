"""The worlds of exercises 11.1 and 11.2: a Service with its slices, and packets to ask about.

Rule of use: `cases()` is made of numbers alone; `ends` is what a text of rules does to a packet.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cache
from typing import Any

import msgspec

from k8slab.api import load
from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.node.kube_proxy.render import render

NODE = "worker-1"
VIP = "10.96.7.7"
STRANGER, NODE_IP = "10.244.9.9", "192.168.10.11"  # a Pod that is no endpoint; the node
End = tuple[str, str, bool]  # verdict, where to, masqueraded


class Packet(msgspec.Struct, frozen=True):
    """The first packet of a connection to the Service's address."""

    source: str
    port: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return f"{self.protocol} from {self.source} to {VIP}:{self.port}"


class Case(msgspec.Struct, frozen=True):
    """A Service, its slices, and packets that are sent to it."""

    name: str
    service: Service
    slices: tuple[EndpointSlice, ...]
    packets: tuple[Packet, ...]


def service_of(ports: Sequence[tuple[str, int, str]]) -> Service:
    """Return the Service `calls` with ports of (name, number, protocol)."""
    listed = [{"name": n, "port": p, "protocol": proto} for n, p, proto in ports]
    made = load({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "calls", "namespace": "default"},
        "spec": {"type": "ClusterIP", "clusterIP": VIP, "clusterIPs": [VIP],
                 "ipFamilies": ["IPv4"], "ports": listed},
    })  # fmt: skip
    assert isinstance(made, Service)
    return made


def slice_of(
    number: int, ports: Sequence[tuple[str, int, str]], rows: Mapping[str, bool]
) -> EndpointSlice:
    """Return a slice of `calls`; `rows` says of each address whether it is ready."""
    made = load({
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"calls-{number}", "namespace": "default",
                     "labels": {"kubernetes.io/service-name": "calls"}},
        "addressType": "IPv4",
        "ports": [{"name": n, "port": p, "protocol": proto} for n, p, proto in ports],
        "endpoints": [
            {"addresses": [ip],
             "conditions": {"ready": ready, "serving": ready, "terminating": False}}
            for ip, ready in rows.items()
        ],
    })  # fmt: skip
    assert isinstance(made, EndpointSlice)
    return made


def addresses(count: int, net: int = 1) -> list[str]:
    """Return addresses of Pods."""
    return [f"10.244.{net}.{number + 2}" for number in range(count)]


@cache
def cases() -> tuple[Case, ...]:
    """Return the worlds: from one endpoint to seven, none, not all ready, several ports."""
    web, front = ("web", 8080, "TCP"), ("web", 80, "TCP")
    dns = ("dns", 53, "UDP")
    two = (front, ("stats", 9090, "TCP"))
    found = [
        _case(f"{n} ready", (front,), [slice_of(1, (web,), dict.fromkeys(addresses(n), True))])
        for n in (1, 2, 3, 7)
    ]
    some = {ip: number % 2 == 0 for number, ip in enumerate(addresses(5))}
    nobody = dict.fromkeys(addresses(3), False)
    night = slice_of(2, (("web", 80, "TCP"),), dict.fromkeys(addresses(2, net=2), True))
    both = slice_of(
        1, (("stats", 9091, "TCP"), web), dict.fromkeys(addresses(3), True)
    )  # the order of ports is another one than the Service's
    udp = slice_of(1, (("dns", 5353, "UDP"),), dict.fromkeys(addresses(2), True))
    day = slice_of(1, (web,), dict.fromkeys(addresses(3), True))
    return (
        *found,
        _case("some ready", (front,), [slice_of(1, (web,), some)]),
        _case("nobody ready", (front,), [slice_of(1, (web,), nobody)]),
        _case("no slice", (front,), []),
        _case("two slices", (front,), [day, night]),
        _case("two ports", two, [both]),
        _case("udp", (dns,), [udp]),
    )


def _case(name: str, ports: Any, slices: Sequence[EndpointSlice]) -> Case:
    own = [each.addresses[0] for one in slices for each in one.endpoints][:1]
    sources = (STRANGER, NODE_IP, *own)
    packets = [Packet(source, number, protocol.lower()) for source in sources
               for _, number, protocol in ports]  # fmt: skip
    packets += [Packet(STRANGER, 81), Packet(STRANGER, ports[0][1], "sctp")]
    return Case(name, service_of(ports), tuple(slices), tuple(packets))


@cache
def frame() -> str:
    """Return the rules of a node that has no Services: a stage for those of one."""
    return str(render((), (), node=NODE))


def reference(case: Case) -> str:
    """Return the rules that kube-proxy writes."""
    return str(render((case.service,), case.slices, node=NODE))


def joined(text: str, lines: Mapping[str, Sequence[str]]) -> str:
    """Return the text with lines added to its tables, and the chains that they need."""
    out: list[str] = []
    table, known = "", set[str]()
    for line in text.splitlines():
        if line.startswith("*"):
            table, known = line[1:], set()
        elif line.startswith(":"):
            known.add(line[1:].split()[0])
        elif line == "COMMIT":
            extra = list(lines.get(table, ()))
            named = dict.fromkeys(rule.split()[1] for rule in extra)
            out += [f":{name} - [0:0]" for name in named if name not in known]
            out += extra
        out.append(line)
    return "\n".join(out) + "\n"


def ends(text: str, packet: Packet) -> dict[End, Fraction]:
    """Return where a packet may end, and with what probability.

    Raises ValueError where iptables-restore would refuse the text.
    """
    ruleset = render((), (), node=NODE)
    ruleset.restore(text)
    walk = ruleset.trace(
        packet.source, VIP, packet.port, packet.protocol, local_addresses=(NODE_IP,)
    )
    found: dict[End, Fraction] = {}
    for branch in walk.branches:
        where = f"{branch.ip}:{branch.port}" if branch.verdict == "ACCEPT" else ""
        end = (branch.verdict, where, branch.masqueraded)
        found[end] = found.get(end, Fraction(0)) + branch.probability
    return found
