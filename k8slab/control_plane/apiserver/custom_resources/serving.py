"""The kinds that definitions have made: a registry for each version that is served.

A definition that is established is served; one that changes is served anew, and its watches end, so
that clients list again; one that goes is served no more. In etcd all versions of a kind share their
keys: every write is told to each version's cache in its own form.

Rule of use: `update` after every write of a definition, `write` after every write of an object.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.custom import Definition, is_established, served_kinds
from k8slab.api.meta import Object, StatusDetails
from k8slab.api.scheme import Resource, resource_of
from k8slab.client import Request
from k8slab.control_plane.apiserver.custom_resources.reading import as_read
from k8slab.control_plane.apiserver.registry import Registry
from k8slab.control_plane.apiserver.storage import Storage
from k8slab.control_plane.etcd import KeyValue


class CustomResources:
    """What is served beside the built-in kinds, by group and plural; best version first."""

    def __init__(self, storage: Storage, make: Callable[[Resource], Registry]) -> None:
        self._storage = storage
        self._make = make
        self._served: dict[tuple[str, str], dict[str, Registry]] = {}
        self._known: dict[str, list[Definition]] = {}  # what is served, by definition's name
        self._ending: dict[str, None] = {}  # names of definitions that are being deleted

    def registry(self, group: str, plural: str, version: str = "") -> Registry | None:
        """Return the registry of a version, "" being the best; None if it is not served."""
        versions = self._served.get((group, plural), {})
        return versions.get(version) if version else next(iter(versions.values()), None)

    def for_request(self, request: Request) -> Registry | None:
        """Return who answers a request; ApiError if nothing new may be made of a kind that goes."""
        registry = self.registry(request.group, request.resource, request.version)
        if registry is None:
            return None
        if request.verb == "create" and registry.resource.group_resource in self._ending:
            raise errors.api_error(
                "create not allowed while custom resource definition is terminating",
                "MethodNotAllowed",
                405,
                StatusDetails(),
            )
        type_: Any = registry.resource.type
        if type_.__definition__.deprecation_warning:
            request.warn(type_.__definition__.deprecation_warning)
        return registry

    def all(self) -> Iterator[Registry]:
        """Yield all registries."""
        for versions in self._served.values():
            yield from versions.values()

    def update(self, name: str, crd: Object | None) -> None:
        """Serve what the definition of that name says now; nothing if it is gone."""
        wanted: list[Definition] = []
        self._ending.pop(name, None)
        if crd is not None and crd.metadata.deletionTimestamp is not None:
            self._ending[name] = None
        if isinstance(crd, CustomResourceDefinition) and is_established(crd):
            wanted = served_kinds(crd)
        if wanted == self._known.get(name, []):
            return
        plural, _, group = name.partition(".")
        for registry in self._served.pop((group, plural), {}).values():
            registry.cache.close()
        self._known[name] = wanted
        if not wanted:
            del self._known[name]
            return
        self._served[group, plural] = {kind.version: self._registry(kind) for kind in wanted}

    def _registry(self, kind: Definition) -> Registry:
        registry = self._make(resource_of(kind))
        registry.cache.load(self._storage.range(registry.resource))
        return registry

    def write(self, group: str, plural: str, before: KeyValue | None, written: KeyValue) -> None:
        """Tell the caches of all versions of a write that etcd reports."""
        for registry in self._served.get((group, plural), {}).values():
            type_ = registry.resource.type
            old = as_read(before.value, type_) if before is not None else None
            registry.cache.apply(old, replace(written, value=as_read(written.value, type_)))

    def close(self) -> None:
        """Break all watches and forget everything."""
        for registry in self.all():
            registry.cache.close()
        self._served, self._known, self._ending = {}, {}, {}
