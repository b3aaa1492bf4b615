"""One drawing below another.

    stack(bins, heat_map)

Rule of use: the drawings keep their own heads and legends; they are equally wide.

Upstream: none
"""

from __future__ import annotations

import msgspec

from k8slab.viz.drawing import Box, Disc, Drawing, Item, Line, Polygon, Text

BETWEEN = 6.0  # px


def stack(*drawings: Drawing) -> Drawing:
    """Return the drawings as one, from top to bottom."""
    items: list[Item] = []
    top = 0.0
    for drawing in drawings:
        items += [moved(item, top) for item in drawing.items]
        top += drawing.height + BETWEEN
    return Drawing(max(d.width for d in drawings), top - BETWEEN, tuple(items))


def moved(item: Item, down: float) -> Item:
    """Return the item so many px further down."""
    if isinstance(item, Box | Disc | Text):
        return msgspec.structs.replace(item, y=item.y + down)
    assert isinstance(item, Line | Polygon)
    return msgspec.structs.replace(item, points=tuple((x, y + down) for x, y in item.points))
