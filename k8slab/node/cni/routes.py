"""How Pods on other nodes are reached: one route per node, to its range by its address.

    10.244.2.0/24 via 172.18.0.4 dev eth0

There is no tunnel: the nodes share a wire, so the next node is the next hop.

Rule of use: pure; the agent applies what `route_to` says.

Upstream: sigs.k8s.io/kind images/kindnetd routes.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.api.core import Node
from k8slab.linux.routes import Route

DEVICE = "eth0"


def pod_cidr(node: Node) -> str:
    """Return the range of the node's Pods, "" as long as none is assigned."""
    return node.spec.podCIDR if node.spec is not None else ""


def internal_ip(node: Node) -> str:
    """Return the node's address on the wire, "" if it has not reported one."""
    addresses = node.status.addresses if node.status is not None else ()
    return next((each.address for each in addresses if each.type == "InternalIP"), "")


def route_to(node: Node, own: str) -> Route | None:
    """Return the route that the node `own` needs to the other's Pods, None if none (yet)."""
    cidr, ip = pod_cidr(node), internal_ip(node)
    if node.metadata.name == own or not cidr or not ip:
        return None
    return Route(destination=cidr, gateway=ip, device=DEVICE)


def routes(nodes: Iterable[Node], own: str) -> tuple[Route, ...]:
    """Return all routes that the node `own` needs, in the order of the nodes."""
    found = (route_to(node, own) for node in nodes)
    return tuple(route for route in found if route is not None)
