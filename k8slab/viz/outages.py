"""Which part may be missing for what: a table of parts and things that people want.

    outage_matrix({"etcd": {"a new Pod": "breaks", "the shop answers": "works"}})

A row for each part that was stopped, a column for each thing that was tried. "works" goes on as
before, "stalls" is written down and done when the part is back, "breaks" has to be asked again.

Rule of use: rows are data; whoever stopped the part and tried says what came of it.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.viz.drawing import Box, Drawing, Item, Text
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.shapes import mark
from k8slab.viz.style import (
    BLUE,
    BODY,
    MARGIN,
    ORANGE,
    SMALL,
    VERMILLION,
    WIDTH,
    Look,
    component_look,
)
from k8slab.viz.text_width import clip

NAMES, ROW, COLUMN_HEAD = 210.0, 34.0, 30.0  # px
OUTCOMES: Mapping[str, Look] = {
    "works": Look(BLUE, "tick", "works: goes on as before"),
    "stalls": Look(ORANGE, "ring", "stalls: done once the part is back"),
    "breaks": Look(VERMILLION, "cross", "breaks: has to be asked again"),
}
Rows = Mapping[str, Mapping[str, str]]


def outage_matrix(rows: Rows, *, title: str = "One part stopped at a time") -> Figure:
    """Draw what works, stalls and breaks without each part; raises ValueError for other words."""
    if not rows:
        raise ValueError('a matrix needs rows: {"etcd": {"a new Pod": "breaks"}}')
    wanted = list(next(iter(rows.values())))
    for part, row in rows.items():
        if list(row) != wanted:
            raise ValueError(f"{part}: expected the columns {', '.join(wanted)}")
        unknown = [word for word in row.values() if word not in OUTCOMES]
        if unknown:
            raise ValueError(f"{part}: expected {', '.join(OUTCOMES)}, got {unknown[0]!r}")
    total = sum(word == "works" for row in rows.values() for word in row.values())
    alt = f"{len(rows)} parts, {len(wanted)} things: {total} of {len(rows) * len(wanted)} go on."
    return Figure(draw(rows, wanted, title), alt=alt, text=_text(rows, title))


def draw(rows: Rows, wanted: list[str], title: str) -> Drawing:
    """Lay the table out."""
    items = heading(title, "what becomes of each thing while the part is missing")
    width = (WIDTH - 2 * MARGIN - NAMES) / max(len(wanted), 1)
    for place, words in enumerate(wanted):
        x = MARGIN + NAMES + (place + 0.5) * width
        text = clip(words, width - 8, SMALL)
        items.append(Text(x=x, y=HEAD + COLUMN_HEAD / 2, text=text, size=SMALL, anchor="middle"))
    top = HEAD + COLUMN_HEAD
    for part, row in rows.items():
        items += _row(part, row, top, width)
        top += ROW
    below, end = legend(top + 12, extra=tuple(OUTCOMES.values()))
    return Drawing(WIDTH, end + 12, tuple(items + below))


def _row(part: str, row: Mapping[str, str], top: float, width: float) -> list[Item]:
    look, y = component_look(part), top + ROW / 2
    name = clip(part, NAMES - 34, BODY)
    items: list[Item] = [
        Box(x=MARGIN, y=top + 2, width=WIDTH - 2 * MARGIN, height=ROW - 4, fill="panel"),
        *mark(look.shape, MARGIN + 14, y, 6, look.fill),
        Text(x=MARGIN + 30, y=y, text=name, size=BODY, bold=True),
    ]
    for place, (words, outcome) in enumerate(row.items()):
        sign = OUTCOMES[outcome]
        x = MARGIN + NAMES + place * width
        tip = f"without {part}, {words}: {outcome}"
        items += mark(sign.shape, x + width / 2 - 24, y, 6, sign.fill)
        items.append(Text(x=x + width / 2 - 10, y=y, text=outcome, size=SMALL, tip=tip))
    return items


def _text(rows: Rows, title: str) -> str:
    lines = [f"{title}:"]
    for part, row in rows.items():
        told = [f"{words} {outcome}" for words, outcome in row.items() if outcome != "works"]
        lines.append(f"  without {part}: {', '.join(told) or 'all of it works'}")
    return "\n".join(lines)
