"""The objects that decide about others, as the API server's caches have them.

Rule of use: `CachedObjects(registries)` satisfies `rbac.Objects` and `admission.LookUp`; it reads,
and never writes.

Upstream: pkg/kubeapiserver/authorizer/config.go (the informers that authorizers are given)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8slab.api.meta import Object
from k8slab.api.scheme import resource_for
from k8slab.control_plane.apiserver.cacher import Filter
from k8slab.control_plane.apiserver.registry import Registry


class CachedObjects:
    """Reads from the caches of the registries."""

    def __init__(self, registries: Mapping[tuple[str, str], Registry]) -> None:
        self._registries = registries

    def __call__(self, kind: type[Object], name: str, namespace: str = "") -> Object | None:
        """Return the object, None if there is none."""
        return self.get(kind, name, namespace)

    def get(self, kind: type[Object], name: str, namespace: str = "") -> Object | None:
        """Return the object, None if there is none."""
        return self._of(kind).cache.get(namespace, name)

    def all(self, kind: type[Object], namespace: str = "") -> Iterable[Object]:
        """Return all objects of a kind, in one namespace or in all."""
        return self._of(kind).cache.list(Filter(namespace, None, None))

    def _of(self, kind: type[Object]) -> Registry:
        resource = resource_for(kind)
        return self._registries[resource.group, resource.plural]
