"""The seven steps from manifest to running, one at a time: captions bound to what really happens.

    steps(cluster)
    steps(cluster, command="create deployment web --image=nginx", what="deployment/web")

The reader guesses who acts next and goes on; virtual time passes until that step has begun. Beside
the caption stand the records of the trace: who told whom what, when, and how long it took.

Rule of use: a step that does not come is told as such; look for the part that was stopped.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from k8slab.sim import Record
from k8slab.viz.conversation import FOLLOWS, SERVES, SEVEN, STEPS, Turn, converse
from k8slab.viz.drawing import Box, Disc, Drawing, Item, Text
from k8slab.viz.facts import clock
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.shapes import mark
from k8slab.viz.style import BODY, COMPONENTS, MARGIN, SMALL, WIDTH
from k8slab.viz.text_width import clip, wrap
from k8slab.viz.widgets.step_captions import ACTORS, CAPTIONS
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.widget import Drivable

COMMAND, WHAT = "run web --image=nginx", "pod/web"
PATIENCE = 60.0  # virtual seconds after which a step is said not to come
ROW, LINE = 26.0, 17.0  # px
MOST = 8  # turns of a step that are drawn
ARROW = "→"


def steps(
    cluster: Drivable, *, command: str = COMMAND, what: str = WHAT, namespace: str = "default"
) -> Steps:
    """Return the steps of a kubectl command; `what` is the object that it makes."""
    return Steps(cluster, command, what, namespace)


class Steps(Trial):
    """Captions, and how far the reader has come."""

    QUESTION = "Who acts next?"
    GO = "Guess, then go on"

    def __init__(self, cluster: Drivable, command: str, what: str, namespace: str) -> None:
        super().__init__(
            (), (Dial(name="who", words="Next to act", options=ACTORS, width="300px"),)
        )
        self.cluster = cluster
        self.command = command
        self.what = what
        self.namespace = namespace
        self.turns: list[Turn] = []
        self.told = 0  # steps that the reader has seen
        self._began = False

    @property
    def begun(self) -> list[int]:
        """The steps that have begun, in their order."""
        return list(dict.fromkeys(turn.step for turn in self.turns))

    @property
    def current(self) -> int | None:
        """The step that the reader looks at."""
        return self.begun[self.told - 1] if self.told else None

    def preview(self) -> str:
        """Return the command."""
        return f"kubectl {self.command}"

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Go on to the next step, and say who acted."""
        if self.told == len(self.begun) and not self._drive():
            return self._nothing_more()
        self.told += 1
        step = self.current
        assert step is not None
        caption = CAPTIONS[step]
        right = guesses["who"] in caption.who
        verdict = "Right." if right else f"Not {guesses['who']}: {caption.who[0]}."
        return f"{verdict} {caption.words}"

    # -- driving

    def _drive(self) -> bool:
        """Let things happen until a further step has begun; say whether one has."""
        if not self._began:
            before = len(self.cluster.trace)
            said = self.cluster.kubectl(self.command).strip()
            if not any(
                r.revision and r.component == "you" for r in self.cluster.trace.since(before)
            ):
                raise ValueError(said)
            self._began = True
            self._look()
            if self.turns:
                return True  # else the first Pod comes later: controllers are to make it
        known, deadline = len(self.begun), self.cluster.now + PATIENCE
        while self.cluster.now < deadline:
            before = len(self.cluster.trace)
            if self.cluster.step() is None:
                break
            fresh = self.cluster.trace.since(before)
            if any(self._concerns(record) for record in fresh):
                self._look()
                if len(self.begun) > known:
                    return True
        return False

    def _concerns(self, record: Record) -> bool:
        name = self.what.rpartition("/")[2]
        return name in record.subject or record.verb in ("pull", "sync")

    def _look(self) -> None:
        try:
            found = converse(self.cluster, self.what, self.namespace, rules=True)
        except ValueError:  # there is no Pod yet
            return
        self.turns = found

    def _nothing_more(self) -> str:
        missing = [step for step in SEVEN if step not in self.begun]
        if not missing:
            return "All seven steps are done: the Pod runs, and the API server knows it."
        return (
            f"{PATIENCE:g} virtual seconds went by, and this did not come: {STEPS[missing[0]]}. "
            "Who should have acted, and does it run?"
        )

    # -- the picture

    def draw(self) -> Figure:
        """Draw the list of steps, the current one with its caption and its turns."""
        title = f"From manifest to running: {self.what}"
        current = self.current
        seen = self.begun[: self.told]
        below = STEPS[current] if current is not None else f"kubectl {self.command}"
        order = [*SEVEN[:2], *([FOLLOWS] if FOLLOWS in seen else []), *SEVEN[2:],
                 *([SERVES] if SERVES in seen else [])]  # fmt: skip
        items = heading(title, f"{len(seen)} of {len(order)}: {below}" if seen else below)
        y = HEAD + 6
        for step in order:
            drawn, y = self._step(step, step in seen, step == current, y)
            items += drawn
        alt = f"{title}. {len(seen)} of {len(order)} steps; now: {below}."
        return Figure(Drawing(WIDTH, y + 10, tuple(items)), alt=alt, text=self._text(title, seen))

    def _step(self, step: int, seen: bool, current: bool, y: float) -> tuple[list[Item], float]:
        """Draw one step: hollow while it has not been seen."""
        look = COMPONENTS[CAPTIONS[step].who[0]]
        turns = [turn for turn in self.turns if turn.step == step] if seen else []
        words = wrap(CAPTIONS[step].words, WIDTH - 120, BODY) if current else []
        shown = turns[:MOST] if current else []
        height = ROW + LINE * (len(words) + len(shown) + bool(words))
        items: list[Item] = []
        if current:
            items.append(Box(x=MARGIN, y=y + 1, width=WIDTH - 2 * MARGIN, height=height - 2,
                             fill="panel", stroke="accent", line=1.5))  # fmt: skip
        middle, left = y + ROW / 2, MARGIN + 14
        if seen:
            items += mark(look.shape, left, middle, 6, look.fill)
        else:
            items.append(Disc(x=left, y=middle, radius=5, stroke="rule"))
        sign = f"{step}" if step in SEVEN else "+"
        ink = "ink" if seen else "muted"
        items += [
            Text(x=left + 18, y=middle, text=sign, size=BODY, fill=ink, bold=True),
            Text(x=left + 40, y=middle, text=STEPS[step], size=BODY, fill=ink, bold=current),
        ]
        if turns:
            text = self._when(turns)
            items.append(Text(x=WIDTH - MARGIN - 12, y=middle, text=text, size=SMALL, fill="muted",
                              anchor="end"))  # fmt: skip
        return items + self._inside(step, words, shown, left + 40, y + ROW), y + height

    def _inside(
        self, step: int, words: Sequence[str], turns: Sequence[Turn], x: float, y: float
    ) -> list[Item]:
        """Write caption, field and turns of the current step."""
        items: list[Item] = []
        for line in words:
            items.append(Text(x=x, y=y + 6, text=line, size=BODY))
            y += LINE
        if words:
            text = f"writes: {CAPTIONS[step].writes}"
            items.append(Text(x=x, y=y + 6, text=text, size=SMALL, fill="muted"))
            y += LINE
        for turn in turns:
            text = clip(_told(turn), WIDTH - MARGIN - 90 - x, SMALL)
            items += [
                Text(x=x + 52, y=y + 6, text=f"{turn.time:.3f}", size=SMALL, fill="muted",
                     anchor="end"),
                Text(x=x + 62, y=y + 6, text=text, size=SMALL),
            ]  # fmt: skip
            y += LINE
        return items

    def _when(self, turns: Sequence[Turn]) -> str:
        """Return when a step began, and how long after the one before it."""
        order = self.begun
        place = order.index(turns[0].step)
        if not place:
            return clock(turns[0].time)
        earlier = next(turn for turn in self.turns if turn.step == order[place - 1])
        return f"{clock(turns[0].time)}, {1000 * (turns[0].time - earlier.time):.0f} ms later"

    def _text(self, title: str, seen: Sequence[int]) -> str:
        lines = [title]
        for step in seen:
            turns = [turn for turn in self.turns if turn.step == step]
            sign = f"{step}" if step in SEVEN else "+"
            lines.append(f"{sign} {STEPS[step]} ({self._when(turns)})")
            lines += [f"    {turn.time:9.3f}  {_told(turn)}" for turn in turns]
        if not seen:
            lines.append(f"not begun: kubectl {self.command}")
        return "\n".join(lines)


def _told(turn: Turn) -> str:
    if turn.source == turn.target:
        return f"{turn.source}: {turn.words}"
    return f"{turn.source} {ARROW} {turn.target}: {turn.words}"
