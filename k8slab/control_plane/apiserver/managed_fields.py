"""Who has set which field: the managedFields of an object.

Each manager has an entry for what it has applied and one for what it has written in other ways.
Who changes a field owns it from then on, and whoever owned it before does not.

The lab begins to keep these books when a client that names itself writes an object, or at its
first apply; what only controllers ever wrote has none.

Rule of use: `track` after an ordinary write was prepared; server-side apply has its own rules.

Upstream: staging/src/k8s.io/apimachinery/pkg/util/managedfields
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.api import codec
from k8slab.api.meta import ManagedFieldsEntry, Object, timestamp
from k8slab.client import APPLY_PATCH, Request, component_of
from k8slab.control_plane.apiserver.field_sets import (
    FieldSet,
    Shape,
    changes,
    difference,
    fields_in,
    union,
)

APPLY, UPDATE = "Apply", "Update"
BEFORE_FIRST_APPLY = "before-first-apply"
IDENTITY = ("apiVersion", "kind", "status")
OWN_METADATA = (  # the API server's own, or what names the object
    *("name", "namespace", "creationTimestamp", "selfLink", "uid", "generation"),
    *("managedFields", "resourceVersion", "deletionTimestamp", "deletionGracePeriodSeconds"),
)
COMPONENTS = ("kubelet", "kube-scheduler", "kube-apiserver", "kubeadm")


def track(new: Object, old: Object | None, request: Request, now: float) -> Object:
    """Return the object with its books kept after an ordinary write; `now` in virtual seconds."""
    if request.patch_type == APPLY_PATCH:  # the books came with it
        return new
    live = old.metadata.managedFields if old is not None else ()
    given = new.metadata.managedFields
    if given == (ManagedFieldsEntry(),):  # how a client asks for the books to be closed
        return _with(new, ())
    if not live and not given and not request.field_manager:
        return new
    entries = given or live
    before = old if old is not None else type(new)()
    changed, removed = _of_part(*_changes(before, new), request.subresource)
    if not changed and not removed:
        return _with(new, entries)
    gone = union(changed, removed)
    who = (manager_of(request), UPDATE, request.subresource)
    kept: list[ManagedFieldsEntry] = []
    mine: FieldSet = {}
    for entry in entries:
        if identity(entry) == who:
            mine = fields_of(entry)
            continue
        kept += _reduced(entry, gone)
    mine = union(difference(mine, removed), changed)
    if mine:
        kept.append(entry_of(new, who, mine, now))
    return with_entries(new, kept)


def entry_of(
    obj: Object, who: tuple[str, str, str], fields: FieldSet, now: float
) -> ManagedFieldsEntry:
    """Return an entry for a manager; `who` is (manager, operation, subresource)."""
    manager, operation, subresource = who
    return ManagedFieldsEntry(
        manager=manager,
        operation=operation,
        apiVersion=obj.apiVersion,
        time=timestamp(now),
        fieldsType="FieldsV1",
        fieldsV1=fields,
        subresource=subresource,
    )


def without(entries: tuple[ManagedFieldsEntry, ...], gone: FieldSet) -> list[ManagedFieldsEntry]:
    """Return the entries with some fields taken from all of them."""
    return [kept for entry in entries for kept in _reduced(entry, gone)]


def identity(entry: ManagedFieldsEntry) -> tuple[str, str, str]:
    """Return what makes an entry one manager's."""
    return entry.manager, entry.operation, entry.subresource


def fields_of(entry: ManagedFieldsEntry) -> FieldSet:
    """Return the fields of an entry."""
    return dict(entry.fieldsV1 or {})


def with_entries(obj: Object, entries: list[ManagedFieldsEntry]) -> Object:
    """Return the object with these books."""
    return _with(obj, tuple(sorted(entries, key=_order)))


def manager_of(request: Request) -> str:
    """Return the manager's name: what the client calls itself, else the program that it is.

    >>> manager_of(Request(verb="update", resource="pods", user="system:node:worker-1"))
    'kubelet'
    """
    if request.field_manager:
        return request.field_manager
    component = component_of(request.user).partition("/")[0]
    if component == "you":
        return "kubectl"
    if component == "apiserver":
        return "kube-apiserver"
    return component if component in COMPONENTS else "kube-controller-manager"


def before_first_apply(obj: Object, now: float) -> ManagedFieldsEntry:
    """Return the entry for all that was there before anybody applied anything."""
    fields = stripped(fields_in(codec.to_dict(obj), shape(obj)))
    fields.pop("f:status", None)
    return entry_of(obj, (BEFORE_FIRST_APPLY, UPDATE, ""), fields, now)


def shape(obj: Object | type[Object]) -> Shape:
    """Return how an object of that kind is taken apart."""
    return Shape("fields", obj if isinstance(obj, type) else type(obj))


def stripped(fields: FieldSet) -> FieldSet:
    """Return a set without what nobody can own: name, uid, kind."""
    found = {e: tree for e, tree in fields.items() if e[2:] not in ("apiVersion", "kind")}
    metadata = found.pop("f:metadata", {})
    kept = {e: tree for e, tree in metadata.items() if e[2:] not in OWN_METADATA and e != "."}
    return {"f:metadata": kept, **found} if kept else found


def _changes(old: Object, new: Object) -> tuple[FieldSet, FieldSet]:
    """Compare field by field, and look into those that differ only."""
    names = [
        name
        for name in new.__struct_fields__
        if getattr(new, name) != getattr(old, name) and name not in ("apiVersion", "kind")
    ]
    before, after = _given(old, names), _given(new, names)
    changed, removed = changes(before, after, shape(new))
    return stripped(changed), stripped(removed)


def _given(obj: Object, names: list[str]) -> dict[str, Any]:
    """Return some fields as plain data; an empty map counts as not given, as on the wire."""
    plain = {name: msgspec.to_builtins(getattr(obj, name)) for name in names}
    return {
        name: value
        for name, value in plain.items()
        if value != {} or isinstance(getattr(obj, name), msgspec.Struct)
    }


def _of_part(changed: FieldSet, removed: FieldSet, subresource: str) -> tuple[FieldSet, FieldSet]:
    """Keep what a write to the object, or to its status, is responsible for."""

    def keep(fields: FieldSet) -> FieldSet:
        is_status = subresource == "status"
        return {e: tree for e, tree in fields.items() if (e == "f:status") == is_status}

    return keep(changed), keep(removed)


def _reduced(entry: ManagedFieldsEntry, gone: FieldSet) -> list[ManagedFieldsEntry]:
    fields = fields_of(entry)
    rest = difference(fields, gone)
    if rest == fields:
        return [entry]
    return [replace(entry, fieldsV1=rest)] if rest else []


def _order(entry: ManagedFieldsEntry) -> tuple[bool, str, str, str]:
    return entry.operation != APPLY, entry.time or "", entry.manager, entry.subresource


def _with(obj: Object, entries: tuple[ManagedFieldsEntry, ...]) -> Object:
    if obj.metadata.managedFields == entries:
        return obj
    return replace(obj, metadata=replace(obj.metadata, managedFields=entries))
