"""Claims decide where a Pod may run, and the Pod's node decides where its claims are served.

A claim that is bound ties the Pod to the nodes from which its volume can be reached. One that waits
for its first consumer is served when the node is chosen: before the Pod is bound, `pre_bind` takes
a free volume of that node for it, or writes the node into the claim, and waits until it is bound.

Rule of use: a Pod without claims is none of its business.

Upstream: pkg/scheduler/framework/plugins/volumebinding
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from k8slab.api.core import (
    Node,
    PersistentVolume,
    PersistentVolumeClaim,
    Pod,
)
from k8slab.api.node_affinity import node_selector_matches
from k8slab.api.pods import claims_of
from k8slab.api.storage import StorageClass
from k8slab.api.volume_matching import (
    BOUND_BY_CONTROLLER,
    SELECTED_NODE,
    WAIT_FOR_FIRST_CONSUMER,
    best_volume,
)
from k8slab.client import MERGE_PATCH, reference_to
from k8slab.control_plane.scheduler.config.types_pluginargs import VolumeBindingArgs
from k8slab.control_plane.scheduler.framework.interface import (
    SKIP,
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

POLL = 1.0  # s between looks at claims that are being bound
NO_PROVISIONER = "kubernetes.io/no-provisioner"
UNBOUND = "pod has unbound immediate PersistentVolumeClaims"
CONFLICT = "node(s) didn't match PersistentVolume's node affinity"
NOTHING_TO_BIND = "node(s) didn't find available persistent volumes to bind"
WAITS_FOR_CONTROLLER = (
    'waiting for ephemeral volume controller to create the persistentvolumeclaim "{name}"'
)
GONE = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)"


class VolumeBinding:
    """PreFilter, Filter and PreBind by the Pod's claims."""

    name = "VolumeBinding"

    def __init__(self, handle: Handle, args: VolumeBindingArgs) -> None:
        self._handle = handle
        self._timeout = float(args.bindTimeoutSeconds)

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Refuse the Pod if no node could help its claims; note them otherwise."""
        names = list(claims_of(pod.pod))
        if not names:
            return SKIP
        known = self._claims(pod.pod.metadata.namespace)
        claims = []
        for name in names:
            claim = known.get(name)
            why = self._wrong(name, claim)
            if claim is None and _is_ephemeral(pod.pod, name):
                why = WAITS_FOR_CONTROLLER.format(name=name)
            if why or claim is None:
                return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (why,), self.name)
            claims.append(claim)
        if any(not _is_bound(claim) and not self._waits(claim) for claim in claims):
            return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (UNBOUND,), self.name)
        state.write(self.name, claims)
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node that a volume cannot be reached from, or where none can be had."""
        reasons: dict[str, None] = {}
        volumes = self._volumes()
        for claim in state.read(self.name):
            why = self._on_node(claim, node.node, volumes)
            if why:
                reasons[why] = None
        if not reasons:
            return None
        return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, tuple(reasons), self.name)

    async def pre_bind(self, state: CycleState, pod: Pod, node_name: str) -> Status | None:
        """Have the Pod's claims served on the node, and wait until they are."""
        waited = 0.0
        begun: dict[str, None] = {}
        while True:
            claims = self._claims(pod.metadata.namespace)
            waiting = [
                claim
                for name in claims_of(pod)
                if (claim := claims.get(name)) is None or not _is_bound(claim)
            ]
            if not waiting:
                return None
            for claim in waiting:
                if claim is not None and claim.metadata.name not in begun:
                    begun[claim.metadata.name] = None
                    await self._serve(claim, node_name)
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
            ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, change, _is_a_claim_of),
            ClusterEvent(Resource.PERSISTENT_VOLUME, change),
            ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL),
        )

    # -- looking

    def _claims(self, namespace: str) -> dict[str, PersistentVolumeClaim]:
        found = self._handle.objects.list(PersistentVolumeClaim, namespace)
        return {claim.metadata.name: claim for claim in found}

    def _volumes(self) -> dict[str, PersistentVolume]:
        found = self._handle.objects.list(PersistentVolume)
        return {volume.metadata.name: volume for volume in found}

    def _class_of(self, claim: PersistentVolumeClaim) -> StorageClass | None:
        name = claim.spec.storageClassName or ""
        classes = self._handle.objects.list(StorageClass) if name else []
        return next((each for each in classes if each.metadata.name == name), None)

    def _waits(self, claim: PersistentVolumeClaim) -> bool:
        found = self._class_of(claim)
        return found is not None and found.volumeBindingMode == WAIT_FOR_FIRST_CONSUMER

    @staticmethod
    def _wrong(name: str, claim: PersistentVolumeClaim | None) -> str:
        quoted = f'persistentvolumeclaim "{name}"'
        if claim is None:
            return f"{quoted} not found"
        if claim.status.phase == "Lost":
            volume = claim.spec.volumeName
            return f'{quoted} bound to non-existent persistentvolume "{volume}"'
        return f"{quoted} is being deleted" if claim.metadata.deletionTimestamp else ""

    def _on_node(
        self, claim: PersistentVolumeClaim, node: Node, volumes: Mapping[str, PersistentVolume]
    ) -> str:
        """Return why the claim cannot be served on the node, "" if it can."""
        if _is_bound(claim):
            volume = volumes.get(claim.spec.volumeName)
            if volume is None:
                return GONE
            return "" if is_reached(volume, node) else CONFLICT
        chosen = claim.metadata.annotations.get(SELECTED_NODE)
        if chosen is not None and chosen != node.metadata.name:
            return CONFLICT
        if best_volume(claim, _of_node(volumes, node)) is not None:
            return ""
        found = self._class_of(claim)
        if found is None or found.provisioner == NO_PROVISIONER:
            return NOTHING_TO_BIND
        return "" if _allows(found, node) else NOTHING_TO_BIND

    # -- serving

    async def _serve(self, claim: PersistentVolumeClaim, node_name: str) -> None:
        """Take a free volume of the node for the claim, or have one made there."""
        client = self._handle.client
        if client is None:
            raise RuntimeError("only a running scheduler binds: this profile only explains")
        node = self._handle.snapshot.nodes[node_name].node
        volume = best_volume(claim, _of_node(self._volumes(), node))
        if volume is None:
            meta = claim.metadata
            change = {"metadata": {"annotations": {SELECTED_NODE: node_name}}}
            await client.patch(
                PersistentVolumeClaim, meta.name, change, meta.namespace, patch_type=MERGE_PATCH
            )
        elif volume.spec.claimRef is None:
            await client.update(_taken(volume, claim))


def _other_topologies(pod: Pod, old: StorageClass | None, new: StorageClass) -> bool:
    return old is None or old.allowedTopologies != new.allowedTopologies


def _is_a_claim_of(pod: Pod, old: object, new: PersistentVolumeClaim) -> bool:
    meta = new.metadata
    return meta.namespace == pod.metadata.namespace and meta.name in claims_of(pod)


def _is_ephemeral(pod: Pod, claim: str) -> bool:
    """Say whether a claim is made for one of the Pod's own volumes."""
    prefix = f"{pod.metadata.name}-"
    return any(v.ephemeral is not None and f"{prefix}{v.name}" == claim for v in pod.spec.volumes)


def _is_bound(claim: PersistentVolumeClaim) -> bool:
    return bool(claim.spec.volumeName) and claim.status.phase == "Bound"


def is_reached(volume: PersistentVolume, node: Node) -> bool:
    """Say whether a volume can be reached from a node."""
    affinity = volume.spec.nodeAffinity
    if affinity is None or affinity.required is None:
        return True
    return node_selector_matches(affinity.required, node)


def _of_node(volumes: Mapping[str, PersistentVolume], node: Node) -> list[PersistentVolume]:
    return [volume for volume in volumes.values() if is_reached(volume, node)]


def _allows(found: StorageClass, node: Node) -> bool:
    """Say whether a class makes volumes for the node."""
    labels = node.metadata.labels
    return not found.allowedTopologies or any(
        all(labels.get(each.key) in each.values for each in term.matchLabelExpressions)
        for term in found.allowedTopologies
    )


def _taken(volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
    annotations = {**volume.metadata.annotations, BOUND_BY_CONTROLLER: "yes"}
    return replace(
        volume,
        metadata=replace(volume.metadata, annotations=annotations),
        spec=replace(volume.spec, claimRef=reference_to(claim)),
    )
