"""The EndpointSlice mirroring controller: Endpoints that people write become EndpointSlices.

A Service without a selector has the Endpoints that somebody else writes. Readers such as kube-proxy
look at slices only, so each subset is mirrored into slices of its own, one for each family.

Rule of use: Endpoints of a Service with a selector are not mirrored, nor those with the label
`endpointslice.kubernetes.io/skip-mirror: "true"`.

Upstream: pkg/controller/endpointslicemirroring
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.core import EndpointAddress, Endpoints, EndpointSubset, Service
from k8slab.api.discovery import Endpoint, EndpointConditions, EndpointPort, EndpointSlice
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta, is_controlled_by
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import controller_reference, work

WORKERS = 5  # --mirroring-concurrent-service-endpoint-syncs
MAX_ENDPOINTS = 1000  # --mirroring-max-endpoints-per-subset
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER_NAME = "endpointslicemirroring-controller.k8s.io"
SKIP_MIRROR = "endpointslice.kubernetes.io/skip-mirror"
LEADER_ELECTION = "control-plane.alpha.kubernetes.io/leader"
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
FAMILIES = ("IPv4", "IPv6")


def is_mirrored(service: Service | None, endpoints: Endpoints | None) -> bool:
    """Say whether slices must be made of these Endpoints."""
    if service is None or endpoints is None or service.spec.selector:
        return False
    meta = endpoints.metadata
    return meta.labels.get(SKIP_MIRROR) != "true" and LEADER_ELECTION not in meta.annotations


def mirror(endpoints: Endpoints, service: str) -> tuple[EndpointSlice, ...]:
    """Return the slices of the Service that say the same as its Endpoints, without names."""
    found: dict[tuple[str, tuple[EndpointPort, ...]], list[Endpoint]] = {}
    for subset in endpoints.subsets:
        ports = _ports(subset)
        for endpoint, family in _endpoints(subset):
            found.setdefault((family, ports), []).append(endpoint)
    meta = _metadata(endpoints, service)
    return tuple(
        EndpointSlice(metadata=meta, addressType=family, endpoints=tuple(each), ports=ports)
        for (family, ports), each in found.items()
    )


def _ports(subset: EndpointSubset) -> tuple[EndpointPort, ...]:
    return tuple(
        EndpointPort(
            name=port.name, port=port.port, protocol=port.protocol, appProtocol=port.appProtocol
        )
        for port in subset.ports
    )


def _endpoints(subset: EndpointSubset) -> list[tuple[Endpoint, str]]:
    """Return the first addresses of a subset, the ready ones before the others."""
    every = [(address, True) for address in subset.addresses]
    every += [(address, False) for address in subset.notReadyAddresses]
    return [
        (_endpoint(address, ready), FAMILIES[":" in address.ip])
        for address, ready in every[:MAX_ENDPOINTS]
    ]


def _endpoint(address: EndpointAddress, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=(address.ip,),
        conditions=EndpointConditions(ready=ready),
        hostname=address.hostname or None,
        nodeName=address.nodeName,
        targetRef=address.targetRef,
    )


def _metadata(endpoints: Endpoints, service: str) -> ObjectMeta:
    """Return the metadata of a mirror: what the Endpoints say, and who made it."""
    meta = endpoints.metadata
    own = {SERVICE_NAME: service, MANAGED_BY: CONTROLLER_NAME}
    dropped = (LAST_APPLIED, TRIGGER_TIME)
    return ObjectMeta(
        generateName=f"{meta.name}-",
        namespace=meta.namespace,
        labels={**meta.labels, **own},
        annotations={key: text for key, text in meta.annotations.items() if key not in dropped},
        ownerReferences=(controller_reference(endpoints),),
    )


def plan(
    wanted: Sequence[EndpointSlice], existing: Sequence[EndpointSlice]
) -> tuple[list[EndpointSlice], list[EndpointSlice], list[EndpointSlice]]:
    """Return the slices to create, to update and to delete; equal ports keep their slice."""
    left = list(existing)
    create, update = [], []
    for one in wanted:
        alike = [each for each in left if _kind(each) == _kind(one)]
        if not alike:
            create.append(one)
            continue
        left.remove(alike[0])
        old = alike[0].metadata
        meta = replace(old, labels=one.metadata.labels, annotations=one.metadata.annotations)
        changed = replace(one, metadata=meta)
        if changed != alike[0]:
            update.append(changed)
    return create, update, left


def _kind(one: EndpointSlice) -> tuple[str, tuple[EndpointPort, ...]]:
    return one.addressType, tuple(one.ports)


class EndpointSliceMirroringController:
    """The loop: at each change of Endpoints that are mirrored, write their slices."""

    component = "endpointslice-mirroring-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._services = informers.informer(Service)
        self._endpoints = informers.informer(Endpoints)
        self._slices = informers.informer(EndpointSlice)
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Mirror for ever."""
        self._slices.add_index("mirror of", _mirror_of)
        self._services.add_handler(self._on_object)
        self._endpoints.add_handler(self._on_object)
        self._slices.add_handler(self._on_slice)
        for informer in (self._services, self._endpoints, self._slices):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_object(self, old: Service | Endpoints | None, new: Service | Endpoints | None) -> None:
        """Look again at what is mirrored, or was; all other Endpoints are none of our business."""
        for each in (old, new):
            key = key_of(each) if each is not None else ""
            if key and (self._slices.by_index("mirror of", key) or self._is_mirrored(key)):
                self._queue.add(key)

    def _on_slice(self, old: EndpointSlice | None, new: EndpointSlice | None) -> None:
        for each in (old, new):
            for key in _mirror_of(each) if each is not None else ():
                self._queue.add(key)

    def _is_mirrored(self, key: str) -> bool:
        return is_mirrored(self._services.by_key(key), self._endpoints.by_key(key))

    async def _sync(self, key: str) -> None:
        endpoints = self._endpoints.by_key(key)
        existing = self._slices.by_index("mirror of", key)
        wanted: tuple[EndpointSlice, ...] = ()
        if endpoints is not None and self._is_mirrored(key):
            wanted = mirror(endpoints, endpoints.metadata.name)
            existing = [one for one in existing if is_controlled_by(one, endpoints)]
        create, update, delete = plan(wanted, existing)
        try:
            for one in create:
                await self._client.create(one)
            for one in update:
                await self._client.update(one)
            for one in delete:
                await self._client.delete(EndpointSlice, one.metadata.name, one.metadata.namespace)
        except ApiError as error:
            if error.reason == "NotFound":
                return
            if endpoints is not None and error.reason != "Conflict":
                text = f"Error updating mirrored Endpoint Slices for Endpoints {key}: {error}"
                self._recorder.event(endpoints, "Warning", "FailedToUpdateEndpointSlices", text)
            raise


def _mirror_of(one: EndpointSlice) -> tuple[str, ...]:
    """Return the key of the Endpoints that the slice mirrors, none if it is no mirror."""
    labels = one.metadata.labels
    if labels.get(MANAGED_BY) != CONTROLLER_NAME or SERVICE_NAME not in labels:
        return ()
    return (f"{one.metadata.namespace}/{labels[SERVICE_NAME]}",)
