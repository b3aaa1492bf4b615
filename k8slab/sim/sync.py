"""Ways for tasks to wait for one another: a `Signal` happens once, a `Queue` hands over items.

A signal goes through three states: pending, set (its waiters are about to run) and past (a wait
returns at once). A queue wakes its waiters first come, first served. Both take a timeout in
virtual seconds. Every wait that is not past goes through the event queue, so that `step()` shows
each wake-up and the order equals SimPy's.

Rule of use: `set` and `put` never block and may be called from anywhere.

Upstream: none (Go's channels and sync.Cond do this there)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Any, Generic, TypeVar

from k8slab.sim.kernel import Simulation
from k8slab.sim.task import Task
from k8slab.sim.timer import Timer

T = TypeVar("T")


class Signal:
    """Something that happens once; all who wait for it go on, in the order in which they came."""

    __slots__ = ("_label", "_sim", "_waiters", "is_set")

    def __init__(self, sim: Simulation, label: str = "signal") -> None:
        self._sim = sim
        self._label = label
        self._waiters: list[SignalWait] | None = []
        self.is_set = False

    def set(self) -> None:
        """Let it happen now; doing so twice does no harm."""
        if not self.is_set:
            self.is_set = True
            self._sim.at(self._sim.now, self._tell, self._label)

    def wait(self, timeout: float | None = None) -> SignalWait:
        """Await this: True once it happened, False if `timeout` virtual seconds passed before."""
        return SignalWait(self, timeout)

    def _tell(self) -> None:
        waiters, self._waiters = self._waiters, None
        for waiter in waiters or ():
            waiter.finish(True)


class SignalWait:
    """One task's wait for a signal."""

    __slots__ = ("_signal", "_task", "_timeout", "_timer")

    def __init__(self, signal: Signal, timeout: float | None) -> None:
        self._signal = signal
        self._timeout = timeout
        self._timer: Timer | None = None
        self._task: Task[Any] | None = None

    def __await__(self) -> Generator[Any, Any, bool]:
        if self._signal._waiters is None:
            return True
        happened: bool = yield self
        return happened

    def arm(self, task: Task[Any]) -> None:
        """Join the waiters."""
        self._task = task
        assert self._signal._waiters is not None
        self._signal._waiters.append(self)
        self._timer = timer_for(self._signal._sim, self._timeout, self.give_up, task)

    def give_up(self) -> None:
        """Leave the waiters: the time is over."""
        task = self._task
        self.disarm()
        if task is not None:
            task.wake(False)

    def finish(self, happened: bool) -> None:
        """Wake the task, unless it was killed meanwhile."""
        task, self._task = self._task, None
        if self._timer is not None:
            self._timer.cancel()
        if task is not None:
            task.wake(happened)

    def disarm(self) -> None:
        """Leave the waiters."""
        self._task = None
        if self._timer is not None:
            self._timer.cancel()
        waiters = self._signal._waiters
        if waiters is not None and self in waiters:
            waiters.remove(self)


class Queue(Generic[T]):
    """Items in the order in which they were put; each goes to exactly one getter."""

    __slots__ = ("_getters", "_items", "_label", "_sim")

    def __init__(self, sim: Simulation, label: str = "queue") -> None:
        self._sim = sim
        self._label = label
        self._items: deque[T] = deque()
        self._getters: deque[QueueWait[T]] = deque()

    def __len__(self) -> int:
        return len(self._items)

    def put(self, item: T) -> None:
        """Append an item; the longest waiting getter gets the first."""
        self._items.append(item)
        if self._getters:
            self._getters.popleft().hand_over()

    def get(self, timeout: float | None = None) -> QueueWait[T]:
        """Await the next item. Raises TimeoutError after `timeout` virtual seconds without one."""
        return QueueWait(self, timeout)

    def get_nowait(self) -> T | None:
        """Return the next item, None if there is none."""
        return self._items.popleft() if self._items else None


class QueueWait(Generic[T]):
    """One task's wait for an item."""

    __slots__ = ("_handing", "_item", "_queue", "_task", "_timeout", "_timer")

    def __init__(self, queue: Queue[T], timeout: float | None) -> None:
        self._queue = queue
        self._timeout = timeout
        self._task: Task[Any] | None = None
        self._timer: Timer | None = None
        self._handing: Timer | None = None
        self._item: T | None = None

    def __await__(self) -> Generator[Any, Any, T]:
        got: bool = yield self
        if not got:
            raise TimeoutError(f"{self._queue._label}: nothing came in {self._timeout:g} s")
        return self._item  # type: ignore[return-value]

    def arm(self, task: Task[Any]) -> None:
        """Take an item if there is one, else line up for the next."""
        self._task = task
        if self._queue._items:
            self.hand_over()
        else:
            self._queue._getters.append(self)
            self._timer = timer_for(self._queue._sim, self._timeout, self.give_up, task)

    def hand_over(self) -> None:
        """Take the first item and wake the task at this moment."""
        self._item = self._queue._items.popleft()
        if self._timer is not None:
            self._timer.cancel()
        sim = self._queue._sim
        self._handing = sim.at(sim.now, self.finish, self._queue._label)

    def finish(self) -> None:
        """Wake the task with the item."""
        if self._task is not None:
            self._task.wake(True)

    def give_up(self) -> None:
        """Leave the line: the time is over."""
        task = self._task
        self.disarm()
        if task is not None:
            task.wake(False)

    def disarm(self) -> None:
        """Leave the line; an item that was already handed over goes back to the front."""
        if self._timer is not None:
            self._timer.cancel()
        if self._handing is not None and self._handing.action is not None:
            self._handing.cancel()
            self._queue._items.appendleft(self._item)  # type: ignore[arg-type]
            if self._queue._getters:
                self._queue._getters.popleft().hand_over()
        elif self in self._queue._getters:
            self._queue._getters.remove(self)


def timer_for(
    sim: Simulation, timeout: float | None, action: Callable[[], None], task: Task[Any]
) -> Timer | None:
    """Return a timer that runs `action` after `timeout` virtual seconds, None without a limit."""
    return None if timeout is None else sim.after(timeout, action, f"time-out of {task.name}")
