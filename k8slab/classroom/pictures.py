"""Pictures to answer on: a choice is made by clicking the shape that stands for it.

`find_spots(figure, names)` finds where each choice is in a figure: the shape whose tip begins with
its name, or the text that says it. `lettered` writes the choices' letters on those places, and
`overlay` lays buttons over them, which the Tab key reaches and Space presses.

Rule of use: a picture question is a choice like others; letters and texts answer it, too.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import msgspec

from k8slab.viz.drawing import Box, Disc, Drawing, Item, Text
from k8slab.viz.figure import Figure
from k8slab.viz.style import BODY
from k8slab.viz.text_width import text_width

LEAST = 24.0  # px, the side of the smallest place that a finger can hit
BADGE = 9.0  # px, radius of the disc that holds a letter


class Spot(msgspec.Struct, frozen=True):
    """Where a choice is in a picture; px."""

    x: float
    y: float
    width: float
    height: float


def find_spots(figure: Figure, names: Sequence[str]) -> tuple[Spot, ...]:
    """Return where each name is in the figure; raise ValueError for one that is not there."""
    found = [_find(figure.drawing.items, name) for name in names]
    missing = [name for name, spot in zip(names, found, strict=True) if spot is None]
    if missing:
        raise ValueError(f"the picture has no shape called {', '.join(missing)}")
    return tuple(spot for spot in found if spot is not None)


def _find(items: Sequence[Item], name: str) -> Spot | None:
    wanted = name.strip().lower()
    for item in items:
        if isinstance(item, Box | Disc) and item.tip.partition(":")[0].strip().lower() == wanted:
            return _extent(item)
    for item in items:
        if isinstance(item, Text) and item.text.strip().lower() == wanted:
            return _around(items, item)
    return None


def _around(items: Sequence[Item], text: Text) -> Spot:
    """Return the smallest box that a text stands in, or the text's own room."""
    own = _extent(text)
    x, y = own.x + own.width / 2, own.y + own.height / 2
    boxes = [_extent(item) for item in items if isinstance(item, Box)]
    around = [b for b in boxes if b.x <= x <= b.x + b.width and b.y <= y <= b.y + b.height]
    return min(around, key=lambda box: box.width * box.height, default=own)


def _extent(item: Box | Disc | Text) -> Spot:
    if isinstance(item, Box):
        x, y, width, height = item.x, item.y, item.width, item.height
    elif isinstance(item, Disc):
        x, y = item.x - item.radius, item.y - item.radius
        width = height = 2 * item.radius
    else:
        width, height = text_width(item.text, item.size, bold=item.bold), item.size * 1.3
        shift = {"start": 0.0, "middle": width / 2, "end": width}[item.anchor]
        x, y = item.x - shift, item.y - height / 2
    wider, higher = max(LEAST - width, 0.0), max(LEAST - height, 0.0)
    return Spot(x - wider / 2, y - higher / 2, width + wider, height + higher)


def lettered(figure: Figure, spots: Sequence[Spot]) -> Figure:
    """Return the figure with A, B, C on the places."""
    items: list[Item] = []
    for number, spot in enumerate(spots):
        letter = chr(ord("A") + number)
        x, y = spot.x + spot.width - 4, spot.y + 1
        items.append(Disc(x=x, y=y, radius=BADGE, fill="paper", stroke="ink", line=1.5))
        items.append(Text(x=x, y=y, text=letter, size=BODY, bold=True, anchor="middle"))
    drawn = figure.drawing
    drawing = Drawing(drawn.width, drawn.height, (*drawn.items, *items))
    return Figure(drawing, alt=figure.alt, text=figure.text)


def overlay(
    figure: Figure, spots: Sequence[Spot], labels: Sequence[str]
) -> tuple[Any, list[Any], Callable[[], int | None]]:
    """Return the picture as a widget, its buttons, and a function that says which is pressed."""
    import ipywidgets as widgets

    width, height = figure.drawing.width, figure.drawing.height
    columns = _edges([(spot.x, spot.x + spot.width) for spot in spots], width)
    rows = _edges([(spot.y, spot.y + spot.height) for spot in spots], height)
    below = widgets.HTML(figure.svg(), layout={"grid_area": "1 / 1 / -1 / -1", "margin": "0"})
    buttons = []
    for spot, label in zip(spots, labels, strict=True):
        lines = (
            *(_line(rows, spot.y), _line(columns, spot.x)),
            *(_line(rows, spot.y + spot.height), _line(columns, spot.x + spot.width)),
        )
        area = " / ".join(map(str, lines))
        button = widgets.Button(tooltip=label, layout=_place(area))
        button.style.button_color = "transparent"
        buttons.append(button)
    pressed: list[int] = []

    def press(number: int) -> None:
        pressed[:] = [number]
        for place, button in enumerate(buttons):
            edge = "3px solid #D55E00" if place == number else "1px dashed #5F5F5F"
            button.layout.border = edge

    for number, button in enumerate(buttons):
        button.on_click(lambda _, number=number: press(number))
    grid = widgets.GridBox(
        [below, *buttons],
        layout={
            "width": "100%",
            "max_width": f"{width:g}px",
            "grid_template_columns": _tracks(columns),
            "grid_template_rows": _tracks(rows),
            "grid_gap": "0",
        },
    )
    return grid, buttons, lambda: pressed[0] if pressed else None


def _place(area: str) -> dict[str, str]:
    """Return the layout of a button that fills its place whatever the theme gives to buttons."""
    # Of height 0, so that it is the picture alone that gives the rows their heights.
    fill = {"width": "auto", "min_width": "0", "height": "0", "min_height": "100%"}
    fill |= {"margin": "0", "padding": "0"}
    return {"grid_area": area, "border": "1px dashed #5F5F5F", **fill}


def _edges(spans: Sequence[tuple[float, float]], end: float) -> list[float]:
    """Return where grid lines must be, from 0 to the end."""
    inside = (min(max(edge, 0.0), end) for span in spans for edge in span)
    return sorted(dict.fromkeys((0.0, *inside, end)))


def _line(edges: Sequence[float], place: float) -> int:
    """Return the number of the grid line at a place, counted from 1 as CSS does."""
    return edges.index(min(max(place, 0.0), edges[-1])) + 1


def _tracks(edges: Sequence[float]) -> str:
    """Return the sizes between the lines, as shares, so that they shrink with the picture."""
    return " ".join(f"minmax(0, {after - before:.2f}fr)" for before, after in pairwise(edges))
