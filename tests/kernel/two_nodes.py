"""A cluster's network twice: in network namespaces of this machine, and in the lab.

Two nodes, each with a bridge and two Pods, and a machine outside, on one wire. Addresses of
external and balanced Services lead from outside to node-1 (.0/25) or to node-2 (.128/25).
"""

from __future__ import annotations

from k8slab.linux.links import Segment, veth_pair
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from tests.kernel.netlab import LabNet, RealNet

HOSTS = {"node-1": "172.18.0.3", "node-2": "172.18.0.4", "outside": "172.18.0.9"}
NODES = {"node-1": "10.244.1", "node-2": "10.244.2"}  # node -> its range of Pods
PODS = {
    "one": ("node-1", "10.244.1.2"),
    "client": ("node-1", "10.244.1.9"),
    "two": ("node-2", "10.244.2.2"),
    "three": ("node-2", "10.244.2.3"),
}
ORIGINS = ("one", "client", "two", "node-1", "node-2", "outside")
SETTINGS = (
    "ip_forward=1",
    "conf.all.route_localnet=1",
    "icmp_ratelimit=0",  # refusals come many at a time here, and none of them may get lost
    "icmp_msgs_burst=10000",
)
SERVERS = ("one", "two", "three", "node-2")
ROUTES = (
    ("node-1", "10.244.2.0/24", "172.18.0.4"),
    ("node-2", "10.244.1.0/24", "172.18.0.3"),
    ("node-1", "default", "172.18.0.9"),
    ("node-2", "default", "172.18.0.9"),
    ("outside", "default", "172.18.0.3"),
    ("outside", "203.0.113.128/25", "172.18.0.4"),
)


class RealNodes(RealNet):
    """The network in namespaces of this machine."""

    def build(self) -> None:
        """Make switch, nodes, Pods and the machine outside."""
        self._namespace("switch")
        self._bridge("switch", "br0")
        for host, ip in HOSTS.items():
            self._namespace(host)
            self._plug(host, f"{ip}/16", "switch", host, "br0")
        for node, network in NODES.items():
            self._bridge(node, "cni0", f"{network}.1/24")
            for setting in SETTINGS:
                self.inside(node, "sysctl", "-q", "-w", f"net.ipv4.{setting}")
        for pod, (node, ip) in PODS.items():
            self._namespace(pod)
            self._plug(pod, f"{ip}/24", node, f"veth-{pod}", "cni0")
            self.inside(pod, "ip", "route", "add", "default", "via", f"{NODES[node]}.1")
        for host, destination, gateway in ROUTES:
            self.inside(host, "ip", "route", "add", destination, "via", gateway)

    def _bridge(self, name: str, bridge: str, address: str = "") -> None:
        self.inside(name, "ip", "link", "add", bridge, "type", "bridge")
        self.inside(name, "ip", "link", "set", bridge, "up")
        if address:
            self.inside(name, "ip", "addr", "add", address, "dev", bridge)

    def _plug(self, name: str, address: str, where: str, port: str, bridge: str) -> None:
        inner = ("peer", "name", "eth0", "netns", f"{self.prefix}-{name}")
        outer = ("netns", f"{self.prefix}-{where}")
        self._run("ip", "link", "add", port, *outer, "type", "veth", *inner)
        self.inside(where, "ip", "link", "set", port, "master", bridge, "up")
        if bridge == "cni0":  # as the CNI plugin does, so that a Pod can reach itself
            self.inside(where, "bridge", "link", "set", "dev", port, "hairpin", "on")
        self.inside(name, "ip", "addr", "add", address, "dev", "eth0")
        self.inside(name, "ip", "link", "set", "eth0", "up")

    def load(self, node: str, rules: str) -> None:
        """Load the rules into the kernel of the node."""
        self.inside(node, "iptables-restore", "--noflush", text=rules)


class LabNodes(LabNet):
    """The same network in the lab."""

    def build(self) -> None:
        """Make wire, nodes, Pods and the machine outside."""
        segment = Segment(self.sim)
        for host, ip in HOSTS.items():
            self.spaces[host] = NetNamespace(self.sim, host)
            self.spaces[host].add_ethernet("eth0", segment, f"{ip}/16")
        for node, network in NODES.items():
            self.spaces[node].add_bridge("cni0", f"{network}.1/24")
            self.spaces[node].ip_forward = self.spaces[node].route_localnet = True
        for pod, (node, ip) in PODS.items():
            self._pod(pod, node, ip)
        for host, destination, gateway in ROUTES:
            route = Route(destination=destination, gateway=gateway, device="eth0")
            self.spaces[host].routes.add(route)

    def _pod(self, name: str, node: str, ip: str) -> None:
        pod = self.spaces[name] = NetNamespace(self.sim, name)
        outer, inner = veth_pair(self.spaces[node], f"veth-{name}", pod, "eth0")
        inner.add_address(f"{ip}/24")
        gateway = f"{NODES[node]}.1"
        pod.routes.add(Route(destination="default", gateway=gateway, device="eth0"))
        self.spaces[node].interfaces["cni0"].attach(outer)  # type: ignore[attr-defined]

    def load(self, node: str, rules: str) -> None:
        """Load the rules into the lab's kernel of the node."""
        self.spaces[node].iptables_restore(rules, noflush=True)
