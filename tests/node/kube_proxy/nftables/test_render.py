"""The nftables form of kube-proxy: it agrees with the iptables form, and real nft reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
from fractions import Fraction
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.core import Node
from k8slab.linux.nft import NftRuleset, parse
from k8slab.node.kube_proxy import Config, nftables, render
from k8slab.node.kube_proxy.rules import within
from tests.node.kube_proxy.objects import OUTSIDE, POD, VIP, endpoint, endpoint_slice, service
from tests.node.kube_proxy.test_against_specification import CONDITIONS, EXTERNAL

NODE_IP, LB = "172.18.0.3", "203.0.113.9"
NODE = cast(
    Node,
    load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "node-1"},
            "status": {"addresses": [{"type": "InternalIP", "address": NODE_IP}]},
        }
    ),
)
TWO = (endpoint("10.244.1.2"), endpoint("10.244.2.2", "node-2"))
FRONT = {
    "type": "LoadBalancer",
    "ports": [{"port": 80, "nodePort": 30080}],
    "externalIPs": [EXTERNAL],
    "status": {"loadBalancer": {"ingress": [{"ip": LB}]}},
}


def rules(*endpoints: dict[str, Any], **spec: Any) -> NftRuleset:
    return nftables.render([service(**spec)], [endpoint_slice(*(endpoints or TWO))], node=NODE)


@given(
    st.lists(st.tuples(st.sampled_from(["node-1", "node-2"]), st.sampled_from(list(CONDITIONS)))),
    st.sampled_from([POD, OUTSIDE, "10.244.1.10"]),
    st.sampled_from([VIP, EXTERNAL, NODE_IP, LB]),
    st.sampled_from(["Cluster", "Local"]),
    st.sampled_from(["Cluster", "Local"]),
    st.sampled_from([[], ["192.0.2.0/24"], ["198.51.100.0/24"], ["0.0.0.0/0"]]),
    st.sampled_from(["", "ClientIP"]),
)
def test_both_forms_agree_on_every_packet(
    endpoints: list[tuple[str, str]],
    src: str,
    dst: str,
    internal: str,
    external: str,
    ranges: list[str],
    affinity: str,
) -> None:
    pods = [
        endpoint(f"10.244.1.{n + 10}", node, conditions=CONDITIONS[condition])
        for n, (node, condition) in enumerate(endpoints)
    ]
    web = service(
        **FRONT,
        internalTrafficPolicy=internal,
        externalTrafficPolicy=external,
        loadBalancerSourceRanges=ranges,
        sessionAffinity=affinity,
    )
    port = 30080 if dst == NODE_IP else 80
    one, other = (
        form([web], [endpoint_slice(*pods)], node=NODE).trace(
            src, dst, port, local_addresses=[NODE_IP]
        )
        for form in (render, nftables.render)
    )
    if one.verdict == "REJECT" and dst == LB and not any(within(src, each) for each in ranges):
        # Who may not come in is dropped before anybody asks whether there is an endpoint.
        assert other.verdict == ("DROP" if ranges else "REJECT")
        return
    assert one.verdict == other.verdict
    ends = [[(str(d), d.masqueraded) for d in trace.destinations] for trace in (one, other)]
    assert ends[0] == ends[1]
    for mine, theirs in zip(one.destinations, other.destinations, strict=True):
        assert abs(mine.probability - theirs.probability) < Fraction(1, 10**6)
    assert sum(branch.probability for branch in other.branches) == 1


def test_what_upstream_made_otherwise() -> None:
    front = rules(**FRONT)
    # a wrong port of a cluster IP is refused at once
    assert front.trace(POD, VIP, 81).verdict == "REJECT"
    # node ports are not at 127.0.0.1
    assert not front.trace("127.0.0.1", "127.0.0.1", 30080).translated
    # the node's own requests to an address without endpoints are refused too
    empty = nftables.render([service(**FRONT)], [endpoint_slice()], node=NODE)
    assert empty.trace(NODE_IP, LB, 80, local_addresses=[NODE_IP]).verdict == "REJECT"


def test_a_service_is_found_in_one_look_up() -> None:
    many = [service(f"web-{n}", clusterIP=f"10.96.2.{n}") for n in range(1, 200)]
    slices = [endpoint_slice(*TWO, service=f"web-{n}") for n in range(1, 200)]
    trace = nftables.render(many, slices).trace(POD, "10.96.2.199", 80)
    assert {str(d) for d in trace.destinations} == {"10.244.1.2:8080", "10.244.2.2:8080"}
    assert max(branch.examined for branch in trace.branches) < 25
    walked = render(many, slices).trace(POD, "10.96.2.199", 80)
    assert max(branch.examined for branch in walked.branches) > 100


def test_the_text_can_be_read_again() -> None:
    text = str(rules(**FRONT, sessionAffinity="ClientIP", loadBalancerSourceRanges=["10.0.0.0/8"]))
    assert str(parse(text)) == text


@pytest.mark.skipif(
    os.geteuid() != 0 or not all(map(shutil.which, ("nft", "ip"))), reason="needs root and nft"
)
def test_the_kernel_takes_every_kind_of_rule() -> None:
    ports = [
        {"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053},
        {"name": "sip", "port": 5060, "protocol": "SCTP"},
    ]
    local = {"externalTrafficPolicy": "Local", "loadBalancerSourceRanges": ["192.0.2.0/24"]}
    sticky = service("b", clusterIP="10.96.1.3", ports=ports, sessionAffinity="ClientIP")
    targets = [{key: port[key] for key in ("name", "port", "protocol")} for port in ports]
    slices = [endpoint_slice(*TWO, service="a"), endpoint_slice(*TWO, service="b", ports=targets)]
    empty = service("c", clusterIP="10.96.1.4", **{**FRONT, "externalIPs": ["203.0.113.7"]})
    text = str(nftables.render([service("a", **FRONT, **local), sticky, empty], slices))
    name = f"k8slab-nft-{os.getpid()}"
    if subprocess.run(["ip", "netns", "add", name], capture_output=True).returncode:
        pytest.skip("may not make network namespaces")
    command = ["ip", "netns", "exec", name, "nft", "-f", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True)
    subprocess.run(["ip", "netns", "del", name], check=True)
    assert done.returncode == 0, done.stderr


def test_masquerading_everything() -> None:
    config = Config(masquerade_all=True)
    ruleset = nftables.render([service()], [endpoint_slice(*TWO)], config=config)
    assert ruleset.trace(POD, VIP, 80).masqueraded
