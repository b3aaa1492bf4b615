"""The worlds of exercise 14.2: Service ports with their backends, and what maps of them do.

`cases()` has the worlds; `assembled(maps, chains)` puts an answer into the frame of a table, and
`probe` sends packets through it.

Rule of use: the frame is what all Services share; whatever finds a Service is the answer's.

Upstream: pkg/proxy/nftables/proxier.go
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import cache

import msgspec

from k8slab.api.core import Node, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.nft import NftChain, NftRuleset, NftSet, NftTable
from k8slab.linux.ruletrace import RuleTrace
from k8slab.node.kube_proxy.nftables.chains import MAPS, TABLE
from k8slab.node.kube_proxy.sync import IPV4, view_of
from k8slab.node.kube_proxy.topology import categorize
from k8slab.node.kube_proxy.types import namespace_of, slices_by_service
from k8slab.node.kube_proxy.versions import Versions

WRITER = "10.244.9.9"  # a Pod behind no Service
STRANGER = ("10.96.200.200", 80)  # an address of no Service
KEY_TYPE = MAPS["service-ips"][0].format(address="ipv4_addr")
MARK = "0x4000"
KINDS = ("plain", "two ports", "udp", "empty", "alone", "fleet")
WORLDS = 12
SMALL, LARGE, FLEET = 3, 300, 60  # Services, Services, Pods behind one
ENTRY, REFUSE = "services", "refuse"
# chain -> (type, hook, priority, rules)
FRAME: Mapping[str, tuple[str, str, int, tuple[str, ...]]] = {
    "nat-prerouting": ("nat", "prerouting", -100, (f"jump {ENTRY}",)),
    "nat-output": ("nat", "output", -100, (f"jump {ENTRY}",)),
    "nat-postrouting": ("nat", "postrouting", 100, ("jump masquerading",)),
    "filter-forward": ("filter", "forward", 0, (f"ct state new jump {REFUSE}",)),
    "filter-output": ("filter", "output", 0, (f"ct state new jump {REFUSE}",)),
    "masquerading": (
        *("", "", 0),
        (f"mark and {MARK} == 0 return", f"mark set mark xor {MARK}", "masquerade fully-random"),
    ),
    "mark-for-masquerade": ("", "", 0, (f"mark set mark or {MARK}",)),
    "reject-chain": ("", "", 0, ("reject",)),
}


class ServedPort(msgspec.Struct, frozen=True):
    """A Service port, and where its connections may go."""

    name: str  # "default/web:http"
    ip: str  # the ClusterIP
    protocol: str  # "tcp" or "udp"
    port: int
    backends: tuple[str, ...] = ()  # addresses with ports, "10.244.1.2:8080"


class Case(msgspec.Struct, frozen=True):
    """One question to the answer."""

    seed: int
    kind: str
    ports: tuple[ServedPort, ...]


@cache
def cases() -> tuple[Case, ...]:
    """Return the worlds, each kind with several seeds."""
    return tuple(_case(seed, KINDS[seed % len(KINDS)]) for seed in range(WORLDS))


def many(services: int, pods: int) -> tuple[ServedPort, ...]:
    """Return so many Services with so many Pods each."""
    return tuple(
        ServedPort(
            f"default/svc-{number:03d}:",
            f"10.96.{1 + number // 200}.{1 + number % 200}",
            "tcp",
            80,
            tuple(f"10.{128 + number // 200}.{number % 200}.{1 + n}:8080" for n in range(pods)),
        )
        for number in range(services)
    )


def ports_of(
    services: Iterable[Service], endpoint_slices: Iterable[EndpointSlice], node: Node | str
) -> tuple[ServedPort, ...]:
    """Return the ports of a cluster's Services, with the backends that a node may use."""
    versions, slices = Versions(), slices_by_service(endpoint_slices)
    found = []
    for service in services:
        key = f"{namespace_of(service)}/{service.metadata.name}"
        version = versions.of(service, slices.get(key, ()), IPV4)
        for port, endpoints in version.ports.values():
            usable = categorize(endpoints, port, view_of(node)).cluster
            backends = tuple(endpoint.address for endpoint in usable)
            found.append(ServedPort(port.name, port.cluster_ip, port.protocol, port.port, backends))
    return tuple(found)


def assembled(
    maps: Mapping[str, Mapping[str, str]], chains: Mapping[str, Sequence[str]]
) -> NftRuleset:
    """Return the table kube-proxy with these maps and chains in its frame."""
    table = NftTable("ip", TABLE)
    for name, elements in maps.items():
        table.sets[name] = NftSet(name, KEY_TYPE, is_map=True)
        table.sets[name].elements |= elements
    table.chains[REFUSE] = NftChain(REFUSE)
    for name, (kind, hook, priority, rules) in FRAME.items():
        chain = NftChain(name, rules)
        chain.type, chain.hook, chain.priority = kind, hook, priority
        table.chains[name] = chain
    for name, texts in chains.items():
        table.chains[name] = NftChain(name, texts)
    ruleset = NftRuleset()
    ruleset.tables["ip", TABLE] = table
    ruleset.changed()
    return ruleset


def probe(rules: NftRuleset, port: ServedPort, source: str = WRITER) -> RuleTrace:
    """Send a connection to a Service port."""
    return rules.trace(source, port.ip, port.port, port.protocol)


def shares(trace: RuleTrace) -> dict[str, Fraction]:
    """Return where accepted connections that were rewritten go, with their shares."""
    found: dict[str, Fraction] = {}
    for branch in trace.branches:
        if branch.verdict == "ACCEPT" and branch.translated:
            address = f"{branch.ip}:{branch.port}"
            found[address] = found.get(address, Fraction(0)) + branch.probability
    return found


def rules_met(trace: RuleTrace) -> int:
    """Return how many rules the packet with the longest way meets."""
    return max(branch.examined for branch in trace.branches)


def _case(seed: int, kind: str) -> Case:
    dice = random.Random(f"14.2/{seed}")
    ports = []
    for number in range(dice.randint(2, 5)):
        ip = f"10.96.{seed}.{number + 1}"
        listened = [("tcp", 80)]
        if kind == "two ports" and number == 0:
            listened.append(("tcp", 9090))
        if kind == "udp" and number == 0:
            listened.append(("udp", 80))
        for place, (protocol, port) in enumerate(listened):
            pods = dice.randint(2, 4)
            if kind == "empty" and number == 0:
                pods = 0
            elif kind == "alone" and number == 0:
                pods = 1
            elif kind == "fleet" and number == 0:
                pods = 30
            target = 8080 + place
            backends = tuple(f"10.244.{seed}.{10 + number * 40 + n}:{target}" for n in range(pods))
            name = f"default/svc-{number}:{'' if len(listened) == 1 else f'p{place}'}"
            ports.append(ServedPort(name, ip, protocol, port, backends))
    return Case(seed, kind, tuple(ports))
