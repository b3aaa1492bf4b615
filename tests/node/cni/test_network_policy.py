"""NetworkPolicies: what is allowed, in the model and through the rules."""

from __future__ import annotations

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from k8slab.api import load
from k8slab.api.core import Pod, PodIP
from k8slab.api.networking import IPBlock, NetworkPolicy
from k8slab.linux.netfilter import Ruleset
from k8slab.node.cni.network_policy import cidrs, plan
from k8slab.node.cni.policy_chains import TOP, chains, install, installed, text

NAMESPACES = {"default": {"team": "a"}, "other": {"team": "b"}}
ANY: dict[str, Any] = {"podSelector": {}}


def pod(name: str, ip: str, namespace: str = "default", node: str = "n1", **labels: str) -> Pod:
    port = {"name": "http", "containerPort": 8080}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": name, **labels}},
        "spec": {"nodeName": node, "containers": [{"name": "c", "image": "i", "ports": [port]}]},
        "status": {"podIP": ip, "phase": "Running"},
    }
    return cast(Pod, load(manifest))


PODS = [
    pod("web", "10.244.1.2"),
    pod("db", "10.244.1.3", role="store"),
    pod("far", "10.244.2.2", node="n2"),
    pod("guest", "10.244.1.4", "other"),
]


def policy(name: str = "p", namespace: str = "default", **spec: Any) -> NetworkPolicy:
    manifest = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {"matchLabels": {"app": "web"}}, **spec},
    }
    return cast(NetworkPolicy, load(manifest))


def rules(*policies: NetworkPolicy, node: str = "n1") -> Ruleset:
    ruleset = Ruleset()
    ruleset.restore(text(chains(plan(policies, PODS, NAMESPACES, node=node))), noflush=True)
    return ruleset


def passes(ruleset: Ruleset, src: str, dst: str, port: int = 80, protocol: str = "tcp") -> bool:
    return ruleset.trace(src, dst, port, protocol).verdict == "ACCEPT"


WEB, DB, FAR, GUEST, STRANGER = "10.244.1.2", "10.244.1.3", "10.244.2.2", "10.244.1.4", "8.8.8.8"
ENDS = [DB, FAR, GUEST, STRANGER]
EXCEPT = {"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.244.0.0/16"]}}


def peers(*labels: str) -> list[dict[str, Any]]:
    return [{"podSelector": {"matchLabels": {"app": label}}} for label in labels]


@pytest.mark.parametrize(
    ("rule", "who"),
    [
        (None, []),  # no rule: nobody
        ({}, ENDS),  # an empty rule: everybody
        ({"from": [ANY]}, [DB, FAR]),  # the policy's own namespace
        ({"from": peers("db")}, [DB]),
        ({"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}]}, [GUEST]),
        ({"from": [{"namespaceSelector": {}}]}, [DB, FAR, GUEST]),
        # both selectors in one entry: and; in two entries: or
        ({"from": [{"namespaceSelector": {}, **peers("db")[0]}]}, [DB]),
        ({"from": [{"namespaceSelector": {"matchLabels": {"team": "b"}}}, *peers("db")]},
         [DB, GUEST]),
        ({"from": [EXCEPT]}, [STRANGER]),
        ({"from": [{"ipBlock": {"cidr": "10.244.1.0/24"}}]}, [DB, GUEST]),
    ],
)  # fmt: skip
def test_who_may_come_in(rule: dict[str, Any] | None, who: list[str]) -> None:
    ruleset = rules(policy(ingress=[rule] if rule is not None else []))
    assert [end for end in ENDS if passes(ruleset, end, WEB)] == who


@pytest.mark.parametrize(
    ("rule", "who"),
    [
        (None, []),
        ({}, ENDS),
        ({"to": peers("db")}, [DB]),
        ({"to": [EXCEPT], "ports": [{"port": 80}]}, [STRANGER]),
        ({"to": [EXCEPT], "ports": [{"port": 81}]}, []),
    ],
)
def test_where_to_a_pod_may_go(rule: dict[str, Any] | None, who: list[str]) -> None:
    egress = policy(egress=[rule] if rule is not None else [], policyTypes=["Egress"])
    ruleset = rules(egress)
    assert [end for end in ENDS if passes(ruleset, WEB, end)] == who
    assert passes(ruleset, STRANGER, WEB)  # the other direction is nobody's business


@pytest.mark.parametrize(
    ("port", "open_ports"),
    [
        ({"port": 80}, [("tcp", 80)]),
        ({"port": 80, "protocol": "UDP"}, [("udp", 80)]),
        ({"port": 80, "endPort": 8080}, [("tcp", 80), ("tcp", 443), ("tcp", 8080)]),
        ({"port": "http"}, [("tcp", 8080)]),
        ({"port": "nobody"}, []),
        ({"protocol": "UDP"}, [("udp", 80), ("udp", 443), ("udp", 8080)]),
    ],
)
def test_which_ports_are_open(port: dict[str, Any], open_ports: list[tuple[str, int]]) -> None:
    for ruleset, src, dst in (
        (rules(policy(ingress=[{"ports": [port]}])), DB, WEB),
        (rules(policy(egress=[{"ports": [port]}])), WEB, DB),
    ):
        tried = [(protocol, number) for protocol in ("tcp", "udp") for number in (80, 443, 8080)]
        found = [(p, n) for p, n in tried if passes(ruleset, src, dst, n, p)]
        assert found == open_ports


def test_policies_add_up_and_both_ends_must_agree() -> None:
    both = rules(
        policy("one", ingress=[{"from": peers("db")}]),
        policy("two", ingress=[{"from": peers("far")}]),
        policy("closed", podSelector={"matchLabels": {"app": "db"}}, policyTypes=["Egress"]),
    )
    assert passes(both, FAR, WEB)
    assert not passes(both, DB, WEB)  # web would let it in, but db may not go out
    assert passes(both, WEB, DB)


def test_a_pod_reaches_itself_and_other_nodes_mind_their_own_pods() -> None:
    deny = policy(policyTypes=["Ingress", "Egress"])
    assert passes(rules(deny), WEB, WEB)
    assert str(rules(deny, node="n2")).count("KIND") == 0


def test_a_host_network_pod_or_a_finished_one_is_neither_selected_nor_a_peer() -> None:
    host = pod("web", "172.18.0.3")
    host = cast(Pod, load({**_raw(host), "spec": {**_raw(host)["spec"], "hostNetwork": True}}))
    assert plan([policy()], [host], NAMESPACES, node="n1") == ()


def _raw(obj: Pod) -> dict[str, Any]:
    import msgspec

    return cast(dict[str, Any], msgspec.to_builtins(obj))


@given(
    st.integers(0, 2**32 - 1),
    st.integers(20, 32),
    st.lists(st.tuples(st.integers(0, 2**12 - 1), st.integers(20, 32)), max_size=4),
    st.integers(0, 2**12 - 1),
)
def test_a_block_without_its_exceptions(
    base: int, length: int, holes: list[tuple[int, int]], host: int
) -> None:
    from ipaddress import IPv4Address, IPv4Network

    block = IPv4Network((base & ~0xFFF, 20)).supernet(0)
    network = IPv4Network((int(block.network_address) + (base & 0xFFF), length), strict=False)
    cut = [
        IPv4Network((int(block.network_address) + place, size), strict=False)
        for place, size in holes
    ]
    left = cidrs(IPBlock(cidr=str(network), except_=tuple(map(str, cut))))
    ip = IPv4Address(int(block.network_address) + host)
    inside = any(ip in IPv4Network(each) for each in left)
    assert inside == (ip in network and not any(ip in hole for hole in cut))


@pytest.mark.parametrize(
    ("rule", "who"),
    [
        ({}, ["fd00:1::3", "2001:db8::1"]),
        ({"from": [ANY]}, ["fd00:1::3"]),
        ({"from": [{"ipBlock": {"cidr": "::/0", "except": ["fd00::/8"]}}]}, ["2001:db8::1"]),
        ({"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}, []),
        ({"from": peers("db"), "ports": [{"port": "http"}]}, []),
    ],
)
def test_each_family_is_planned_by_itself(rule: dict[str, Any], who: list[str]) -> None:
    pods = [
        replace(each, status=replace(each.status, podIPs=(PodIP(ip=ip), PodIP(ip=f"fd00:1::{n}"))))
        for n, (each, ip) in enumerate([(PODS[0], WEB), (PODS[1], DB)], 2)
    ]
    ruleset = Ruleset()
    planned = plan([policy(ingress=[rule])], pods, NAMESPACES, node="n1", ipv6=True)
    ruleset.restore(text(chains(planned)), noflush=True)
    ends = ["fd00:1::3", "2001:db8::1"]
    assert [end for end in ends if passes(ruleset, end, "fd00:1::2")] == who
    assert WEB not in str(ruleset)


def test_the_jump_comes_first_whoever_was_there_before() -> None:
    ruleset = rules(policy())
    ruleset.ensure_rule("filter", "FORWARD", "-j ACCEPT", prepend=True)
    wanted = chains(plan([policy()], PODS, NAMESPACES, node="n1"))
    install(ruleset, wanted, wanted)
    assert [TOP in str(rule) for rule in ruleset.rules("filter", "FORWARD")] == [True, False]


def test_without_policies_nothing_is_left_even_of_an_earlier_agent() -> None:
    ruleset = rules(policy())
    assert install(ruleset, {}, installed(ruleset)) == 2
    assert "KIND" not in str(ruleset)
