"""Tasks: coroutines on the virtual clock, and the groups that end together.

A task runs until it awaits; what it awaits (a `Wait`) puts it back into the queue later. Awaiting
a task gives its result. Tasks that belong to one process form a `Group`: what a task spawns joins
its group, so that killing a container ends all that it started.

Rule of use: made by `Simulation.spawn`; a task that nobody awaits must not raise.

Upstream: none (goroutines do this there)
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from k8slab.sim.kernel import Simulation

T = TypeVar("T")

URGENT, NORMAL = 0, 1  # starting and killing a task come before all else of the same moment


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
            # What its end brings about is the killer's doing.
            self.cause = self._sim.cause or self.cause
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
        sim.group, sim.running = self.group, self
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
