"""Server-side apply: a client says what it wants of an object, the server knows whose is what.

What the client names becomes so, and is the client's. What it named last time and names no more is
removed, unless somebody else wants it too. What somebody else owns and wants otherwise is a
conflict: the apply is refused, or `force` takes the field away from them.

Rule of use: `merge` gives the object that shall be; the registry defaults, checks and stores it as
it does any other.

Upstream: sigs.k8s.io/structured-merge-diff/v6/merge/update.go,
staging/src/k8s.io/apimachinery/pkg/util/managedfields/internal/structuredmerge.go
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from k8slab.api import codec, errors
from k8slab.api.errors import ApiError
from k8slab.api.meta import ManagedFieldsEntry, Object, StatusCause, StatusDetails
from k8slab.api.scheme import Resource
from k8slab.client import Request
from k8slab.control_plane.apiserver import managed_fields
from k8slab.control_plane.apiserver.decoding import undeclared
from k8slab.control_plane.apiserver.field_sets import (
    FieldSet,
    Shape,
    changes,
    children,
    difference,
    fields_in,
    intersection,
    key_element,
    paths,
    union,
)
from k8slab.control_plane.apiserver.managed_fields import APPLY, UPDATE, fields_of, identity

Conflicts = list[tuple[ManagedFieldsEntry, FieldSet]]


def check(request: Request, resource: Resource) -> dict[str, Any]:
    """Return the applied configuration; raises ApiError if it is about something else."""
    config: dict[str, Any] = request.body
    for field, name in (("kind", "Kind"), ("apiVersion", "apiVersion")):
        if not config.get(field) or not isinstance(config[field], str):
            found = json.dumps(config, separators=(",", ":"))
            raise errors.bad_request(
                f"couldn't get version/kind; json parse error: Object '{name}' is missing in "
                f"'{found}'"
            )
    group, _, version = config["apiVersion"].rpartition("/")
    if (config["apiVersion"], config["kind"]) != (resource.api_version, resource.kind):
        kind = config["kind"]
        raise errors.bad_request(f"invalid object type: {group}/{version}, Kind={kind}")
    metadata = config.get("metadata") or {}
    if not isinstance(metadata, Mapping):
        raise errors.bad_request("metadata: expected a map")
    name = metadata.get("name") or request.name
    if name != request.name:
        raise errors.bad_request(
            f"the name of the object ({name}) does not match the name on the URL ({request.name})"
        )
    if metadata.get("managedFields"):
        raise errors.bad_request("metadata.managedFields must be nil")
    unknown = undeclared(config, resource.type)
    if unknown:
        path = unknown[0].partition('"')[2].rstrip('"')
        where = f"{metadata.get('namespace', '')}/{name}; {group}/{version}, Kind={resource.kind}"
        raise errors.unknown(
            f"failed to create typed patch object ({where}): .{path}: field not declared in schema"
        )
    return config


class Applied:
    """What an apply comes to: the document that shall be, and the books that go with it."""

    def __init__(self, document: dict[str, Any], entries: list[ManagedFieldsEntry]) -> None:
        self.document = document
        self.entries = entries


def merge(live: Object, request: Request, now: float) -> Applied:
    """Return what the live object becomes; raises ApiError with reason Conflict."""
    config: dict[str, Any] = request.body
    shape = managed_fields.shape(live)
    document = codec.to_dict(live)
    who = (request.field_manager, APPLY, request.subresource)
    entries = live.metadata.managedFields or (managed_fields.before_first_apply(live, now),)
    mine = next((fields_of(e) for e in entries if identity(e) == who), {})
    others = tuple(entry for entry in entries if identity(entry) != who)
    wanted = owned_by(config, shape, request.subresource)
    merged = _merged(document, config, shape)
    changed = intersection(changes(document, merged, shape)[0], wanted)
    conflicts = _conflicts(changed, others)
    if conflicts and not request.force:
        raise conflict(conflicts)
    claimed = wanted
    for entry in others:
        claimed = union(claimed, fields_of(entry))
    dropped = difference(mine, wanted)
    merged = _pruned(merged, dropped, claimed, shape)
    kept = managed_fields.without(others, changed)
    return Applied(merged, [*kept, *_entry(live, who, wanted, mine, entries, now)])


def created(
    config: Mapping[str, Any], obj: Object, request: Request, now: float
) -> ManagedFieldsEntry:
    """Return the entry of an object that an apply creates."""
    wanted = owned_by(config, managed_fields.shape(obj), request.subresource)
    return managed_fields.entry_of(obj, (request.field_manager, APPLY, ""), wanted, now)


def owned_by(config: Mapping[str, Any], shape: Shape, subresource: str) -> FieldSet:
    """Return the fields that an applied configuration claims."""
    wanted = managed_fields.stripped(fields_in(config, shape))
    is_status = subresource == "status"
    return {e: tree for e, tree in wanted.items() if (e == "f:status") == is_status}


def conflict(conflicts: Conflicts) -> ApiError:
    """Return the refusal: whose fields they are, one cause each."""
    found = [(_name(entry), path) for entry, fields in conflicts for path in paths(fields)]
    causes = tuple(
        StatusCause(reason="FieldManagerConflict", message=f"conflict with {name}", field=path)
        for name, path in found
    )
    if len(found) == 1:
        summary = f"1 conflict: conflict with {found[0][0]}: {found[0][1]}"
    else:
        by_name: dict[str, list[str]] = {}
        for name, path in found:
            by_name.setdefault(name, []).append(f"- {path}")
        texts = [f"conflicts with {n}:\n" + "\n".join(by_name[n]) for n in sorted(by_name)]
        summary = f"{len(found)} conflicts: " + "\n".join(texts)
    details = StatusDetails(causes=causes)
    return errors.api_error(f"Apply failed with {summary}", "Conflict", 409, details)


def _name(entry: ManagedFieldsEntry) -> str:
    text = json.dumps(entry.manager)
    if entry.subresource:
        text += f" with subresource {json.dumps(entry.subresource)}"
    if entry.operation == UPDATE:
        text += f" using {entry.apiVersion}" + (f" at {entry.time}" if entry.time else "")
    return text


def _conflicts(changed: FieldSet, others: tuple[ManagedFieldsEntry, ...]) -> Conflicts:
    found = ((entry, intersection(changed, fields_of(entry))) for entry in others)
    return [(entry, fields) for entry, fields in found if fields]


def _entry(
    live: Object,
    who: tuple[str, str, str],
    wanted: FieldSet,
    mine: FieldSet,
    entries: tuple[ManagedFieldsEntry, ...],
    now: float,
) -> list[ManagedFieldsEntry]:
    """Return this manager's entry: the old one, with its time, if it says the same."""
    if not wanted:
        return []
    if wanted == mine:
        return [entry for entry in entries if identity(entry) == who]
    return [managed_fields.entry_of(live, who, wanted, now)]


def _merged(live: Any, config: Any, shape: Shape) -> Any:
    """Return the live value with what the configuration says put over it."""
    if config is None:
        return live
    if shape.how == "fields" and isinstance(config, Mapping):
        found = dict(live) if isinstance(live, Mapping) else {}
        for element, (part, inner) in children(config, shape).items():
            name = element[2:]
            found[name] = _merged(found.get(name), part, inner)
        return found
    if shape.how == "items" and isinstance(config, list | tuple):
        items = {key_element(item, shape.keys): item for item in live or ()}
        for element, (part, inner) in children(config, shape).items():
            items[element] = _merged(items.get(element), part, inner)
        return list(items.values())
    if shape.how == "values" and isinstance(config, list | tuple):
        return [*(live or ()), *(item for item in config if item not in (live or ()))]
    return config


def _pruned(value: Any, dropped: FieldSet, claimed: FieldSet, shape: Shape) -> Any:
    """Take out what the manager dropped and nobody claims."""
    parts = children(value, shape)
    gone: list[str] = []
    changed: dict[str, Any] = {}
    for element, tree in dropped.items():
        if element not in parts:
            continue
        part, inner = parts[element]
        owned = claimed.get(element)
        if owned is not None and not tree:
            continue
        if owned is None and (not tree or "." in tree or inner.how != "fields"):
            gone.append(element)
        else:
            rest = _pruned(part, tree, owned or {}, inner)
            is_emptied = rest in ({}, []) and part not in ({}, []) and owned is None
            if is_emptied:
                gone.append(element)
            else:
                changed[element] = rest
    if shape.how == "fields":
        skip = [element[2:] for element in gone]
        return {k: changed.get(f"f:{k}", v) for k, v in value.items() if k not in skip}
    return [changed.get(e, part) for e, (part, _) in parts.items() if e not in gone]
