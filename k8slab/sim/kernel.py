"""A discrete-event kernel: one clock and one queue of labelled events.

The queue is a heap ordered by (time, urgency, order of entry), so the same program always runs
in the same order. `pending()` shows the queue, `step()` runs its first entry. Tasks (task.py) put
themselves into the queue to go on later.

Whatever runs has a cause, the id of the trace record that set it off. Timers and tasks keep the
cause under which they were made, so a chain of causes needs no help from the code in between.

Rule of use: call `step` or `run` from outside only, never from within a task.

Upstream: none (SimPy is the model, and the oracle in the tests)
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from k8slab.sim.streams import Streams
from k8slab.sim.task import NORMAL, Group, Task
from k8slab.sim.timer import Sleep, Timer
from k8slab.sim.trace import Trace

T = TypeVar("T")

COMPACT_ABOVE = 1024  # cancelled timers that may lie in the queue before it is swept


class Halted(BaseException):
    """Raised by `step` and `run` before a moment to which `Simulation.halt` does not let them go.

    A BaseException: it passes through whoever moves the clock, up to whoever set `halt`.
    """


class Simulation:
    """The clock and the queue; `now` never goes back and equals the time of what runs."""

    def __init__(self, seed: int = 0) -> None:
        self.now = 0.0
        self.cause = 0  # trace id of what set off the code that is running, 0 for none
        self.streams = Streams(seed)
        self.trace = Trace(self)
        self.events = 0  # entries run so far
        self.group: Group | None = None  # the process whose code is running
        self.running: Task[Any] | None = None
        # Asked with the time of the next event: stop before it? For breakpoints and replays.
        self.halt: Callable[[float], bool] | None = None
        self._queue: list[tuple[float, int, int, Timer]] = []
        self._sequence = 0
        self._cancelled = 0

    # -- asking for things to happen

    def at(
        self,
        when: float,
        action: Callable[[], object],
        label: str = "",
        urgency: int = NORMAL,
    ) -> Timer:
        """Run `action` at virtual time `when` (seconds), after what is already due then."""
        if when < self.now:
            raise ValueError(f"cannot act at {when} s: it is already {self.now} s")
        timer = Timer(self, when, action, label)
        self.push(timer, urgency)
        return timer

    def after(self, delay: float, action: Callable[[], object], label: str = "") -> Timer:
        """Run `action` in `delay` virtual seconds."""
        return self.at(self.now + delay, action, label)

    def spawn(
        self, coroutine: Coroutine[Any, Any, T], name: str, group: Group | None = None
    ) -> Task[T]:
        """Start a task; its first lines run at this moment, before other pending work.

        It joins `group`, by default that of the task which spawns it.
        """
        return Task(self, coroutine, name, group or self.group)

    def sleep(self, seconds: float, label: str = "") -> Sleep:
        """Await this to let `seconds` of virtual time pass."""
        return Sleep(self, seconds, label)

    def push(self, timer: Timer, urgency: int = NORMAL) -> None:
        """Put a timer into the queue, behind what is due at the same time."""
        self._sequence += 1
        heapq.heappush(self._queue, (timer.when, urgency, self._sequence, timer))

    # -- letting them happen

    def pending(self) -> list[Timer]:
        """Return what is about to happen, soonest first."""
        return [entry[3] for entry in sorted(self._queue) if entry[3].action is not None]

    def next_time(self) -> float | None:
        """Return when the next entry is due, None if nothing is pending."""
        queue = self._queue
        while queue and queue[0][3].action is None:
            heapq.heappop(queue)
            self._cancelled -= 1
        return queue[0][0] if queue else None

    def step(self) -> Timer | None:
        """Run the next entry and return it, None if nothing is pending."""
        return None if self.next_time() is None else self.run_first()

    def run(self, until: float) -> None:
        """Run everything that is due up to `until` (virtual seconds) and stop the clock there."""
        while (when := self.next_time()) is not None and when <= until:
            self.run_first()
        if self.halt is not None and self.halt(until):
            raise Halted
        self.now = max(self.now, until)

    def run_first(self) -> Timer:
        """Let the first entry of the queue happen; there must be one (see `next_time`)."""
        when = self._queue[0][0]
        if self.halt is not None and self.halt(when):
            raise Halted
        timer = heapq.heappop(self._queue)[3]
        action, timer.action = timer.action, None
        self.now = when
        self.cause = timer.cause
        self.group = self.running = None
        self.events += 1
        try:
            action()  # type: ignore[misc]
        finally:
            self.cause, self.group, self.running = 0, None, None
        if self._cancelled > COMPACT_ABOVE and self._cancelled * 2 > len(self._queue):
            self._sweep()
        return timer

    def complete(self, coroutine: Coroutine[Any, Any, T], name: str, timeout: float) -> T:
        """Run until the coroutine ends and return its result.

        Raises what it raises, and TimeoutError after `timeout` virtual seconds.
        """
        cause = self.cause
        task = self.spawn(coroutine, name)
        task.watched = True
        deadline = self.now + timeout
        while not task.done:
            when = self.next_time()
            if when is None or when > deadline:
                self.now = max(self.now, min(deadline, when or deadline))
                task.kill()
                self.run(self.now)
                raise TimeoutError(f"{name}: no end after {timeout:g} s of virtual time")
            self.step()
        self.cause = cause
        return task.result()

    def _sweep(self) -> None:
        self._queue = [entry for entry in self._queue if entry[3].action is not None]
        heapq.heapify(self._queue)
        self._cancelled = 0
