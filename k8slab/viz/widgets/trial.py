"""Widgets in which something is tried: dials, a prediction, a button, and what came of it.

A `Trial` is made of `Dial`s (what is tried) and of guesses (dials that start empty). `attempt` of
a subclass does it in the cluster and says how the guesses came out; `figure` shows it.

    scope.turn(image="busybox:1.37")    # as by hand
    scope.guess(status="Running")       # as with the button

Rule of use: nothing is tried before every guess is made.

Upstream: none
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any, ClassVar

import msgspec

from k8slab.viz.figure import Figure
from k8slab.viz.player import MOST, Frame
from k8slab.viz.widgets.widget import (
    WIDE,
    Widget,
    button,
    choice,
    column,
    field,
    note,
    picture,
    refill,
    row,
)

FIRST = "predict"  # what a guess says before it is made


class Dial(msgspec.Struct, frozen=True, kw_only=True):
    """Something that can be set: one of some options, or, without options, any words."""

    name: str
    words: str
    options: tuple[str, ...] = ()
    value: str = ""  # at first; "" is the first option
    tip: str = ""
    width: str = "auto"
    lines: int = 0  # of a text that has several


class Trial(Widget):
    """Dials, guesses, a button, and the picture of what came of it."""

    QUESTION: ClassVar[str]  # what is to be predicted
    GO: ClassVar[str]  # the words of the button

    def __init__(self, dials: Sequence[Dial], guesses: Sequence[Dial]) -> None:
        super().__init__()
        self.dials = {dial.name: dial for dial in dials}
        self.guesses = {dial.name: dial for dial in guesses}
        self.values = {d.name: d.value or (d.options[0] if d.options else "") for d in dials}
        self.said = self.QUESTION
        self._frames: list[Frame] = []  # what was shown, each time that something was said
        self._controls: dict[str, Any] = {}

    # -- what a subclass says and does

    @abstractmethod
    def attempt(self, guesses: Mapping[str, str]) -> str:
        """Do it, and say how the guesses came out and why; ValueError: why it cannot be done."""

    @abstractmethod
    def draw(self) -> Figure:
        """Return the picture of what came of it; before the first trial, of how things are."""

    def preview(self) -> str:
        """Return the command or manifest that the dials stand for, if they stand for one."""
        return ""

    def buttons(self) -> Sequence[tuple[str, Callable[[], None], str]]:
        """Return further buttons: (words, what it does, its tip)."""
        return ()

    # -- what a learner does

    def figure(self) -> Figure:
        """Return the picture, with what was said last below its words."""
        drawn = self.draw()
        return Figure(drawn.drawing, alt=drawn.alt, text=f"{drawn.text}\n{self.said}")

    def turn(self, **values: str) -> None:
        """Set dials; raises ValueError where there is no such dial or option."""
        for name, value in values.items():
            dial = self.dials.get(name)
            if dial is None:
                raise ValueError(f"no dial {name!r}: there are {', '.join(self.dials)}")
            if dial.options and value not in dial.options:
                raise ValueError(f"{name} is one of {', '.join(dial.options)}, got {value!r}")
            self.values[name] = value
            if name in self._controls:
                self._controls[name].value = value
        self._preview()

    def offer(self, name: str, options: Sequence[str]) -> None:
        """Give a dial other options, and keep what is set if it is still one of them."""
        self.dials[name] = msgspec.structs.replace(self.dials[name], options=tuple(options))
        if self.values[name] not in options:
            self.values[name] = options[0] if options else ""
        if name in self._controls:
            refill(self._controls[name], [(option, option) for option in options])

    def guess(self, **guesses: str) -> str:
        """Take the guesses, try it, and return what is said about them."""
        missing = [d.words for n, d in self.guesses.items() if not guesses.get(n)]
        if missing:
            return self.say(f"Predict first: {', '.join(missing)}. {self.QUESTION}")
        try:
            return self.say(self.attempt(guesses))
        except ValueError as error:
            return self.say(str(error))

    def say(self, words: str) -> str:
        """Show what came of a button, and the picture anew."""
        self.said = words
        self.redraw()
        return words

    def frames(self) -> Sequence[Frame]:
        """Return what was shown so far, each picture with what was said."""
        return self._frames or [Frame(self.QUESTION, self.figure())]

    # -- the live part

    def controls(self) -> Any:
        """Make the dials, the guesses, the buttons and the picture."""
        import ipywidgets

        self._controls = {name: _control(dial) for name, dial in self.dials.items()}
        for name, control in self._controls.items():
            control.value = self.values[name] or control.value
            control.observe(lambda change, name=name: self._turned(name, change["new"]), "value")
        self._answers = {name: _control(d, first=FIRST) for name, d in self.guesses.items()}
        self._shown, self._feedback = ipywidgets.HTML(), ipywidgets.HTML()
        self._live = ipywidgets.HTML()
        go = button(self.GO, self._go, self.QUESTION)
        others = [button(*each) for each in self.buttons()]
        self._box = column(
            row(*self._controls.values()),
            self._shown,
            row(*self._answers.values(), go, *others),
            self._feedback,
            self._live,
        )
        self.redraw()
        return self._box

    def redraw(self) -> None:
        """Write words and picture anew, if the live part is shown, and keep them for a player."""
        figure = self.figure()
        self._frames = [*self._frames[1 - MOST :], Frame(self.said, figure)]
        if self._box is not None:
            self._preview()
            self._feedback.value = note(self.said)
            self._live.value = picture(figure)

    def _turned(self, name: str, value: str | None) -> None:
        self.values[name] = value or ""
        self._preview()
        self.turned(name)

    def turned(self, name: str) -> None:
        """React to a dial that was turned by hand: by itself, a trial only shows the preview."""

    def _preview(self) -> None:
        if self._box is not None:
            self._shown.value = _code(self.preview())

    def _go(self) -> None:
        self.guess(**{name: control.value for name, control in self._answers.items()})


def _control(dial: Dial, first: str = "") -> Any:
    if dial.options or first:
        return choice(dial.words, dial.options, dial.tip or dial.words, dial.width, first=first)
    return field(dial.words, dial.value, dial.tip or dial.words, dial.width, dial.lines)


def _code(text: str) -> str:
    if not text:
        return ""
    style = f"max-width:{WIDE};margin:2px 0;font-size:12px;line-height:1.35;white-space:pre-wrap"
    return f'<pre style="{style}">{escape(text)}</pre>'
