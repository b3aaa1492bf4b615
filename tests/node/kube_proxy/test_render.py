"""Connections traced through rendered rules: who gets where, and what ends the others."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.linux.netfilter import Ruleset, parse
from k8slab.node.kube_proxy import Config, render
from tests.node.kube_proxy.objects import OUTSIDE, POD, VIP, endpoint, endpoint_slice, service

NODE_IP = "172.18.0.3"
LB = "203.0.113.9"
TWO = (endpoint("10.244.1.2"), endpoint("10.244.2.2", "node-2"))
FAR = (endpoint("10.244.2.2", "node-2"),)
LOAD_BALANCER = {
    "type": "LoadBalancer",
    "status": {"loadBalancer": {"ingress": [{"ip": LB}]}},
    "ports": [{"port": 80, "nodePort": 30080}],
}
NODE_PORT = {"type": "NodePort", "ports": [{"port": 80, "nodePort": 30080}]}


def rules(endpoints: tuple[dict[str, Any], ...] = TWO, **spec: Any) -> Ruleset:
    return render([service(**spec)], [endpoint_slice(*endpoints)], node="node-1")


def outcome(ruleset: Ruleset, src: str, dst: str, port: int) -> tuple[str, list[str], bool]:
    trace = ruleset.trace(src, dst, port, local_addresses=[NODE_IP])
    return trace.verdict, [str(d) for d in trace.destinations], trace.masqueraded


def test_a_pod_reaches_every_endpoint_with_equal_chance_and_keeps_its_address() -> None:
    trace = rules().trace(POD, VIP, 80)
    assert [(str(d), d.probability, d.masqueraded) for d in trace.destinations] == [
        ("10.244.1.2:8080", Fraction(1, 2), False),
        ("10.244.2.2:8080", Fraction(1, 2), False),
    ]


@pytest.mark.parametrize(
    ("spec", "endpoints", "client", "target", "expected"),
    [
        # no endpoint at all: refused; none here under Local: a time-out
        ({}, (), POD, (VIP, 80), ("REJECT", [], False)),
        ({"internalTrafficPolicy": "Local"}, FAR, POD, (VIP, 80), ("DROP", [], False)),
        ({"internalTrafficPolicy": "Local"}, TWO, POD, (VIP, 80), ("ACCEPT", [0], False)),
        # from outside the cluster to a cluster IP: the answer must come back through this node
        ({}, FAR, OUTSIDE, (VIP, 80), ("ACCEPT", [1], True)),
        # a Pod that reaches itself
        ({}, (TWO[0],), "10.244.1.2", (VIP, 80), ("ACCEPT", [0], True)),
        # another port of the same address is nobody's
        ({}, TWO, POD, (VIP, 81), ("ACCEPT", ["10.96.1.2:81"], False)),
        # node ports
        (NODE_PORT, FAR, OUTSIDE, (NODE_IP, 30080), ("ACCEPT", [1], True)),
        (NODE_PORT, (), OUTSIDE, (NODE_IP, 30080), ("REJECT", [], False)),
        (NODE_PORT | {"externalTrafficPolicy": "Local"}, TWO, OUTSIDE, (NODE_IP, 30080),
         ("ACCEPT", [0], False)),
        (NODE_PORT | {"externalTrafficPolicy": "Local"}, FAR, OUTSIDE, (NODE_IP, 30080),
         ("DROP", [], False)),
        # ... but Pods are short-circuited to all endpoints
        (NODE_PORT | {"externalTrafficPolicy": "Local"}, FAR, POD, (NODE_IP, 30080),
         ("ACCEPT", [1], False)),
        # ... and so is the node itself, which must be masqueraded
        (NODE_PORT | {"externalTrafficPolicy": "Local"}, FAR, NODE_IP, (NODE_IP, 30080),
         ("ACCEPT", [1], True)),
        # external addresses and load balancers
        ({"externalIPs": [LB]}, FAR, OUTSIDE, (LB, 80), ("ACCEPT", [1], True)),
        (LOAD_BALANCER, FAR, OUTSIDE, (LB, 80), ("ACCEPT", [1], True)),
        (LOAD_BALANCER, (), OUTSIDE, (LB, 80), ("REJECT", [], False)),
        (LOAD_BALANCER | {"loadBalancerSourceRanges": ["192.0.2.0/24"]}, FAR, OUTSIDE, (LB, 80),
         ("ACCEPT", [1], True)),
        (LOAD_BALANCER | {"loadBalancerSourceRanges": ["198.51.100.0/24"]}, FAR, OUTSIDE, (LB, 80),
         ("DROP", [], False)),
        # source ranges do not count at node ports
        (LOAD_BALANCER | {"loadBalancerSourceRanges": ["198.51.100.0/24"]}, FAR, OUTSIDE,
         (NODE_IP, 30080), ("ACCEPT", [1], True)),
    ],
)  # fmt: skip
def test_where_a_connection_ends(
    spec: dict[str, Any],
    endpoints: tuple[dict[str, Any], ...],
    client: str,
    target: tuple[str, int],
    expected: tuple[str, list[Any], bool],
) -> None:
    verdict, destinations, masqueraded = expected
    names = [f"{TWO[d]['addresses'][0]}:8080" if isinstance(d, int) else d for d in destinations]
    found = outcome(rules(endpoints, **spec), client, *target)
    assert found == (verdict, names, masqueraded)


@pytest.mark.parametrize(
    ("ranges", "verdict"), [("172.18.0.0/16", "ACCEPT"), ("10.0.0.0/8", "DROP")]
)
def test_a_node_may_use_the_load_balancer_if_its_own_address_may(ranges: str, verdict: str) -> None:
    addresses = [{"type": "InternalIP", "address": NODE_IP}]
    node = load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "node-1"},
            "status": {"addresses": addresses},
        }
    )
    web = service(**LOAD_BALANCER, loadBalancerSourceRanges=[ranges])
    ruleset = render([web], [endpoint_slice(*TWO)], node=node)
    # the load balancer's address is often the node's own too, and then it is the source
    assert ruleset.trace(LB, LB, 80, local_addresses=[NODE_IP, LB]).verdict == verdict


def test_the_text_is_what_iptables_save_prints() -> None:
    text = str(rules(sessionAffinity="ClientIP"))
    assert str(parse(text)) == text
    assert (
        "-A KUBE-SERVICES -d 10.96.1.2/32 -p tcp -m comment --comment "
        '"default/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-LOLE4ISW44XBNF3G\n' in text
    )
    assert "--rcheck --seconds 10800 --reap --name KUBE-SEP-" in text


def test_affinity_rules_come_before_the_dice() -> None:
    chain = [str(r) for r in rules(sessionAffinity="ClientIP").rules("nat", SVC)]
    kinds = ["recent" if "recent" in r else "statistic" if "statistic" in r else "" for r in chain]
    assert kinds == ["", "recent", "recent", "statistic", ""]


def test_the_node_port_rule_is_the_last_of_its_chain() -> None:
    ruleset = render(
        [service(**NODE_PORT), service("api", clusterIP="10.96.1.3")],
        [endpoint_slice(*TWO), endpoint_slice(*TWO, service="api")],
    )
    assert str(ruleset.rules("nat", "KUBE-SERVICES")[-1]).endswith("-j KUBE-NODEPORTS")


def test_without_a_cluster_cidr_nobody_is_taken_for_an_outsider() -> None:
    ruleset = render([service()], [endpoint_slice(*TWO)], config=Config(cluster_cidr=""))
    assert not ruleset.trace(OUTSIDE, VIP, 80).masqueraded


def test_large_clusters_drop_the_comments_of_endpoints() -> None:
    many = [endpoint(f"10.244.{n // 250}.{n % 250 + 1}") for n in range(1001)]
    text = str(render([service()], [endpoint_slice(*many)]))
    assert "default/web ->" not in text
    assert '"default/web cluster IP"' in text


def test_the_port_comes_from_the_slice_by_its_name() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 1}, {"name": "admin", "port": 81}]
    named = endpoint_slice(TWO[0], ports=[{"name": "admin", "port": 9000}])
    ruleset = render([service(ports=ports)], [named])
    assert outcome(ruleset, POD, VIP, 81)[1] == ["10.244.1.2:9000"]
    assert outcome(ruleset, POD, VIP, 80)[0] == "REJECT"


def test_hints_send_to_the_zone_of_the_node() -> None:
    node = {"metadata": {"name": "n", "labels": {"topology.kubernetes.io/zone": "zone-b"}}}
    hinted = [
        endpoint("10.244.1.2", hints={"forZones": [{"name": "zone-a"}]}),
        endpoint("10.244.2.2", hints={"forZones": [{"name": "zone-b"}]}),
    ]
    where = load({"apiVersion": "v1", "kind": "Node", **node})
    ruleset = render([service()], [endpoint_slice(*hinted)], node=where)
    assert outcome(ruleset, POD, VIP, 80)[1] == ["10.244.2.2:8080"]


@settings(deadline=None)  # a trace of n endpoints walks the rules n times
@given(st.integers(1, 60))
def test_all_endpoints_are_equally_likely_and_sum_to_one(count: int) -> None:
    ruleset = rules(tuple(endpoint(f"10.244.1.{n + 2}") for n in range(count)))
    chances = [d.probability for d in ruleset.trace(POD, VIP, 80).destinations]
    assert len(chances) == count
    assert sum(chances) == 1
    # The kernel throws dice with 2**31 sides, so that 1/3 is not exact.
    assert max(chances) - min(chances) < Fraction(1, 10**7)


SVC = "KUBE-SVC-LOLE4ISW44XBNF3G"
