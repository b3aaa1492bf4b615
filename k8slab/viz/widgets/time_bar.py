"""The time bar: play, step, look back, scrub, and guess who acts next.

    time_bar(cluster)     # alone
    explorer(cluster)     # with the live map below it

Play lets time pass in `FRAMES` small pieces and then stops by itself, each as long as the speed
says; step goes on to the next thing that leaves a record; back and the slider look at the past,
which changes nothing. A fork is a second cluster at the moment that is seen, in `forks`. A guess
comes before the answer: "Guess, then step" takes the guess and explains what really happened.

Rule of use: every control is a standard one: Tab to it, Space, Enter or arrow keys.

Upstream: none
"""

from __future__ import annotations

from html import escape
from typing import Any

from k8slab.viz.architecture import architecture_map
from k8slab.viz.drawing import Drawing, Item, Line, Text
from k8slab.viz.facts import clock
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.player import Frame, moments, of_trace
from k8slab.viz.shapes import mark
from k8slab.viz.style import COMPONENTS, MARGIN, SMALL, WIDTH, component_look
from k8slab.viz.text_width import clip
from k8slab.viz.widgets.clockwork import LISTED, Clockwork
from k8slab.viz.widgets.widget import (
    WIDE,
    Drivable,
    Widget,
    button,
    choice,
    column,
    note,
    picture,
    row,
)

FRAMES, FRAME = 20, 0.25  # pieces of one play, and virtual seconds of each
INTERVAL = 250  # ms of yours between two pieces
SPEEDS = ("0.05", "0.25", "1", "5")  # virtual seconds of a piece
QUESTION = "Who acts next?"
ACTORS = [name for name in COMPONENTS if name not in ("you", "etcd", "kube-apiserver", "other")]


def time_bar(cluster: Drivable) -> TimeBar:
    """Return the time bar of a cluster."""
    return TimeBar(cluster)


def explorer(cluster: Drivable, *, namespace: str = "") -> Explorer:
    """Return the live map with its time bar; `namespace` limits the Pods and Services on it."""
    return Explorer(cluster, namespace)


class TimeBar(Widget):
    """Controls of a cluster's time; `on_move` of a subclass redraws what depends on it."""

    def __init__(self, cluster: Drivable) -> None:
        super().__init__()
        self.clockwork = Clockwork(cluster)
        self.forks: list[Any] = []  # second clusters, the last one made last
        self.frame = FRAME  # virtual seconds of a piece of play
        self._began = len(cluster.trace)
        self._quiet = False

    def figure(self) -> Figure:
        """Return the moment as a picture: the time, what comes next, the last records."""
        clockwork = self.clockwork
        items = heading(f"Virtual time {clock(clockwork.time)}", f"next, {clockwork.next()}")
        y = HEAD + 8
        items += _records(clockwork, y)
        height = y + 20 * max(len(clockwork.records(LISTED)), 1) + 12
        alt = f"Time bar at {clock(clockwork.time)}; next, {clockwork.next()}."
        return Figure(Drawing(WIDTH, height, tuple(items)), alt=alt, text=clockwork.text())

    def frames(self) -> list[Frame]:
        """Return the pictures of what happened since the bar was made, or of all before."""
        clockwork = self.clockwork
        last = len(clockwork.cluster.trace)
        began = self._began if last > self._began else 0
        return of_trace(clockwork.cluster.trace, moments(clockwork.cluster.trace, began, last),
                        self.figure_after)  # fmt: skip

    def figure_after(self, record: int) -> Figure:
        """Return the picture of the moment after a record; the learner's eye stays where it is."""
        past, since = self.clockwork.past, self.clockwork.since
        self.clockwork.look(record)
        figure = self.figure()
        self.clockwork.past, self.clockwork.since = past, since
        return figure

    # -- what the controls do

    def step(self) -> None:
        """Go on to the next record."""
        self.clockwork.step()
        self.redraw()

    def back(self) -> None:
        """Look one record further back."""
        self.clockwork.back()
        self.redraw()

    def present(self) -> None:
        """Look at the present again."""
        self.clockwork.look(len(self.clockwork.cluster.trace))
        self.redraw()

    def scrub(self, record: int) -> None:
        """Look at the moment just after a record of the trace."""
        self.clockwork.look(record)
        self.redraw()

    def play(self, seconds: float | None = None, *, further: bool = False) -> None:
        """Let virtual seconds pass, by default one piece; `further` goes on with a play."""
        self.clockwork.play(self.frame if seconds is None else seconds, further=further)
        self.redraw()

    def fork(self) -> str:
        """Make a second cluster at the moment that is seen, and say where it is."""
        clockwork = self.clockwork
        now = clockwork.past is None
        self.forks.append(clockwork.cluster.fork(None if now else clockwork.time))
        return (
            f"A second cluster stands at {clock(clockwork.time)}, with the same past and a future "
            f"of its own: forks[{len(self.forks) - 1}] of this widget. Here nothing has changed."
        )

    def guess(self, who: str) -> str:
        """Take a guess of who acts next, step, and say what happened and why."""
        verdict = self.clockwork.judge(who, self.clockwork.step())
        self.redraw()
        return verdict

    # -- the live part

    def controls(self) -> Any:
        """Make the bar."""
        import ipywidgets

        self._play = ipywidgets.Play(
            min=0, max=FRAMES, interval=INTERVAL, show_repeat=False,
            tooltip=f"Play {FRAMES} frames", description="Play",
        )  # fmt: skip
        self._play.observe(self._on_frame, "value")
        self._slider = ipywidgets.IntSlider(
            min=1, max=2, description="look at record", style={"description_width": "initial"},
            layout={"width": "430px"},
        )  # fmt: skip
        self._slider.observe(self._on_slide, "value")
        self._speed = choice("seconds a frame", SPEEDS, "Virtual seconds of a frame", "190px")
        self._speed.value = f"{self.frame:g}"
        self._speed.observe(self._on_speed, "value")
        self._actor = choice(QUESTION, ACTORS, "Your guess", "310px", first="choose one")
        self._feedback = ipywidgets.HTML()
        self._moment = ipywidgets.HTML()
        self._live = ipywidgets.HTML()
        bar = row(
            self._play,
            button("Step", self.step, "Go on to the next record"),
            button("Back", self.back, "Look at the moment before"),
            self._slider,
            button("Now", self.present, "Look at the present"),
            self._speed,
            button("Fork here", self._on_fork, "Make a second cluster at this moment"),
        )
        ask = row(
            self._actor, button("Guess, then step", self._on_guess, "Take the guess and step")
        )
        self._box = column(bar, self._moment, ask, self._feedback, self._live)
        self.redraw()
        return self._box

    def redraw(self) -> None:
        """Write the moment into the live part, if it is shown."""
        if self._box is None:
            return
        self._quiet = True
        # Two messages, in this order: the browser cuts a value at the end that it knows of.
        self._slider.max = max(len(self.clockwork.cluster.trace), 2)
        self._slider.value = self.clockwork.record
        self._quiet = False
        self._moment.value = self._bar_html()
        self._live.value = self.picture()

    def picture(self) -> str:
        """Return what is shown below the bar: nothing here."""
        return ""

    def _bar_html(self) -> str:
        clockwork = self.clockwork
        past = (
            ""
            if clockwork.past is None
            else f" (the past; now it is {clock(clockwork.cluster.now)})"
        )
        rows = "".join(
            f"<tr><td style='text-align:right'>{r.time:.3f}</td><td>{escape(r.component)}</td>"
            f"<td>{escape(r.verb)}</td><td>{escape(r.subject)} {escape(r.detail[:60])}</td></tr>"
            for r in clockwork.records(LISTED)
        )
        return (
            f'<div role="status" aria-live="polite" style="max-width:{WIDE};line-height:1.4">'
            f"<b>{clock(clockwork.time)}</b>{past}. Next, {escape(clockwork.next())}"
            f"<table style='font-size:11px;border-spacing:10px 0' aria-label='last records'>{rows}"
            "</table></div>"
        )

    def _on_frame(self, change: Any) -> None:
        if change["new"] > 0:
            self.play(further=change["old"] > 0)

    def _on_speed(self, change: Any) -> None:
        self.frame = float(change["new"])

    def _on_fork(self) -> None:
        try:
            self._feedback.value = note(self.fork())
        except Exception as error:  # whatever keeps a run from being repeated is said
            self._feedback.value = note(str(error), mark="No fork:")

    def _on_slide(self, change: Any) -> None:
        if not self._quiet:
            self.scrub(int(change["new"]))

    def _on_guess(self) -> None:
        who = self._actor.value
        if not who:
            self._feedback.value = note("First choose who you think it is.", mark="Your guess?")
            return
        self._feedback.value = note(self.guess(who))


class Explorer(TimeBar):
    """The map at that moment, with the messages of the last step or of the whole play."""

    def __init__(self, cluster: Drivable, namespace: str = "") -> None:
        super().__init__(cluster)
        self.namespace = namespace

    def figure(self) -> Figure:
        """Return the map of the moment."""
        clockwork = self.clockwork
        return architecture_map(
            clockwork.cluster, at=clockwork.view, since=clockwork.since, namespace=self.namespace
        )

    def picture(self) -> str:
        """Return the map as SVG."""
        return picture(self.figure())


def _records(clockwork: Clockwork, y: float) -> list[Item]:
    items: list[Item] = []
    for place, record in enumerate(clockwork.records(LISTED)):
        middle = y + 20 * place + 8
        look = component_look(record.component)
        words = f"{record.component} {record.verb} {record.subject} {record.detail}"
        items += [
            Text(x=MARGIN + 56, y=middle, text=f"{record.time:.3f}", size=SMALL, fill="muted",
                 anchor="end"),
            *mark(look.shape, MARGIN + 72, middle, 5, look.fill),
            Text(x=MARGIN + 86, y=middle, text=clip(words, WIDTH - 140, SMALL), size=SMALL),
        ]  # fmt: skip
    items.append(Line(points=((MARGIN, y - 6), (WIDTH - MARGIN, y - 6)), stroke="rule"))
    return items
