"""How Pods on other nodes are reached: one route per node, to its range by its address.

    10.244.2.0/24 via 172.18.0.4 dev eth0

There is no tunnel: the nodes share a wire, so the next node is the next hop.

Rule of use: pure; the agent applies what `routes_to` says.

Upstream: sigs.k8s.io/kind images/kindnetd routes.go
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from k8slab.api.core import Node
from k8slab.linux.addresses import is_ipv6
from k8slab.linux.routes import Route

DEVICE = "eth0"


def pod_cidrs(node: Node) -> tuple[str, ...]:
    """Return the ranges of the node's Pods, of each family one; none before they are assigned."""
    return node.spec.podCIDRs or ((node.spec.podCIDR,) if node.spec.podCIDR else ())


def internal_ips(node: Node) -> tuple[str, ...]:
    """Return the node's addresses on the wire, none if it has not reported one."""
    return tuple([each.address for each in node.status.addresses if each.type == "InternalIP"])


def is_same_place(old: Node, new: Node) -> bool:
    """Say whether a node's ranges and addresses are what they were: then its routes are, too."""
    before, after = old.spec, new.spec
    return (
        old.status.addresses == new.status.addresses
        and before.podCIDRs == after.podCIDRs
        and before.podCIDR == after.podCIDR
    )


def routes_to(node: Node, own: str) -> tuple[Route, ...]:
    """Return the routes that the node `own` needs to the other's Pods, none if none (yet)."""
    return () if node.metadata.name == own else _routes(pod_cidrs(node), internal_ips(node))


def routes(nodes: Iterable[Node], own: str) -> tuple[Route, ...]:
    """Return all routes that the node `own` needs, in the order of the nodes."""
    return tuple(route for node in nodes for route in routes_to(node, own))


@lru_cache(maxsize=1 << 14)
def _routes(cidrs: tuple[str, ...], ips: tuple[str, ...]) -> tuple[Route, ...]:
    """Return the routes to a node's ranges; all other nodes share them."""
    ways = {is_ipv6(ip): ip for ip in reversed(ips)}
    return tuple(
        Route(destination=cidr, gateway=ways[is_ipv6(cidr)], device=DEVICE, metric=_metric(cidr))
        for cidr in cidrs
        if is_ipv6(cidr) in ways
    )


def _metric(cidr: str) -> int:
    return 1024 if is_ipv6(cidr) else 0
