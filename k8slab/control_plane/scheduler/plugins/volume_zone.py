"""Keeps Pods in the zones of their volumes.

A volume tells its zone and region by labels (today mostly by its node affinity, which is
VolumeBinding's). A label may name several zones, "a__b". Nodes without any such label are taken
for a cluster of one zone.

Upstream: pkg/scheduler/framework/plugins/volumezone/volume_zone.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from k8slab.api.core import PersistentVolume, PersistentVolumeClaim, Pod
from k8slab.api.storage import StorageClass
from k8slab.api.volume_matching import WAIT_FOR_FIRST_CONSUMER
from k8slab.control_plane.scheduler.framework.interface import (
    SKIP,
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import REGION, ZONE, Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.claims import claim_names, names_claim, not_found

Topology: TypeAlias = tuple[str, tuple[str, ...]]  # a label of nodes, and the values that will do

REASON = "node(s) had no available volume zone"
NO_NAME = "PersistentVolume had no name"
NO_CLASS = "PersistentVolumeClaim had no pv name and storageClass name"
OLD_LABELS = {
    "failure-domain.beta.kubernetes.io/zone": ZONE,
    "failure-domain.beta.kubernetes.io/region": REGION,
}
LABELS = (*OLD_LABELS, ZONE, REGION)
SEPARATOR = "__"


class VolumeZone:
    """Filter by the zones that the Pod's volumes are labelled with."""

    name = "VolumeZone"
    _refusal = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON,), name)

    def __init__(self, handle: Handle, args: None) -> None:
        self._objects = handle.objects

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Note the zones of the Pod's volumes; skip Pods without any."""
        found: list[Topology] = []
        for name in claim_names(pod.pod):
            answer = self._topologies(name, pod.pod.metadata.namespace)
            if isinstance(answer, str):
                return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (answer,), self.name)
            found += answer
        if not found:
            return SKIP
        state.write(f"PreFilter{self.name}", found)
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node in another zone than one of the volumes."""
        labels = node.node.metadata.labels
        if not any(label in labels for label in LABELS):
            return None
        topologies: Sequence[Topology] = state.read(f"PreFilter{self.name}")
        for label, values in topologies:
            if labels.get(label, labels.get(OLD_LABELS.get(label, label))) not in values:
                return self._refusal
        return None

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for claims, volumes, classes and nodes that say something of zones."""
        change = Action.ADD | Action.UPDATE
        return (
            ClusterEvent(Resource.STORAGE_CLASS, Action.ADD, _waits_for_consumers),
            ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL),
            ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, change, names_claim),
            ClusterEvent(Resource.PERSISTENT_VOLUME, change, _other_zones),
        )

    def _topologies(self, name: str, namespace: str) -> list[Topology] | str:
        """Return the zones of a claim's volume, or why there is no telling."""
        claim = self._objects.get(PersistentVolumeClaim, name, namespace)
        if claim is None:
            return not_found("persistentvolumeclaim", name)
        if claim.spec.volumeName:
            volume = self._objects.get(PersistentVolume, claim.spec.volumeName)
            if volume is None:
                return not_found("persistentvolume", claim.spec.volumeName)
            return topologies_of(volume)
        class_name = claim.spec.storageClassName or ""
        if not class_name:
            return NO_CLASS
        found = self._objects.get(StorageClass, class_name)
        if found is None:
            return not_found("storageclass.storage.k8s.io", class_name)
        return [] if found.volumeBindingMode == WAIT_FOR_FIRST_CONSUMER else NO_NAME


def topologies_of(volume: PersistentVolume) -> list[Topology]:
    """Return what a volume's labels say of its zones; a label with an empty zone says nothing."""
    labels = volume.metadata.labels
    named = ((label, labels[label].split(SEPARATOR)) for label in LABELS if label in labels)
    return [
        (label, tuple(value.strip() for value in values))
        for label, values in named
        if all(value.strip() for value in values)
    ]


def _waits_for_consumers(pod: Pod, old: None, new: StorageClass) -> bool:
    return new.volumeBindingMode == WAIT_FOR_FIRST_CONSUMER


def _other_zones(pod: Pod, old: PersistentVolume | None, new: PersistentVolume) -> bool:
    return old is None or topologies_of(old) != topologies_of(new)
