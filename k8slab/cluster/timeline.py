"""The timeline of a run: from the start of the machines until now, with all that the learner did.

    cluster.timeline                     # what you did, and when
    cluster.timeline.scrub(21.5)         # a `Moment`: the cluster as it was
    cluster.timeline.before(21.5)        # when something last happened before that

Rule of use: looking changes nothing; it stays true while the run goes on.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.cluster.moment import Moment
from k8slab.cluster.recording import Input

if TYPE_CHECKING:
    from k8slab.cluster.cluster import Cluster


class Timeline:
    """The past of one cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @property
    def end(self) -> float:
        """The present, in virtual seconds; the timeline begins at 0."""
        return self._cluster.now

    @property
    def inputs(self) -> tuple[Input, ...]:
        """What the learner did, oldest first."""
        return tuple(self._cluster.recording.inputs)

    def scrub(self, time: float) -> Moment:
        """Return the cluster as it was; before the start and after now, the nearest moment."""
        return self._cluster.at(min(max(time, 0.0), self.end))

    def before(self, time: float) -> float:
        """Return when something last happened before a virtual time, 0 if nothing did."""
        trace = self._cluster.trace
        number = trace.until(time)
        while number and trace[number].time >= time:
            number -= 1
        return trace[number].time if number else 0.0

    def after(self, time: float) -> float:
        """Return when something first happened after a virtual time, now if nothing has."""
        trace = self._cluster.trace
        number = trace.until(time) + 1
        return trace[number].time if number <= len(trace) else self.end

    @property
    def text(self) -> str:
        """What the learner did, a line each."""
        records, inputs = len(self._cluster.trace), self.inputs
        head = f"{self.end:.3f} s, {records} records, {len(inputs)} inputs:"
        return "\n".join([head, *(str(each) for each in inputs)])

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return self.text
