"""Keeps nodes from more volumes than they can attach.

Each storage driver says in the node's CSINode how many of its volumes the node can have at a time
(`allocatable.count`). Counted are volumes, not Pods: two Pods with one volume count once. A claim
that still waits for its volume counts as one of the driver that will make it.

Upstream: pkg/scheduler/framework/plugins/nodevolumelimits/csi.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.api.core import PersistentVolume, PersistentVolumeClaim, Pod
from k8slab.api.pods import claims_of
from k8slab.api.storage import CSINode, StorageClass
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
from k8slab.control_plane.scheduler.plugins.claims import uses_claim

REASON = "node(s) exceed max volume count"


class NodeVolumeLimits:
    """Filter by the number of volumes of each driver."""

    name = "NodeVolumeLimits"
    _refusal = Status(Code.UNSCHEDULABLE, (REASON,), name)

    def __init__(self, handle: Handle, args: None) -> None:
        self._objects = handle.objects

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Skip Pods without claims."""
        return None if any(claims_of(pod.pod)) else SKIP

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node on which a driver would have too many volumes."""
        namespace = pod.pod.metadata.namespace
        for name in claims_of(pod.pod):
            if self._objects.get(PersistentVolumeClaim, name, namespace) is None:
                text = (
                    f'looking up PVC {namespace}/{name}: persistentvolumeclaim "{name}" not found'
                )
                return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (text,), self.name)
        limits = limits_of(self._objects.get(CSINode, node.name))
        if not limits:
            return None
        there: dict[str, str] = {}
        for other in node.pods.values():
            there.update(self._volumes(other.pod))
        new = {v: d for v, d in self._volumes(pod.pod).items() if v not in there}
        for driver in dict.fromkeys(new.values()):
            count = [*there.values(), *new.values()].count(driver)
            if driver in limits and count > limits[driver]:
                return self._refusal
        return None

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for drivers with more room, for Pods with volumes to leave, for claims."""
        return (
            ClusterEvent(Resource.CSI_NODE, Action.ADD),
            ClusterEvent(Resource.CSI_NODE, Action.UPDATE, _attaches_more),
            ClusterEvent(
                Resource.ASSIGNED_POD, Action.DELETE, lambda pod, old, new: any(claims_of(old))
            ),
            ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, Action.ADD, uses_claim),
        )

    def _volumes(self, pod: Pod) -> dict[str, str]:
        """Return the driver of each of the Pod's volumes, by a name that is the volume's alone."""
        found: dict[str, str] = {}
        namespace = pod.metadata.namespace
        for name in claims_of(pod):
            claim = self._objects.get(PersistentVolumeClaim, name, namespace)
            if claim is None:
                continue
            volume = self._objects.get(PersistentVolume, claim.spec.volumeName)
            if volume is not None:
                if volume.spec.csi is not None:
                    csi = volume.spec.csi
                    found[f"{csi.driver}/{csi.volumeHandle}"] = csi.driver
                continue
            made_by = self._objects.get(StorageClass, claim.spec.storageClassName or "")
            if made_by is not None:
                found[f"{made_by.provisioner}/of claim {namespace}/{name}"] = made_by.provisioner
        return found


def limits_of(csi_node: CSINode | None) -> Mapping[str, int]:
    """Return how many volumes of each driver a node can have, drivers without a limit left out."""
    if csi_node is None:
        return {}
    return {
        driver.name: driver.allocatable.count
        for driver in csi_node.spec.drivers
        if driver.allocatable is not None and driver.allocatable.count is not None
    }


def _attaches_more(pod: Pod, old: CSINode, new: CSINode) -> bool:
    before = limits_of(old)
    return any(count > before.get(driver, count) for driver, count in limits_of(new).items())
