"""kube-proxy's nftables form in a real kernel: every flow ends as in the lab's, and as foretold."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import cast

import pytest

from k8slab.api import load
from k8slab.api.core import Node
from k8slab.linux.nft import NftRuleset
from k8slab.node.kube_proxy import nftables
from tests.kernel.netlab import missing
from tests.kernel.test_service_flows import SERVER_IPS, SERVICES, flows, objects
from tests.kernel.two_nodes import HOSTS, NODES, ORIGINS, PODS, SERVERS, LabNodes, RealNodes

REASON = missing() or ("" if shutil.which("nft") else "needs nft")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

ERRORS = {"REJECT": "ECONNREFUSED", "DROP": "ETIMEDOUT"}


def ruleset(node: str) -> NftRuleset:
    made = [objects(name, number) for number, name in enumerate(SERVICES)]
    status = {"addresses": [{"type": "InternalIP", "address": HOSTS[node]}]}
    manifest = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": node}, "status": status}
    this = cast(Node, load(manifest))
    return nftables.render([svc for svc, _ in made], [each for _, each in made], node=this)


@pytest.fixture(scope="module")
def real() -> Iterator[RealNodes]:
    net = RealNodes()
    try:
        for node in NODES:
            net.inside(node, "nft", "-f", "-", text=str(ruleset(node)))
        for name in SERVERS:
            net.serve(name)
        yield net
    finally:
        net.close()


@pytest.fixture(scope="module")
def lab() -> LabNodes:
    net = LabNodes()
    for node in NODES:
        net.spaces[node].nft.run(str(ruleset(node)))
    for name in SERVERS:
        net.serve(name)
    return net


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_flow_ends_as_in_the_kernel(real: RealNodes, lab: LabNodes, origin: str) -> None:
    wanted = flows(origin)
    kernel, ours = real.ask(origin, wanted), lab.ask(origin, wanted)
    differing = {
        flow[:3]: (sorted(set(theirs)), sorted(set(own)))
        for flow, theirs, own in zip(wanted, kernel, ours, strict=True)
        if set(theirs) != set(own)
    }
    assert not differing, "\n".join(f"{flow}: {ends}" for flow, ends in differing.items())


@pytest.mark.parametrize("origin", ["client", "one", "node-1", "outside"])
def test_a_trace_foretells_what_the_kernel_does(real: RealNodes, origin: str) -> None:
    rules = ruleset("node-1")
    source = HOSTS.get(origin) or PODS[origin][1]
    names = {ip: name for name, ip in SERVER_IPS.items()}
    own = [HOSTS["node-1"], "10.244.1.1"]
    # What node-1 decides: not the addresses that lead to node-2.
    elsewhere = (HOSTS["node-2"], "127.0.0.1")
    wanted = [flow for flow in flows(origin) if flow[1] not in elsewhere]
    if origin == "outside":
        wanted = [flow for flow in wanted if not _leads_to_node_2(flow[1])]
    for (protocol, ip, port, _), answers in zip(wanted, real.ask(origin, wanted), strict=True):
        trace = rules.trace(source, ip, port, protocol, local_addresses=own)
        if origin in NODES and trace.verdict == "ACCEPT" and not trace.translated:
            continue  # it goes on to the node itself, or to nowhere: not for these rules to say
        if trace.verdict in ERRORS:
            # A datagram that ends in the sender's own kernel may be told so by the call itself.
            expected = {ERRORS[trace.verdict], "EPERM" if origin in NODES else ""}
            assert set(answers) <= expected, (ip, port)
        else:
            ends = {(names[each.ip], each.masqueraded) for each in trace.destinations}
            seen = {(a.split()[0], a.split()[1] != source) for a in answers}
            if origin == "node-1":  # whoever masquerades itself may keep its address
                ends, seen = {(n, True) for n, _ in ends}, {(n, True) for n, _ in seen}
            assert seen == ends, (ip, port)


def _leads_to_node_2(ip: str) -> bool:
    return ip.startswith("203.0.113.") and int(ip.rpartition(".")[2]) >= 128
