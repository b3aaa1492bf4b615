"""The writes of one object: who wrote which fields, and what had set the writer off.

`writes_of(cluster, "pod/web")` reads the trace and the object's versions. `changed_fields` says
what differs between two versions: "spec.nodeName", "status.conditions[Ready]".

Rule of use: the trigger is the last thing that somebody else did; a writer's own decisions between
the two are left out.

Upstream: none (`kubectl get --show-managed-fields` tells the last writer of each field)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from k8slab.api.scheme import resolve
from k8slab.sim import Record
from k8slab.viz.facts import ClusterLike, TraceLike

DEPTH = 2  # of a path; below, an entry of a list counts as one more
BOOKKEEPING = ("metadata.resourceVersion", "metadata.managedFields", "metadata.generation")
KEYS = ("type", "name", "key", "ip")  # what tells the entries of a list apart


class Write(msgspec.Struct, frozen=True):
    """One revision of an object."""

    record: Record
    fields: tuple[str, ...]  # empty: the whole object, or nothing that matters
    trigger: Record | None  # what somebody else did; None: nothing, it began here

    @property
    def whole(self) -> bool:
        """Whether the object came or went."""
        return self.record.verb in ("create", "remove")


def writes_of(
    cluster: ClusterLike, what: str, namespace: str = "default", since: float = 0.0
) -> list[Write]:
    """Return the writes of "KIND/NAME", oldest first; raises ValueError for what is no kind."""
    kind, _, name = what.rpartition("/")
    resource = resolve(kind)
    if resource is None or not name:
        raise ValueError(f'expected "pod/NAME" or another kind, got {what!r}')
    where = f"{namespace}/" if resource.namespaced else ""
    found: list[Write] = []
    before: Any = None
    for record in cluster.trace.about(f"{resource.kind}/{where}{name}"):
        if not record.revision:
            continue
        after = cluster.at(record.time).get(resource.kind, name, namespace)
        fields = changed_fields(before, after) if before is not None and after is not None else ()
        before = after
        if record.time >= since:
            found.append(Write(record, tuple(fields), trigger(cluster.trace, record)))
    return found


def trigger(trace: TraceLike, record: Record) -> Record | None:
    """Return what somebody else did that set a record off."""
    for cause in trace.why(record.id)[1:]:
        if cause.component != record.component:
            return cause
    return None


def changed_fields(before: Any, after: Any) -> list[str]:
    """Return the paths at which two versions of an object differ.

    >>> from k8slab.api.core import Pod, PodSpec
    >>> changed_fields(Pod(), Pod(spec=PodSpec(nodeName="worker-1")))
    ['spec.nodeName']
    """
    old, new = msgspec.to_builtins(before), msgspec.to_builtins(after)
    found = [path for path in _paths(old, new, "", DEPTH) if path not in BOOKKEEPING]
    return sorted(found, key=lambda path: "[" in path)  # plain fields first, they are short


def _paths(old: Any, new: Any, path: str, depth: int) -> Iterator[str]:
    if old == new:
        return
    if depth and isinstance(old or {}, Mapping) and isinstance(new or {}, Mapping):
        old, new = old or {}, new or {}
        for key in dict.fromkeys([*old, *new]):
            yield from _paths(
                old.get(key), new.get(key), f"{path}.{key}" if path else key, depth - 1
            )
    elif _is_keyed(old) and _is_keyed(new):
        olds, news = _by_key(old), _by_key(new)
        keys = [key for key in dict.fromkeys([*olds, *news]) if olds.get(key) != news.get(key)]
        yield f"{path}[{', '.join(keys)}]"
    else:
        yield path


def _is_keyed(entries: Any) -> bool:
    """Say whether each entry of a list bears a key of its own; a missing list has no entries."""
    if entries is None:
        return True
    return isinstance(entries, list | tuple) and all(
        isinstance(each, Mapping) and any(key in each for key in KEYS) for each in entries
    )


def _by_key(entries: Any) -> dict[str, Any]:
    return {str(next(each[key] for key in KEYS if key in each)): each for each in entries or ()}
