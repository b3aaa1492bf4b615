"""Keeps Pods from volumes that another Pod has for itself.

A claim with the access mode ReadWriteOncePod is one Pod's in the whole cluster; preemption may
take it from a less important one. Some disks that Pods name themselves cannot be attached twice to
a node, or only for reading.

Upstream: pkg/scheduler/framework/plugins/volumerestrictions/volume_restrictions.go
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from k8slab.api.core import PersistentVolumeClaim, Pod, Volume
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
from k8slab.control_plane.scheduler.plugins.claims import claim_names, names_claim, not_found

Disk: TypeAlias = tuple[str, ...]  # of which kind, and what makes it out

ONE_POD = "ReadWriteOncePod"
REASON_DISK = "node(s) had no available disk"
REASON_ONE_POD = (
    "node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode"
)


class Exclusive:
    """What the Pod wants for itself: disks, and claims with their users; follows a "what if"."""

    def __init__(self, disks: Mapping[Disk, bool], names: frozenset[str], used: int) -> None:
        self.disks = disks
        self.names = names
        self.used = used  # how often others use the claims

    def clone(self) -> Exclusive:
        """Return a copy that can be changed on its own."""
        return Exclusive(self.disks, self.names, self.used)


class VolumeRestrictions:
    """Filter by claims for one Pod, and by disks that are not shared."""

    name = "VolumeRestrictions"
    _disk = Status(Code.UNSCHEDULABLE, (REASON_DISK,), name)
    _one_pod = Status(Code.UNSCHEDULABLE, (REASON_ONE_POD,), name)

    def __init__(self, handle: Handle, args: None) -> None:
        self._handle = handle

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Count who uses the Pod's claims for one Pod; skip Pods that nothing concerns."""
        own = claim_names(pod.pod)
        namespace = pod.pod.metadata.namespace
        alone: dict[str, None] = {}
        for name in own:
            claim = self._handle.objects.get(PersistentVolumeClaim, name, namespace)
            if claim is None:
                why = not_found("persistentvolumeclaim", name)
                return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (why,), self.name)
            if ONE_POD in claim.spec.accessModes:
                alone[name] = None
        names = frozenset(alone)
        # Such claims are rare, so that a walk over all Pods is paid by those few who have one.
        everyone = (each for node in nodes for each in node.pods.values()) if names else ()
        used = sum(_uses(each.pod, namespace, names) for each in everyone)
        disks = disks_of(pod.pod)
        if not used and not disks:
            return SKIP
        state.write(f"PreFilter{self.name}", Exclusive(disks, names, used))
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node with one of the Pod's disks, and every node while a claim is in use."""
        wants: Exclusive = state.read(f"PreFilter{self.name}")
        if shares_disk(wants.disks, (each.pod for each in node.pods.values())):
            return self._disk
        return self._one_pod if wants.used > 0 else None

    def add_pod(self, state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo) -> None:
        """Count a user of the claims more."""
        wants: Exclusive = state.read(f"PreFilter{self.name}")
        wants.used += _uses(added.pod, pod.pod.metadata.namespace, wants.names)

    def remove_pod(self, state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo) -> None:
        """Count a user of the claims less."""
        wants: Exclusive = state.read(f"PreFilter{self.name}")
        wants.used -= _uses(removed.pod, pod.pod.metadata.namespace, wants.names)

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for a Pod with the same claim or disk to leave, for a node, for the claim."""
        return (
            ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE, _leaves_a_volume),
            ClusterEvent(Resource.NODE, Action.ADD),
            ClusterEvent(Resource.PERSISTENT_VOLUME_CLAIM, Action.ADD, names_claim),
        )


def disks_of(pod: Pod) -> dict[Disk, bool]:
    """Return the disks that the Pod's volumes name, and whether it only reads them."""
    found: dict[Disk, bool] = {}
    for volume in pod.spec.volumes:
        for disk, only_reads in _disks(volume):
            found[disk] = only_reads and found.get(disk, True)
    return found


def shares_disk(disks: Mapping[Disk, bool], others: Iterable[Pod]) -> bool:
    """Say whether one of the others has one of the disks, and not all of them only read it."""
    return bool(disks) and any(
        disk in disks and not (only_reads and disks[disk])
        for other in others
        for disk, only_reads in disks_of(other).items()
    )


def _uses(pod: Pod, namespace: str, names: frozenset[str]) -> int:
    if pod.metadata.namespace != namespace:
        return 0
    return sum(name in names for name in claim_names(pod))


def _disks(volume: Volume) -> Iterator[tuple[Disk, bool]]:
    if volume.gcePersistentDisk is not None:
        yield ("gce", volume.gcePersistentDisk.pdName), volume.gcePersistentDisk.readOnly
    if volume.awsElasticBlockStore is not None:
        yield ("aws", volume.awsElasticBlockStore.volumeID), False
    if volume.iscsi is not None:
        yield ("iscsi", volume.iscsi.iqn), volume.iscsi.readOnly
    if volume.rbd is not None:
        for monitor in volume.rbd.monitors:  # one in common makes two of them the same
            yield ("rbd", monitor, volume.rbd.pool, volume.rbd.image), volume.rbd.readOnly


def _leaves_a_volume(pod: Pod, old: Pod, new: None) -> bool:
    if old.metadata.namespace != pod.metadata.namespace:
        return False
    gone = claim_names(old)
    if any(name in gone for name in claim_names(pod)):
        return True
    return shares_disk(disks_of(pod), (old,))
