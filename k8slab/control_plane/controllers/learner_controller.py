"""A controller of a learner's: their function is called for each event, their writes are sent.

    def reconcile(desk, event):           # event.type, event.kind, event.name
        pod = desk.get("pod", event.name)
        if pod is not None:
            desk.label("pod", event.name, seen="yes")

    Cluster(replace={"controller": reconcile})

What it reads comes from informers, as with every controller; what it asks to be written is sent
when it returns, and tried again if it is refused. Every 30 s each object is shown to it once more
(a resync). With `UnreliableWatch(reconcile, lost=(3,))` in its place, the third event never comes.

Rule of use: it sees the namespace "default" only; what it does wrong is told as an Event.

Upstream: none (controller-runtime's Reconciler comes closest)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from k8slab.api import scheme
from k8slab.api.core import ConfigMap, Pod
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object
from k8slab.client import Client, ConnectionFailed, EventRecorder, Informers
from k8slab.client.learner import ReplacementError, call, copied, shown
from k8slab.sim import Queue

KINDS: Mapping[str, type[Object]] = {"pod": Pod, "configmap": ConfigMap}
NAMESPACE = "default"
RESYNC = 30.0  # s, after which every object is looked at again
RETRY = 1.0  # s, after a write that was refused
USAGE = "reconcile(desk, event)"


class UnreliableWatch(msgspec.Struct, frozen=True):
    """A learner's function, and what becomes of the events for it, counted from 1."""

    reconcile: Callable[..., Any]
    lost: tuple[int, ...] = ()
    twice: tuple[int, ...] = ()
    resync: float = RESYNC  # s

    def times(self, number: int) -> int:
        """Return how often an event arrives."""
        return 0 if number in self.lost else 2 if number in self.twice else 1


class Heard(msgspec.Struct, frozen=True):
    """What a controller is told: ADDED, MODIFIED, DELETED, or SYNC for "look again"."""

    type: str
    kind: str  # "pod", "configmap"
    name: str


class Desk:
    """What the learner's function works with: objects to read, labels to ask for."""

    def __init__(self, informers: Mapping[str, Any]) -> None:
        self._informers = informers
        self.wishes: list[tuple[type[Object], str, dict[str, str | None]]] = []

    def get(self, kind: str, name: str) -> Any:
        """Return a copy of the object as last heard of, None if there is none."""
        found = self._informer(kind).get(NAMESPACE, name)
        return None if found is None else copied(found)

    def list(self, kind: str) -> list[Any]:
        """Return copies of all objects of the kind, sorted by name."""
        found = [one for one in self._informer(kind).all() if one.metadata.namespace == NAMESPACE]
        return [copied(one) for one in sorted(found, key=lambda one: one.metadata.name)]

    def label(self, kind: str, name: str, **labels: str | None) -> None:
        """Ask for labels to be set; None takes one away, all others stay."""
        chosen = self._name(kind)
        for key, value in labels.items():
            if value is not None and not isinstance(value, str):
                raise TypeError(f"a label is a text, and {key} is {shown(value)}")
        self.wishes.append((KINDS[chosen], str(name), dict(labels)))

    def _informer(self, kind: str) -> Any:
        return self._informers[self._name(kind)]

    def _name(self, kind: str) -> str:
        resource = scheme.resolve(str(kind).lower())
        name = resource.kind.lower() if resource is not None else ""
        if name not in KINDS:
            raise ValueError(f"this desk has {' and '.join(KINDS)}, not {kind!r}")
        return name


class LearnerController:
    """The loop around the learner's function."""

    component = "learner-controller"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        *,
        watch: UnreliableWatch,
    ) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._watch = watch
        self._informers: dict[str, Any] = {
            name: informers.informer(kind) for name, kind in KINDS.items()
        }
        self._queue: Queue[tuple[Heard, int]] = Queue(self._sim, self.component)
        self.heard = 0  # events so far, resyncs not counted
        for name, informer in self._informers.items():
            informer.add_handler(lambda old, new, kind=name: self._hear(kind, old, new))

    async def run(self) -> None:
        """Work for ever."""
        for informer in self._informers.values():
            await informer.synced.wait()
        self._sim.spawn(self._resync(), f"{self.component}: resync")
        while True:
            heard, cause = await self._queue.get()
            self._sim.cause = cause
            await self._look(heard)

    def _hear(self, kind: str, old: Any, new: Any) -> None:
        obj = new if new is not None else old
        if obj.metadata.namespace != NAMESPACE:
            return
        self.heard += 1
        type_ = "ADDED" if old is None else "DELETED" if new is None else "MODIFIED"
        for _ in range(self._watch.times(self.heard)):
            self._queue.put((Heard(type_, kind, obj.metadata.name), self._sim.cause))

    async def _resync(self) -> None:
        while True:
            await self._sim.sleep(self._watch.resync, f"{self.component}: resync")
            for kind, informer in self._informers.items():
                for obj in informer.all():
                    if obj.metadata.namespace == NAMESPACE:
                        self._queue.put((Heard("SYNC", kind, obj.metadata.name), 0))

    async def _look(self, heard: Heard) -> None:
        desk = Desk(self._informers)
        try:
            call("reconcile", USAGE, self._watch.reconcile, desk, heard)
        except ReplacementError as error:
            about = self._informers[heard.kind].get(NAMESPACE, heard.name)
            if about is not None:
                self._recorder.event(about, "Warning", "FailedReconcile", str(error))
            return
        for kind, name, labels in desk.wishes:
            try:
                patch = {"metadata": {"labels": labels}}
                await self._client.merge(kind, name, patch, NAMESPACE)
            except ApiError as error:
                if error.reason != "NotFound":  # it is gone: nothing to be done
                    self._again(heard)
            except ConnectionFailed:
                self._again(heard)

    def _again(self, heard: Heard) -> None:
        entry = (heard, self._sim.cause)
        self._sim.after(RETRY, lambda: self._queue.put(entry), f"{self.component}: try again")
