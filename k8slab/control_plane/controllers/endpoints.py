"""The Endpoints controller: all addresses behind a Service in one object, for older clients.

`subsets_of` is the decision: it puts the endpoints of a Service's EndpointSlices into the old form.
Pods that are ending are left out, Pods that are not ready are listed apart.

Rule of use: nothing in the cluster reads Endpoints any more; use EndpointSlices. Upstream reckons
them from the Pods anew, with the same result.

Upstream: pkg/controller/endpoint/endpoints_controller.go
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from msgspec.structs import replace

from k8slab.api.core import (
    EndpointAddress,
    EndpointPort,
    Endpoints,
    EndpointSubset,
    Service,
)
from k8slab.api.discovery import Endpoint, EndpointSlice
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import work

WORKERS = 5  # --concurrent-endpoint-syncs
SERVICE_NAME = "kubernetes.io/service-name"
SLICE_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SLICE_CONTROLLER = "endpointslice-controller.k8s.io"
MANAGED_BY = "endpoints.kubernetes.io/managed-by"
HEADLESS = "service.kubernetes.io/headless"
OVER_CAPACITY = "endpoints.kubernetes.io/over-capacity"
MAX_CAPACITY = 1000  # addresses, maxCapacity


class Listed(NamedTuple):
    """One address on its way into a subset."""

    ports: tuple[EndpointPort, ...]
    address: EndpointAddress
    ready: bool


def subsets_of(slices: Sequence[EndpointSlice]) -> tuple[EndpointSubset, ...]:
    """Return the slices' endpoints, together where they share their ports, by address."""
    listed = [found for slice_ in slices for found in _listed(slice_)]
    listed.sort(key=lambda found: number_of(found.address.ip))
    by_ports: dict[tuple[EndpointPort, ...], list[Listed]] = {}
    for found in listed:
        by_ports.setdefault(found.ports, []).append(found)
    return tuple(
        EndpointSubset(
            addresses=tuple(found.address for found in group if found.ready),
            notReadyAddresses=tuple(found.address for found in group if not found.ready),
            ports=ports,
        )
        for ports, group in sorted(by_ports.items(), key=lambda item: [p.port for p in item[0]])
    )


@lru_cache(maxsize=1 << 16)
def number_of(ip: str) -> int:
    """Return an address as the number that it is."""
    return int(ip_address(ip))


def truncated(subsets: tuple[EndpointSubset, ...]) -> tuple[tuple[EndpointSubset, ...], bool]:
    """Return at most 1,000 addresses, ready ones first, and whether some were left out."""
    total = sum(len(each.addresses) + len(each.notReadyAddresses) for each in subsets)
    if total <= MAX_CAPACITY:
        return subsets, False
    left = MAX_CAPACITY
    kept = []
    for each in subsets:
        ready = each.addresses[:left]
        left -= len(ready)
        kept.append(replace(each, addresses=ready, notReadyAddresses=()))
    for index, each in enumerate(subsets):
        waiting = each.notReadyAddresses[:left]
        left -= len(waiting)
        kept[index] = replace(kept[index], notReadyAddresses=waiting)
    return tuple(each for each in kept if each.addresses or each.notReadyAddresses), True


def endpoints_for(
    service: Service, slices: Sequence[EndpointSlice], old: Endpoints | None
) -> Endpoints:
    """Return the Endpoints that the Service should have; what others wrote on it stays."""
    # The old form has room for one family: the Service's first.
    family = service.spec.ipFamilies[0] if service.spec.ipFamilies else "IPv4"
    subsets, cut = truncated(subsets_of([each for each in slices if each.addressType == family]))
    meta = old.metadata if old is not None else _named(service)
    labels = {**service.metadata.labels, MANAGED_BY: "endpoint-controller"}
    if service.spec.clusterIP in ("", "None"):
        labels[HEADLESS] = ""
    annotations = {key: text for key, text in meta.annotations.items() if key != OVER_CAPACITY}
    if cut:
        annotations[OVER_CAPACITY] = "truncated"
    base = old if old is not None else Endpoints()
    meta = replace(meta, labels=labels, annotations=annotations)
    return replace(base, metadata=meta, subsets=subsets)


def _named(service: Service) -> ObjectMeta:
    return ObjectMeta(name=service.metadata.name, namespace=service.metadata.namespace)


def _listed(slice_: EndpointSlice) -> list[Listed]:
    ports = tuple(
        EndpointPort(
            name=port.name or "",
            port=port.port or 0,
            protocol=port.protocol or "TCP",
            appProtocol=port.appProtocol,
        )
        for port in slice_.ports
    )
    found = []
    for endpoint in slice_.endpoints:
        ready = endpoint.conditions.ready is not False
        if ready or not endpoint.conditions.terminating:
            found += [Listed(ports, _address(endpoint, ip), ready) for ip in endpoint.addresses]
    return found


def _address(endpoint: Endpoint, ip: str) -> EndpointAddress:
    return EndpointAddress(
        ip=ip,
        hostname=endpoint.hostname or "",
        nodeName=endpoint.nodeName,
        targetRef=endpoint.targetRef,
    )


class EndpointsController:
    """The loop: at each change of a Service or of its slices, write its Endpoints."""

    component = "endpoint-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._services = informers.informer(Service)
        self._slices = informers.informer(EndpointSlice)
        self._endpoints = informers.informer(Endpoints)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Keep the Endpoints of all Services for ever."""
        self._slices.add_index("service", _service_of)
        self._services.add_handler(self._on_service)
        self._slices.add_handler(self._on_slice)
        for informer in (self._services, self._slices, self._endpoints):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_service(self, old: Service | None, new: Service | None) -> None:
        service = new or old
        assert service is not None
        self._queue.add(key_of(service))

    def _on_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for slice_ in (old, new):
            for key in _service_of(slice_) if slice_ is not None else ():
                self._queue.add(key)

    async def _sync(self, key: str) -> None:
        service = self._services.by_key(key)
        old = self._endpoints.by_key(key)
        if service is None:
            if old is not None and MANAGED_BY in old.metadata.labels:
                await self._delete(old)
            return
        if not service.spec.selector or service.spec.type == "ExternalName":
            return  # such a Service has the Endpoints that people write
        slices = self._slices.by_index("service", key)
        if not slices and old is None:
            return  # even a Service without Pods has a slice: it is on its way
        wanted = endpoints_for(service, slices, old)
        if wanted == old:
            return
        try:
            await (self._client.create(wanted) if old is None else self._client.update(wanted))
        except ApiError as error:
            if error.reason in ("AlreadyExists", "Conflict"):
                raise  # our picture is old: look again later
            verb = "create" if old is None else "update"
            text = f"Failed to {verb} endpoint {key}: {error}"
            self._recorder.event(wanted, "Warning", f"FailedTo{verb.title()}Endpoint", text)
            raise

    async def _delete(self, old: Endpoints) -> None:
        try:
            await self._client.delete(Endpoints, old.metadata.name, old.metadata.namespace)
        except ApiError as error:
            if error.reason != "NotFound":
                raise


def _service_of(slice_: EndpointSlice) -> tuple[str, ...]:
    """Return the key of the Service whose slice it is, as the controller made it."""
    labels = slice_.metadata.labels
    if labels.get(SLICE_MANAGED_BY) != SLICE_CONTROLLER:
        return ()
    return (f"{slice_.metadata.namespace}/{labels.get(SERVICE_NAME, '')}",)
