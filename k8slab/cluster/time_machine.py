"""The learner's time machine: looking back, and living a run again.

Rule of use: inherited by `Cluster`; `fork` has the replay, `diff` the comparison of two runs.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from k8slab.cluster.turn import in_turn
from k8slab.cluster.view import View

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster
    from k8slab.cluster.diff import Difference


class TimeMachine:
    """Past moments, and other futures."""

    @in_turn
    def at(self: Cluster, time: float) -> View:  # type: ignore[misc]
        """Return all objects as they were at a virtual time."""
        if not 0 <= time <= self.now:
            raise ValueError(f"the past reaches from 0 to {self.now:.3f} s, got {time:g}")
        number = self.trace.until(time)
        while number and not self.trace[number].revision:
            number -= 1
        return View(self.backend, self.trace[number].revision if number else 1, time)

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
