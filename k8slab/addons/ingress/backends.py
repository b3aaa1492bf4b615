"""What the controllers look backends up in: Services and EndpointSlices, by informers.

Rule of use: `targets` is what a `Proxy` is given.

Upstream: ingress-nginx internal/ingress/controller/store
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.addons.ingress.endpoints import Target, targets
from k8slab.addons.ingress.routing import Backend
from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.client import Informers

SERVICE_NAME_LABEL = "kubernetes.io/service-name"


class Backends:
    """Services with their endpoints, as last heard of."""

    def __init__(self, informers: Informers) -> None:
        self._services = informers.informer(Service)
        self._slices = informers.informer(EndpointSlice)
        self._slices.add_index("service", lambda each: (_service_of(each),))

    def service(self, namespace: str, name: str) -> Service | None:
        """Return the Service, None if there is none."""
        return self._services.get(namespace, name)

    def targets(self, backend: Backend) -> tuple[Target, ...]:
        """Return the ready endpoints of a backend."""
        service = self.service(backend.namespace, backend.service)
        slices = self._slices.by_index("service", f"{backend.namespace}/{backend.service}")
        return targets(service, slices, backend)

    def on_service(self, tell: Callable[[], None]) -> None:
        """Call `tell` when a Service changes."""
        self._services.add_handler(lambda old, new: tell())


def _service_of(each: EndpointSlice) -> str:
    return f"{each.metadata.namespace}/{each.metadata.labels.get(SERVICE_NAME_LABEL, '')}"
