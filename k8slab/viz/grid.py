"""A table in a picture: columns of given widths, one line of letters in each cell.

    items, bottom = grid((Column("query", 400), Column("answer", 300)), rows, top=70)

A cell is a `Cell`: words, and if it says how something came out, a mark before them (`YES`, `NO`,
`WARN`), for a colour never speaks alone.

Rule of use: what is too long for its column is clipped; its whole text is the cell's tip.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from k8slab.viz.drawing import Box, Item, Line, Text
from k8slab.viz.shapes import mark
from k8slab.viz.style import BLUE, GREY, MARGIN, ORANGE, SMALL, VERMILLION, WIDTH, Look
from k8slab.viz.text_width import clip, text_width

ROW = 21.0  # px
YES = Look(BLUE, "tick", "yes")
NO = Look(VERMILLION, "cross", "no")
WARN = Look(ORANGE, "up", "so far not")
NONE = Look(GREY, "dot", "not asked")


class Column(msgspec.Struct, frozen=True):
    """A column: its head and its width in px."""

    head: str
    width: float
    mono: bool = False


class Cell(msgspec.Struct, frozen=True):
    """What stands in one place."""

    text: str = ""
    look: Look | None = None
    bold: bool = False
    muted: bool = False


Row = Sequence[Cell | str]


def grid(
    columns: Sequence[Column],
    rows: Sequence[Row],
    top: float,
    *,
    left: float = MARGIN,
    lit: Sequence[int] = (),
) -> tuple[list[Item], float]:
    """Return the table from `top` down and where it ends; `lit` are rows that are pointed at."""
    width = min(sum(column.width for column in columns), WIDTH - MARGIN - left)
    items: list[Item] = []
    x = left
    for column in columns:
        items.append(
            Text(x=x, y=top + ROW / 2, text=column.head, size=SMALL, fill="muted", bold=True)
        )
        x += column.width
    y = top + ROW
    items.append(Line(points=((left, y), (left + width, y)), stroke="rule"))
    for number, row in enumerate(rows):
        if number in lit:
            plate = Box(
                x=left - 6, y=y + 1, width=width + 12, height=ROW - 2, fill="panel",
                stroke="accent", line=1.5, radius=4,
            )  # fmt: skip
            items.append(plate)
        items += _row(columns, row, left, y + ROW / 2)
        y += ROW
    return items, y


def _row(columns: Sequence[Column], row: Row, x: float, middle: float) -> list[Item]:
    items: list[Item] = []
    for column, given in zip(columns, row, strict=True):
        cell = Cell(given) if isinstance(given, str) else given
        start = x
        if cell.look is not None:
            items += mark(cell.look.shape, x + 5, middle, 5, cell.look.fill)
            start += 16
        if cell.text:
            items.append(_text(cell, column, start, middle, x + column.width - 8 - start))
        x += column.width
    return items


def _text(cell: Cell, column: Column, x: float, y: float, room: float) -> Text:
    fill = "muted" if cell.muted else "ink"
    words = cell.text
    if text_width(words, SMALL, bold=cell.bold, mono=column.mono) > room:
        # Letters of one width, or bold ones, are wider than those that `clip` knows.
        wider = text_width(words, SMALL, bold=cell.bold, mono=column.mono)
        words = clip(words, room * text_width(words, SMALL) / wider, SMALL)
    tip = cell.text if words != cell.text else ""
    return Text(
        x=x, y=y, text=words, size=SMALL, fill=fill, bold=cell.bold, mono=column.mono, tip=tip
    )
