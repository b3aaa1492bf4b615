"""The map of the course: a stop for each chapter, from left to right and row by row.

A stop is filled as far as its chapter is: its color, its mark and the words below say the same. The
next chapter to open has a thick edge.

Rule of use: drawn from a `Progress`, whose text is the figure's twin.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from k8slab.viz.drawing import Box, Drawing, Item, Text, arrow
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.shapes import mark
from k8slab.viz.style import BLUE, BODY, GREY, MARGIN, SKY, SMALL, WIDTH, Look
from k8slab.viz.text_width import wrap

if TYPE_CHECKING:
    from k8slab.classroom.standing import Progress, Standing, State

ABREAST = 5
GAP, HEIGHT, BELOW = 26.0, 92.0, 26.0  # px: beside a stop, of a stop, below it
LOOKS: Mapping[State, Look] = {
    "done": Look(BLUE, "tick", "done"),
    "begun": Look(SKY, "half", "begun"),
    "open": Look(GREY, "ring", "open"),
    "to come": Look(GREY, "dot", "to come"),
}


def course_map(progress: Progress) -> Figure:
    """Return the map."""
    wide = (WIDTH - 2 * MARGIN - (ABREAST - 1) * GAP) / ABREAST
    head, *rest = progress.lines
    items = heading(head.rstrip("."), rest[0] if progress.predicted else progress.calibration.words)
    for number, one in enumerate(progress.chapters):
        x = MARGIN + number % ABREAST * (wide + GAP)
        y = HEAD + number // ABREAST * (HEIGHT + BELOW)
        items += _stop(one, x, y, wide, due=one.stop == progress.next)
        if number + 1 < len(progress.chapters) and (number + 1) % ABREAST:
            middle = y + HEIGHT / 2
            items += arrow([(x + wide + 4, middle), (x + wide + GAP - 4, middle)], stroke="muted")
    rows = -(-len(progress.chapters) // ABREAST)
    signs, y = legend(HEAD + rows * (HEIGHT + BELOW), extra=tuple(LOOKS.values()))
    done = sum(one.state == "done" for one in progress.chapters)
    alt = f"Map of the course: {done} of {len(progress.chapters)} chapters are done."
    return Figure(Drawing(WIDTH, y + 10, (*items, *signs)), alt=alt, text=progress.text)


def _stop(one: Standing, x: float, y: float, wide: float, *, due: bool) -> list[Item]:
    """Return one chapter: its number, title, mark and points."""
    look, faint = LOOKS[one.state], one.state == "to come"
    ink = "muted" if faint else "ink"
    items: list[Item] = [
        Box(
            x=x,
            y=y,
            width=wide,
            height=HEIGHT,
            fill="panel",
            stroke="accent" if due else "rule",
            line=3 if due else 1,
            dashed=faint,
            tip=f"{one.stop.number} {one.stop.title}: {one.words}",
        ),
        Text(x=x + 10, y=y + 17, text=one.stop.number, size=BODY, fill=ink, bold=True),
        *mark(look.shape, x + wide - 16, y + 17, 7, look.fill),
    ]
    for row, line in enumerate(wrap(one.stop.title, wide - 20, SMALL)[:3]):
        items.append(Text(x=x + 10, y=y + 36 + 14 * row, text=line, size=SMALL, fill=ink))
    words = f"{one.points:g} of {one.of} points" if one.of else one.state
    words = "next" if due and not one.of else f"next: {words}" if due else words
    items.append(Text(x=x + 10, y=y + HEIGHT - 10, text=words, size=SMALL, fill="muted"))
    return items
