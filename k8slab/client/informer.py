"""A local copy of some objects, kept true by list and watch.

An informer lists once, then watches from the version of the list, so that it misses nothing. When
the watch breaks or is too old it lists again and works out what changed meanwhile. Handlers run
at each change, under the cause of the write that made it. `Informers` shares one informer per
kind and selector among all loops of a process, as the controller manager does.

Rule of use: handlers only look and enqueue; they never wait. Wait for `synced` before deciding.

Upstream: staging/src/k8s.io/client-go/tools/cache
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from k8slab.api.errors import ApiError
from k8slab.api.meta import Object
from k8slab.client.client import Client
from k8slab.client.transport import ConnectionFailed, WatchEvent, WatchStream, key_of
from k8slab.sim import Signal, Simulation

K = TypeVar("K", bound=Object)

RELIST_BACKOFF = (0.8, 30.0)  # s, first and longest wait after a failed list, doubling


class Handler(Protocol):
    """Hears of a change: `old` is None for a new object, `new` is None for a deleted one."""

    def __call__(self, old: Any, new: Any) -> None:
        """Look, and enqueue what has to be done."""


class Informer(Generic[K]):
    """The objects of one kind that match, by key; never ahead of the API server."""

    def __init__(
        self,
        sim: Simulation,
        client: Client,
        kind: type[K],
        *,
        namespace: str = "",
        labels: str = "",
        fields: str = "",
    ) -> None:
        self._sim = sim
        self._client = client
        self._kind = kind
        self._scope = {"namespace": namespace, "labels": labels, "fields": fields}
        self._objects: dict[str, K] = {}
        self._indexers: dict[str, Callable[[K], Iterable[str]]] = {}
        self._indexes: dict[str, dict[str, dict[str, K]]] = {}
        self._handlers: list[Handler] = []
        self._stream: WatchStream | None = None
        self.synced = Signal(sim, f"{kind.__name__} informer synced")

    # -- reading

    def get(self, namespace: str, name: str) -> K | None:
        """Return the object as last heard of, None if there is none."""
        return self._objects.get(f"{namespace}/{name}" if namespace else name)

    def by_key(self, key: str) -> K | None:
        """Return the object with that key."""
        return self._objects.get(key)

    def all(self) -> list[K]:
        """Return all objects, in the order in which they were first heard of."""
        return list(self._objects.values())

    def add_index(self, name: str, keys: Callable[[K], Iterable[str]]) -> None:
        """Keep the objects findable by `keys(object)` under `by_index(name, key)`."""
        if name in self._indexers:
            return
        self._indexers[name] = keys
        self._indexes[name] = {}
        for key, obj in self._objects.items():
            for value in keys(obj):
                self._indexes[name].setdefault(value, {})[key] = obj

    def by_index(self, name: str, key: str) -> builtins.list[K]:
        """Return the objects with that index key."""
        return list(self._indexes[name].get(key, {}).values())

    def add_handler(self, handler: Handler) -> None:
        """Call `handler(old, new)` at each change, and now for each object already known."""
        self._handlers.append(handler)
        for obj in self.all():
            handler(None, obj)

    # -- staying true

    async def run(self) -> None:
        """List and watch for ever."""
        first, longest = RELIST_BACKOFF
        backoff = first
        while True:
            try:
                await self._list_and_watch()
                backoff = first
            except (ApiError, ConnectionFailed):
                await self._sim.sleep(backoff, f"{self._kind.__name__} informer: back-off")
                backoff = min(backoff * 2, longest)

    async def _list_and_watch(self) -> None:
        listing = await self._client.list(self._kind, **self._scope)
        self._replace(listing.items)
        self.synced.set()
        version = listing.resource_version
        while True:
            stream = await self._client.watch(self._kind, version, **self._scope)
            self._stream = stream
            while not stream.closed:
                for event in await stream.batch():
                    if event.type == "ERROR":  # the version is too old: list again
                        return
                    version = event.object.metadata.resourceVersion
                    self._apply(event)

    def _replace(self, items: tuple[K, ...]) -> None:
        found = {key_of(obj): obj for obj in items}
        for key in [key for key in self._objects if key not in found]:
            self._change(key, None)
        for key, obj in found.items():
            known = self._objects.get(key)
            if known is None or known.metadata.resourceVersion != obj.metadata.resourceVersion:
                self._change(key, obj)

    def _apply(self, event: WatchEvent) -> None:
        if event.type == "BOOKMARK":
            return
        sim, obj = self._sim, event.object
        cause, sim.cause = sim.cause, event.cause
        self._change(key_of(obj), None if event.type == "DELETED" else obj, last=obj)
        sim.cause = cause

    def _change(self, key: str, new: K | None, last: K | None = None) -> None:
        old = self._objects.get(key)
        if new is None:
            if old is None:
                return
            del self._objects[key]
        else:
            self._objects[key] = new
        for name, keys in self._indexers.items():
            self._reindex(self._indexes[name], keys, key, old, new)
        gone = last if new is None and last is not None else old
        for handler in self._handlers:
            handler(gone, new)

    @staticmethod
    def _reindex(
        index: dict[str, dict[str, K]],
        keys: Callable[[K], Iterable[str]],
        key: str,
        old: K | None,
        new: K | None,
    ) -> None:
        before = () if old is None else tuple(keys(old))
        after = () if new is None else tuple(keys(new))
        for value in before:
            if value not in after:
                del index[value][key]
                if not index[value]:
                    del index[value]
        if new is not None:
            for value in after:
                index.setdefault(value, {})[key] = new


class Informers:
    """The informers that the loops of one process share."""

    def __init__(self, sim: Simulation, client: Client) -> None:
        self.sim = sim
        self.client = client
        self._informers: dict[tuple[type[Object], str, str, str], Informer[Any]] = {}

    def informer(
        self, kind: type[K], *, namespace: str = "", labels: str = "", fields: str = ""
    ) -> Informer[K]:
        """Return the one informer for these objects, started the first time it is asked for."""
        key = (kind, namespace, labels, fields)
        informer = self._informers.get(key)
        if informer is None:
            informer = Informer(
                self.sim, self.client, kind, namespace=namespace, labels=labels, fields=fields
            )
            self._informers[key] = informer
            self.sim.spawn(informer.run(), f"{self.client.user}: {kind.__name__} informer")
        return informer

    async def wait_for_sync(self) -> None:
        """Return when every informer asked for so far has listed."""
        for informer in tuple(self._informers.values()):
            await informer.synced.wait()
