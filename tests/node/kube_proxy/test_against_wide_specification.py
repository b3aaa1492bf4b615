"""Random Services of all fields, random traffic: both forms agree with a short text.

Beyond `test_against_specification`: both families, SCTP, load balancers of both ipModes with source
ranges, hints, affinity, Pods that reach themselves. `expected` is the documentation, written down.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.node.kube_proxy import Config, nftables, render
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service
from tests.node.kube_proxy.test_against_specification import CONDITIONS

NODE, ZONE = "node-1", "zone-1"
PLACES: dict[str, dict[str, str]] = {  # what it is -> address in each family
    "pod": {"IPv4": "10.244.9.9", "IPv6": "fd00:10:244:9::9"},
    "node": {"IPv4": "172.18.0.3", "IPv6": "fc00::3"},
    "outside": {"IPv4": "192.0.2.7", "IPv6": "2001:db8::7"},
    "cluster": {"IPv4": "10.96.1.2", "IPv6": "fd00:10:96::2"},
    "external": {"IPv4": "203.0.113.5", "IPv6": "2001:db8:5::5"},
    "balanced": {"IPv4": "203.0.113.6", "IPv6": "2001:db8:5::6"},
}
RANGES = {  # name -> networks, and who is in them
    "none": ([], {"pod", "node", "outside", "self"}),
    "pods": (["10.244.0.0/16", "fd00:10:244::/48"], {"pod", "self"}),
    "outside": (["192.0.2.0/24", "2001:db8::/64"], {"outside"}),
    "nodes": (["172.18.0.0/16", "fc00::/64"], {"node"}),
    "all": (["0.0.0.0/0", "::/0"], {"pod", "node", "outside", "self"}),
}
CONFIG = Config(cluster_cidr="10.244.0.0/16,fd00:10:244::/48")


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One Service, and one packet to it."""

    endpoints: tuple[tuple[str, str, str, str], ...]  # node, condition, zone hint, node hint
    family: str
    protocol: str
    src: str  # pod, node, outside, self: the first endpoint
    dst: str  # cluster, external, balanced, node: its node port
    internal: str
    external: str
    mode: str  # ipMode
    ranges: str
    affinity: str


def expected(case: Case) -> tuple[str, list[int], set[int]]:
    """Return the verdict, who may answer, and for whom of them it is masqueraded."""

    def best(candidates: list[int], near: bool) -> list[int]:
        ready = [n for n in candidates if case.endpoints[n][1] == "ready"]
        for place, mine in ((3, NODE), (2, ZONE)) if near else ():
            hints = [case.endpoints[n][place] for n in ready]
            if ready and all(hints) and mine in hints:
                return [n for n in ready if case.endpoints[n][place] == mine]
        return ready or [n for n in candidates if case.endpoints[n][1] == "leaving"]

    everywhere = list(range(len(case.endpoints)))
    here = [n for n in everywhere if case.endpoints[n][0] == NODE]
    to_outside, inside = case.dst != "cluster", case.src != "outside"
    policy = case.external if to_outside else case.internal
    if case.dst == "balanced" and case.mode == "Proxy":
        return "PASSED", [], set()  # kube-proxy does not know the address
    any_usable = bool(best(everywhere, near=False))
    if case.dst == "balanced" and case.src not in RANGES[case.ranges][1]:
        # Without endpoints nftables still ask the firewall first, and iptables have none.
        no_firewall = "PASSED|DROP" if case.src == "node" else "REJECT|DROP"
        return "DROP" if any_usable else no_firewall, [], set()
    if not any_usable:
        # In OUTPUT only nftables refuse what the node itself sends to outside addresses.
        return "PASSED|REJECT" if case.src == "node" and to_outside else "REJECT", [], set()
    local = policy == "Local" and not (to_outside and inside)
    usable = best(here, near=False) if local else best(everywhere, near=True)
    if not usable:
        return "DROP", [], set()
    if to_outside:
        everybody = policy == "Cluster" or case.src == "node"
    else:
        everybody = case.src in ("node", "outside")
    itself = {0} if case.src == "self" else set()
    return "ACCEPT", usable, set(usable) if everybody else itself & set(usable)


def address(number: int, family: str) -> str:
    return f"10.244.1.{number + 10}" if family == "IPv4" else f"fd00:10:244:1::{number + 10:x}"


def found(case: Case, form: Any) -> tuple[str, list[int], set[int]]:
    """Return the same by the rules."""
    family, protocol = case.family, case.protocol
    name = {"protocol": protocol.upper()}
    svc = service(
        type="LoadBalancer",
        clusterIP=PLACES["cluster"][family],
        clusterIPs=[PLACES["cluster"][family]],
        ipFamilies=[family],
        ports=[{"port": 80, "nodePort": 30080, **name}],
        externalIPs=[PLACES["external"][family]],
        internalTrafficPolicy=case.internal,
        externalTrafficPolicy=case.external,
        loadBalancerSourceRanges=RANGES[case.ranges][0],
        sessionAffinity=case.affinity,
        status={
            "loadBalancer": {"ingress": [{"ip": PLACES["balanced"][family], "ipMode": case.mode}]}
        },
    )
    pods = [
        endpoint(
            address(n, family),
            node,
            conditions=CONDITIONS[condition],
            hints={
                **({"forZones": [{"name": zone}]} if zone else {}),
                **({"forNodes": [{"name": own}]} if own else {}),
            },
        )
        for n, (node, condition, zone, own) in enumerate(case.endpoints)
    ]
    slices = endpoint_slice(*pods, ports=[{"port": 8080, **name}])
    slices = msgspec.structs.replace(slices, addressType=family)
    own = PLACES["node"][family]
    node = load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": NODE, "labels": {"topology.kubernetes.io/zone": ZONE}},
            "status": {"addresses": [{"type": "InternalIP", "address": own}]},
        }
    )
    ruleset = form([svc], [slices], node=node, config=CONFIG, family=family)
    src = address(0, family) if case.src == "self" else PLACES[case.src][family]
    dst, port = PLACES[case.dst][family], 30080 if case.dst == "node" else 80
    trace = ruleset.trace(src, dst, port, protocol, local_addresses=[own])
    assert sum(branch.probability for branch in trace.branches) == 1
    ends = list(trace.destinations) if trace.translated else []
    share = Fraction(1, max(len(ends), 1))
    assert all(abs(each.probability - share) < 1e-7 for each in ends)
    numbers = {address(n, family): n for n in range(len(case.endpoints))}
    verdict = "PASSED" if trace.verdict == "ACCEPT" and not ends else trace.verdict
    masqueraded = {numbers[each.ip] for each in ends if each.masqueraded}
    return verdict, sorted(numbers[each.ip] for each in ends), masqueraded


ENDPOINT = st.tuples(
    st.sampled_from([NODE, "node-2"]),
    st.sampled_from(["ready", *CONDITIONS]),
    st.sampled_from(["", ZONE, ZONE, "zone-2"]),
    st.sampled_from(["", "", NODE, "node-2"]),
)
CASES = st.builds(
    Case,
    endpoints=st.lists(ENDPOINT, max_size=5).map(tuple),
    family=st.sampled_from(["IPv4", "IPv6"]),
    protocol=st.sampled_from(["tcp", "udp", "sctp"]),
    src=st.sampled_from(["pod", "node", "outside", "self"]),
    dst=st.sampled_from(["cluster", "external", "balanced", "node"]),
    internal=st.sampled_from(["Cluster", "Local"]),
    external=st.sampled_from(["Cluster", "Local"]),
    mode=st.sampled_from(["VIP", "Proxy"]),
    ranges=st.sampled_from(list(RANGES)),
    affinity=st.sampled_from(["None", "ClientIP"]),
)


@given(CASES)
@settings(max_examples=200, deadline=None)
def test_rules_of_both_forms_agree_with_the_specification(case: Case) -> None:
    if case.src == "self" and not case.endpoints:
        return
    verdict, usable, masqueraded = expected(case)
    for form in (render, nftables.render):
        result = found(case, form)
        assert result[0] in verdict.split("|"), form
        assert result[1:] == (usable, masqueraded), form
