"""Entries of the queue: a `Timer` runs an action later, a `Sleep` lets the task awaiting it go on.

A sleep is a timer whose action is to wake its sleeper. Most of what waits in a cluster sleeps, so
this is the lab's most frequent object, and its smallest.

Rule of use: made by `Simulation.at`, `after` and `sleep`.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from k8slab.sim.kernel import Simulation
    from k8slab.sim.task import Task

OUTSIDE = (
    "this takes virtual time, so it can only be awaited inside the lab: use cluster.run(...), "
    "cluster.kubectl(...) or cluster.request(...) in a notebook cell"
)


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


class Sleep(Timer):
    """A wait for virtual time to pass; until a task awaits it, `when` is how long it will take."""

    __slots__ = ()

    def __init__(self, sim: Simulation, seconds: float, label: str = "") -> None:
        if seconds < 0:
            raise ValueError(f"cannot sleep for {seconds} s: time does not go back")
        self._sim = sim
        self.when = seconds
        self.action = None
        self.label = label
        self.cause = 0

    def __await__(self) -> Generator[Any, Any, None]:
        if self._sim.running is None:
            raise RuntimeError(OUTSIDE)
        return iter((self,))  # type: ignore[return-value]  # as good as one, and smaller

    def arm(self, task: Task[Any]) -> None:
        """Wake the task when the time has passed."""
        sim = self._sim
        self.when += sim.now
        self.action = task.wake
        self.label = self.label or task.name
        self.cause = sim.cause
        sim.push(self)

    disarm = Timer.cancel
