"""The shapes beside the colours: how each `Look.shape` is drawn.

`mark` gives the items of one shape at a place. Every shape of `style.COMPONENTS` and
`style.POD_STATES` is here; two rows of one table never share a shape.

Rule of use: a mark is at least 4 px in radius; smaller ones cannot be told apart.

Upstream: none
"""

from __future__ import annotations

import math

from k8slab.viz.drawing import Box, Disc, Item, Line, Point, Polygon

_HALF_CIRCLE = 12  # corners


def mark(shape: str, x: float, y: float, radius: float, fill: str, stroke: str = "") -> list[Item]:
    """Return the items of a shape around a point, as large as a disc of `radius` px."""
    edge = stroke or fill
    if shape == "disc":
        return [Disc(x=x, y=y, radius=radius, fill=fill, stroke=stroke)]
    if shape == "dot":
        return [Disc(x=x, y=y, radius=radius / 2, fill="muted")]
    if shape == "letter":
        plate = Box(
            x=x - radius, y=y - radius, width=2 * radius, height=2 * radius, stroke="ink", radius=2
        )
        return [plate]
    if shape == "ring":
        width = radius * 0.45
        return [Disc(x=x, y=y, radius=radius - width / 2, stroke=fill, line=width)]
    if shape == "half":
        ring = Disc(x=x, y=y, radius=radius - 0.75, stroke=fill, line=1.5)
        return [ring, Polygon(points=_half_disc(x, y, radius), fill=fill)]
    if shape in _STROKES:
        width = radius * 0.45
        return [
            Line(points=_placed(points, x, y, radius), stroke=edge, line=width)
            for points in _STROKES[shape]
        ]
    return [Polygon(points=_placed(OUTLINES[shape], x, y, radius), fill=fill, stroke=stroke)]


def _regular(corners: int, first: float, inner: float = 0.0) -> tuple[Point, ...]:
    """Return a regular polygon from an angle in degrees on; with `inner`, a star."""
    radii = (1.0, inner) if inner else (1.0,)
    count = corners * len(radii)
    angles = [math.radians(first + 360 * i / count) for i in range(count)]
    return tuple(
        (radii[i % len(radii)] * math.cos(angle), radii[i % len(radii)] * math.sin(angle))
        for i, angle in enumerate(angles)
    )


OUTLINES: dict[str, tuple[Point, ...]] = {
    "hexagon": _regular(6, 0),
    "pentagon": _regular(5, -90),
    "diamond": _regular(4, 0),
    "square": ((-0.82, -0.82), (0.82, -0.82), (0.82, 0.82), (-0.82, 0.82)),
    "bar": ((-1.05, -0.5), (1.05, -0.5), (1.05, 0.5), (-1.05, 0.5)),
    "triangle": _regular(3, -90),
    "up": _regular(3, -90),
    "down": _regular(3, 90),
    "star": _regular(5, -90, 0.42),
    "plus": (
        (-0.33, -1), (0.33, -1), (0.33, -0.33), (1, -0.33), (1, 0.33), (0.33, 0.33),
        (0.33, 1), (-0.33, 1), (-0.33, 0.33), (-1, 0.33), (-1, -0.33), (-0.33, -0.33),
    ),
}  # fmt: skip
_STROKES: dict[str, tuple[tuple[Point, ...], ...]] = {
    "cross": (((-0.75, -0.75), (0.75, 0.75)), ((-0.75, 0.75), (0.75, -0.75))),
    "tick": (((-0.85, 0.05), (-0.25, 0.7), (0.85, -0.7)),),
    "question": (
        ((-0.5, -0.55), (-0.3, -0.9), (0.3, -0.9), (0.5, -0.5), (0.0, 0.0), (0.0, 0.35)),
        ((0.0, 0.65), (0.0, 1.0)),
    ),
}


def _placed(points: tuple[Point, ...], x: float, y: float, radius: float) -> tuple[Point, ...]:
    return tuple((x + px * radius, y + py * radius) for px, py in points)


def _half_disc(x: float, y: float, radius: float) -> tuple[Point, ...]:
    angles = [math.radians(90 + 180 * i / _HALF_CIRCLE) for i in range(_HALF_CIRCLE + 1)]
    return tuple((x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles)
