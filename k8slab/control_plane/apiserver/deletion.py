"""What a delete means: an object may go at once, or be marked and wait for others.

A Pod waits for its kubelet (grace period), an object with finalizers for whoever put them there,
a Namespace for its contents. Until then it carries a deletionTimestamp. How dependents are dealt
with becomes a finalizer too: foregroundDeletion (they go first) or orphan (they are let go).

Rule of use: `decide(obj, options, now)` is pure; None means "remove it now".

Upstream: staging/src/k8s.io/apiserver/pkg/registry/generic/registry/store.go (Delete),
pkg/registry/core/pod/strategy.go (CheckGracefulDelete)
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apiextensions import (
    CLEANUP,
    TERMINATING,
    CustomResourceDefinition,
    CustomResourceDefinitionCondition,
)
from k8slab.api.conditions import set_condition
from k8slab.api.core import Namespace, Pod
from k8slab.api.meta import DeleteOptions, Object, seconds, timestamp

FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"
ORPHAN_BY_DEFAULT = frozenset({"Job"})  # when the request names no propagation policy
DEFAULT_GRACE = 30  # s, terminationGracePeriodSeconds


def decide(obj: Object, options: DeleteOptions, now: float) -> Object | None:
    """Return the object marked for deletion, or None if it is to be removed at once.

    An object that is marked already and stays as it is comes back unchanged (the same object).
    """
    marked = _with_finalizers(obj, options)
    if isinstance(marked, CustomResourceDefinition) and not obj.metadata.deletionTimestamp:
        marked = _ending(marked, now)
    if isinstance(obj, Namespace) and obj.spec.finalizers:
        return _mark_namespace(marked, now)
    grace = grace_period(obj, options)
    if obj.metadata.deletionTimestamp is not None:
        return _again(marked, obj, grace, options)
    if grace == 0 and not marked.metadata.finalizers:
        return None
    return _mark(marked, grace, now)


def gone(obj: Object, now: float) -> Object:
    """Return a Pod that was removed at once as the answer shows it: marked, with no time left."""
    return _mark(obj, 0, now) if isinstance(obj, Pod) else obj


def is_finished(obj: Object) -> bool:
    """Say whether a marked object has nothing left to wait for, so that an update removes it."""
    meta = obj.metadata
    if meta.deletionTimestamp is None or meta.finalizers:
        return False
    if isinstance(obj, Namespace) and obj.spec.finalizers:
        return False
    return not meta.deletionGracePeriodSeconds


def grace_period(obj: Object, options: DeleteOptions) -> int:
    """Return the seconds that the object may take: only Pods on a node have any."""
    if not isinstance(obj, Pod):
        return 0
    wanted = options.gracePeriodSeconds
    if wanted is None:
        wanted = obj.spec.terminationGracePeriodSeconds
    grace = DEFAULT_GRACE if wanted is None else wanted
    if grace < 0:
        grace = 1
    if not obj.spec.nodeName or obj.status.phase in ("Succeeded", "Failed"):
        return 0
    return grace


def _again(marked: Object, obj: Object, grace: int, options: DeleteOptions) -> Object | None:
    """A second delete can only shorten the wait."""
    left = obj.metadata.deletionGracePeriodSeconds or 0
    if not isinstance(obj, Pod) or grace >= left:
        if marked.metadata.finalizers or left:
            return marked
        return None
    if grace == 0 and not marked.metadata.finalizers:
        return None
    start = seconds(obj.metadata.deletionTimestamp) - left
    meta = replace(
        marked.metadata,
        deletionGracePeriodSeconds=grace,
        deletionTimestamp=timestamp(start + grace),
    )
    return replace(marked, metadata=meta)


def _mark(obj: Object, grace: int, now: float) -> Object:
    meta = obj.metadata
    return replace(
        obj,
        metadata=replace(
            meta,
            deletionTimestamp=timestamp(now + grace),
            deletionGracePeriodSeconds=grace,
            generation=meta.generation + 1 if meta.generation else 0,
        ),
    )


def _mark_namespace(namespace: Object, now: float) -> Object:
    assert isinstance(namespace, Namespace)
    if namespace.metadata.deletionTimestamp is not None:
        return namespace
    status = replace(namespace.status, phase="Terminating")
    marked = replace(namespace, status=status)
    return replace(marked, metadata=replace(marked.metadata, deletionTimestamp=timestamp(now)))


def _ending(crd: CustomResourceDefinition, now: float) -> CustomResourceDefinition:
    """Hold a definition until the objects of its kind are gone."""
    meta = crd.metadata
    if CLEANUP not in meta.finalizers:
        meta = replace(meta, finalizers=(*meta.finalizers, CLEANUP))
    pending = CustomResourceDefinitionCondition(
        type=TERMINATING,
        status="True",
        reason="InstanceDeletionPending",
        message=(
            "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon"
        ),
        lastTransitionTime=timestamp(now),
    )
    status = replace(crd.status, conditions=set_condition(crd.status.conditions, pending))
    return replace(crd, metadata=meta, status=status)


def _with_finalizers(obj: Object, options: DeleteOptions) -> Object:
    """Turn the propagation policy into finalizers, which the garbage collector acts on."""
    policy = options.propagationPolicy or _default_policy(obj, options)
    kept = tuple(f for f in obj.metadata.finalizers if f not in (FOREGROUND, ORPHAN))
    if not policy:
        return obj
    wanted = {"Foreground": (FOREGROUND,), "Orphan": (ORPHAN,)}.get(policy, ())
    if (*kept, *wanted) == obj.metadata.finalizers:
        return obj
    return replace(obj, metadata=replace(obj.metadata, finalizers=(*kept, *wanted)))


def _default_policy(obj: Object, options: DeleteOptions) -> str:
    if options.orphanDependents is not None:
        return "Orphan" if options.orphanDependents else "Background"
    finalizers = obj.metadata.finalizers
    if ORPHAN in finalizers or FOREGROUND in finalizers:
        return ""
    is_job = obj.kind in ORPHAN_BY_DEFAULT and obj.apiVersion == "batch/v1"
    return "Orphan" if is_job else ""
