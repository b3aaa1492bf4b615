"""The watch cache: every object in memory, and who wants to hear of changes.

One `Cache` per resource holds the newest version of each object and the watchers. etcd reports
each write once; the cache hands it to the watchers whose selectors match the object before or
after. An object that begins to match is ADDED for that watcher, one that ceases to is DELETED.

Watchers of one node's Pods are found by the node's name, watchers of one object by its name, so
that a write costs as much as there are watchers to tell, not as there are watchers. A node's Pods
are found in the same way, and a namespace's objects, for their keys are kept in order.

Rule of use: lists are served from here, single reads from etcd.

Upstream: staging/src/k8s.io/apiserver/pkg/storage/cacher
"""

from __future__ import annotations

import builtins
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.api.fields import FieldSelector
from k8slab.api.labels import Selector
from k8slab.api.meta import Object
from k8slab.api.scheme import Resource
from k8slab.client import WatchEvent, WatchStream, key_of
from k8slab.control_plane.apiserver.selectable_fields import fields_of
from k8slab.control_plane.etcd import KeyValue
from k8slab.sim import Simulation

NAME = "metadata.name"
# Fields by which watchers are found, and objects, with the way to read them; others: by the name.
INDEXED_FIELDS: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "pods": ("spec.nodeName", lambda pod: pod.spec.nodeName),
}
BY_NAME: tuple[str, Callable[[Any], str]] = (NAME, lambda obj: obj.metadata.name)


class Filter:
    """Which objects a list or a watch wants."""

    def __init__(self, namespace: str, labels: Selector | None, fields: FieldSelector | None):
        self.namespace = namespace
        self.labels = labels
        self.fields = fields
        self._everything = not namespace and labels is None and fields is None

    def matches(self, obj: Object) -> bool:
        """Say whether the object is wanted."""
        if self._everything:
            return True
        meta = obj.metadata
        if self.namespace and meta.namespace != self.namespace:
            return False
        if self.labels is not None and not self.labels.matches(meta.labels):
            return False
        return self.fields is None or self.fields.matches(fields_of(obj))

    @property
    def selects(self) -> bool:
        """Whether it wants only some of the objects of its namespace."""
        return self.labels is not None or self.fields is not None

    def exact(self, field: str) -> str:
        """Return the one value of a field that is wanted, "" if the filter names none."""
        exact = self.fields.exact(field) if self.fields is not None else None
        return exact or ""


class Step:
    """What a write did to an object: `old` is None if it is new, `new` is None if it is gone."""

    def __init__(self, old: Object | None, new: Object | None, revision: int, cause: int) -> None:
        self.old = old
        self.new = new
        self.revision = revision
        self.cause = cause  # trace id of the write
        self._events: dict[tuple[bool, bool], WatchEvent | None] = {}

    def event(self, before: bool, after: bool) -> WatchEvent | None:
        """Return what a watcher is told who wanted the old object, and wants the new one.

        All who are told the same get one and the same event.
        """
        key = (before, after)
        if key not in self._events:
            self._events[key] = self._made(before, after)
        return self._events[key]

    def _made(self, before: bool, after: bool) -> WatchEvent | None:
        if after:
            return WatchEvent("MODIFIED" if before else "ADDED", self.new, self.cause)
        if not before:
            return None
        last = self.new if self.new is not None else self.old
        return WatchEvent("DELETED", at_revision(last, self.revision), self.cause)


class Watcher:
    """One open watch."""

    def __init__(
        self,
        wanted: Filter,
        stream: WatchStream,
        transform: Callable[[WatchEvent], WatchEvent] | None = None,
        after: int = 0,
    ) -> None:
        self.wanted = wanted
        self.stream = stream
        self._transform = transform
        self.after = after  # nothing up to this revision is told: it may lie in the future

    def tell(self, step: Step) -> None:
        """Report a step as it looks through the filter."""
        if step.revision <= self.after:
            return
        old, new, matches = step.old, step.new, self.wanted.matches
        event = step.event(old is not None and matches(old), new is not None and matches(new))
        if event is not None:
            self.push(event)

    def push(self, event: WatchEvent) -> None:
        """Send an event."""
        self.stream.push(event if self._transform is None else self._transform(event))


class Cache:
    """The objects of one resource and their watchers."""

    def __init__(self, sim: Simulation, resource: Resource) -> None:
        self._sim = sim
        self._resource = resource
        self._objects: dict[str, Object] = {}
        self._keys: list[str] = []  # of the objects, in order
        self._field, self._value_of = INDEXED_FIELDS.get(resource.plural, BY_NAME)
        self._index: dict[str, dict[str, None]] = {}  # value of that field -> keys; none for names
        # By that field's value, "" for all others; each a set that keeps its order.
        self._watchers: dict[str, dict[Watcher, None]] = {}

    def get(self, namespace: str, name: str) -> Object | None:
        """Return the newest version of an object, None if there is none."""
        return self._objects.get(f"{namespace}/{name}" if namespace else name)

    def list(self, wanted: Filter) -> builtins.list[Object]:
        """Return the objects that are wanted, in order of their keys."""
        found = map(self._objects.get, self._candidates(wanted))
        return [obj for obj in found if obj is not None and wanted.matches(obj)]

    def _candidates(self, wanted: Filter) -> Iterable[str]:
        """Return the keys among which are all that are wanted, in order."""
        namespace, name, value = wanted.namespace, wanted.exact(NAME), wanted.exact(self._field)
        if name and (namespace or not self._resource.namespaced):
            return (f"{namespace}/{name}" if namespace else name,)
        if value and self._field != NAME:
            return sorted(self._index.get(value, ()))
        if not namespace:
            return self._keys
        first = bisect_left(self._keys, f"{namespace}/")
        return self._keys[
            first : bisect_left(self._keys, f"{namespace}0", first)
        ]  # "0" follows "/"

    def load(self, objects: Iterator[Object]) -> None:
        """Fill the cache when the API server starts."""
        self._objects, self._index = {}, {}
        for obj in objects:
            self._put(key_of(obj), obj)
        self._keys = sorted(self._objects)

    def __len__(self) -> int:
        return len(self._objects)

    def watched(self) -> Iterator[Filter]:
        """Yield what each open watch wants."""
        for watchers in self._watchers.values():
            for watcher in watchers:
                yield watcher.wanted

    def add_watcher(self, watcher: Watcher) -> None:
        """Tell the watcher of all changes from now on, until its stream is closed."""
        value = watcher.wanted.exact(self._field)
        self._watchers.setdefault(value, {})[watcher] = None

        def forget() -> None:
            beside = self._watchers.get(value, {})
            beside.pop(watcher, None)
            if not beside:
                self._watchers.pop(value, None)

        watcher.stream.on_close(forget)

    def close(self) -> None:
        """Break all watches, as a server that goes away does."""
        for watchers in tuple(self._watchers.values()):
            for watcher in tuple(watchers):
                watcher.stream.close()

    def apply(self, old: Object | None, written: KeyValue) -> None:
        """Take over a write that etcd reports, and tell the watchers."""
        new: Object | None = written.value
        changed = new if new is not None else old
        if changed is None:
            return
        key = key_of(changed)
        if new is None and key in self._objects:
            del self._keys[bisect_left(self._keys, key)]
        elif new is not None and key not in self._objects:
            insort(self._keys, key)
        self._put(key, new)
        step = Step(old, new, written.mod_revision, self._sim.cause)
        for watcher in tuple(self._concerned(old, new)):  # one that is told may close its watch
            watcher.tell(step)

    def _put(self, key: str, new: Object | None) -> None:
        """Put the object in the place of what was there, among the objects and in the index."""
        old = self._objects.pop(key, None) if new is None else self._objects.get(key)
        if new is not None:
            self._objects[key] = new
        if self._field == NAME:
            return
        before = self._value_of(old) if old is not None else ""
        after = self._value_of(new) if new is not None else ""
        if before != after:
            self._index.get(before, {}).pop(key, None)
            self._index.setdefault(after, {})[key] = None

    def _concerned(self, old: Object | None, new: Object | None) -> Iterator[Watcher]:
        values = {"": None}
        if len(self._watchers) > 1 or "" not in self._watchers:
            for obj in (old, new):
                if obj is not None:
                    values[self._value_of(obj)] = None
        for value in values:
            yield from self._watchers.get(value, ())


def at_revision(obj: Object | None, revision: int) -> Object:
    """Return the object with the revision of its deletion, from which a watch can go on."""
    assert obj is not None
    return replace(obj, metadata=replace(obj.metadata, resourceVersion=str(revision)))
