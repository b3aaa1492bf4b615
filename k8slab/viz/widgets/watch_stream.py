"""The watch stream: every event as it arrived, and what is believed if one of them gets lost.

    watch_stream(cluster)                     # Pods of namespace default
    watch_stream(cluster, kind="services")

The events are real: the widget watches as a controller does. What the learner changes is their
fate; the table says what a counter of events and a reader of state then believe.

Rule of use: something must happen to be seen: run a kubectl command in the widget or in a cell.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from k8slab.viz.drawing import Drawing, Text
from k8slab.viz.facts import clock, count
from k8slab.viz.figure import Figure
from k8slab.viz.grid import NO, YES, Cell, Column, Row, grid
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import COMPONENTS, MARGIN, SMALL, WIDTH, component_key
from k8slab.viz.widgets.trial import Dial, Trial
from k8slab.viz.widgets.watch_readers import (
    DELIVERED,
    FATES,
    LOST,
    WHO,
    Reading,
    judge,
    readings,
)
from k8slab.viz.widgets.widget import Drivable

SECONDS = 5.0  # virtual, after a command
SHOWN = 16  # events
COMMAND = "create deployment web --image=nginx --replicas=3"
COLUMNS = (
    Column("event", 52),
    Column("virtual time", 84),
    Column("type", 80),
    Column("object", 180),
    Column("resourceVersion", 108),
    Column("written by", 152),
    Column("counter", 72),
    Column("reader", 72),
    Column("there are", 64),
)


class Watchable(Drivable, Protocol):
    """A cluster that can be watched."""

    def watch(self, kind: str, namespace: str = "default") -> Any:
        """List the objects of a kind, then watch them."""


def watch_stream(
    cluster: Watchable, *, kind: str = "pods", namespace: str = "default"
) -> WatchStream:
    """Return the viewer of a watch that begins now."""
    return WatchStream(cluster, kind, namespace)


class WatchStream(Trial):
    """Events, their fates, and who believes what."""

    QUESTION = "If that happens to this event, who is wrong at the end?"
    GO = "Let it happen"

    def __init__(self, cluster: Watchable, kind: str, namespace: str) -> None:
        super().__init__(
            (
                Dial(name="command", words="kubectl", value=COMMAND, width="440px"),
                Dial(name="event", words="event", options=("",), width="260px"),
                Dial(name="fate", words="is", options=FATES, width="170px"),
            ),
            (Dial(name="wrong", words="Wrong at the end", options=WHO, width="270px"),),
        )
        self.cluster = cluster
        self.watching = cluster.watch(kind, namespace)
        self.fates: dict[int, str] = {}
        self.looks: list[int] = []

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return the command, the look without a reason, and a new beginning."""
        return (
            ("Run the command", self.command, f"Run kubectl, then {SECONDS:g} virtual seconds"),
            ("Let the reader look", self.look, "A resync: it reads though no event came"),
            ("All delivered", self.clear, "Forget every fate"),
        )

    def command(self) -> None:
        """Run the kubectl command and let the stream tell of it."""
        said = self.cluster.kubectl(self.values["command"].removeprefix("kubectl ")).strip()
        self.cluster.run(SECONDS)
        self.say(said)

    def look(self) -> None:
        """Let the reader look after the last event, without one."""
        self.looks.append(len(self.watching.events))
        self.say("The reader has looked. The counter has nothing to count.")

    def clear(self) -> None:
        """Let every event be delivered once."""
        self.fates.clear()
        self.looks.clear()
        self.say(self.QUESTION)

    def readings(self) -> list[Reading]:
        """Return what is believed after each event."""
        return readings(self.watching.listed, self.watching.events, self.fates, self.looks)

    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Give the event its fate; the first word of the dial is its number."""
        number = self.values["event"].partition(" ")[0]
        events = self.watching.events
        if not number.isdigit() or int(number) > len(events):
            raise ValueError("No event has arrived yet: run a command first.")
        place, fate = int(number), self.values["fate"]
        self.fates[place] = fate
        type_ = events[place - 1].type
        return judge(guesses["wrong"], self.readings()[-1], place, fate, type_, len(events))

    def redraw(self) -> None:
        """Offer the events that have arrived meanwhile, and draw them."""
        self.offer("event", _entries(self.watching.events) or ("",))
        super().redraw()

    # -- the picture

    def draw(self) -> Figure:
        """Draw the last events as a table."""
        events, found = self.watching.events, self.readings()
        first = max(len(events) - SHOWN, 0)
        end = found[-1] if found else Reading(*[self.watching.listed] * 3)
        title = f"What a watch of {self.watching.kind}s heard"
        listed = f"At first a list: {self.watching.listed}"
        left_out = f"; {count(first, 'earlier event')} not drawn" if first else ""
        items = heading(title, f"{listed}. Then {count(len(events), 'event')}{left_out}.")
        rows = [self._row(n, found[n - 1]) for n in range(first + 1, len(events) + 1)]
        table, y = grid(COLUMNS, rows, HEAD + 4)
        note = "counter: counts ADDED and DELETED (edge). reader: looks at each event (level)."
        items += [*table, Text(x=MARGIN, y=y + 16, text=note, size=SMALL, fill="muted")]
        alt = (
            f"Watch of {self.watching.kind}s with {count(len(events), 'event')}. The counter says "
            f"{end.counter}, the reader {end.reader}, there are {end.truth}."
        )
        return Figure(Drawing(WIDTH, y + 32, tuple(items)), alt=alt, text=self._text(found, end))

    def _row(self, number: int, reading: Reading) -> Row:
        event = self.watching.events[number - 1]
        fate = self.fates.get(number, DELIVERED)
        sign = "" if fate == DELIVERED else " x" if fate == LOST else " 2x"
        who = self.cluster.trace[event.cause].component if event.cause else ""
        look = COMPONENTS[component_key(who)] if who else None
        return (
            Cell(f"{number}{sign}", bold=bool(sign)),
            clock(event.time),
            Cell(event.type, muted=fate == LOST),
            Cell(event.name, muted=fate == LOST),
            event.version,
            Cell(who.partition("/")[0], look=look),
            _belief(reading.counter, reading.truth),
            _belief(reading.reader, reading.truth),
            str(reading.truth),
        )

    def _text(self, found: Sequence[Reading], end: Reading) -> str:
        lines = [f"A watch of {self.watching.kind}s; at first a list: {self.watching.listed}"]
        for number, event in enumerate(self.watching.events, 1):
            fate, reading = self.fates.get(number, DELIVERED), found[number - 1]
            lines.append(
                f"  {number:3} {clock(event.time):>10} {event.type:<8} {event.name} "
                f"@{event.version}{'' if fate == DELIVERED else ', ' + fate}: "
                f"counter {reading.counter}, reader {reading.reader}, there are {reading.truth}"
            )
        lines.append(
            f"counter {end.counter}, reader {end.reader}, there are {end.truth}: "
            f"wrong is {end.wrong}"
        )
        return "\n".join(lines)


def _entries(events: Sequence[Any]) -> tuple[str, ...]:
    return tuple(f"{n} {event.type} {event.name}" for n, event in enumerate(events, 1))


def _belief(number: int, truth: int) -> Cell:
    return Cell(str(number), look=YES if number == truth else NO, bold=number != truth)
