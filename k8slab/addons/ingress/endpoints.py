"""Where a backend's requests go: the addresses of its ready endpoints, not the Service's own.

A proxy that knows the endpoints spreads requests, not connections, over them; kube-proxy and its
rules have no part in that last step.

Rule of use: pure.

Upstream: ingress-nginx internal/ingress/controller/endpointslices.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.addons.ingress.routing import Backend
from k8slab.api.core import Service, ServicePort
from k8slab.api.discovery import EndpointSlice

Target = tuple[str, int]  # address and port of an endpoint


def port_of(service: Service, port: int | str) -> ServicePort | None:
    """Return the Service's port with that number or name."""
    return next((each for each in service.spec.ports if port in (each.port, each.name)), None)


def targets(
    service: Service | None, slices: Iterable[EndpointSlice], backend: Backend
) -> tuple[Target, ...]:
    """Return the ready endpoints of a backend, sorted; none if there is no such Service or port."""
    port = port_of(service, backend.port) if service is not None else None
    if port is None:
        return ()
    found = {
        (address, each.port): None
        for slice_ in slices
        for each in slice_.ports
        if (each.name or "") == port.name and each.port
        for endpoint in slice_.endpoints
        if endpoint.conditions.ready is not False
        for address in endpoint.addresses
    }
    return tuple(sorted(found))
