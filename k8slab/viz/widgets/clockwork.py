"""Where the learner stands in time: now, or at a moment of the past, and what is near it.

`Clockwork` moves a cluster forward (`play`, `step`) and the learner's eye back (`back`, `look`); it
knows the next event, the last records, and how a guess about the next record came out.

Rule of use: only `play` and `step` let time pass; looking back changes nothing.

Upstream: none
"""

from __future__ import annotations

from k8slab.sim import Record
from k8slab.viz.facts import ViewLike, clock
from k8slab.viz.traffic import actor
from k8slab.viz.widgets.widget import Drivable

PATIENCE = 10.0  # virtual seconds after which a step gives up: all is as it should be
LISTED = 5  # records


class Clockwork:
    """A cluster's time, and the record after which the learner looks."""

    def __init__(self, cluster: Drivable) -> None:
        self.cluster = cluster
        self.past: int | None = None  # a record; None: the present
        self.since = 0  # the record after which messages are counted: at first, all of them

    @property
    def time(self) -> float:
        """The virtual time at which the learner looks."""
        return self.cluster.now if self.past is None else self.cluster.trace[self.past].time

    @property
    def record(self) -> int:
        """The number of the last record that is seen."""
        return len(self.cluster.trace) if self.past is None else self.past

    @property
    def view(self) -> ViewLike:
        """The objects at that time."""
        return self.cluster.view if self.past is None else self.cluster.at(self.time)

    def play(self, seconds: float, *, further: bool = False) -> None:
        """Go on from the present for some virtual seconds.

        Messages are counted from here, or, a piece `further`, from where they were counted before.
        """
        self.past = None
        if not further:
            self.since = len(self.cluster.trace)
        self.cluster.run(seconds)

    def step(self) -> Record | None:
        """Let events happen until one of them leaves a record; return it, None if none does."""
        self.past, self.since = None, len(self.cluster.trace)
        deadline = self.cluster.now + PATIENCE
        while len(self.cluster.trace) == self.since and self.cluster.now < deadline:
            if self.cluster.step() is None:
                break
        fresh = self.cluster.trace.since(self.since)
        return fresh[0] if fresh else None

    def back(self) -> None:
        """Look at the moment before the last record that is seen now."""
        self.look(self.record - 1)

    def look(self, record: int) -> None:
        """Look at the moment just after a record; after the last one, that is the present."""
        last = len(self.cluster.trace)
        self.past = max(record, 1) if last and record < last else None
        self.since = max(self.record - LISTED, 0)

    def records(self, most: int) -> list[Record]:
        """Return the last records that are seen, oldest first."""
        first = max(self.record - most + 1, 1)
        return [self.cluster.trace[number] for number in range(first, self.record + 1)]

    def next(self) -> str:
        """Say what is about to happen."""
        waiting = self.cluster.pending()
        if not waiting:
            return "nothing is pending"
        soonest = waiting[0]
        return f"at {clock(soonest.when)}: {soonest.label or 'something without a name'}"

    def text(self) -> str:
        """Say where the learner stands, what comes next and what came last."""
        where = "now" if self.past is None else f"the past; now it is {clock(self.cluster.now)}"
        lines = [f"{clock(self.time)} ({where})", f"next, {self.next()}", "last records:"]
        lines += [
            f"  {r.time:9.3f}  {r.component} {r.verb} {r.subject}" for r in self.records(LISTED)
        ]
        return "\n".join(lines)

    def judge(self, guess: str, record: Record | None) -> str:
        """Say how a guess of the next actor came out, and why."""
        if record is None:
            return f"Nobody acted in {PATIENCE:g} virtual seconds: everything is as it should be."
        who = actor(record).partition("/")[0]
        did = f"{record.component} did: {record.verb} {record.subject}"
        if record.detail:
            did += f" ({record.detail})"
        verdict = "Right." if guess == who else f"Not {guess}."
        return f"{verdict} At {clock(record.time)} {did}.\n{self._because(record)}"

    def _because(self, record: Record) -> str:
        if not record.cause:
            return "Nobody asked for it: it was due, as a timer of its own."
        cause = self.cluster.trace[record.cause]
        return (
            f"Because at {clock(cause.time)} {cause.component} did: {cause.verb} {cause.subject}; "
            "a component acts on what it was told, not on its own idea."
        )
