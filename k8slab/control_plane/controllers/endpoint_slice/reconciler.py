"""Packing endpoints into slices, with as few writes as possible.

`plan` compares the slices that exist with the endpoints that should be in them. Endpoints stay in
the slice they are in; new ones go into slices that change anyway, then into one with room, then
into a new one. So slices stay half empty after a scale-down: a rewrite would cost every node.

Rule of use: a Service that matches nothing still has one empty slice.

Upstream: staging/src/k8s.io/endpointslice/reconciler.go
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import msgspec
from msgspec.structs import replace

from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import Endpoint, EndpointSlice
from k8slab.api.meta import ObjectMeta, is_controlled_by
from k8slab.control_plane.controllers.controller_utils import controller_reference
from k8slab.control_plane.controllers.endpoint_slice.desired import (
    Desired,
    Group,
    PortKey,
    identity,
    port_key,
)
from k8slab.control_plane.controllers.endpoint_slice.endpoints import families_of
from k8slab.control_plane.controllers.endpoint_slice.hints import with_hints
from k8slab.control_plane.controllers.endpoint_slice.topology import is_auto

MAX_ENDPOINTS = 100  # --max-endpoints-per-slice
SERVICE_NAME = "kubernetes.io/service-name"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
CONTROLLER_NAME = "endpointslice-controller.k8s.io"
HEADLESS = "service.kubernetes.io/headless"
RESERVED_LABELS = (SERVICE_NAME, MANAGED_BY, HEADLESS)
TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"


class SlicePlan(msgspec.Struct, frozen=True):
    """Which slices to write so that they tell the truth; `keep` are right already.

    Iterating yields all slices that should exist.
    """

    create: tuple[EndpointSlice, ...] = ()  # without name: the API server generates one
    update: tuple[EndpointSlice, ...] = ()
    delete: tuple[EndpointSlice, ...] = ()
    keep: tuple[EndpointSlice, ...] = ()

    @property
    def slices(self) -> tuple[EndpointSlice, ...]:
        """The slices that exist once the plan is carried out."""
        return self.keep + self.update + self.create

    def __iter__(self) -> Iterator[EndpointSlice]:
        return iter(self.slices)

    def __len__(self) -> int:
        return len(self.slices)


def plan(
    service: Service,
    pods: Iterable[Pod],
    nodes: Iterable[Node],
    existing: Sequence[EndpointSlice] = (),
    *,
    max_endpoints: int = MAX_ENDPOINTS,
    trigger_time: str = "",
    desired: Desired | None = None,
) -> SlicePlan:
    """Say which EndpointSlices should exist for the Service.

    `pods` are those that its selector matches: others, by their labels or their namespace, are
    left out. `nodes` tell the zones, and `existing` are the Service's slices. `trigger_time` is
    noted on what is written. Who keeps `desired` from call to call spares looking at all the Pods.
    """
    if desired is None:
        selected = [pod for pod in pods if not is_stranger(service, pod)]
        desired = Desired(service, {node.metadata.name: node for node in nodes}, selected)
    families = families_of(service)
    own = [one for one in existing if is_controlled_by(one, service)]
    plans = [
        _plan_family(
            service,
            family,
            [one for one in own if one.addressType == family],
            desired,
            max_endpoints,
            trigger_time,
        )
        for family in families
    ]
    kept = [one for one in own if one.addressType in families]
    strangers = [one for one in existing if all(one is not each for each in kept)]
    return SlicePlan(
        create=tuple(one for each in plans for one in each.create),
        update=tuple(one for each in plans for one in each.update),
        delete=tuple(strangers) + tuple(one for each in plans for one in each.delete),
        keep=tuple(one for each in plans for one in each.keep),
    )


def is_stranger(service: Service, pod: Pod) -> bool:
    """Say whether the Pod's namespace or labels forbid it to be behind the Service.

    A Pod that says nothing of labels is taken as the caller means it.
    """
    meta = pod.metadata
    elsewhere = meta.namespace != service.metadata.namespace
    return elsewhere or not (
        not meta.labels or service.spec.selector.items() <= meta.labels.items()
    )


def _plan_family(
    service: Service,
    family: str,
    existing: Sequence[EndpointSlice],
    desired: Desired,
    max_endpoints: int,
    trigger_time: str,
) -> SlicePlan:
    """Say which slices of one family should exist."""
    packing = _Packing(service, family, max_endpoints)
    present: dict[PortKey, list[EndpointSlice]] = {}
    for one in existing:
        present.setdefault(port_key(one.ports), []).append(one)
    for key, (ports, endpoints) in desired.groups(family).items():
        packing.pack(ports, present.pop(key, []), endpoints)
    for slices in present.values():
        packing.delete += slices
    if len(existing) == len(packing.delete) and not packing.create:
        packing.add_placeholder()
    packing.reuse()
    return packing.result(trigger_time)


class _Packing:
    """A plan in the making."""

    def __init__(self, service: Service, family: str, max_endpoints: int) -> None:
        self.service = service
        self.family = family
        self.max_endpoints = max_endpoints
        self.create: list[EndpointSlice] = []
        self.update: list[EndpointSlice] = []
        self.delete: list[EndpointSlice] = []
        self.keep: list[EndpointSlice] = []

    def pack(self, ports: PortKey, slices: list[EndpointSlice], desired: Group) -> None:
        """Distribute the endpoints of one group of ports; `desired` is used up."""
        update, keep = self._settle(slices, desired)
        # The fullest first, so that some slices become full and others can become empty.
        update.sort(key=lambda one: -len(one.endpoints))
        update = [self._fill(one, desired) for one in update]
        while desired:
            room = self._with_room(keep, len(desired))
            if room is None:
                self.create.append(self._fill(self._new(ports), desired))
            else:
                keep.remove(room)
                update.append(self._fill(room, desired))
        self.update += update
        self.keep += keep

    def _settle(
        self, slices: list[EndpointSlice], desired: Group
    ) -> tuple[list[EndpointSlice], list[EndpointSlice]]:
        """Leave endpoints where they are; return the slices that change and those that do not."""
        update, keep = [], []
        labels = slice_labels(self.service)
        for one in slices:
            kept, changed = [], labels != one.metadata.labels
            for endpoint in one.endpoints:
                wanted = desired.pop(identity(endpoint), None)
                if wanted is endpoint or (wanted is not None and _alike(wanted, endpoint)):
                    kept.append(endpoint)
                    continue
                changed = True
                if wanted is not None:
                    kept.append(wanted)
            if not changed:
                keep.append(one)
            elif not kept and one.endpoints:
                self.delete.append(one)
            else:
                meta = replace(one.metadata, labels=labels)
                update.append(replace(one, metadata=meta, endpoints=tuple(kept)))
        return update, keep

    def _fill(self, one: EndpointSlice, desired: Group) -> EndpointSlice:
        room = self.max_endpoints - len(one.endpoints)
        if room <= 0 or not desired:
            return one
        added = list(desired)[:room]
        endpoints = one.endpoints + tuple(desired.pop(key) for key in added)
        return replace(one, endpoints=endpoints)

    def _with_room(self, slices: list[EndpointSlice], count: int) -> EndpointSlice | None:
        """Return the slice that `count` endpoints would fill best, None if none has the room."""
        fitting = [s for s in slices if len(s.endpoints) + count <= self.max_endpoints]
        if count >= self.max_endpoints or not fitting:
            return None
        return max(fitting, key=lambda one: len(one.endpoints))

    def add_placeholder(self) -> None:
        """Have one empty slice, so that readers see a Service without endpoints."""
        empty = self._new(())
        if len(self.delete) == 1:
            only = self.delete[0]
            if (only.ports, only.endpoints) == (
                (),
                (),
            ) and only.metadata.labels == empty.metadata.labels:
                self.keep.append(self.delete.pop())
                return
        self.create.append(empty)

    def reuse(self) -> None:
        """Turn a deletion and a creation into one update: watchers like that better."""
        for old in list(self.delete):
            if not self.create:
                return
            new = self.create.pop()
            self.delete.remove(old)
            meta = replace(old.metadata, labels=new.metadata.labels)
            self.update.append(replace(new, metadata=meta))

    def _new(self, ports: PortKey) -> EndpointSlice:
        return new_endpoint_slice(self.service, self.family, ports)

    def result(self, trigger_time: str) -> SlicePlan:
        if self.service.metadata.deletionTimestamp is not None:
            self.create = []
        spread = self.service.spec.trafficDistribution or ""
        # Hints by CPUs are worked out afterwards; until then slices keep those that they have.
        by_cpu = is_auto(self.service)
        kept = [(one, one if by_cpu else with_hints(one, spread)) for one in self.keep]
        self.update += [hinted for one, hinted in kept if hinted is not one]
        return SlicePlan(
            create=tuple(_triggered(with_hints(one, spread), trigger_time) for one in self.create),
            update=tuple(_triggered(with_hints(one, spread), trigger_time) for one in self.update),
            delete=tuple(self.delete),
            keep=tuple(one for one, hinted in kept if hinted is one),
        )


def _alike(wanted: Endpoint, present: Endpoint) -> bool:
    """Compare all but the hints, which are worked out at the end."""
    return wanted == (replace(present, hints=None) if present.hints is not None else present)


def new_endpoint_slice(service: Service, family: str, ports: PortKey) -> EndpointSlice:
    """Return an empty slice of the Service for endpoints with these ports."""
    return EndpointSlice(
        addressType=family,
        ports=ports,
        metadata=ObjectMeta(
            generateName=f"{service.metadata.name}-",
            namespace=service.metadata.namespace,
            labels=slice_labels(service),
            ownerReferences=(controller_reference(service),),
        ),
    )


def slice_labels(service: Service) -> dict[str, str]:
    """Return the labels of the Service's slices: its own, its name, and who manages them."""
    labels = {k: v for k, v in service.metadata.labels.items() if k not in RESERVED_LABELS}
    if service.spec.clusterIP == "None":
        labels[HEADLESS] = ""
    labels[SERVICE_NAME] = service.metadata.name
    labels[MANAGED_BY] = CONTROLLER_NAME
    return labels


def _triggered(one: EndpointSlice, trigger_time: str) -> EndpointSlice:
    """Note when the change happened that this write tells of; forget the last one's time."""
    annotations = {k: v for k, v in one.metadata.annotations.items() if k != TRIGGER_TIME}
    if trigger_time:
        annotations[TRIGGER_TIME] = trigger_time
    return replace(one, metadata=replace(one.metadata, annotations=annotations))
