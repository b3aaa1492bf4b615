"""The share of requests that failed, for each pair of two settings: a heat map of measurements.

    error_heat_map({(0, 1.0): (100, 7), (5, 1.0): (100, 0)}, across="preStop, s", down="delay, s")

Each key is a pair (down, across), each value how many requests were sent and how many of them
failed. The darker a cell, the more failed; its number is in it, so that grey is enough.

Rule of use: the cells are data; whoever measured them says how. A pair that was not measured is
left empty.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.viz.drawing import Box, Drawing, Item, Text
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.style import BODY, MARGIN, SMALL, WIDTH, Look, text_on
from k8slab.viz.text_width import clip

Cells = Mapping[tuple[float, float], tuple[int, int]]
SHADES = (  # from a share of failed requests on
    (0.0, "#EAF3F9", "none failed"),
    (1e-9, "#FBE3D3", "some, up to 5 %"),
    (0.05, "#F2A97A", "up to 20 %"),
    (0.2, "#D55E00", "up to half"),
    (0.5, "#7A3600", "half or more"),
)
ROWS, ROW, WIDEST = 180.0, 42.0, 120.0  # px: room for the names of rows, a row, a column at most


def error_heat_map(
    cells: Cells,
    *,
    across: str,
    down: str,
    title: str = "Failed requests",
) -> Figure:
    """Draw what share of requests failed for each pair (down, across) of two settings.

    Raises ValueError if there are no cells, or one without requests.
    """
    if not cells:
        raise ValueError("a map needs cells: {(down, across): (requests, failed)}")
    for pair, (asked, failed) in cells.items():
        if asked < 1 or not 0 <= failed <= asked:
            raise ValueError(
                f"{pair}: expected some requests and how many failed, got {asked}, {failed}"
            )
    clean = sum(failed == 0 for _, failed in cells.values())
    worst = max(cells, key=lambda pair: share(cells[pair]))
    below = f"{clean} of {count(len(cells), 'pair')} lost nothing"
    alt = (
        f"{title} by {down} and {across}: {below}; "
        f"the worst, {worst[0]:g} and {worst[1]:g}, {share(cells[worst]):.0%}."
    )
    return Figure(
        draw(cells, (across, down), title, below), alt=alt, text=_text(cells, across, down, title)
    )


def share(cell: tuple[int, int]) -> float:
    """Return the share of the requests that failed, 0 to 1."""
    asked, failed = cell
    return failed / asked


def shade(cell: tuple[int, int]) -> str:
    """Return the colour of a share."""
    return [fill for least, fill, _ in SHADES if share(cell) >= least][-1]


def _text(cells: Cells, across: str, down: str, title: str) -> str:
    lines = [f"{title} by {down} and {across}:"]
    for (row, column), (asked, failed) in sorted(cells.items()):
        rate = f"{share((asked, failed)):.1%}"
        lines.append(f"  {down} {row:g}, {across} {column:g}: {failed} of {asked} failed ({rate})")
    return "\n".join(lines)


def draw(cells: Cells, names: tuple[str, str], title: str, below: str) -> Drawing:
    """Lay the table out."""
    rows = sorted(dict.fromkeys(row for row, _ in cells))
    columns = sorted(dict.fromkeys(column for _, column in cells))
    width = min((WIDTH - 2 * MARGIN - ROWS) / len(columns), WIDEST)
    left, top = MARGIN + ROWS, HEAD + 46
    items = heading(title, below)
    items += [
        Text(x=left, y=HEAD + 10, text=clip(names[0], width * len(columns) + 200, SMALL),
             size=SMALL, fill="muted"),
        Text(x=MARGIN, y=HEAD + 32, text=clip(names[1], ROWS - 8, SMALL), size=SMALL, fill="muted"),
    ]  # fmt: skip
    for place, column in enumerate(columns):
        x = left + (place + 0.5) * width
        items.append(Text(x=x, y=HEAD + 32, text=f"{column:g}", size=BODY, anchor="middle"))
    for row, name in enumerate(rows):
        y = top + row * ROW
        items.append(Text(x=left - 14, y=y + ROW / 2, text=f"{name:g}", size=BODY, anchor="end"))
        for place, column in enumerate(columns):
            if (name, column) in cells:
                items += _cell(cells[name, column], (left + place * width, y), width)
    used = [shade(cell) for cell in cells.values()]
    looks = [Look(fill, "square", words) for _, fill, words in SHADES if fill in used]
    signs, end = legend(top + len(rows) * ROW + 8, extra=looks)
    return Drawing(WIDTH, end + 10, (*items, *signs))


def _cell(cell: tuple[int, int], spot: tuple[float, float], width: float) -> list[Item]:
    x, y = spot
    fill = shade(cell)
    rate = share(cell)
    text = f"{rate:.0%}" if rate == 0 or rate >= 0.1 else f"{rate:.1%}"
    tip = f"{cell[1]} of {cell[0]} requests failed"
    return [
        Box(x=x + 1, y=y + 1, width=width - 2, height=ROW - 2, fill=fill, radius=3, tip=tip),
        Text(x=x + width / 2, y=y + ROW / 2, text=text, size=BODY if width > 48 else SMALL,
             fill=text_on(fill), anchor="middle", tip=tip),
    ]  # fmt: skip
