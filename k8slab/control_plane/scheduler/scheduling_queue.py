"""The Pods that wait for a node, in three places.

    active          may be taken at once, by priority and then age
    backoff         was tried in vain and shall be tried again, but not before its back-off ended
    unschedulable   nothing has changed that could help; gated Pods wait here too

A Pod leaves `unschedulable` when something happens that one of the plugins which rejected it has
registered for, at the latest after five minutes. An idle scheduler does not wait for back-offs to
end, unless the Pod failed by an error. Before a Pod comes to `active` or `backoff`, the PreEnqueue
plugins are asked; what they refuse is gated, and moves only by what the gating plugin waits for.

Rule of use: whoever takes a Pod gives it back with `add_unschedulable`, or it is scheduled.

Upstream: pkg/scheduler/backend/queue
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping
from typing import TypeAlias

from k8slab.api.core import Pod
from k8slab.api.meta import Object
from k8slab.control_plane.scheduler.framework.events import pod_changes
from k8slab.control_plane.scheduler.framework.interface import Resource
from k8slab.control_plane.scheduler.framework.runtime import Framework
from k8slab.control_plane.scheduler.framework.types import PodInfo, scheduler_name
from k8slab.sim import Signal, Simulation

POD_INITIAL_BACKOFF = 1.0  # s, podInitialBackoffSeconds
POD_MAX_BACKOFF = 10.0  # s, podMaxBackoffSeconds
MAX_IN_UNSCHEDULABLE_PODS = 300.0  # s, DefaultPodMaxInUnschedulablePodsDuration
FLUSH_PERIOD = 30.0  # s, how often Pods that waited for too long are looked for

ACTIVE, BACKOFF, UNSCHEDULABLE, TAKEN = "active", "backoff", "unschedulable", ""

Entry: TypeAlias = "QueuedPodInfo"
SortKey: TypeAlias = tuple[float, ...]
BackoffItem: TypeAlias = "tuple[float, SortKey, int, int, Entry]"


class QueuedPodInfo:
    """A Pod on its way through the queue."""

    __slots__ = (
        "attempts",
        "backoff_until",
        "cause",
        "errors",
        "gated",
        "info",
        "place",
        "plugins",
        "refusals",
        "timestamp",
        "turn",
    )

    def __init__(self, info: PodInfo, now: float, cause: int) -> None:
        self.info = info
        self.timestamp = now  # of its entry into the place where it is (virtual seconds)
        self.cause = cause  # trace id of what put it where it is
        self.attempts = 0
        self.refusals = 0  # attempts in which plugins refused it
        self.errors = 0  # attempts that failed by an error, since the last refusal
        self.plugins: tuple[str, ...] = ()  # that rejected it; none after an error
        self.backoff_until = 0.0
        self.gated = ""  # by which PreEnqueue plugin
        self.place = TAKEN
        self.turn = 0  # changes with each move, so that heaps can tell a stale item


class SchedulingQueue:
    """Waiting Pods by key, each in exactly one place."""

    def __init__(
        self,
        sim: Simulation,
        profiles: Mapping[str, Framework],
        *,
        initial_backoff: float = POD_INITIAL_BACKOFF,
        max_backoff: float = POD_MAX_BACKOFF,
    ) -> None:
        self._sim = sim
        self._profiles = profiles  # by name; all of them sort alike
        self._sorters = next(iter(profiles.values())).queue_sort_plugins
        self._backoffs = initial_backoff, max_backoff
        self._entries: dict[str, Entry] = {}
        self._active: list[tuple[SortKey, int, int, Entry]] = []
        self._backoff: list[BackoffItem] = []
        self._error_backoff: list[BackoffItem] = []  # nobody takes these before their time
        self._unschedulable: dict[str, Entry] = {}
        self._sequence = 0
        self._flushed = sim.now
        self._news: Signal | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def pending(self) -> dict[str, list[str]]:
        """Return the keys of the waiting Pods by place, for whoever is curious."""
        places: dict[str, list[str]] = {ACTIVE: [], BACKOFF: [], UNSCHEDULABLE: []}
        for key, entry in self._entries.items():
            if entry.place:
                places[entry.place].append(key)
        return places

    # -- Pods coming and going

    def add(self, pod: Pod) -> None:
        """Let a new Pod wait for its turn."""
        entry = QueuedPodInfo(PodInfo(pod), self._sim.now, self._sim.cause)
        self._entries[entry.info.key] = entry
        self._activate(entry)

    def update(self, old: Pod, new: Pod) -> None:
        """Take over a newer version of a waiting Pod; it may be schedulable now."""
        entry = self._entries.get(f"{new.metadata.namespace}/{new.metadata.name}")
        if entry is None:
            return
        entry.info = entry.info.with_pod(new)
        if entry.place == UNSCHEDULABLE:
            actions = pod_changes(old, new)
            if actions and self._helps(entry, Resource.TARGET_POD, actions, old, new):
                self._requeue(entry)

    def delete(self, key: str) -> None:
        """Forget a Pod: it is gone, or bound by somebody else."""
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._unschedulable.pop(key, None)
            self._move(entry, TAKEN)

    # -- taking and giving back

    async def pop(self) -> Entry:
        """Return the next Pod to schedule, waiting for one; its entry stays known until bound."""
        while True:
            entry = self.take()
            if entry is not None:
                return entry
            self._news = Signal(self._sim, "kube-scheduler: a Pod to schedule")
            due = self.next_due()
            await self._news.wait(None if due is None else max(0.0, due - self._sim.now))
            self._news = None

    def take(self) -> Entry | None:
        """Return the first active Pod, else the first in back-off, None if there is neither."""
        self._flush()
        entry = self._first_active() or self._first_in_backoff()
        if entry is not None:
            self._move(entry, TAKEN)
            entry.attempts += 1
        return entry

    def holds(self, entry: Entry) -> bool:
        """Say whether a Pod that was taken still is to be scheduled: not deleted or replaced."""
        return self._entries.get(entry.info.key) is entry

    def done(self, entry: Entry) -> None:
        """Forget a Pod that was taken: it has a node."""
        if self.holds(entry):
            self.delete(entry.info.key)

    def add_unschedulable(self, entry: Entry, plugins: tuple[str, ...]) -> None:
        """Take a Pod back that found no node; without plugins to blame it was an error."""
        if not self.holds(entry) or entry.place != TAKEN:
            return
        entry.plugins = plugins
        entry.timestamp = self._sim.now
        entry.refusals += bool(plugins)
        entry.errors = 0 if plugins else entry.errors + 1
        times = entry.errors or entry.refusals
        entry.backoff_until = backoff_end(self._sim.now, times, *self._backoffs)
        if plugins:
            self._park(entry)
        else:
            self._back_off(entry)

    def move_all(
        self,
        resource: str,
        actions: int,
        old: Object | None,
        new: Object | None,
        up_to: float = math.inf,
    ) -> None:
        """Try those Pods again that this change may help, of a priority up to one."""
        for entry in tuple(self._unschedulable.values()):
            if entry.info.priority <= up_to and self._helps(entry, resource, actions, old, new):
                self._requeue(entry)

    def retry(self, key: str) -> None:
        """Try a Pod again after its back-off: what should have helped it has failed."""
        entry = self._entries.get(key)
        if entry is not None and entry.place == UNSCHEDULABLE:
            self._unschedulable.pop(key)
            entry.plugins = ()
            self._back_off(entry)

    def next_due(self) -> float | None:
        """Return when something happens in here by itself (virtual seconds), None if nothing."""
        times = [item[0] for item in (*self._backoff[:1], *self._error_backoff[:1])]
        waiting = [each.timestamp for each in self._unschedulable.values() if not each.gated]
        if waiting:
            ripe = max(min(waiting) + MAX_IN_UNSCHEDULABLE_PODS, self._flushed)
            times.append((math.floor(ripe / FLUSH_PERIOD) + 1) * FLUSH_PERIOD)
        return min(times, default=None)

    # -- helpers

    def _helps(
        self,
        entry: Entry,
        resource: str,
        actions: int,
        old: Object | None,
        new: Object | None,
    ) -> bool:
        framework = self._framework_of(entry)
        if entry.gated and not framework.waits_for(entry.gated, resource, actions):
            return False
        pod = entry.info.pod
        return not entry.plugins or any(
            event.hint is None or event.hint(pod, old, new)
            for name in entry.plugins
            for event in framework.waits_for(name, resource, actions)
        )

    def _requeue(self, entry: Entry) -> None:
        entry.cause = self._sim.cause
        self._unschedulable.pop(entry.info.key, None)
        if entry.backoff_until > self._sim.now:
            self._back_off(entry)
        else:
            self._activate(entry)

    def _is_gated(self, entry: Entry) -> bool:
        """Ask the PreEnqueue plugins; what they refuse waits for what they wait for."""
        refusal = self._framework_of(entry).run_pre_enqueue(entry.info.pod)
        entry.gated = refusal.plugin if refusal is not None else ""
        if refusal is not None:
            entry.plugins = tuple(dict.fromkeys((*entry.plugins, refusal.plugin)))
            self._park(entry)
        return refusal is not None

    def _activate(self, entry: Entry) -> None:
        if self._is_gated(entry):
            return
        self._move(entry, ACTIVE)
        item = (self._sort_key(entry), self._sequence, entry.turn, entry)
        heapq.heappush(self._active, item)
        self._tell()

    def _back_off(self, entry: Entry) -> None:
        failed = not entry.plugins
        if self._is_gated(entry):
            return
        self._move(entry, BACKOFF)
        item = (
            entry.backoff_until,
            self._sort_key(entry),
            self._sequence,
            entry.turn,
            entry,
        )
        heapq.heappush(self._error_backoff if failed else self._backoff, item)
        self._tell()

    def _park(self, entry: Entry) -> None:
        self._move(entry, UNSCHEDULABLE)
        self._unschedulable[entry.info.key] = entry

    def _move(self, entry: Entry, place: str) -> None:
        self._sequence += 1
        entry.place = place
        entry.turn = self._sequence

    def _framework_of(self, entry: Entry) -> Framework:
        return self._profiles[scheduler_name(entry.info.pod)]

    def _sort_key(self, entry: Entry) -> SortKey:
        for plugin in self._sorters:
            return plugin.sort_key(entry.info.pod, entry.timestamp)
        return (entry.timestamp,)

    def _first_active(self) -> Entry | None:
        while self._active:
            *_, turn, entry = heapq.heappop(self._active)
            if entry.turn == turn:
                return entry
        return None

    def _first_in_backoff(self) -> Entry | None:
        """Return the Pod whose back-off ends next, of those that were refused and did not fail."""
        self._drop_stale(self._backoff)
        return heapq.heappop(self._backoff)[-1] if self._backoff else None

    @staticmethod
    def _drop_stale(heap: list[BackoffItem]) -> None:
        while heap and heap[0][-1].turn != heap[0][-2]:
            heapq.heappop(heap)

    def _flush(self) -> None:
        """Activate Pods whose back-off is over, and try those again that waited for too long."""
        now = self._sim.now
        for heap in (self._backoff, self._error_backoff):
            self._drop_stale(heap)
            while heap and heap[0][0] <= now:
                self._activate(heapq.heappop(heap)[-1])
                self._drop_stale(heap)
        if now // FLUSH_PERIOD > self._flushed // FLUSH_PERIOD:
            self._flushed = now
            for entry in tuple(self._unschedulable.values()):
                if not entry.gated and now - entry.timestamp > MAX_IN_UNSCHEDULABLE_PODS:
                    self._unschedulable.pop(entry.info.key)
                    self._activate(entry)

    def _tell(self) -> None:
        if self._news is not None:
            self._news.set()


def backoff_end(
    now: float,
    times: int,
    initial: float = POD_INITIAL_BACKOFF,
    longest: float = POD_MAX_BACKOFF,
) -> float:
    """Return until when a Pod waits that failed at `now` for the so-manieth time.

    Refusals and errors in a row are counted apart: after three refusals the first error counts one.

    >>> [backoff_end(0.5, times) for times in (1, 2, 3, 4, 5, 6)]
    [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]
    """
    seconds = min(initial * 2.0 ** min(times - 1, 10), longest)
    return float(math.floor(now + seconds))  # cut to a whole second
