"""A discrete-event kernel: one clock, one queue of labelled events, and tasks that sleep.

The queue is a heap ordered by (time, urgency, order of entry), so the same program always runs
in the same order. A task is a coroutine: it runs until it awaits, and what it awaits (a `Wait`)
puts it back into the queue later. `pending()` shows the queue, `step()` runs its first entry.

Whatever runs has a cause, the id of the trace record that set it off. Timers and tasks keep the
cause under which they were made, so a chain of causes needs no help from the code in between.

Tasks that belong to one process form a `Group`: what a task spawns joins its group, so that
killing a container ends all that it started.

Rule of use: call `step` or `run` from outside only, never from within a task.

Upstream: none (SimPy is the model, and the oracle in the tests)
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, Protocol, TypeVar

from k8slab.sim.streams import Streams
from k8slab.sim.trace import Trace

T = TypeVar("T")

URGENT, NORMAL = 0, 1  # starting and killing a task come before all else of the same moment
COMPACT_ABOVE = 1024  # cancelled timers that may lie in the queue before it is swept


class Killed(BaseException):
    """Thrown into a task to end it; a BaseException, so that `except Exception` lets it pass."""


class TaskError(Exception):
    """A task that nobody awaits ended with an exception: a defect in the program that it runs."""


class Wait(Protocol):
    """What a task may await: `arm` asks for a later wake-up, `disarm` withdraws that."""

    def arm(self, task: Task[Any]) -> None:
        """Arrange that `task.wake(value)` is called later."""

    def disarm(self) -> None:
        """Make sure that it is not."""


class Timer:
    """One entry of the queue: at `when` (virtual seconds) run `action`, unless cancelled."""

    __slots__ = ("_sim", "action", "cause", "label", "when")

    def __init__(
        self, sim: Simulation, when: float, action: Callable[[], object], label: str
    ) -> None:
        self._sim = sim
        self.when = when
        self.action: Callable[[], object] | None = action
        self.label = label
        self.cause = sim.cause

    def cancel(self) -> None:
        """Make sure that the action never runs; doing so twice or too late does no harm."""
        if self.action is not None:
            self.action = None
            self._sim._cancelled += 1

    def __repr__(self) -> str:
        return f"<{self.when:.3f} s {self.label}>"


class Simulation:
    """The clock and the queue; `now` never goes back and equals the time of what runs."""

    def __init__(self, seed: int = 0) -> None:
        self.now = 0.0
        self.cause = 0  # trace id of what set off the code that is running, 0 for none
        self.streams = Streams(seed)
        self.trace = Trace(self)
        self.events = 0  # entries run so far
        self.group: Group | None = None  # the process whose code is running
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
        self._sequence += 1
        heapq.heappush(self._queue, (when, urgency, self._sequence, timer))
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
        if self.next_time() is None:
            return None
        when, _, _, timer = heapq.heappop(self._queue)
        self.now = when
        self.cause = timer.cause
        self.group = None
        action, timer.action = timer.action, None
        self.events += 1
        assert action is not None
        try:
            action()
        finally:
            self.cause, self.group = 0, None
        if self._cancelled > COMPACT_ABOVE and self._cancelled * 2 > len(self._queue):
            self._sweep()
        return timer

    def run(self, until: float) -> None:
        """Run everything that is due up to `until` (virtual seconds) and stop the clock there."""
        while (when := self.next_time()) is not None and when <= until:
            self.step()
        self.now = max(self.now, until)

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


class Task(Generic[T]):
    """A coroutine on its way: `done` once it returned, raised or was killed. Awaitable."""

    __slots__ = (
        "_coroutine",
        "_joiners",
        "_result",
        "_sim",
        "_wait",
        "cause",
        "done",
        "error",
        "group",
        "name",
        "watched",
    )

    def __init__(
        self,
        sim: Simulation,
        coroutine: Coroutine[Any, Any, T],
        name: str,
        group: Group | None = None,
    ) -> None:
        self._sim = sim
        self.group = group
        if group is not None:
            group.tasks[self] = None
        self._coroutine = coroutine
        self._wait: Wait | None = None
        self._joiners: list[Callable[[], object]] | None = []
        self._result: T | None = None
        self.name = name
        self.cause = sim.cause
        self.done = False
        self.error: BaseException | None = None
        self.watched = False  # someone will look at the result, so an error is not lost
        sim.at(sim.now, self._start, f"start {name}", URGENT)

    def wake(self, value: Any = None) -> None:
        """Run on to the next await, which gets `value`."""
        self._wait = None
        self._advance(self._coroutine.send, value)

    def kill(self, error: BaseException | None = None) -> None:
        """Throw `error` (by default `Killed`) where the task waits, before other pending work."""
        thrown = error or Killed()

        def throw() -> None:
            if self.done:
                return
            if self._wait is not None:
                self._wait.disarm()
                self._wait = None
            self._advance(self._coroutine.throw, thrown)

        if not self.done:
            self._sim.at(self._sim.now, throw, f"kill {self.name}", URGENT)

    def on_done(self, action: Callable[[], object]) -> None:
        """Call `action` when the task has ended, at once if it has."""
        self.watched = True
        if self._joiners is None:
            action()
        else:
            self._joiners.append(action)

    def result(self) -> T:
        """Return what the coroutine returned, or raise what it raised."""
        if self.error is not None:
            raise self.error
        return self._result  # type: ignore[return-value]

    def __await__(self) -> Generator[Any, Any, T]:
        if self._joiners is not None:
            yield Join(self)
        return self.result()

    def _start(self) -> None:
        self._advance(self._coroutine.send, None)

    def _advance(self, resume: Callable[[Any], Any], value: Any) -> None:
        sim = self._sim
        sim.cause = self.cause
        sim.group = self.group
        try:
            wait = resume(value)
        except StopIteration as stop:
            self._finish(stop.value, None)
        except Killed as killed:
            self._finish(None, killed)
        except Exception as error:
            self._finish(None, error)
        else:
            self.cause = sim.cause
            self._wait = wait
            wait.arm(self)

    def _finish(self, result: T | None, error: BaseException | None) -> None:
        self.done, self._result, self.error = True, result, error
        group = self.group
        if group is not None:
            group.tasks.pop(self, None)
        if isinstance(error, Exception) and not self.watched:
            if group is not None and group.on_error is not None:
                group.on_error(error)
                return
            raise TaskError(f"task {self.name} failed at {self._sim.now:.3f} s") from error
        if self._joiners:
            self._sim.at(self._sim.now, self._tell, f"end of {self.name}")
        else:
            self._joiners = None

    def _tell(self) -> None:
        joiners, self._joiners = self._joiners, None
        for action in joiners or ():
            action()


class Sleep:
    """A wait for virtual time to pass."""

    __slots__ = ("_label", "_seconds", "_sim", "_timer")

    def __init__(self, sim: Simulation, seconds: float, label: str = "") -> None:
        self._sim = sim
        self._seconds = seconds
        self._label = label

    def __await__(self) -> Generator[Any, Any, None]:
        yield self

    def arm(self, task: Task[Any]) -> None:
        """Wake the task when the time has passed."""
        when = self._sim.now + self._seconds
        self._timer = self._sim.at(when, task.wake, self._label or task.name)

    def disarm(self) -> None:
        """Forget the sleeper."""
        self._timer.cancel()


class Join:
    """A wait for another task to end."""

    __slots__ = ("_action", "_task")

    def __init__(self, task: Task[Any]) -> None:
        self._task = task

    def arm(self, task: Task[Any]) -> None:
        """Wake the task when the other has ended."""
        self._action: Callable[[], object] = task.wake
        self._task.on_done(self._action)

    def disarm(self) -> None:
        """Stop waiting; the other task goes on."""
        joiners = self._task._joiners
        if joiners is not None and self._action in joiners:
            joiners.remove(self._action)


class Group:
    """Tasks that end together, as the threads of one process do.

    `on_error` hears of an exception that ended a task which nobody awaits; without it the
    exception leaves `Simulation.step`.
    """

    __slots__ = ("name", "on_error", "tasks")

    def __init__(self, name: str, on_error: Callable[[Exception], None] | None = None) -> None:
        self.name = name
        self.on_error = on_error
        self.tasks: dict[Task[Any], None] = {}  # a dict keeps the order in which they came

    def kill(self) -> None:
        """Kill all tasks, in the order in which they were spawned."""
        for task in tuple(self.tasks):
            task.kill()

    def __repr__(self) -> str:
        return self.name
