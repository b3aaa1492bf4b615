"""What all widgets share: a live part for the notebook, a picture and words for everywhere else.

A `Widget` has `figure()`, the picture of this moment, and `controls()`, the ipywidgets. Shown in
a notebook, its output holds the live view and, beside it, the figure's PNG and text: GitHub,
nbviewer, print and screen readers get those.

Rule of use: a redraw writes one SVG string into `HTML.value`; no Output widgets, no threads.

Upstream: none
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import Any, Protocol

from k8slab.viz.facts import ClusterLike
from k8slab.viz.figure import Figure
from k8slab.viz.player import Frame, export

VIEW = "application/vnd.jupyter.widget-view+json"
WIDE = "900px"


class Drivable(ClusterLike, Protocol):
    """A cluster whose time a widget may move, and to which it may pass a command."""

    def run(self, seconds: float) -> object:
        """Let virtual seconds pass."""

    def step(self) -> Any:
        """Let the next thing happen; None if nothing is pending."""

    def pending(self) -> list[Any]:
        """Return what is about to happen, soonest first."""

    def fork(self, at: float | None = None) -> Any:
        """Return a second cluster with this one's past up to a virtual time."""

    def kubectl(self, command: str, stdin: str = "") -> str:
        """Run a kubectl command and return what it prints."""


class Widget(ABC):
    """A live picture with controls; made once, shown as often as wanted."""

    def __init__(self) -> None:
        self._box: Any = None

    @abstractmethod
    def figure(self) -> Figure:
        """Return the picture of this moment."""

    @abstractmethod
    def controls(self) -> Any:
        """Make the ipywidgets; called once, when the widget is first shown."""

    def frames(self) -> Sequence[Frame]:
        """Return what a player shows of it: by itself, only the picture of this moment."""
        return [Frame("", self.figure())]

    def export_html(self, path: str | Path) -> Path:
        """Write a page that needs nothing else and replays what was done here."""
        title, _, _ = self.text.partition("\n")
        return export(path, title.rstrip(":"), self.frames())

    @property
    def text(self) -> str:
        """What the widget shows, in words."""
        return self.figure().text

    @property
    def box(self) -> Any:
        """The live part."""
        if self._box is None:
            self._box = self.controls()
        return self._box

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = self.figure()._repr_mimebundle_()
        live = self.box._repr_mimebundle_()
        data[VIEW] = (live[0] if isinstance(live, tuple) else live)[VIEW]
        return data, metadata


def picture(figure: Figure) -> str:
    """Return the figure as the value of an HTML widget."""
    return f'<div style="max-width:{WIDE}">{figure.svg()}</div>'


def note(text: str, *, mark: str = "") -> str:
    """Return words as the value of an HTML widget, read out by screen readers when they change."""
    lines = "<br>".join(escape(line) for line in text.splitlines())
    sign = f"<b>{escape(mark)}</b> " if mark else ""
    style = f"max-width:{WIDE};line-height:1.45;white-space:normal"
    return f'<div role="status" aria-live="polite" style="{style}">{sign}{lines}</div>'


def button(words: str, does: Callable[[], None], tip: str) -> Any:
    """Return a button; it works from the keyboard, and its tip is read out."""
    import ipywidgets

    made = ipywidgets.Button(description=words, tooltip=tip)
    made.layout.width = "auto"
    made.on_click(lambda _: does())
    return made


def choice(
    words: str, options: Sequence[str], tip: str, width: str = "auto", *, first: str = ""
) -> Any:
    """Return a menu with its words before it; `first` is an entry that means nothing yet."""
    import ipywidgets

    return ipywidgets.Dropdown(
        description=words,
        options=[*([(first, "")] if first else []), *((text, text) for text in options)],
        tooltip=tip,
        style={"description_width": "initial"},
        layout={"width": width},
    )


def field(words: str, value: str, tip: str, width: str = "auto", lines: int = 0) -> Any:
    """Return a field for any words, with its own before it; leaving it sets it, as Enter does.

    One of several `lines` has its words, or its tip, as the text that it shows when it is empty.
    """
    import ipywidgets

    layout = {"width": width, **({"height": f"{20 * lines + 10}px"} if lines else {})}
    kind = ipywidgets.Textarea if lines else ipywidgets.Text
    return kind(
        description=words,
        value=value,
        placeholder=tip,
        tooltip=tip,
        continuous_update=False,
        style={"description_width": "initial"},
        layout=layout,
    )


def refill(menu: Any, options: Sequence[tuple[str, str]]) -> None:
    """Give a menu new options, and keep what is chosen if it is still one of them."""
    chosen = menu.value
    if [tuple(option) for option in menu.options] == list(options):
        return
    menu.options = options
    # A menu that was empty chooses nothing by itself.
    if options:
        menu.value = chosen if chosen in [value for _, value in options] else options[0][1]


def row(*parts: Any) -> Any:
    """Return widgets side by side, in further rows where there is no room."""
    import ipywidgets

    layout = {"flex_flow": "row wrap", "align_items": "center", "max_width": WIDE}
    layout["grid_gap"] = "4px 14px"
    return ipywidgets.HBox(list(parts), layout=layout)


def column(*parts: Any) -> Any:
    """Return widgets one below the other."""
    import ipywidgets

    return ipywidgets.VBox(list(parts), layout={"max_width": WIDE})
