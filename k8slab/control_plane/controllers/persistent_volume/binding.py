"""The steps of a binding, each a new object: first the volume names its claim, then the claim it.

    PersistentVolume       claimRef, phase Bound
    PersistentVolumeClaim  volumeName, phase Bound with the volume's size

Annotations say which of it the binder did, so that it may undo it: what a person bound stays.

Rule of use: all pure; `None` of a status means that nothing is to be written.

Upstream: pkg/controller/volume/persistentvolume/pv_controller.go (bind, unbindVolume)
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.core import PersistentVolume, PersistentVolumeClaim
from k8slab.api.meta import timestamp
from k8slab.api.volume_matching import BIND_COMPLETED, BOUND_BY_CONTROLLER
from k8slab.client import reference_to


def volume_bound(volume: PersistentVolume, claim: PersistentVolumeClaim) -> PersistentVolume:
    """Return the volume with a reference to the claim."""
    meta, before = claim.metadata, volume.spec.claimRef
    if before is not None and before.uid == meta.uid:
        return volume
    annotations = dict(volume.metadata.annotations)
    if before is None:
        annotations[BOUND_BY_CONTROLLER] = "yes"
    return replace(
        volume,
        metadata=replace(volume.metadata, annotations=annotations),
        spec=replace(volume.spec, claimRef=reference_to(claim)),
    )


def volume_released(volume: PersistentVolume) -> PersistentVolume:
    """Return the volume without what the binder wrote of its claim."""
    annotations = dict(volume.metadata.annotations)
    by_binder = annotations.pop(BOUND_BY_CONTROLLER, "")
    before = volume.spec.claimRef
    kept = None if by_binder or before is None else replace(before, uid="", resourceVersion="")
    return replace(
        volume,
        metadata=replace(volume.metadata, annotations=annotations),
        spec=replace(volume.spec, claimRef=kept),
    )


def claim_bound(claim: PersistentVolumeClaim, volume: PersistentVolume) -> PersistentVolumeClaim:
    """Return the claim with the name of its volume."""
    annotations = dict(claim.metadata.annotations)
    if claim.spec.volumeName != volume.metadata.name:
        annotations[BOUND_BY_CONTROLLER] = "yes"
    annotations[BIND_COMPLETED] = "yes"
    return replace(
        claim,
        metadata=replace(claim.metadata, annotations=annotations),
        spec=replace(claim.spec, volumeName=volume.metadata.name),
    )


def volume_in_phase(volume: PersistentVolume, phase: str, now: float) -> PersistentVolume:
    """Return the volume in a phase."""
    if volume.status.phase == phase:
        return volume
    status = replace(
        volume.status, phase=phase, message="", reason="", lastPhaseTransitionTime=timestamp(now)
    )
    return replace(volume, status=status)


def claim_in_phase(
    claim: PersistentVolumeClaim, phase: str, volume: PersistentVolume | None
) -> PersistentVolumeClaim:
    """Return the claim in a phase, with the size of its volume if it has one."""
    status = replace(claim.status, phase=phase)
    if volume is None:
        status = replace(status, accessModes=(), capacity={})
    else:
        capacity = claim.status.capacity or volume.spec.capacity
        status = replace(status, accessModes=volume.spec.accessModes, capacity=capacity)
    return claim if status == claim.status else replace(claim, status=status)
