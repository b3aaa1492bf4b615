"""/proxy of Pods, Services and nodes: the API server passes a request on into the cluster.

    /api/v1/namespaces/shop/services/http:web:80/proxy/cart?id=7
                                     `-----+---' `----+--------'
                                           |          what is asked there
                                     [scheme:]name[:port]

The connection is opened from its own node, so that routes, rules and policies of the network hold
for it as for everybody. A Service's address is not used: one of the ready endpoints is drawn.

Rule of use: three pure functions say where to go, the server's `forward` goes there. With the
scheme https the request is sent as plain text: the lab has no TLS.

Upstream: pkg/registry/core/{pod/strategy.go,node/strategy.go,service/storage/storage.go}
(ResourceLocation),
staging/src/k8s.io/apimachinery/pkg/util/proxy
"""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.labels import parse
from k8slab.client import Request
from k8slab.client.http_call import HttpAnswer, Unreachable
from k8slab.control_plane.apiserver.cacher import Filter
from k8slab.control_plane.apiserver.registry import Registry
from k8slab.sim import Rng

if TYPE_CHECKING:
    from k8slab.control_plane.apiserver.server import APIServer

SERVICE_NAME = "kubernetes.io/service-name"
PORTS = {"": 80, "http": 80, "https": 443}


class Place(msgspec.Struct, frozen=True):
    """Where a proxied request goes."""

    host: str  # an address
    port: int


def split_id(text: str) -> tuple[str, str, str] | None:
    """Return scheme, name and port; None if it is nothing of the kind.

    >>> split_id("web:http"), split_id("https:web:"), split_id("gopher:web:70")
    (('', 'web', 'http'), ('https', 'web', ''), None)
    """
    parts = text.split(":")
    if len(parts) > 3:
        return None
    scheme, name, port = {1: ("", *parts, ""), 2: ("", *parts), 3: tuple(parts)}[len(parts)]
    return (scheme, name, port) if name and scheme in PORTS else None


def place_of_pod(pod: Pod, scheme: str, port: str) -> Place:
    """Return a Pod's own address; without a port the first that a container declares.

    Raises ApiError.
    """
    declared = [each.containerPort for one in pod.spec.containers for each in one.ports]
    if not _is_allowed(pod.status.podIP):
        raise errors.bad_request("address not allowed")
    number = _number(port) if port else (declared[0] if declared else PORTS[scheme])
    return Place(pod.status.podIP, number)


def place_of_service(
    service: Service,
    slices: Sequence[EndpointSlice],
    port: str,
    asked: str,
    rng: Rng,
) -> Place:
    """Return one of the ready endpoints; `port` is a number or a name of the Service's ports.

    `asked` is what stands in the URL, for the message. Raises ApiError.
    """
    name = service.metadata.name
    if port.isdecimal():
        named = [each.name for each in service.spec.ports if each.port == int(port)]
        if not named:
            raise errors.service_unavailable(f'no service port {port} found for service "{name}"')
        port = named[0]
    if not slices:
        raise errors.service_unavailable(f'no endpoints available for service "{name}"')
    first = rng.randrange(len(slices))
    for one in (*slices[first:], *slices[:first]):
        numbers = [p.port for p in one.ports if (p.name or "") == port and p.port is not None]
        ready = [each for each in one.endpoints if each.conditions.ready is not False]
        if numbers and ready:
            return Place(rng.choice(ready).addresses[0], numbers[0])
    raise errors.service_unavailable(f'no endpoints available for service "{asked}"')


def place_of_node(node: Node, port: str) -> Place:
    """Return the node's address, with its kubelet's port if none is asked for. Raises ApiError."""
    by_type = {each.type: each.address for each in node.status.addresses}
    address = by_type.get("InternalIP", "")
    if not address:
        raise errors.bad_request(f"no preferred addresses found; known addresses: {[*by_type]}")
    kubelet = node.status.daemonEndpoints.kubeletEndpoint.Port
    return Place(address, _number(port) if port else kubelet)


async def proxy(server: APIServer, registry: Registry, request: Request) -> HttpAnswer:
    """Pass the request's body, an `HttpCall`, on to what the request names. Raises ApiError."""
    found = split_id(request.name)
    if found is None:
        kind = registry.resource.singular
        raise errors.bad_request(f'invalid {kind} request "{request.name}"')
    scheme, name, port = found
    obj: Any = registry.get(replace(request, name=name))
    if isinstance(obj, Pod):
        place = place_of_pod(obj, scheme, port)
    elif isinstance(obj, Node):
        place = place_of_node(obj, port)
    else:
        own = Filter(request.namespace, parse(f"{SERVICE_NAME}={name}"), None)
        slices: Any = server.registries["discovery.k8s.io", "endpointslices"].cache.list(own)
        place = place_of_service(obj, [*slices], port, request.name, server.dice)
    try:
        return await server.forward(place.host, place.port, request.body)
    except Unreachable as why:
        raise errors.service_unavailable(f"error trying to reach service: {why}") from None


def _is_allowed(address: str) -> bool:
    """Say whether it is an address of a network, and not one that only its own machine knows."""
    if not address:
        return False
    ip = ip_address(address)
    return not (ip.is_loopback or ip.is_link_local or ip.is_multicast or ip.is_unspecified)


def _number(port: str) -> int:
    if not port.isdecimal() or not 0 < int(port) < 1 << 16:
        why = f"error trying to reach service: dial tcp: lookup tcp/{port}: unknown port"
        raise errors.service_unavailable(why)
    return int(port)
