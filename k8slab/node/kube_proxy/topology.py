"""Which endpoints this node may send to: traffic policies, hints, and the last resort.

    ready endpoints, near ones only if hints allow         -> for the policy Cluster
    this node's ready endpoints                            -> for the policy Local
    none ready: serving endpoints that are terminating     -> for either, on its own

Rule of use: pure, and the same for every kind of proxy.

Upstream: pkg/proxy/topology.go
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.node.kube_proxy.types import IPV6, Endpoint, ServicePort


class NodeView(msgspec.Struct, frozen=True, gc=False):
    """What counts of the node on which the proxy runs."""

    name: str
    zone: str = ""  # its label topology.kubernetes.io/zone
    ip: str = ""  # its InternalIP
    ip6: str = ""  # the one of the other family
    pod_cidrs: tuple[str, ...] = ()  # of its own Pods
    addresses: tuple[str, ...] = ()  # all that it owns

    def own_ip(self, family: str) -> str:
        """Return its InternalIP of the family "IPv4" or "IPv6", empty if it has none."""
        return self.ip6 if family == IPV6 else self.ip


class Categories(msgspec.Struct, frozen=True, gc=False):
    """The usable endpoints of one Service port."""

    cluster: tuple[Endpoint, ...] = ()
    local: tuple[Endpoint, ...] = ()
    any_usable: bool = False  # somewhere in the cluster, even if not from here

    @property
    def reachable(self) -> tuple[Endpoint, ...]:
        """Every endpoint in one of the two lists, sorted by address."""
        by_address = {endpoint.address: endpoint for endpoint in (*self.cluster, *self.local)}
        return tuple(by_address[address] for address in sorted(by_address))


def categorize(endpoints: Sequence[Endpoint], port: ServicePort, node: NodeView) -> Categories:
    """Return the endpoints for each traffic policy that the port uses."""
    cluster: tuple[Endpoint, ...] = ()
    local: tuple[Endpoint, ...] = ()
    any_usable = False
    if port.uses_cluster_endpoints:
        cluster = near(endpoints, node) or _last_resorts(endpoints)
        any_usable = bool(cluster)
    if port.uses_local_endpoints:
        own = [endpoint for endpoint in endpoints if endpoint.node == node.name]
        local = tuple(endpoint for endpoint in own if endpoint.ready) or _last_resorts(own)
        any_usable = any(endpoint.ready or endpoint.last_resort for endpoint in endpoints)
    return Categories(cluster, local, any_usable)


def near(endpoints: Sequence[Endpoint], node: NodeView) -> tuple[Endpoint, ...]:
    """Return the ready endpoints that hints give to this node, or else all ready ones.

    One endpoint without a hint turns the hints off, and so does a node that no hint
    names: a preference must never leave a Service without endpoints.
    """
    ready = tuple(endpoint for endpoint in endpoints if endpoint.ready)
    if all(endpoint.node_hints for endpoint in ready):
        for_node = tuple(each for each in ready if node.name in each.node_hints)
        if for_node:
            return for_node
    if all(endpoint.zone_hints for endpoint in ready):
        for_zone = tuple(each for each in ready if node.zone in each.zone_hints)
        if for_zone:
            return for_zone
    return ready


def depends_on_node(endpoints: Sequence[Endpoint], port: ServicePort) -> bool:
    """Say whether two nodes may get different rules for the port."""
    if port.uses_local_endpoints or (port.source_ranges and port.load_balancer_ips):
        return True
    return any(endpoint.zone_hints or endpoint.node_hints for endpoint in endpoints)


def _last_resorts(endpoints: Sequence[Endpoint]) -> tuple[Endpoint, ...]:
    return tuple(endpoint for endpoint in endpoints if endpoint.last_resort)
