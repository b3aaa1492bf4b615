"""ConfigMaps and Secrets that the node's Pods refer to, each watched by itself.

A kubelet may read only what its Pods name, so it watches single objects: the first Pod that needs
one starts the watch, the last one ends it.

Rule of use: `get` for reading, `release` when a Pod is gone.

Upstream: pkg/kubelet/util/manager/watch_based_manager.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

from k8slab.api.core import ConfigMap, Secret
from k8slab.api.meta import Object
from k8slab.client import Client, Informer
from k8slab.sim import Simulation, Task

K = TypeVar("K", ConfigMap, Secret)
SYNC_TIMEOUT = 1.0  # s, how long a Pod waits for the first answer


class NotSynced(Exception):  # noqa: N818 (the words of the message)
    """The API server has not answered yet."""


class _Entry:
    def __init__(self, informer: Informer[Any], task: Task[None]) -> None:
        self.informer = informer
        self.task = task
        self.users: dict[str, None] = {}  # uids of Pods


class ObjectCache:
    """Single objects, true while any Pod of the node uses them."""

    def __init__(self, sim: Simulation, client: Client, on_change: Callable[[str], None]) -> None:
        self._sim = sim
        self._client = client
        self._on_change = on_change
        self._entries: dict[tuple[str, str, str], _Entry] = {}

    async def get(self, kind: type[K], namespace: str, name: str, uid: str) -> K | None:
        """Return the object, None if there is none; from now on the Pod `uid` uses it.

        Raises NotSynced if the API server does not answer within a second.
        """
        entry = self._entry(kind, namespace, name)
        entry.users[uid] = None
        if not await entry.informer.synced.wait(SYNC_TIMEOUT):
            raise NotSynced(
                f"failed to sync {kind.__name__.lower()} cache: timed out waiting for the condition"
            )
        return cast("K | None", entry.informer.get(namespace, name))

    def release(self, uid: str) -> None:
        """Forget the Pod, and what no other Pod uses."""
        for key, entry in tuple(self._entries.items()):
            entry.users.pop(uid, None)
            if not entry.users:
                entry.task.kill()
                del self._entries[key]

    def _entry(self, kind: type[Object], namespace: str, name: str) -> _Entry:
        key = (kind.__name__, namespace, name)
        entry = self._entries.get(key)
        if entry is None:
            informer = Informer(
                self._sim,
                self._client,
                kind,
                namespace=namespace,
                fields=f"metadata.name={name}",
            )
            label = f"{self._client.user}: {kind.__name__} {namespace}/{name}"
            entry = _Entry(informer, self._sim.spawn(informer.run(), label))
            self._entries[key] = entry
            informer.add_handler(lambda old, new: self._changed(key) if old else None)
        return entry

    def _changed(self, key: tuple[str, str, str]) -> None:
        entry = self._entries.get(key)
        for uid in tuple(entry.users) if entry is not None else ():
            self._on_change(uid)
