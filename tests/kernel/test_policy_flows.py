"""NetworkPolicies in a real kernel: what our chains let through and drop there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8slab.api.networking import NetworkPolicy
from k8slab.node.cni.network_policy import plan
from k8slab.node.cni.policy_chains import chains, text
from k8slab.node.kube_proxy import render
from tests.kernel.netlab import Flow, missing
from tests.kernel.two_nodes import HOSTS, NODES, ORIGINS, PODS, LabNodes, RealNodes
from tests.node.cni.test_network_policy import pod, policy
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service

REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

HTTP, DNS = {"port": 8080}, {"port": 5353, "protocol": "UDP"}
OUTSIDE = {"ipBlock": {"cidr": "172.18.0.0/16", "except": ["172.18.0.3/32"]}}


def about(name: str, **spec: Any) -> NetworkPolicy:
    return policy(name, podSelector={"matchLabels": {"app": name}}, **spec)


def peer(name: str) -> dict[str, Any]:
    return {"podSelector": {"matchLabels": {"app": name}}}


POLICIES = [
    about("one", ingress=[{"from": [peer("client"), peer("two")], "ports": [HTTP]}]),
    about("two", ingress=[{"from": [OUTSIDE]}, {"from": [peer("three")], "ports": [DNS]}]),
    about("client", egress=[{"to": [peer("one")]}, {"ports": [DNS]}], policyTypes=["Egress"]),
    about("three", policyTypes=["Egress"]),
]


def rules(node: str) -> str:
    """Return what kube-proxy and the policy agent write: two Services, four policies."""
    web = [endpoint(PODS["one"][1]), endpoint(PODS["two"][1], "node-2")]
    port = [{"port": 80, "nodePort": 30080}]
    proxy = render(
        [service("web", clusterIP="10.96.0.10", ports=port), service("db", clusterIP="10.96.0.11")],
        [
            endpoint_slice(*web, service="web"),
            endpoint_slice(endpoint(PODS["three"][1], "node-2"), service="db"),
        ],
        node=node,
    )
    pods = [pod(name, ip, node=where) for name, (where, ip) in PODS.items()]
    return str(proxy) + text(chains(plan(POLICIES, pods, {"default": {}}, node=node)))


def flows() -> list[Flow]:
    found: list[Flow] = [("tcp", "10.96.0.10", 80, 8), ("tcp", "10.96.0.11", 80, 1)]
    found += [("tcp", HOSTS[node], 30080, 8) for node in NODES]
    for _, ip in PODS.values():
        found += [("tcp", ip, 8080, 1), ("udp", ip, 5353, 1), ("tcp", ip, 81, 1)]
    return found


@pytest.fixture(scope="module")
def nets() -> Iterator[tuple[RealNodes, LabNodes]]:
    real, lab = RealNodes(), LabNodes()
    try:
        for net in (real, lab):
            for node in NODES:
                net.load(node, rules(node))
            for name in PODS:
                net.serve(name)
        yield real, lab
    finally:
        real.close()


@pytest.mark.parametrize("origin", ORIGINS)
def test_policies_end_every_flow_as_in_the_kernel(
    nets: tuple[RealNodes, LabNodes], origin: str
) -> None:
    # The lab's dice are thrown more often, so that whatever the kernel's say has been seen there.
    kernel = nets[0].ask(origin, flows())
    ours = nets[1].ask(origin, [(*flow[:3], 6 * flow[3] - 5) for flow in flows()])
    for flow, theirs, own in zip(flows(), kernel, ours, strict=True):
        # Where dice decide, the kernel is not asked again once an endpoint did not answer.
        assert set(theirs) <= set(own), flow


def test_the_policies_do_something(nets: tuple[RealNodes, LabNodes]) -> None:
    (allowed,), (denied,) = (
        nets[0].ask(origin, [("tcp", PODS["one"][1], 8080, 1)]) for origin in ("client", "outside")
    )
    assert allowed == ["one 10.244.1.9"]
    assert denied == ["ETIMEDOUT"]
