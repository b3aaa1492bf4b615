"""The watch cache: every object in memory, and who wants to hear of changes.

One `Cache` per resource holds the newest version of each object and the watchers. etcd reports
each write once; the cache hands it to the watchers whose selectors match the object before or
after. An object that begins to match is ADDED for that watcher, one that ceases to is DELETED.

Watchers of one node's Pods are found by the node's name, watchers of one object by its name, so
that a write costs as much as there are watchers to tell, not as there are watchers.

Rule of use: lists are served from here, single reads from etcd.

Upstream: staging/src/k8s.io/apiserver/pkg/storage/cacher
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from k8slab.api.fields import FieldSelector
from k8slab.api.labels import Selector
from k8slab.api.meta import Object
from k8slab.api.scheme import Resource
from k8slab.client import WatchEvent, WatchStream, key_of
from k8slab.control_plane.apiserver.selectable_fields import fields_of
from k8slab.control_plane.etcd import KeyValue
from k8slab.sim import Simulation

INDEXED_FIELDS = {"pods": "spec.nodeName"}  # by which watchers are found; others by their name


class Filter:
    """Which objects a list or a watch wants."""

    def __init__(self, namespace: str, labels: Selector | None, fields: FieldSelector | None):
        self.namespace = namespace
        self.labels = labels
        self.fields = fields

    def matches(self, obj: Object) -> bool:
        """Say whether the object is wanted."""
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

    def tell(self, old: Object | None, new: Object | None, revision: int, cause: int) -> None:
        """Report the step from `old` to `new`, as it looks through the filter."""
        if revision <= self.after:
            return
        before = old is not None and self.wanted.matches(old)
        after = new is not None and self.wanted.matches(new)
        if after:
            self.push(WatchEvent("MODIFIED" if before else "ADDED", new, cause))
        elif before:
            last = new if new is not None else old
            self.push(WatchEvent("DELETED", at_revision(last, revision), cause))

    def push(self, event: WatchEvent) -> None:
        """Send an event."""
        self.stream.push(event if self._transform is None else self._transform(event))


class Cache:
    """The objects of one resource and their watchers."""

    def __init__(self, sim: Simulation, resource: Resource) -> None:
        self._sim = sim
        self._resource = resource
        self._objects: dict[str, Object] = {}
        self._sorted: list[str] | None = None
        self._indexed = INDEXED_FIELDS.get(resource.plural, "metadata.name")
        # By that field's value, "" for all others; each a set that keeps its order.
        self._watchers: dict[str, dict[Watcher, None]] = {}

    def get(self, namespace: str, name: str) -> Object | None:
        """Return the newest version of an object, None if there is none."""
        return self._objects.get(f"{namespace}/{name}" if namespace else name)

    def list(self, wanted: Filter) -> Iterator[Object]:
        """Yield the objects that are wanted, in order of their keys."""
        name = wanted.exact("metadata.name")
        if name and (wanted.namespace or not self._resource.namespaced):
            obj = self.get(wanted.namespace, name)
            if obj is not None and wanted.matches(obj):
                yield obj
            return
        if self._sorted is None:
            self._sorted = sorted(self._objects)
        for key in self._sorted:
            if wanted.matches(self._objects[key]):
                yield self._objects[key]

    def load(self, objects: Iterator[Object]) -> None:
        """Fill the cache when the API server starts."""
        self._objects = {key_of(obj): obj for obj in objects}
        self._sorted = None

    def add_watcher(self, watcher: Watcher) -> None:
        """Tell the watcher of all changes from now on, until its stream is closed."""
        value = watcher.wanted.exact(self._indexed)
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
        if new is None:
            self._objects.pop(key, None)
            self._sorted = None
        else:
            if key not in self._objects:
                self._sorted = None
            self._objects[key] = new
        for watcher in tuple(self._concerned(old, new)):  # one that is told may close its watch
            watcher.tell(old, new, written.mod_revision, self._sim.cause)

    def _concerned(self, old: Object | None, new: Object | None) -> Iterator[Watcher]:
        values = {"": None}
        if len(self._watchers) > 1 or "" not in self._watchers:
            for obj in (old, new):
                if obj is not None:
                    values[fields_of(obj).get(self._indexed, "")] = None
        for value in values:
            yield from self._watchers.get(value, ())


def at_revision(obj: Object | None, revision: int) -> Object:
    """Return the object with the revision of its deletion, from which a watch can go on."""
    assert obj is not None
    return replace(obj, metadata=replace(obj.metadata, resourceVersion=str(revision)))
