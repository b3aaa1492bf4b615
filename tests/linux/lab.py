from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from k8slab.linux.journey import Journey
from k8slab.linux.links import Segment, veth_pair
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.sim import Simulation

# One Service with two endpoints on both nodes, one without endpoints, a node port.
RULES = """
*filter
:KUBE-SERVICES - [0:0]
:KUBE-EXTERNAL-SERVICES - [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-PROXY-FIREWALL - [0:0]
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A INPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals" -j KUBE-EXTERNAL-SERVICES
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall" -j KUBE-PROXY-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
-A FORWARD -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m conntrack --ctstate NEW -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A KUBE-SERVICES -d 10.96.0.20/32 -p tcp -m comment --comment "default/empty has no endpoints" -m tcp --dport 80 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-SERVICES -d 10.96.0.20/32 -p udp -m comment --comment "default/empty has no endpoints" -m udp --dport 53 -j REJECT --reject-with icmp-port-unreachable
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding rules" -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FORWARD -m comment --comment "kubernetes forwarding conntrack rule" -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:KUBE-NODEPORTS - [0:0]
:KUBE-MARK-MASQ - [0:0]
:KUBE-POSTROUTING - [0:0]
:KUBE-EXT-WEB - [0:0]
:KUBE-SVC-WEB - [0:0]
:KUBE-SEP-1 - [0:0]
:KUBE-SEP-2 - [0:0]
-A PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-WEB
-A KUBE-SERVICES -d 10.96.0.10/32 -p udp -m comment --comment "default/web:dns cluster IP" -m udp --dport 53 -j KUBE-SVC-WEB
-A KUBE-SERVICES -m comment --comment "kubernetes service nodeports; NOTE: this must be the last rule in this chain" -m addrtype --dst-type LOCAL -j KUBE-NODEPORTS
-A KUBE-NODEPORTS -p tcp -m comment --comment "default/web" -m tcp --dport 30080 -j KUBE-EXT-WEB
-A KUBE-EXT-WEB -m comment --comment "masquerade traffic for default/web external destinations" -j KUBE-MARK-MASQ
-A KUBE-EXT-WEB -j KUBE-SVC-WEB
-A KUBE-SVC-WEB ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
-A KUBE-SVC-WEB -m comment --comment "default/web -> 10.244.1.2:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-1
-A KUBE-SVC-WEB -m comment --comment "default/web -> 10.244.2.2:8080" -j KUBE-SEP-2
-A KUBE-SEP-1 -s 10.244.1.2/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-1 -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.1.2:8080
-A KUBE-SEP-1 -p udp -m comment --comment "default/web" -m udp -j DNAT --to-destination 10.244.1.2:5353
-A KUBE-SEP-2 -s 10.244.2.2/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
-A KUBE-SEP-2 -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.2.2:8080
-A KUBE-SEP-2 -p udp -m comment --comment "default/web" -m udp -j DNAT --to-destination 10.244.2.2:5353
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN
-A KUBE-POSTROUTING -j MARK --set-xmark 0x4000/0x0
-A KUBE-POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -j MASQUERADE --random-fully
COMMIT
"""  # noqa: E501


class Lab:
    """Two nodes of two Pods each: nodes 172.18.0.2 and .3, Pods 10.244.N.2 and .3."""

    def __init__(self, seed: int = 1) -> None:
        self.sim = Simulation(seed)
        self.segment = Segment(self.sim)
        self.nodes = [self._node(number) for number in (1, 2)]
        self.pods = {
            f"10.244.{number}.{host}": self._pod(number, host)
            for number in (1, 2)
            for host in (2, 3)
        }
        for number, other in ((1, 2), (2, 1)):
            self.nodes[number - 1].routes.add(
                Route(
                    destination=f"10.244.{other}.0/24",
                    device="eth0",
                    gateway=f"172.18.0.{other + 1}",
                )
            )

    def _node(self, number: int) -> NetNamespace:
        node = NetNamespace(self.sim, f"node-{number}")
        node.ip_forward = True
        node.add_ethernet("eth0", self.segment, f"172.18.0.{number + 1}/16")
        node.add_bridge("cni0", f"10.244.{number}.1/24")
        node.routes.add(Route(destination="default", device="eth0", gateway="172.18.0.1"))
        return node

    def _pod(self, number: int, host: int) -> NetNamespace:
        pod = NetNamespace(self.sim, f"pod-{number}-{host}")
        node = self.nodes[number - 1]
        outside, inside = veth_pair(node, f"veth{host}", pod, "eth0")
        inside.add_address(f"10.244.{number}.{host}/24")
        pod.routes.add(Route(destination="default", device="eth0", gateway=f"10.244.{number}.1"))
        bridge = node.interfaces["cni0"]
        bridge.attach(outside)  # type: ignore[attr-defined]
        return pod

    def with_rules(self, rules: str = RULES) -> Lab:
        for node in self.nodes:
            node.iptables_restore(rules, noflush=True)
        return self

    def run(self, program: Coroutine[Any, Any, Any], timeout: float = 2000) -> Any:
        return self.sim.complete(program, "test", timeout)

    def serve(self, *ips: str, port: int = 8080) -> None:
        """Answer each message with "<own ip> saw <client ip>"."""
        for ip in ips:
            self.sim.spawn(_serve(self.pods[ip], ip, port), f"server {ip}")
        self.sim.run(self.sim.now)

    def get(self, ns: NetNamespace, ip: str, port: int, journey: Journey | None = None) -> str:
        """Return the server's answer to one message."""
        return str(self.run(_get(ns, ip, port, journey)))


async def _serve(ns: NetNamespace, name: str, port: int) -> None:
    listener = ns.listen("0.0.0.0", port)
    while True:
        connection = await listener.accept()
        ns.sim.spawn(_talk(connection, name), "talk")


async def _talk(connection: Any, name: str) -> None:
    while await connection.recv():
        await connection.send(f"{name} saw {connection.remote[0]}".encode())
    connection.close()


async def _get(ns: NetNamespace, ip: str, port: int, journey: Journey | None) -> str:
    connection = await ns.connect(ip, port, journey=journey)
    await connection.send(b"hello")
    answer = await connection.recv(timeout=30)
    connection.close()
    return bytes(answer).decode()
