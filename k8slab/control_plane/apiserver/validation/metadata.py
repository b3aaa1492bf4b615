"""Validation of metadata: names, labels, annotations, owners, finalizers.

Rule of use: every kind goes through `metadata`, every update through `metadata_update`.

Upstream: staging/src/k8s.io/apimachinery/pkg/api/validation/objectmeta.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.api.custom import builtin_kind
from k8slab.api.errors import FieldError, forbidden_field, invalid_value, required, too_long
from k8slab.api.meta import Object, ObjectMeta, OwnerReference
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    Reasons,
    dns_label,
    dns_subdomain,
    each,
    immutable,
    ip,
    label_value,
    not_negative,
    path_segment,
    qualified_name,
)

ANNOTATIONS_SIZE = 256 * 1024  # bytes, all keys and values together
STANDARD_FINALIZERS = ("kubernetes", "orphan", "foregroundDeletion")
FINALIZER_TEXT = "name is neither a standard finalizer name nor is it fully qualified"
IMMUTABLE_FIELDS = (
    "name",
    "namespace",
    "uid",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
)
# What names must look like, where it is not a DNS name.
NAMES: Mapping[str, Callable[[str], Reasons]] = {
    "Namespace": dns_label,
    "Service": dns_label,
    "IPAddress": ip,
    "Role": path_segment,
    "RoleBinding": path_segment,
    "ClusterRole": path_segment,
    "ClusterRoleBinding": path_segment,
}


def metadata(obj: Object) -> Errors:
    """Yield what is wrong with the metadata of a new object."""
    meta = obj.metadata
    name_reasons = NAMES.get(builtin_kind(obj), dns_subdomain)
    if meta.generateName:
        reasons = name_reasons(_as_prefix(meta.generateName))
        yield from each("metadata.generateName", meta.generateName, reasons)
    if not meta.name:
        yield required("metadata.name", "name or generateName is required")
    else:
        yield from each("metadata.name", meta.name, name_reasons(meta.name))
    yield from not_negative("metadata.generation", meta.generation)
    yield from _free_fields(meta)


def metadata_update(new: Object, old: Object) -> list[FieldError]:
    """Return what is wrong with the change of an object's metadata."""
    found: list[FieldError] = []
    after, before = new.metadata, old.metadata
    if before.deletionTimestamp is not None:
        found += _no_new_finalizers(after.finalizers, before.finalizers)
    if after.generation < before.generation:
        text = "must not be decremented"
        found.append(invalid_value("metadata.generation", after.generation, text))
    for field in IMMUTABLE_FIELDS:
        found += immutable(f"metadata.{field}", getattr(after, field), getattr(before, field))
    if _free(after) != _free(before):
        found += _free_fields(after)
    return found


def label_map(path: str, found: Mapping[str, str]) -> Errors:
    """Yield what is wrong with labels."""
    for key, value in found.items():
        yield from each(path, key, qualified_name(key))
        yield from each(path, value, label_value(value))


def annotation_map(path: str, found: Mapping[str, str]) -> Errors:
    """Yield what is wrong with annotations: keys as of labels in any case, values as you like."""
    size = 0
    for key, value in found.items():
        yield from each(path, key, qualified_name(key.lower()))
        size += len(key.encode()) + len(value.encode())
    if size > ANNOTATIONS_SIZE:
        yield too_long(path, ANNOTATIONS_SIZE)


def _free(meta: ObjectMeta) -> tuple[object, ...]:
    return meta.labels, meta.annotations, meta.ownerReferences, meta.finalizers


def _free_fields(meta: ObjectMeta) -> Errors:
    """Check what people may write and change as they like."""
    if meta.labels:
        yield from label_map("metadata.labels", meta.labels)
    if meta.annotations:
        yield from annotation_map("metadata.annotations", meta.annotations)
    if meta.ownerReferences:
        yield from _owners(meta.ownerReferences)
    if meta.finalizers:
        yield from _finalizers(meta.finalizers)


def _owners(references: tuple[OwnerReference, ...]) -> Errors:
    path, first = "metadata.ownerReferences", ""
    for reference in references:
        yield from _owner(path, reference)
        if not reference.controller:
            continue
        controller = f"{reference.kind}/{reference.name}"
        if first:
            text = (
                'Only one reference can have Controller set to true. Found "true" in references '
                f"for {first} and {controller}"
            )
            yield invalid_value(path, references, text)
        first = first or controller


def _owner(path: str, reference: OwnerReference) -> Errors:
    if not reference.apiVersion:
        yield invalid_value(f"{path}.apiVersion", "", "version must not be empty")
    for field in ("kind", "name", "uid"):
        if not getattr(reference, field):
            yield invalid_value(f"{path}.{field}", "", "must not be empty")
    if (reference.apiVersion, reference.kind) == ("v1", "Event"):
        yield invalid_value(path, reference, "/v1, Kind=Event is disallowed from being an owner")


def _finalizers(finalizers: tuple[str, ...]) -> Errors:
    path = "metadata.finalizers"
    for finalizer in finalizers:
        yield from each(path, finalizer, qualified_name(finalizer))
    if "orphan" in finalizers and "foregroundDeletion" in finalizers:
        text = "finalizer orphan and foregroundDeletion cannot be both set"
        yield invalid_value(path, finalizers, text)
    for index, finalizer in enumerate(finalizers):
        if "/" not in finalizer and finalizer not in STANDARD_FINALIZERS:
            yield invalid_value(f"{path}[{index}]", finalizer, FINALIZER_TEXT)


def _no_new_finalizers(after: tuple[str, ...], before: tuple[str, ...]) -> Errors:
    extra = sorted({finalizer for finalizer in after if finalizer not in before})
    if extra:
        listed = ", ".join(f'"{finalizer}"' for finalizer in extra)
        text = (
            "no new finalizers can be added if the object is being deleted, found new finalizers "
            f"[]string{{{listed}}}"
        )
        yield forbidden_field("metadata.finalizers", text)


def _as_prefix(text: str) -> str:
    """Return a prefix as a name: what follows it may make up for a dash at its end."""
    return f"{text[:-2]}a" if len(text) > 1 and text.endswith("-") else text
