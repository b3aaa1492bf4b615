"""The loop stepper: desired, observed, difference, action; one turn of a ReplicaSet's loop a step.

    reconcile_stepper(cluster)
    reconcile_stepper(cluster, replica_set="web-6f7d8c9b4")

Change the wish or the world with a kubectl command: the difference opens. Predict what the loop
does, and go on to its next decision. A loop that sees no difference does nothing, and that is most
of its life.

Rule of use: observed are the Pods that it owns and that are neither ended nor being deleted.

Upstream: pkg/controller/replicaset/replica_set.go (syncReplicaSet)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.meta import controller_of
from k8slab.api.pods import is_pod_active
from k8slab.sim import Record
from k8slab.viz.drawing import Box, Drawing, Item, Text, arrow
from k8slab.viz.facts import clock
from k8slab.viz.figure import Figure
from k8slab.viz.grid import Cell, Column, grid
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import BLUE, GREY, MARGIN, ORANGE, SMALL, TITLE, VERMILLION, WIDTH, text_on
from k8slab.viz.text_width import fit
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

CREATE, DELETE, CLAIM, NOTHING = "create Pods", "delete Pods", "adopt or release", "nothing"
ACTIONS = (CREATE, DELETE, CLAIM, NOTHING)
PATIENCE = 10.0  # virtual seconds without a decision: then it does nothing
SHOWN = 10  # turns
MAKE = "create deployment web --image=nginx --replicas=3"
COLUMNS = (
    Column("virtual time", 100), Column("who", 170), Column("what", 340),
    Column("desired", 70), Column("observed", 78), Column("difference", 90),
)  # fmt: skip


class Turn(msgspec.Struct, frozen=True):
    """A decision of the loop, or a command of the learner's, and how things stood then."""

    time: float
    who: str
    what: str
    desired: int
    observed: int

    @property
    def difference(self) -> int:
        """How many Pods are missing; below 0, how many are too many."""
        return self.desired - self.observed


def reconcile_stepper(cluster: Drivable, *, replica_set: str = "") -> ReconcileStepper:
    """Return the stepper of a ReplicaSet of namespace default, by default of the first one."""
    return ReconcileStepper(cluster, replica_set)


class ReconcileStepper(Trial):
    """A ReplicaSet's loop, turn by turn."""

    QUESTION = "What will the loop do next?"
    GO = "Guess, then one turn"

    def __init__(self, cluster: Drivable, replica_set: str) -> None:
        self.cluster = cluster
        self.turns: list[Turn] = []
        names = self._names()
        first = replica_set or (names[0] if names else "")
        if replica_set and replica_set not in names:
            known = ", ".join(names) or "none"
            raise ValueError(
                f"no ReplicaSet {replica_set!r} in namespace default: there are {known}"
            )
        super().__init__(
            (
                Dial(name="rs", words="ReplicaSet", options=names or ("",), value=replica_set,
                     width="280px"),
                Dial(name="command", words="kubectl", value=self._suggestion(first),
                     width="520px"),
            ),
            (Dial(name="action", words="The loop will", options=ACTIONS, width="260px"),),
        )  # fmt: skip

    def _names(self) -> tuple[str, ...]:
        return tuple(rs.metadata.name for rs in self.cluster.view.list(ReplicaSet, "default"))

    def _suggestion(self, name: str) -> str:
        """Return a command that opens a difference, and that no owner takes back."""
        rs = self.cluster.view.get(ReplicaSet, name) if name else None
        if rs is None:
            return MAKE
        owner = controller_of(rs)
        return (
            f"scale {owner.kind.lower()} {owner.name} --replicas=5"
            if owner is not None
            else (f"scale rs {name} --replicas=5")
        )

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the button of the command."""
        return (("Run the command", self.command, "Run kubectl, and look at once"),)

    def command(self) -> None:
        """Run the kubectl command and look before the loop has acted."""
        command = self.values["command"].strip().removeprefix("kubectl ")
        said = self.cluster.kubectl(command).strip()
        self._offer()
        self._note("you", f"kubectl {command}")
        self.say(f"{said}\n{self.QUESTION}")

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Go on to the loop's next decision, and compare."""
        if not self.values["rs"]:
            self._wait_for_a_replica_set()
        record = self._next_decision()
        if record is None:
            desired, observed = self._numbers()
            verdict = (
                "Right" if guesses["action"] == NOTHING else f"It does not {guesses['action']}"
            )
            why = (
                "observed is what is desired, so a look at it leads to nothing."
                if desired == observed
                else f"yet {observed} of {desired} are there: does the loop run?"
            )
            return f"{verdict}: {PATIENCE:g} virtual seconds without a decision; {why}"
        self._note(record.component, record.detail)
        action = action_of(record.detail)
        verdict = "Right" if guesses["action"] == action else f"Not {guesses['action']}"
        return f"{verdict}: at {clock(record.time)} it saw {record.detail}."

    def _wait_for_a_replica_set(self) -> None:
        deadline = self.cluster.now + PATIENCE
        while not self._names() and self.cluster.now < deadline:
            if self.cluster.step() is None:
                break
        self._offer()
        if not self.values["rs"]:
            raise ValueError("There is no ReplicaSet in namespace default: run a command first.")

    def _next_decision(self) -> Record | None:
        subject = f"ReplicaSet/default/{self.values['rs']}"
        deadline = self.cluster.now + PATIENCE
        while self.cluster.now < deadline:
            before = len(self.cluster.trace)
            if self.cluster.step() is None:
                return None
            for record in self.cluster.trace.since(before):
                if record.subject == subject and record.verb == "decide":
                    return record
        return None

    def _offer(self) -> None:
        self.offer("rs", self._names() or ("",))

    def _note(self, who: str, what: str) -> None:
        desired, observed = self._numbers()
        self.turns.append(Turn(self.cluster.now, who, what, desired, observed))

    def _numbers(self) -> tuple[int, int]:
        """Return (desired, observed) of the ReplicaSet now."""
        view = self.cluster.view
        rs = view.get(ReplicaSet, self.values["rs"]) if self.values["rs"] else None
        if rs is None:
            return 0, 0
        owned = [
            pod
            for pod in view.list(Pod, "default")
            if is_pod_active(pod)
            and (owner := controller_of(pod)) is not None
            and owner.uid == rs.metadata.uid
        ]
        return (1 if rs.spec.replicas is None else rs.spec.replicas), len(owned)

    def redraw(self) -> None:
        """Offer the ReplicaSets that there are now, and draw."""
        self._offer()
        super().redraw()

    # -- the picture

    def draw(self) -> Figure:
        """Draw the four boxes of the loop, and its last turns."""
        name = self.values["rs"] or "none yet"
        desired, observed = self._numbers()
        missing = desired - observed
        last = self.turns[-1] if self.turns else None
        action = last.what if last is not None and last.who != "you" else "not looked yet"
        title = f"The loop of replicaset/{name}"
        items = heading(title, f"at {clock(self.cluster.now)}")
        items += _boxes(desired, observed, missing, action, HEAD + 8)
        rows = [_row(turn) for turn in self.turns[-SHOWN:]]
        table, y = grid(COLUMNS, rows, HEAD + 96)
        alt = f"{title}: desired {desired}, observed {observed}, difference {missing}; {action}."
        lines = [f"{title} at {clock(self.cluster.now)}: desired {desired}, observed {observed}, "
                 f"difference {missing}; last action: {action}"]  # fmt: skip
        lines += [
            f"  {clock(t.time):>10} {t.who}: {t.what} (desired {t.desired}, observed {t.observed}, "
            f"difference {t.difference})"
            for t in self.turns
        ]
        return Figure(Drawing(WIDTH, y + 14, (*items, *table)), alt=alt, text="\n".join(lines))


def action_of(detail: str) -> str:
    """Return what a decision of the loop asks for.

    >>> action_of("0 of 3 replicas: create 3"), action_of("adopt volunteer")
    ('create Pods', 'adopt or release')
    """
    what = detail.rpartition(": ")[2]
    if what.startswith("create"):
        return CREATE
    return DELETE if what.startswith("delete") else CLAIM


def _row(turn: Turn) -> tuple[Cell | str, ...]:
    difference = f"{turn.difference:+d}" if turn.difference else "0"
    mine = turn.who == "you"
    return (
        clock(turn.time),
        turn.who,
        Cell(turn.what, bold=not mine),
        str(turn.desired),
        str(turn.observed),
        Cell(difference, bold=bool(turn.difference)),
    )


def _boxes(desired: int, observed: int, missing: int, action: str, y: float) -> list[Item]:
    """Draw desired - observed = difference -> action."""
    wide, gap, height = 160.0, 44.0, 64.0
    last = WIDTH - 2 * MARGIN - 3 * (wide + gap)
    fills = (BLUE, GREY, VERMILLION if missing else GREY, ORANGE)
    words = (
        ("desired", str(desired)),
        ("observed", str(observed)),
        ("difference", f"{missing:+d}" if missing else "0"),
        ("last action", fit(action, last - 20, SMALL)),
    )
    items: list[Item] = []
    x = MARGIN
    for place, (fill, (head, value)) in enumerate(zip(fills, words, strict=True)):
        room = last if place == len(fills) - 1 else wide
        ink = text_on(fill)
        size = SMALL if place == len(fills) - 1 else TITLE
        items += [
            Box(x=x, y=y, width=room, height=height, fill=fill),
            Text(x=x + room / 2, y=y + 18, text=head, size=SMALL, fill=ink, anchor="middle"),
            Text(x=x + room / 2, y=y + 43, text=value, size=size, fill=ink, anchor="middle",
                 bold=True),
        ]  # fmt: skip
        middle = x + room + gap / 2
        if place < 2:
            sign = "-" if place == 0 else "="
            items.append(Text(x=middle, y=y + 32, text=sign, size=TITLE, anchor="middle"))
        elif place == 2:
            items += arrow([(middle - 14, y + 32), (middle + 14, y + 32)], line=2.0)
        x += room + gap
    return items
