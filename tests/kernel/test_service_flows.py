"""kube-proxy's rules in a real kernel: every connection must end there as it does in the lab.

Both nodes load what `render` gives for the same Services; six origins try every address of each.
Compared are who answers, the source address that the server saw, and how what fails does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.node.cni import masquerade
from k8slab.node.kube_proxy import render
from tests.kernel.netlab import Flow, missing
from tests.kernel.two_nodes import HOSTS, NODES, ORIGINS, PODS, SERVERS, LabNodes, RealNodes
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service

REASON = missing()
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

THROWS = {0: 1, 1: 1, 2: 24, 3: 80}  # attempts, so that none of n endpoints is missed by chance
LEAVING = {"ready": False, "serving": True, "terminating": True}
UNREADY = {"ready": False, "serving": False, "terminating": False}
LOCAL = {"externalTrafficPolicy": "Local"}
INTERNAL_LOCAL = {"internalTrafficPolicy": "Local"}
STICKY = {"sessionAffinity": "ClientIP"}
ONLY_OUTSIDE = {"loadBalancerSourceRanges": [f"{HOSTS['outside']}/32"]}
ONLY_PODS = {"loadBalancerSourceRanges": ["10.244.0.0/16"]}
NOBODY = {"loadBalancerSourceRanges": ["192.0.2.0/24"]}

# name -> endpoints, where it can be reached (n: node port, b: load balancer, e: externalIPs), spec
SERVICES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "web": ("one two", "n", {}),
    "three": ("one two three", "", {}),
    "itself": ("one", "n", {}),
    "empty": ("", "nbe", {}),
    "empty-local": ("", "nb", LOCAL),
    "unready": ("one!unready two!unready", "n", {}),
    "leaving": ("one!leaving two!leaving", "n", {}),
    "one-leaves": ("one!leaving two", "n", {}),
    "internal-local": ("two", "n", INTERNAL_LOCAL),
    "internal-both": ("one two", "", INTERNAL_LOCAL),
    "external-local": ("two", "ne", LOCAL),
    "local-leaving": ("one!leaving two", "n", LOCAL),
    "all-local": ("one two", "b", LOCAL | INTERNAL_LOCAL),
    "nowhere": ("one!unready two", "nb", LOCAL | INTERNAL_LOCAL),
    "balanced": ("one two", "b", {}),
    "balanced-open": ("one two", "nb", ONLY_OUTSIDE),
    "balanced-pods": ("two", "b", ONLY_PODS),
    "balanced-closed": ("one two", "nb", NOBODY),
    "balanced-local": ("two", "b", LOCAL | ONLY_OUTSIDE),
    "external": ("one two", "e", {}),
    "host": ("node-2", "n", {}),
    "host-local": ("node-2", "n", LOCAL),
}
SERVER_IPS = {name: ip for name, (_, ip) in PODS.items()} | {"node-2": HOSTS["node-2"]}


def objects(name: str, number: int) -> tuple[Service, EndpointSlice]:
    """Return the Service and its slice; TCP port 80 and UDP port 53 of one address."""
    members, ways, spec = SERVICES.get(name, ("one two", "n", STICKY))
    ports: list[dict[str, Any]] = [
        {"name": "http", "protocol": "TCP", "port": 80},
        {"name": "dns", "protocol": "UDP", "port": 53},
    ]
    if "n" in ways:
        ports[0]["nodePort"], ports[1]["nodePort"] = 30080 + number, 30080 + number
    more = dict(spec)
    more["type"] = "LoadBalancer" if "b" in ways else "NodePort" if "n" in ways else "ClusterIP"
    if "b" in ways:
        ingress = [{"ip": ip} for ip in addresses(number)]
        more["status"] = {"loadBalancer": {"ingress": ingress}}
    if "e" in ways:
        more["externalIPs"] = addresses(number + 50)
    svc = service(name, clusterIP=f"10.96.0.{10 + number}", ports=ports, **more)
    targets = [{**ports[0], "port": 8080}, {**ports[1], "port": 5353}]
    pods = [member(word) for word in members.split()]
    return svc, endpoint_slice(*pods, service=name, ports=[_plain(each) for each in targets])


def addresses(number: int) -> list[str]:
    """Return an address that leads to node-1, and one that leads to node-2."""
    return [f"203.0.113.{10 + number}", f"203.0.113.{140 + number}"]


def _plain(port: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in port.items() if key != "nodePort"}


def member(word: str) -> dict[str, Any]:
    """Return the endpoint of "name!condition"."""
    name, _, condition = word.partition("!")
    node = name if name in NODES else PODS[name][0]
    conditions = {"unready": UNREADY, "leaving": LEAVING}.get(condition, {})
    return endpoint(SERVER_IPS[name], node, conditions=conditions)


def flows(origin: str) -> list[Flow]:
    """Return a flow to every address of every Service, and to 127.0.0.1 if it is a node."""
    found: list[Flow] = []
    for number, (members, ways, _) in enumerate(SERVICES.values()):
        times = THROWS[len(members.split())]
        found.append(("tcp", f"10.96.0.{10 + number}", 80, times))
        found.append(("udp", f"10.96.0.{10 + number}", 53, times))
        if "n" in ways:
            hosts = [HOSTS[node] for node in NODES]
            hosts += ["127.0.0.1"] if origin in NODES else []
            found += [("tcp", ip, 30080 + number, times) for ip in hosts]
        if "b" in ways:
            found += [("tcp", ip, 80, times) for ip in addresses(number)]
        if "e" in ways:
            external = addresses(number + 50)
            found += [("tcp", ip, 80, times) for ip in external]
    return found


def rules(node: str) -> str:
    """Return what kube-proxy and the CNI agent write on the node."""
    made = [objects(name, number) for number, name in enumerate((*SERVICES, "sticky"))]
    text = str(render([svc for svc, _ in made], [slice_ for _, slice_ in made], node=node))
    jump = f"*nat\n{masquerade.JUMP}\nCOMMIT\n"
    return text + masquerade.rules(("10.244.0.0/16",)) + jump


@pytest.fixture(scope="module")
def real() -> Iterator[RealNodes]:
    net = RealNodes()
    try:
        for node in NODES:
            net.load(node, rules(node))
        for name in SERVERS:
            net.serve(name)
        yield net
    finally:
        net.close()


@pytest.fixture(scope="module")
def lab() -> LabNodes:
    net = LabNodes()
    for node in NODES:
        net.load(node, rules(node))
    for name in SERVERS:
        net.serve(name)
    return net


def test_the_flows_are_many() -> None:
    assert sum(len(flows(origin)) for origin in ORIGINS) > 400


@pytest.mark.parametrize("origin", ORIGINS)
def test_every_flow_ends_as_in_the_kernel(real: RealNodes, lab: LabNodes, origin: str) -> None:
    wanted = flows(origin)
    kernel, ours = real.ask(origin, wanted), lab.ask(origin, wanted)
    pairs = zip(wanted, kernel, ours, strict=True)
    differing = {
        flow[:3]: (sorted(set(theirs)), sorted(set(own)))
        for flow, theirs, own in pairs
        if set(theirs) != set(own)
    }
    assert not differing, "\n".join(f"{flow}: {ends}" for flow, ends in differing.items())


def test_a_trace_foretells_what_the_kernel_does(real: RealNodes, lab: LabNodes) -> None:
    node = lab.spaces["node-1"]
    names = {ip: name for name, ip in SERVER_IPS.items()}
    wanted = [flow for flow in flows("client") if flow[1] != HOSTS["node-2"]]
    for (protocol, ip, port, _), answers in zip(wanted, real.ask("client", wanted), strict=True):
        trace = node.ruleset.trace(
            PODS["client"][1], ip, port, protocol, local_addresses=node.local_addresses
        )
        if trace.verdict != "ACCEPT":
            expected = {"REJECT": "ECONNREFUSED", "DROP": "ETIMEDOUT"}[trace.verdict]
            assert set(answers) == {expected}, (ip, port)
        else:
            reached = {names[each.ip] for each in trace.destinations}
            assert {answer.split()[0] for answer in answers} == reached, (ip, port)


@pytest.mark.parametrize("origin", ["one", "client", "node-1", "outside"])
def test_a_client_sticks_to_its_endpoint_at_every_address(
    real: RealNodes, lab: LabNodes, origin: str
) -> None:
    number = len(SERVICES)  # the last one is sticky
    ways = [("tcp", f"10.96.0.{10 + number}", 80, 8), ("tcp", HOSTS["node-1"], 30080 + number, 8)]
    for net in (real, lab):
        ends = {answer.split()[0] for answers in net.ask(origin, ways) for answer in answers}
        assert len(ends) == 1
        assert ends <= {"one", "two"}
