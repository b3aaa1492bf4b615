"""IPv6 Services and NetworkPolicies in a real kernel: every flow ends as in the lab."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.node.cni.network_policy import plan
from k8slab.node.cni.policy_chains import chains, text
from k8slab.node.kube_proxy import Config, nftables, render
from tests.kernel.netlab import CLIENT, SERVER, TIMEOUT, LabNet, RealNet, missing
from tests.node.cni.test_network_policy import pod, policy
from tests.node.kube_proxy.objects import endpoint, endpoint_slice, service

REASON = missing() or ("" if shutil.which("nft") else "needs nft")
pytestmark = pytest.mark.skipif(bool(REASON), reason=REASON)

# neighbour -> its address and the node's address on the same wire
WIRES = {
    "client": ("fd00:10:244:3::2", "fd00:10:244:3::1"),
    "one": ("fd00:10:244:1::2", "fd00:10:244:1::1"),
    "two": ("fd00:10:244:2::2", "fd00:10:244:2::1"),
    "outside": ("fc00:f853::9", "fc00:f853::2"),
}
NODE = WIRES["outside"][1]
CONFIG = Config(cluster_cidr="fd00:10:244::/48")
ENDS = (WIRES["one"][0], WIRES["two"][0])
SERVICES: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "web": (ENDS, {"type": "NodePort"}),
    "one": (ENDS[:1], {}),
    "empty": ((), {"type": "NodePort"}),
    "local": (ENDS, {"type": "NodePort", "externalTrafficPolicy": "Local"}),
    "external": (ENDS, {"externalIPs": ["2001:db8::99"]}),
}
FLOWS = [
    *(("tcp", f"fd00:10:96::{n + 10:x}", 80, 24) for n in range(len(SERVICES))),
    *(("tcp", NODE, 30080 + n, 24) for n in (0, 2, 3)),
    ("udp", "fd00:10:96::a", 53, 24),
    ("udp", "fd00:10:96::c", 53, 1),
    ("tcp", "2001:db8::99", 80, 24),
    ("tcp", ENDS[0], 8080, 1),
    ("tcp", ENDS[0], 81, 1),
    ("udp", ENDS[1], 82, 1),
]


TIMED_OUT = "ETIMEDOUT"
POLICIES = [
    policy(
        podSelector={"matchLabels": {"app": "one"}},
        ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "two"}}}]}],
    ),
    policy(
        "blocks",
        podSelector={"matchLabels": {"app": "two"}},
        ingress=[
            {"from": [{"ipBlock": {"cidr": "fc00:f853::/32", "except": ["fc00:f853::8/126"]}}]},
            {"from": [{"ipBlock": {"cidr": "0.0.0.0/0"}}], "ports": [{"port": 82}]},
            {"from": [{"ipBlock": {"cidr": "fd00:10:244::/48"}}], "ports": [{"port": 8080}]},
        ],
    ),
]


def policies() -> str:
    """Return what the policy agent writes for ip6tables; "outside" is in the exception."""
    pods = [pod(name, WIRES[name][0], node="node-1") for name in ("client", "one", "two")]
    return text(chains(plan(POLICIES, pods, {"default": {}}, node="node-1", ipv6=True)))


def rules(form: Any) -> Any:
    services, slices = [], []
    for number, (name, (ends, spec)) in enumerate(SERVICES.items()):
        ip = f"fd00:10:96::{number + 10:x}"
        node_port = {"nodePort": 30080 + number} if spec.get("type") == "NodePort" else {}
        ports = [
            {"name": "http", "protocol": "TCP", "port": 80, **node_port},
            {"name": "dns", "protocol": "UDP", "port": 53},
        ]
        services.append(service(name, clusterIP=ip, clusterIPs=[ip], ports=ports, **spec))
        targets = [{**ports[0], "port": 8080}, {**ports[1], "port": 5353}]
        targets[0].pop("nodePort", None)
        pods = [endpoint(end, "node-1") for end in ends]
        slices.append(endpoint_slice(*pods, service=name, ports=targets))
    slices = [replace(each, addressType="IPv6") for each in slices]
    return form(services, slices, node="node-1", config=CONFIG, family="IPv6")


class RealSix(RealNet):
    """The node with four neighbours, in IPv6."""

    # Here the kernel only heeds the refusal of a second SYN, which comes after a second.
    client = CLIENT.replace(f"settimeout({TIMEOUT})", "settimeout(1.5)")

    def build(self) -> None:
        self._namespace("node")
        for setting in ("conf.all.forwarding=1", "conf.default.accept_dad=0", "icmp.ratelimit=0"):
            self.inside("node", "sysctl", "-q", "-w", f"net.ipv6.{setting}")
        for name, (ip, gateway) in WIRES.items():
            self._namespace(name)
            self.inside(name, "sysctl", "-q", "-w", "net.ipv6.conf.default.accept_dad=0")
            self._cable(name, ip, gateway)
        via = WIRES["outside"][0]
        self.inside("node", "ip", "-6", "route", "add", "default", "via", via)

    def _cable(self, name: str, ip: str, gateway: str) -> None:
        node, other = f"{self.prefix}-node", f"{self.prefix}-{name}"
        peer = ("peer", "name", "eth0", "netns", other)
        self._run("ip", "link", "add", name, "netns", node, "type", "veth", *peer)
        for where, device, own in (("node", name, gateway), (name, "eth0", ip)):
            self.inside(where, "ip", "addr", "add", f"{own}/64", "dev", device, "nodad")
            self.inside(where, "ip", "link", "set", device, "up")
        self.inside(name, "ip", "-6", "route", "add", "default", "via", gateway)

    def serve(self, name: str) -> None:
        self._serve(name, SERVER.replace("AF_INET", "AF_INET6").replace("0.0.0.0", "::"))


class LabSix(LabNet):
    """The same in the lab."""

    wires = WIRES


@pytest.fixture(scope="module", params=["ip6tables", "nft", "ip6tables with policies"])
def nets(request: Any) -> Iterator[tuple[RealSix, LabSix]]:
    real, lab = RealSix(), LabSix()
    try:
        if request.param == "nft":
            written = str(rules(nftables.render))
            real.inside("node", "nft", "-f", "-", text=written)
            lab.spaces["node"].nft.run(written)
        else:
            written = str(rules(render)) + (policies() if "policies" in request.param else "")
            real.inside("node", "ip6tables-restore", "--noflush", text=written)
            lab.spaces["node"].ip6tables_restore(written, noflush=True)
        for name in ("one", "two"):
            real.serve(name)
            lab.serve(name)
        yield real, lab
    finally:
        real.close()


@pytest.mark.parametrize("origin", ["client", "one", "outside", "node"])
def test_every_ipv6_flow_ends_as_in_the_kernel(nets: tuple[RealSix, LabSix], origin: str) -> None:
    kernel = nets[0].ask(origin, FLOWS)
    ours = nets[1].ask(origin, [(*flow[:3], 6 * flow[3] - 5) for flow in FLOWS])
    differing = {
        flow[:3]: (sorted(set(theirs)), sorted(set(own)))
        for flow, theirs, own in zip(FLOWS, kernel, ours, strict=True)
        # Where dice decide, the kernel is not asked again once an endpoint did not answer.
        if not (set(theirs) == set(own) or (TIMED_OUT in theirs and set(theirs) <= set(own)))
    }
    assert not differing, "\n".join(f"{flow}: {ends}" for flow, ends in differing.items())
