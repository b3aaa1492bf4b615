"""The cloud's load balancers: rules and routes on the router in front of the cluster.

A load balancer asks each of its nodes over HTTP whether it may send there, every ten seconds. Then
it either passes packets on as they are to one healthy node, whose kube-proxy knows the address
(ipMode VIP; answers go back without the router), or it rewrites the destination to the node port
of any healthy node and the source to its own (ipMode Proxy; answers come back through it).

Rule of use: outlives the controller that orders here; what is not ordered the router drops.

Upstream: none (every cloud has its own)
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from k8slab.addons.cloud_controller.health_check import is_well
from k8slab.linux.addresses import is_ipv6, joined
from k8slab.linux.netns import NetNamespace
from k8slab.linux.routes import Route
from k8slab.sim import Group, Simulation, Task

CHECK_INTERVAL, CHECK_TIMEOUT = 10.0, 2.0  # s
UNHEALTHY_THRESHOLD = 2  # failures in a row
CHAIN = "LOAD-BALANCERS"  # of two tables: who may pass, and where to
_BASE = f"""*mangle
:{CHAIN} - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j ACCEPT
-A PREROUTING -j {CHAIN}
-A PREROUTING -j DROP
COMMIT
*nat
:{CHAIN} - [0:0]
-A PREROUTING -j {CHAIN}
-A POSTROUTING -m conntrack --ctstate DNAT -j MASQUERADE
COMMIT
"""


class Backend(msgspec.Struct, frozen=True):
    """A node behind a load balancer."""

    name: str
    ips: tuple[str, ...]  # of each family one

    def ip_like(self, other: str) -> str:
        """Return its address of the other one's family, "" if it has none."""
        return next((ip for ip in self.ips if is_ipv6(ip) == is_ipv6(other)), "")


class Port(msgspec.Struct, frozen=True):
    """A port that is balanced; protocol in lower case."""

    protocol: str
    port: int
    node_port: int


class LoadBalancer(msgspec.Struct, frozen=True, kw_only=True):
    """What is ordered for one Service."""

    ips: tuple[str, ...]  # of each family one
    ports: tuple[Port, ...]
    backends: tuple[Backend, ...]
    health_port: int  # asked for /healthz
    rewrites: bool = False  # ipMode Proxy
    source_ranges: tuple[str, ...] = ()  # who may use it; empty: everybody


Balancers = Sequence[tuple[LoadBalancer, Sequence[Backend]]]  # with their healthy nodes


def rules(balancers: Balancers, *, ipv6: bool = False) -> str:
    """Return the router's rules of one family for load balancers with their healthy nodes.

    Text for `iptables-restore --noflush`.
    """
    passed = [f":{CHAIN} - [0:0]"]
    rewritten = [f":{CHAIN} - [0:0]"]
    for balancer, ip, healthy in _addresses(balancers):
        if is_ipv6(ip) != ipv6:
            continue
        # As with kube-proxy: ranges of the other family say nothing about this one.
        sources = [each for each in balancer.source_ranges if is_ipv6(each) == ipv6]
        for port in balancer.ports:
            where = f"-d {ip}/{128 if ipv6 else 32} -p {port.protocol}"
            match = f"{where} -m {port.protocol} --dport {port.port}"
            for source in sources or ("",):
                passed.append(f"-A {CHAIN} {f'-s {source} ' if source else ''}{match} -j ACCEPT")
            if balancer.rewrites and port.node_port:
                nodes = [joined(node.ip_like(ip), port.node_port) for node in healthy]
                rewritten += _dnat(match, nodes)
    return "\n".join(["*mangle", *passed, "COMMIT", "*nat", *rewritten, "COMMIT", ""])


def routes(balancers: Balancers) -> dict[str, str]:
    """Return the node to which each address leads, by the addresses that are passed on as is."""
    return {
        ip: _announcer(ip, healthy).ip_like(ip)
        for balancer, ip, healthy in _addresses(balancers)
        if not balancer.rewrites
    }


def _addresses(balancers: Balancers) -> Iterator[tuple[LoadBalancer, str, list[Backend]]]:
    """Yield each address that somebody can answer for, with those nodes."""
    for balancer, healthy in balancers:
        for ip in balancer.ips:
            nodes = [node for node in healthy if node.ip_like(ip)]
            if nodes:
                yield balancer, ip, nodes


def _announcer(ip: str, healthy: Sequence[Backend]) -> Backend:
    """Return the node for an address: by a hash, so that addresses are spread over the nodes."""
    return min(healthy, key=lambda node: hashlib.sha256(f"{node.name}#{ip}".encode()).hexdigest())


def _dnat(match: str, nodes: Sequence[str]) -> list[str]:
    lines = []
    for number, node in enumerate(nodes):
        left = len(nodes) - number
        chance = f"-m statistic --mode random --probability {1 / left:.10f} " if left > 1 else ""
        lines.append(f"-A {CHAIN} {match} {chance}-j DNAT --to-destination {node}")
    return lines


class LoadBalancers:
    """All load balancers in front of one cluster."""

    def __init__(self, sim: Simulation, router: NetNamespace) -> None:
        self._sim = sim
        self._router = router
        self._group = Group("load balancers")
        self._ordered: dict[str, LoadBalancer] = {}
        self._checks: dict[str, Task[None]] = {}
        self._failures: dict[str, dict[str, int]] = {}  # Service -> node -> failures in a row

    def ensure(self, key: str, balancer: LoadBalancer) -> None:
        """Have this load balancer for the Service `key` from now on."""
        if self._ordered.get(key) == balancer:
            return
        if not self._router.ip_forward:
            self._router.ip_forward = self._router.ip6_forward = True
            self._router.iptables_restore(_BASE, noflush=True)
            self._router.ip6tables_restore(_BASE, noflush=True)
        self._stop(key)
        before = self._failures.get(key, {})
        # A node that was never asked must pass a check first.
        names = [node.name for node in balancer.backends]
        self._failures[key] = {name: before.get(name, UNHEALTHY_THRESHOLD) for name in names}
        self._ordered[key] = balancer
        self._write()
        checks = self._check_for_ever(key, balancer)
        self._checks[key] = self._sim.spawn(checks, f"load balancer of {key}", self._group)

    def delete(self, key: str) -> None:
        """Have none for the Service any more."""
        self._stop(key)
        if self._ordered.pop(key, None) is not None:
            self._failures.pop(key)
            self._write()

    def healthy(self, key: str) -> tuple[Backend, ...]:
        """Return the nodes that the load balancer of a Service sends to."""
        failures = self._failures.get(key, {})
        return tuple(
            node
            for node in (self._ordered[key].backends if key in self._ordered else ())
            if failures[node.name] < UNHEALTHY_THRESHOLD
        )

    def _stop(self, key: str) -> None:
        task = self._checks.pop(key, None)
        if task is not None:
            task.kill()

    async def _check_for_ever(self, key: str, balancer: LoadBalancer) -> None:
        while True:
            before = self.healthy(key)
            for node in balancer.backends:
                failures = self._failures[key]
                well = await is_well(self._router, node.ips[0], balancer.health_port, CHECK_TIMEOUT)
                failures[node.name] = 0 if well else failures[node.name] + 1
            after = self.healthy(key)
            if after != before:
                names = ", ".join(node.name for node in after) or "nobody"
                self._sim.trace.add("load-balancer", "sends", f"Service/{key}", f"to {names}")
                self._write()
            await self._sim.sleep(CHECK_INTERVAL, f"load balancer of {key}: health checks")

    def _write(self) -> None:
        """Make the router do what is ordered, as far as nodes are healthy."""
        balancers = [(each, self.healthy(key)) for key, each in self._ordered.items()]
        self._router.iptables_restore(rules(balancers), noflush=True)
        self._router.ip6tables_restore(rules(balancers, ipv6=True), noflush=True)
        self._route(routes(balancers))

    def _route(self, wanted: Mapping[str, str]) -> None:
        for table in (self._router.routes, self._router.routes6):
            for route in list(table):
                if route.protocol == "static" and route.destination.partition("/")[0] not in wanted:
                    table.remove(route.destination)
        for ip, node in wanted.items():
            length = 128 if is_ipv6(ip) else 32
            self._router.routes_for(ip).replace(
                Route(destination=f"{ip}/{length}", gateway=node, device="eth0", protocol="static")
            )
