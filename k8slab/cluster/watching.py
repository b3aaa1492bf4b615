"""A watch of the learner's own: what the API server told it, event by event.

    watching = cluster.watch("pods")
    watching.listed            # how many there were at first
    watching.events[-1].type   # ADDED, MODIFIED, DELETED

It lists once and watches from the version of the list, as every controller does. When the server
goes away it watches again from the last version it heard of; too old a version means a new list.

Rule of use: made by `Cluster.watch`; it hears of something only while time passes.

Upstream: staging/src/k8s.io/client-go/tools/cache/reflector.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.errors import ApiError
from k8slab.client import Client, ConnectionFailed, WatchEvent, WatchStream
from k8slab.cluster.view import View

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster

RETRY = 1.0  # s, before a broken watch is tried again


class Heard(msgspec.Struct, frozen=True):
    """One event as it arrived, and how many objects there were once it had happened."""

    time: float  # virtual seconds, of its arrival
    type: str  # ADDED, MODIFIED, DELETED; LIST for a new list
    name: str
    version: str  # the object's resourceVersion
    cause: int  # the trace id of the write
    there: int


class Watching:
    """A list, and all that was heard since."""

    def __init__(self, cluster: Cluster, kind: str, namespace: str) -> None:
        resource = cluster.view.resolve(kind)
        if resource is None:
            raise ValueError(f"the lab has no kind {kind!r}: see `kubectl api-resources`")
        self.kind = resource.kind
        self.namespace = namespace if resource.namespaced else ""
        self.listed = 0
        self.version = ""  # the last resourceVersion heard of
        self.events: list[Heard] = []
        self._resource = resource
        self._cluster = cluster
        self._client = Client(cluster.world.transport("you"), "watcher")

    async def begin(self) -> None:
        """List, then leave a task behind that watches; raises ApiError or ConnectionFailed."""
        self.listed = await self._list()
        stream = await self._client.watch(self._resource.type, self.version, self.namespace)
        self._cluster.sim.spawn(self._follow(stream), f"watch of {self._resource.plural}")
        await self._cluster.sim.sleep(0, "watch begins")

    async def _list(self) -> int:
        found = await self._client.list(self._resource.type, self.namespace)
        self.version = found.resource_version
        return len(found.items)

    async def _follow(self, stream: WatchStream) -> None:
        while True:
            while not stream.closed:
                for event in await stream.batch():
                    if event.type == "ERROR":
                        await self._list_again()
                    elif event.type != "BOOKMARK":
                        self._hear(event)
            stream = await self._watch_again()

    async def _watch_again(self) -> WatchStream:
        while True:
            await self._cluster.sim.sleep(RETRY, "watch: back-off")
            try:
                return await self._client.watch(self._resource.type, self.version, self.namespace)
            except ConnectionFailed:
                continue
            except ApiError:
                await self._list_again()

    async def _list_again(self) -> None:
        try:
            there = await self._list()
        except (ApiError, ConnectionFailed):
            return  # the next watch is refused too, and tried again
        now = self._cluster.now
        self.events.append(Heard(now, "LIST", "", self.version, 0, there))

    def _hear(self, event: WatchEvent) -> None:
        obj: Any = event.object
        meta = obj.metadata
        self.version = meta.resourceVersion
        there = View(self._cluster.backend, int(self.version), self._cluster.now)
        number = len(there.list(self._resource.type, self.namespace))
        self.events.append(
            Heard(self._cluster.now, event.type, meta.name, self.version, event.cause, number)
        )
