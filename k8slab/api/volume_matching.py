"""Which volume a claim gets: the smallest that is free and fits, or the one that was meant for it.

    >>> from k8slab.api import load
    >>> claim = load("{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: c}, spec: "
    ...     "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 3Gi}}}}")
    >>> volumes = [load("{apiVersion: v1, kind: PersistentVolume, metadata: {name: %s}, spec: "
    ...     "{accessModes: [ReadWriteOnce], capacity: {storage: %s}}, status: {phase: Available}}"
    ...     % (size, size)) for size in ("10Gi", "5Gi", "1Gi")]
    >>> best_volume(claim, volumes).metadata.name
    '5Gi'

The annotations are the notes that binder, provisioner and scheduler leave one another.

Rule of use: pure; whether to wait for a consumer is the caller's to decide.

Upstream: pkg/controller/volume/persistentvolume/index.go, staging/src/k8s.io/component-helpers/
storage/volume/pv_helpers.go
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from k8slab.api import labels, quantity
from k8slab.api.core import PersistentVolume, PersistentVolumeClaim

BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller"  # and not by a person
BIND_COMPLETED = "pv.kubernetes.io/bind-completed"
PROVISIONED_BY = "pv.kubernetes.io/provisioned-by"
STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner"  # who is to make a volume
BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner"
SELECTED_NODE = "volume.kubernetes.io/selected-node"  # where the first consumer will run
WAIT_FOR_FIRST_CONSUMER = "WaitForFirstConsumer"  # a class's volumeBindingMode


def best_volume(
    claim: PersistentVolumeClaim,
    volumes: Iterable[PersistentVolume],
    *,
    prebound_only: bool = False,
) -> PersistentVolume | None:
    """Return the volume that the claim should get, None if there is none."""
    fitting = []
    for volume in sorted(volumes, key=_size_then_name):
        if volume.metadata.deletionTimestamp is not None or not _offers(volume, claim):
            continue
        if is_meant_for(volume, claim):
            if mismatch(volume, claim):
                continue
            return volume
        if volume.spec.claimRef is None and volume.status.phase == "Available":
            fitting.append(volume)
    if prebound_only:
        return None
    selector = labels.from_label_selector(claim.spec.selector) if claim.spec.selector else None
    for volume in fitting:
        if selector is not None and not selector.matches(volume.metadata.labels):
            continue
        if not mismatch(volume, claim):
            return volume
    return None


def is_meant_for(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    """Say whether the volume names the claim; a uid, if it has one, must be the claim's."""
    reference, meta = volume.spec.claimRef, claim.metadata
    if reference is None:
        return False
    named = (reference.namespace, reference.name) == (meta.namespace, meta.name)
    return named and reference.uid in ("", meta.uid)


def mismatch(volume: PersistentVolume, claim: PersistentVolumeClaim) -> str:
    """Return why the volume cannot serve the claim, "" if it can."""
    if storage_of(volume) < requested(claim):
        return "requested PV is too small"
    if volume.spec.storageClassName != (claim.spec.storageClassName or ""):
        return "storageClassName does not match"
    if _mode(volume.spec.volumeMode) != _mode(claim.spec.volumeMode):
        return "incompatible volumeMode"
    return "" if _offers(volume, claim) else "incompatible accessMode"


def storage_of(volume: PersistentVolume) -> Fraction:
    """Return how many bytes the volume has."""
    return Fraction(quantity.parse(volume.spec.capacity.get("storage", "0"))[0])


def requested(claim: PersistentVolumeClaim) -> Fraction:
    """Return how many bytes the claim asks for."""
    return Fraction(quantity.parse(claim.spec.resources.requests.get("storage", "0"))[0])


def _size_then_name(volume: PersistentVolume) -> tuple[Fraction, str]:
    return storage_of(volume), volume.metadata.name


def _offers(volume: PersistentVolume, claim: PersistentVolumeClaim) -> bool:
    return all(mode in volume.spec.accessModes for mode in claim.spec.accessModes)


def _mode(mode: str | None) -> str:
    return mode or "Filesystem"
