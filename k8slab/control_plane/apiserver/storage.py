"""Objects in etcd: one key per object, every write a compare-and-swap.

`Storage` turns a resource, a namespace and a name into a key, stamps each object with the
revision of its write (its resourceVersion), and writes the record that says who did it and why.

    /registry/pods/default/web        a Pod
    /registry/namespaces/default      a Namespace
    /registry/example.com/crontabs/default/nightly      of a kind that was defined

Rule of use: nobody else in the API server touches etcd.

Upstream: staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from k8slab.api.meta import Object
from k8slab.api.scheme import Resource
from k8slab.client import component_of
from k8slab.control_plane.apiserver.custom_resources.reading import as_read
from k8slab.control_plane.etcd import Endpoint, Etcd, KeyValue
from k8slab.sim import Simulation


class Storage:
    """Reads and writes objects; a write returns None if the object changed meanwhile."""

    def __init__(self, sim: Simulation, endpoint: Endpoint) -> None:
        self._sim = sim
        self._endpoint = endpoint

    @property
    def etcd(self) -> Etcd:
        """The etcd server; raises Unavailable when none answers."""
        return self._endpoint.server

    @staticmethod
    def prefix(resource: Resource, namespace: str = "") -> str:
        """Return what the keys of a resource (in one namespace) begin with."""
        return resource.key_prefix + (f"{namespace}/" if namespace else "")

    def key(self, resource: Resource, namespace: str, name: str) -> str:
        """Return the key of one object."""
        return f"{self.prefix(resource, namespace)}{name}"

    def get(self, resource: Resource, namespace: str, name: str) -> Object | None:
        """Return the object as it is now, None if there is none."""
        found = self.etcd.get(self.key(resource, namespace, name))
        return None if found is None else as_read(found.value, resource.type)

    def range(self, resource: Resource, namespace: str = "", revision: int = 0) -> Iterator[Object]:
        """Yield the objects in order of their keys, as of a revision (0: now)."""
        for found in self.etcd.range(self.prefix(resource, namespace), revision):
            yield as_read(found.value, resource.type)

    def write(
        self, resource: Resource, new: Object, old: Object | None, verb: str, user: str
    ) -> Object | None:
        """Store `new` in place of `old` (None: it must not exist) and return it as stored."""
        etcd = self.etcd
        key = self.key(resource, new.metadata.namespace, new.metadata.name)
        expected = int(old.metadata.resourceVersion) if old is not None else 0
        current = etcd.get(key)
        if expected != (current.mod_revision if current else 0):
            return None
        revision = etcd.revision + 1
        stored = replace(new, metadata=replace(new.metadata, resourceVersion=str(revision)))
        self._traced(resource, new, verb, user, revision, lambda: etcd.put(key, stored))
        return stored

    def delete(self, resource: Resource, old: Object, user: str) -> bool:
        """Remove the object for good; False if it changed meanwhile."""
        etcd = self.etcd
        key = self.key(resource, old.metadata.namespace, old.metadata.name)
        current = etcd.get(key)
        if current is None or str(current.mod_revision) != old.metadata.resourceVersion:
            return False
        revision = etcd.revision + 1
        self._traced(resource, old, "remove", user, revision, lambda: etcd.delete(key))
        return True

    def expire(self, resource: Resource, obj: Object, seconds: float) -> None:
        """Have the object removed `seconds` of virtual time from now."""
        key = self.key(resource, obj.metadata.namespace, obj.metadata.name)
        self.etcd.attach_lease(key, seconds)

    def _traced(
        self,
        resource: Resource,
        obj: Object,
        verb: str,
        user: str,
        revision: int,
        commit: Callable[[], KeyValue | None],
    ) -> None:
        """Commit a write whose record is what its watchers are caused by."""
        sim = self._sim
        cause = sim.cause
        sim.cause = sim.trace.add(
            component_of(user), verb, subject_of(resource, obj), revision=revision
        )
        commit()
        sim.cause = cause


def subject_of(resource: Resource, obj: Object) -> str:
    """Return how the trace names an object: "Pod/default/web", "Node/worker-1"."""
    meta = obj.metadata
    where = f"{meta.namespace}/" if meta.namespace else ""
    return f"{resource.kind}/{where}{meta.name}"
