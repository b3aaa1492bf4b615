"""A drawing: boxes, discs, polygons, lines and texts at places in px, and nothing else.

Every figure is laid out once, as a `Drawing`; `svg.to_svg` writes it as text for a widget that
redraws, `paint.to_png` has matplotlib paint it. So the picture in a printed notebook and the live
one are the same picture. x grows to the right, y downwards; a text's y is the middle of its line.

Rule of use: colours are roles of the theme ("ink", "paper", "panel", "muted", "rule", "accent") or
"#RRGGBB"; a `tip` is what a live picture tells about the item under the pointer.

Upstream: none
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from k8slab.viz.style import BODY

Point = tuple[float, float]
NONE = ""  # no fill, no stroke


class Box(msgspec.Struct, frozen=True, kw_only=True):
    """A rectangle with rounded corners."""

    x: float
    y: float
    width: float
    height: float
    fill: str = NONE
    stroke: str = NONE
    line: float = 1.0
    radius: float = 6.0
    dashed: bool = False
    tip: str = ""


class Disc(msgspec.Struct, frozen=True, kw_only=True):
    """A circle."""

    x: float
    y: float
    radius: float
    fill: str = NONE
    stroke: str = NONE
    line: float = 1.0
    tip: str = ""


class Polygon(msgspec.Struct, frozen=True, kw_only=True):
    """A closed shape."""

    points: tuple[Point, ...]
    fill: str = NONE
    stroke: str = NONE
    line: float = 1.0
    tip: str = ""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """An open line through some points."""

    points: tuple[Point, ...]
    stroke: str = "ink"
    line: float = 1.0
    dashed: bool = False
    tip: str = ""


class Text(msgspec.Struct, frozen=True, kw_only=True):
    """One line of letters; `y` is its middle."""

    x: float
    y: float
    text: str
    size: float = BODY
    fill: str = "ink"
    anchor: str = "start"  # start, middle, end
    bold: bool = False
    mono: bool = False
    tip: str = ""


Item = Box | Disc | Polygon | Line | Text


class Drawing(msgspec.Struct, frozen=True):
    """What is to be seen: later items lie on top of earlier ones."""

    width: float
    height: float
    items: tuple[Item, ...]


def arrow(
    points: Sequence[Point],
    *,
    stroke: str = "ink",
    line: float = 1.0,
    dashed: bool = False,
    tip: str = "",
) -> list[Item]:
    """Return a line with a head at its last point."""
    (x0, y0), (x1, y1) = points[-2], points[-1]
    length = math.hypot(x1 - x0, y1 - y0) or 1.0
    dx, dy = (x1 - x0) / length, (y1 - y0) / length
    head = 5.0 + 1.5 * line
    neck = (x1 - dx * head, y1 - dy * head)
    half = head * 0.5
    left = (neck[0] - dy * half, neck[1] + dx * half)
    right = (neck[0] + dy * half, neck[1] - dx * half)
    shaft = Line(points=(*points[:-1], neck), stroke=stroke, line=line, dashed=dashed, tip=tip)
    return [shaft, Polygon(points=((x1, y1), left, right), fill=stroke)]


def label(
    x: float, y: float, text: str, *, size: float = BODY, fill: str = "ink", back: str = "paper"
) -> list[Item]:
    """Return a text centred at a point, on a plate that hides the lines below it."""
    from k8slab.viz.text_width import text_width

    width = text_width(text, size) + 6
    plate = Box(
        x=x - width / 2, y=y - size * 0.65, width=width, height=size * 1.3, fill=back, radius=3
    )
    return [plate, Text(x=x, y=y, text=text, size=size, fill=fill, anchor="middle")]
