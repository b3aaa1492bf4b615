"""A read-only look at the cluster's objects, now or at any past moment.

A `View` reads etcd's history directly, as nobody in the cluster may: it needs no API server, takes
no time and causes nothing. Figures, checks and `cluster.at(t)` look through one.

    cluster.at(12.5).get(Pod, "web", "default")

Rule of use: for looking only; whoever acts goes through the API server.

Upstream: none
"""

from __future__ import annotations

from typing import TypeVar, cast

from k8slab.api import labels as label_selectors
from k8slab.api import scheme
from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.meta import Object
from k8slab.control_plane.apiserver.custom_resources.reading import as_read
from k8slab.control_plane.etcd import Backend

K = TypeVar("K", bound=Object)


class View:
    """All objects as of one revision of the store."""

    def __init__(self, backend: Backend, revision: int, time: float) -> None:
        self._backend = backend
        self.revision = revision
        self.time = time  # virtual seconds

    def get(self, kind: type[K] | str, name: str, namespace: str = "default") -> K | None:
        """Return the object, None if there was none at that moment."""
        resource = self.resource(kind)
        where = f"{namespace}/" if resource.namespaced else ""
        found = self._backend.get(f"{resource.key_prefix}{where}{name}", self.revision)
        return None if found is None else cast(K, as_read(found.value, resource.type))

    def resolve(self, word: str) -> scheme.Resource | None:
        """Return the kind that a word means, built in or defined; None if there is none."""
        found = scheme.resolve(word)
        if found is None:
            found = scheme.resolve(word, scheme.defined(self.list(CustomResourceDefinition)))
        return found

    def list(self, kind: type[K] | str, namespace: str = "", *, labels: str = "") -> list[K]:
        """Return the objects of a kind, sorted by name, in all namespaces if none is given."""
        resource = self.resource(kind)
        prefix = resource.key_prefix + (f"{namespace}/" if namespace else "")
        stored = self._backend.range(prefix, self.revision)
        found: list[K] = [as_read(kv.value, resource.type) for kv in stored]
        if not labels:
            return found
        selector = label_selectors.parse(labels)
        return [obj for obj in found if selector.matches(obj.metadata.labels)]

    def resource(self, kind: type[Object] | str) -> scheme.Resource:
        """Return the row of a kind; KeyError if the cluster had no such kind at that moment."""
        if not isinstance(kind, str):
            return scheme.resource_for(kind)
        found = self.resolve(kind)
        if found is not None:
            return found
        raise KeyError(f"the lab has no kind {kind!r}: see `kubectl api-resources`")
