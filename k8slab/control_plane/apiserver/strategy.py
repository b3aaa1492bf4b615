"""What the API server itself decides about an object's fields when it is written.

Clients cannot set everything: a new object gets a uid, a creation time and an empty status; an
update of the object cannot change its status and an update of the status nothing else; the
generation counts changes of the spec. All of these are pure functions.

Rule of use: called between admission and validation: `prepare_create`, or `prepare_update`, or
`prepare_part` for a subresource.

Upstream: staging/src/k8s.io/apiserver/pkg/registry/rest, pkg/registry/*/*/strategy.go
"""

from __future__ import annotations

from typing import Any, cast

from msgspec.structs import replace

from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.apps import DaemonSet
from k8slab.api.batch import Job
from k8slab.api.core import (
    Namespace,
    PersistentVolume,
    PersistentVolumeClaim,
    PersistentVolumeStatus,
    Pod,
    PodCondition,
    PodStatus,
)
from k8slab.api.custom import Custom, builtin_kind
from k8slab.api.meta import LabelSelector, Object, timestamp
from k8slab.api.scheme import Resource
from k8slab.control_plane.apiserver.custom_resources.naming import with_stored_version
from k8slab.control_plane.apiserver.custom_resources.reading import with_defaults
from k8slab.control_plane.apiserver.quality_of_service import qos_class

# Kinds whose metadata.generation counts changes of the spec.
WITH_GENERATION = frozenset(
    {
        "Pod",
        "ReplicaSet",
        "Deployment",
        "DaemonSet",
        "StatefulSet",
        "ReplicationController",
        "Job",
        "CronJob",
        "PodDisruptionBudget",
        "Ingress",
        "NetworkPolicy",
        "EndpointSlice",
        "PriorityClass",
        "CustomResourceDefinition",
    }
)
# What of a Pod's spec is written by subresources that are ordinary updates otherwise.
POD_PARTS = {
    "ephemeralcontainers": ("ephemeralContainers",),
    "resize": ("containers", "initContainers", "resources"),
}
KEEP_STATUS_ON_CREATE = frozenset({"Node"})  # a kubelet registers its node with its status
FINALIZER_KUBERNETES = "kubernetes"
JOB_PREFIX = "batch.kubernetes.io/"
TEMPLATE_GENERATION = "deprecated.daemonset.template.generation"  # its place in apps/v1


def new_uid(number: int) -> str:
    """Return a random number of 128 bits as a uid (RFC 9562, version 4).

    >>> new_uid(0)
    '00000000-0000-4000-8000-000000000000'
    """
    digits = f"{number:032x}"
    variant = "89ab"[int(digits[16], 16) % 4]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"


def is_part(resource: Resource, subresource: str) -> bool:
    """Say whether a subresource is the object itself ("") or a part that is updated like it."""
    if subresource == "status":
        return _writes_status(resource.type)
    return not subresource or (resource.builtin_kind == "Pod" and subresource in POD_PARTS)


def prepare_create(obj: Object, *, uid: str, now: float) -> Object:
    """Return the object as it is first stored."""
    meta = replace(
        obj.metadata,
        uid=uid,
        creationTimestamp=timestamp(now),
        deletionTimestamp=None,
        deletionGracePeriodSeconds=None,
        selfLink="",
        generation=1 if _counts_changes(obj) else 0,
    )
    obj = replace(obj, metadata=meta)
    if isinstance(obj, Pod):
        return replace(obj, status=_new_status(obj, now))
    if isinstance(obj, Namespace):
        return _new_namespace(obj)
    if isinstance(obj, Job):
        obj = _new_job(obj)
    if isinstance(obj, PersistentVolumeClaim):
        status = replace(type(obj)().status, phase="Pending")
        return replace(obj, status=status)
    if isinstance(obj, PersistentVolume):
        return replace(obj, status=PersistentVolumeStatus(phase="Pending"))
    if isinstance(obj, DaemonSet):
        obj = _with_template_generation(obj, 1)
    if _has_status(obj) and builtin_kind(obj) not in KEEP_STATUS_ON_CREATE:
        empty = type(obj)()
        obj = replace(obj, status=cast(Any, empty).status)
    if isinstance(obj, Custom):
        return with_defaults(obj)  # a status may have defaults, too
    return with_stored_version(obj) if isinstance(obj, CustomResourceDefinition) else obj


def prepare_update(new: Object, old: Object) -> Object:
    """Return what an update of the main resource may change: anything but the status."""
    new = replace(new, metadata=_kept_metadata(new, old))
    if _has_status(new):
        new = replace(new, status=cast(Any, old).status)
    if isinstance(new, CustomResourceDefinition):
        new = with_stored_version(new)
    if _counts_changes(new) and (_spec_changed(new, old) or _told_anew(new, old)):
        meta = replace(new.metadata, generation=old.metadata.generation + 1)
        new = replace(new, metadata=meta)
    if isinstance(new, DaemonSet) and isinstance(old, DaemonSet):
        changed = new.spec.template != old.spec.template
        new = _with_template_generation(new, _template_generation(old) + changed)
    return new


def prepare_part(new: Object, old: Object, part: str) -> Object:
    """Return what an update of a subresource may change: that part of the object, and no other."""
    if part == "status":
        return _prepare_status(new, old)
    assert isinstance(new, Pod)
    assert isinstance(old, Pod)
    parts = {name: getattr(new.spec, name) for name in POD_PARTS[part]}
    meta = replace(old.metadata, managedFields=new.metadata.managedFields)
    changed = replace(old, metadata=meta, spec=replace(old.spec, **parts))
    if changed.spec == old.spec:
        return changed
    return replace(changed, metadata=replace(meta, generation=meta.generation + 1))


def _prepare_status(new: Object, old: Object) -> Object:
    if isinstance(new, Custom):
        meta = replace(old.metadata, managedFields=new.metadata.managedFields)
        return replace(old, metadata=meta, status=cast(Any, new).status)
    meta = replace(
        old.metadata,
        annotations=new.metadata.annotations,
        managedFields=new.metadata.managedFields,
        finalizers=new.metadata.finalizers,
    )
    if isinstance(new, Pod):
        meta = replace(meta, labels=new.metadata.labels)
    return replace(old, metadata=meta, status=cast(Any, new).status)


def _kept_metadata(new: Object, old: Object) -> Any:
    before = old.metadata
    return replace(
        new.metadata,
        uid=new.metadata.uid or before.uid,
        creationTimestamp=before.creationTimestamp,
        deletionTimestamp=before.deletionTimestamp,
        deletionGracePeriodSeconds=before.deletionGracePeriodSeconds,
        generation=before.generation,
        resourceVersion=before.resourceVersion,
        selfLink="",
        generateName=before.generateName,
    )


def _new_namespace(namespace: Namespace) -> Namespace:
    finalizers = namespace.spec.finalizers
    if FINALIZER_KUBERNETES not in finalizers:
        finalizers = (*finalizers, FINALIZER_KUBERNETES)
    return replace(
        namespace,
        spec=replace(namespace.spec, finalizers=finalizers),
        status=replace(type(namespace)().status, phase="Active"),
    )


def _new_status(pod: Pod, now: float) -> PodStatus:
    status = PodStatus(phase="Pending", qosClass=qos_class(pod))
    if not pod.spec.schedulingGates:
        return status
    gated = PodCondition(
        type="PodScheduled",
        status="False",
        reason="SchedulingGated",
        message="Scheduling is blocked due to non-empty scheduling gates",
        lastTransitionTime=timestamp(now),
    )
    return replace(status, conditions=(gated,))


def _template_generation(daemon_set: DaemonSet) -> int:
    return int(daemon_set.metadata.annotations.get(TEMPLATE_GENERATION, "1"))


def _with_template_generation(daemon_set: DaemonSet, generation: int) -> DaemonSet:
    """Count the changes of a DaemonSet's template, as it did before revisions had hashes."""
    annotations = {**daemon_set.metadata.annotations, TEMPLATE_GENERATION: str(generation)}
    return replace(daemon_set, metadata=replace(daemon_set.metadata, annotations=annotations))


def _new_job(job: Job) -> Job:
    """Give a Job the selector and the labels by which it knows its own Pods."""
    spec, meta = job.spec, job.metadata
    if spec.manualSelector:
        return job
    ours = {
        f"{JOB_PREFIX}controller-uid": meta.uid,
        f"{JOB_PREFIX}job-name": meta.name,
        "controller-uid": meta.uid,
        "job-name": meta.name,
    }
    template = spec.template
    inner = replace(template.metadata, labels={**template.metadata.labels, **ours})
    spec = replace(
        spec,
        selector=LabelSelector(matchLabels={f"{JOB_PREFIX}controller-uid": meta.uid}),
        template=replace(template, metadata=inner),
    )
    # What a Job without labels is labelled with: as its Pods are.
    return replace(job, metadata=replace(meta, labels=meta.labels or inner.labels), spec=spec)


def _has_status(obj: Object) -> bool:
    return _writes_status(type(obj))


def _writes_status(type_: type[Object]) -> bool:
    """Say whether the status of a kind is written on its own."""
    if issubclass(type_, Custom):
        return type_.__definition__.has_status
    return "status" in type_.__struct_fields__


def _counts_changes(obj: Object) -> bool:
    return isinstance(obj, Custom) or obj.kind in WITH_GENERATION


def _told_anew(new: Object, old: Object) -> bool:
    """Say whether a Deployment's annotations changed: they go on to its ReplicaSets."""
    return (
        builtin_kind(new) == "Deployment" and new.metadata.annotations != old.metadata.annotations
    )


def _spec_changed(new: Object, old: Object) -> bool:
    """Compare all that is neither metadata nor status."""
    return any(
        getattr(new, field) != getattr(old, field)
        for field in new.__struct_fields__
        if field != "metadata" and not (field == "status" and _has_status(new))
    )
