r"""Columns of text, lined up as Go's tabwriter does it.

Cells are ended by tabs. A column is a run of lines that all have a cell there, and it is as wide
as its widest cell; the last cell of a line belongs to no column. So a line without tabs ends the
columns above it, which is why `kubectl describe` lines up some fields and not others.

    lines("Name:\tweb\nNode:\tworker-1\nIPs:\n  IP:\t10.244.1.2\n")

Rule of use: TABLE for `kubectl get`, DESCRIBE for `kubectl describe`.

Upstream: text/tabwriter of Go's standard library
"""

from __future__ import annotations

import msgspec


class Layout(msgspec.Struct, frozen=True):
    """The least width of a column, and the blanks between columns; both in characters."""

    min_width: int
    padding: int


TABLE = Layout(6, 3)
DESCRIBE = Layout(0, 2)


def lines(text: str, layout: Layout = DESCRIBE) -> str:
    r"""Return the text with its columns lined up.

    >>> print(lines("NAME\tAGE\nweb\t5s", TABLE))
    NAME   AGE
    web    5s
    """
    rows = [line.split("\t") for line in text.split("\n")]
    if not any(len(row) > 1 for row in rows):
        return text
    done: list[str] = []
    _format(rows, 0, len(rows), [], layout, done)
    return "\n".join(done)


def _format(
    rows: list[list[str]],
    start: int,
    end: int,
    widths: list[int],
    layout: Layout,
    done: list[str],
) -> None:
    """Write the rows from `start` to `end`, whose first columns have the widths given."""
    column = len(widths)
    this = start
    while this < end:
        if column >= len(rows[this]) - 1:
            this += 1
            continue
        _write(rows, start, this, widths, done)
        start = this
        width = layout.min_width
        while this < end and column < len(rows[this]) - 1:
            width = max(width, len(rows[this][column]) + layout.padding)
            this += 1
        _format(rows, start, this, [*widths, width], layout, done)
        start = this
    _write(rows, start, end, widths, done)


def _write(rows: list[list[str]], start: int, end: int, widths: list[int], done: list[str]) -> None:
    for row in rows[start:end]:
        cells = [
            cell.ljust(widths[index]) if index < min(len(widths), len(row) - 1) else cell
            for index, cell in enumerate(row)
        ]
        done.append("".join(cells))
