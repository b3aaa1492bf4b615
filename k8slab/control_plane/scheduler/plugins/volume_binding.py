"""Claims decide where a Pod may run, and the Pod's node decides where its claims are served.

A claim that is bound ties the Pod to the nodes from which its volume can be reached. One that waits
for its first consumer is served when the node is chosen: `reserve` books a free volume of that node
for it, or the node itself, so that the next Pod does not count on the same; before the Pod is
bound, `pre_bind` writes the booking into volume and claim, and waits until the claim is bound.

Rule of use: a Pod without claims is none of its business.

Upstream: pkg/scheduler/framework/plugins/volumebinding
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from k8slab.api.core import PersistentVolume, PersistentVolumeClaim, Pod
from k8slab.api.pods import claims_of
from k8slab.api.storage import StorageClass
from k8slab.api.volume_matching import (
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    WAIT_FOR_FIRST_CONSUMER,
)
from k8slab.client import MERGE_PATCH, key_of, reference_to
from k8slab.control_plane.scheduler.config.types_pluginargs import VolumeBindingArgs
from k8slab.control_plane.scheduler.framework.interface import (
    SKIP,
    Action,
    ClusterEvent,
    Code,
    CycleState,
    PluginError,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.claims import not_found, uses_claim
from k8slab.control_plane.scheduler.plugins.volume_binder import (
    NOTHING_TO_BIND,
    Binding,
    conflict,
    find_bindings,
    is_bound,
)

POLL = 1.0  # s between looks at claims that are being bound
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
WAITS_FOR_CONTROLLER = (
    'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
)


class Claims(msgspec.Struct, frozen=True):
    """The claims of a Pod: those that have a volume, and those that wait for their consumer."""

    bound: Sequence[PersistentVolumeClaim]
    waiting: Sequence[PersistentVolumeClaim]


class VolumeBinding:
    """PreFilter, Filter, Reserve and PreBind by the Pod's claims."""

    name = "VolumeBinding"

    def __init__(self, handle: Handle, args: VolumeBindingArgs) -> None:
        self._handle = handle
        self._timeout = float(args.bindTimeoutSeconds)
        self._booked: dict[str, list[Binding]] = {}  # by the key of the Pod that will be bound
        self._nodes: dict[str, str] = {}  # where those Pods will be

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Refuse the Pod if no node could help its claims; note them otherwise."""
        names = list(claims_of(pod.pod))
        if not names:
            return SKIP
        answer = self._claims(pod.pod, names)
        if isinstance(answer, str):
            return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (answer,), self.name)
        state.write(self.name, answer)
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node that a volume cannot be reached from, or where none can be had."""
        claims: Claims = state.read(self.name)
        volumes = {each.metadata.name: each for each in self._volumes()} if claims.bound else {}
        reasons = [conflict(claims.bound, volumes, node.node)]
        if claims.waiting and self._bindings(claims.waiting, node) is None:
            reasons.append(NOTHING_TO_BIND)
        told = tuple(filter(None, reasons))
        return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, told, self.name) if told else None

    def reserve(self, state: CycleState, pod: Pod, node_name: str) -> Status | None:
        """Book volumes of the node for the claims that wait, or the node for those to be made."""
        claims = self._claims(pod, list(claims_of(pod)))
        waiting = () if isinstance(claims, str) else claims.waiting
        found = self._bindings(waiting, self._handle.snapshot.nodes[node_name])
        if found:
            self._booked[key_of(pod)] = found
            self._nodes[key_of(pod)] = node_name
        return None

    def unreserve(self, state: CycleState, pod: Pod, node_name: str) -> None:
        """Give the booked volumes back."""
        self._booked.pop(key_of(pod), None)
        self._nodes.pop(key_of(pod), None)

    def pre_bind_pre_flight(self, pod: Pod, node_name: str) -> bool:
        """Say whether there will be something to do, which may take long."""
        return key_of(pod) in self._booked

    async def pre_bind(self, state: CycleState, pod: Pod, node_name: str) -> Status | None:
        """Have the Pod's claims served on the node, and wait until they are."""
        bookings = self._booked.get(key_of(pod), [])
        for claim, volume in bookings:
            await self._serve(claim, volume, node_name)
        told: dict[str, None] = {}  # claims that were seen with the node written into them
        waited = 0.0
        while True:
            why = self._failure([claim for claim, volume in bookings if volume is None], told)
            if why:
                return Status(Code.UNSCHEDULABLE, (f"binding volumes: {why}",), self.name)
            claims = [self._claim(pod, name) for name in claims_of(pod)]
            if all(claim is not None and is_bound(claim) for claim in claims):
                self.unreserve(state, pod, node_name)
                return None
            if waited >= self._timeout:
                text = "binding volumes: context deadline exceeded"
                return Status(Code.UNSCHEDULABLE, (text,), self.name)
            await self._handle.sleep(POLL)
            waited += POLL

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for claims, volumes, classes and nodes."""
        change = Action.ADD | Action.UPDATE
        return (
            ClusterEvent(Resource.STORAGE_CLASS, change, _other_topologies),
            ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, change, uses_claim),
            ClusterEvent(Resource.PERSISTENT_VOLUME, change),
            ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL),
        )

    # -- looking

    def _claims(self, pod: Pod, names: Sequence[str]) -> Claims | str:
        """Return the Pod's claims, or why no node can help them."""
        bound: list[PersistentVolumeClaim] = []
        waiting: list[PersistentVolumeClaim] = []
        for name in names:
            claim = self._claim(pod, name)
            if claim is None and _is_ephemeral(pod, name):
                return WAITS_FOR_CONTROLLER.format(name=name)
            if claim is None:
                return not_found("persistentvolumeclaim", name)
            why = _wrong(claim)
            if why:
                return why
            (bound if is_bound(claim) else waiting).append(claim)
        if all(self._waits(claim) for claim in waiting):
            return Claims(bound, waiting)
        return UNBOUND

    def _bindings(
        self, claims: Sequence[PersistentVolumeClaim], node: NodeInfo
    ) -> list[Binding] | None:
        """Return what serves the claims on the node, beside what is booked for other Pods."""
        mine = {key_of(claim): None for claim in claims}
        booked: dict[str, str] = {}  # volumes by name: for which claim
        for key, bindings in self._booked.items():
            for claim, volume in bindings:
                if volume is not None:
                    booked[volume.metadata.name] = key_of(claim)
                elif key_of(claim) in mine and self._nodes[key] != node.name:
                    return None  # the claim will be served on another node
        free = [
            volume
            for volume in self._volumes()
            if booked.get(volume.metadata.name) is None or booked[volume.metadata.name] in mine
        ]
        return find_bindings(claims, free, node.node, self._class_of)

    def _claim(self, pod: Pod, name: str) -> PersistentVolumeClaim | None:
        return self._handle.objects.get(PersistentVolumeClaim, name, pod.metadata.namespace)

    def _volumes(self) -> list[PersistentVolume]:
        return self._handle.objects.list(PersistentVolume)

    def _class_of(self, claim: PersistentVolumeClaim) -> StorageClass | None:
        return self._handle.objects.get(StorageClass, claim.spec.storageClassName or "")

    def _waits(self, claim: PersistentVolumeClaim) -> bool:
        found = self._class_of(claim)
        waits = found is not None and found.volumeBindingMode == WAIT_FOR_FIRST_CONSUMER
        return waits and not claim.spec.volumeName

    # -- serving

    async def _serve(
        self, claim: PersistentVolumeClaim, volume: PersistentVolume | None, node_name: str
    ) -> None:
        """Take a free volume for the claim, or have one made for the node."""
        client = self._handle.client
        if client is None:
            raise PluginError("only a running scheduler binds: this profile only explains")
        if volume is None:
            meta = claim.metadata
            change = {"metadata": {"annotations": {SELECTED_NODE: node_name}}}
            await client.patch(
                PersistentVolumeClaim, meta.name, change, meta.namespace, patch_type=MERGE_PATCH
            )
        elif volume.spec.claimRef is None:
            await client.update(_taken(volume, claim))

    def _failure(self, claims: Sequence[PersistentVolumeClaim], told: dict[str, None]) -> str:
        """Return which claim's provisioner has given its node back, "" if none has."""
        for each in claims:
            meta = each.metadata
            claim = self._handle.objects.get(PersistentVolumeClaim, meta.name, meta.namespace)
            if claim is None:
                return not_found("persistentvolumeclaim", meta.name)
            if SELECTED_NODE in claim.metadata.annotations:
                told[meta.name] = None
            elif meta.name in told and not is_bound(claim):
                return f'provisioning failed for PVC "{meta.name}"'
        return ""


def _wrong(claim: PersistentVolumeClaim) -> str:
    quoted = f'persistentvolumeclaim "{claim.metadata.name}"'
    if claim.status.phase == "Lost":
        return f'{quoted} bound to non-existent persistentvolume "{claim.spec.volumeName}"'
    return f"{quoted} is being deleted" if claim.metadata.deletionTimestamp else ""


def _other_topologies(pod: Pod, old: StorageClass | None, new: StorageClass) -> bool:
    return old is None or old.allowedTopologies != new.allowedTopologies


def _is_ephemeral(pod: Pod, claim: str) -> bool:
    """Say whether a claim is made for one of the Pod's own volumes."""
    prefix = f"{pod.metadata.name}-"
    return any(v.ephemeral is not None and f"{prefix}{v.name}" == claim for v in pod.spec.volumes)


def _taken(volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
    annotations = {**volume.metadata.annotations, BOUND_BY_CONTROLLER: "yes"}
    return replace(
        volume,
        metadata=replace(volume.metadata, annotations=annotations),
        spec=replace(volume.spec, claimRef=reference_to(claim)),
    )
