"""The learner's time machine: looking back, and living a run again.

Rule of use: inherited by `Cluster`; `fork` has the replay, `diff` the comparison of two runs.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from k8slab.cluster.moment import Moment
from k8slab.cluster.turn import in_turn

if TYPE_CHECKING:
    from k8slab.cluster.breakpoints import Breakpoint
    from k8slab.cluster.cluster import Cluster
    from k8slab.cluster.diff import Difference
    from k8slab.cluster.timeline import Timeline


class TimeMachine:
    """Past moments, and other futures."""

    @in_turn
    def at(self: Cluster, time: float) -> Moment:  # type: ignore[misc]
        """Return the cluster as it was at a virtual time, to look at."""
        if not 0 <= time <= self.now:
            raise ValueError(f"the past reaches from 0 to {self.now:.3f} s, got {time:g}")
        number = self.trace.until(time)
        while number and not self.trace[number].revision:
            number -= 1
        return Moment(self, self.trace[number].revision if number else 1, time)

    @property
    def timeline(self) -> Timeline:
        """The past: what was done when, and any moment to look at."""
        from k8slab.cluster.timeline import Timeline

        return Timeline(cast("Cluster", self))

    @in_turn
    def break_on(self: Cluster, what: str | Callable[[Cluster], object]) -> Breakpoint:  # type: ignore[misc]
        """Let time stop when something becomes true: "Pod/* phase=Failed", or a function.

        It stops `run`, which returns the `Stop`, `settle` and `run_until`; `clear()` ends that.
        """
        return self.breakpoints.add(what)

    @in_turn
    def fork(self: Cluster, at: float | None = None) -> Cluster:  # type: ignore[misc]
        """Return a second cluster with this one's past up to a virtual time; both live on.

        What was done at exactly that time has not been done there; by default, everything has.
        Raises ReplayError if something was done that no replay can repeat.
        """
        from k8slab.cluster.fork import fork

        return fork(self, at)

    def diff(self, other: Cluster) -> Difference:
        """Return where this run and another part, and how each went on."""
        from k8slab.cluster.diff import diff

        return diff(cast("Cluster", self), other)

    @in_turn
    def save(self: Cluster, path: str | Path) -> None:  # type: ignore[misc]
        """Write the run to a small file, from which `Cluster.load` makes the same cluster again."""
        from k8slab.cluster.run_file import save

        save(self, path)

    @classmethod
    def load(cls, path: str | Path, *, replace: Mapping[str, Any] | None = None) -> Cluster:
        """Return the cluster of a saved run, at the moment at which it was saved.

        `replace` holds the learner's own parts, if the run had any: a file has no code. Raises
        RunFileError if the file is none, is damaged, or comes out differently.
        """
        from k8slab.cluster.run_file import load

        return load(cast("type[Cluster]", cls), path, replace)
