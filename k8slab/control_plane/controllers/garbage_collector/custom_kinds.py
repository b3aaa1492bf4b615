"""Kinds that come and go: the garbage collector watches what people have defined, too.

Each established definition gets an informer of its own; when the definition changes, or goes, that
informer ends. (A real collector reads the discovery documents every 30 s for that.)

Rule of use: `start` once the definitions are known; `type_of` answers for owners of such kinds.

Upstream: pkg/controller/garbagecollector/garbagecollector.go (Sync, resyncMonitors)
"""

from __future__ import annotations

from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.custom import Custom
from k8slab.api.scheme import defined
from k8slab.client import Client, Informer, Informers
from k8slab.client.informer import Handler
from k8slab.sim import Task


class CustomKinds:
    """The informers for kinds that were defined, by definition's name."""

    def __init__(self, informers: Informers, client: Client, handler: Handler) -> None:
        self._sim = informers.sim
        self._client = client
        self._handler = handler
        self._definitions = informers.informer(CustomResourceDefinition)
        self._types: dict[str, list[type[Custom]]] = {}
        self._tasks: dict[str, Task[None]] = {}

    def start(self) -> None:
        """Watch what is defined, from now on."""
        self._definitions.add_handler(self._on_definition)

    def type_of(self, kind: tuple[str, str]) -> type[Custom] | None:
        """Return the type for an apiVersion and kind, None if nobody has defined it."""
        for types in self._types.values():
            for type_ in types:
                definition = type_.__definition__
                if (definition.api_version, definition.names.kind) == kind:
                    return type_
        return None

    def _on_definition(
        self, old: CustomResourceDefinition | None, new: CustomResourceDefinition | None
    ) -> None:
        changed = new if new is not None else old
        assert changed is not None
        name = changed.metadata.name
        rows = defined([new]) if new is not None else []
        types = [row.type for row in rows if issubclass(row.type, Custom)]
        if types == self._types.get(name, []):
            return
        if name in self._tasks:
            self._tasks.pop(name).kill()
        self._types[name] = types
        if not types:
            del self._types[name]
            return
        informer = Informer(self._sim, self._client, types[0])
        informer.add_handler(self._handler)
        title = f"{self._client.user}: {types[0].__name__} informer"
        self._tasks[name] = self._sim.spawn(informer.run(), title)
