"""The legend, and the head of a figure: always in the same place, always in the same words.

`heading` writes the title and the line below it at the top; `legend` lists marks with their
meaning at the bottom left.

Rule of use: list in a legend only what is in the picture.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8slab.viz.drawing import Item, Text, arrow
from k8slab.viz.shapes import mark
from k8slab.viz.style import (
    BODY,
    COMPONENTS,
    DARK_GREY,
    MARGIN,
    POD_STATES,
    SMALL,
    TITLE,
    WIDTH,
    Look,
)
from k8slab.viz.text_width import fit, text_width

HEAD = 62.0  # px, what `heading` takes
ROW = 20.0  # px, of one line of the legend
CONTAINER = Look(DARK_GREY, "dot", "container (hollow: not running)")
SERVICE = Look("", "letter", "Service, address, ready/all endpoints")
LINES = {
    "write": ("calls", False),
    "news": ("news from a watch", True),
}


def heading(title: str, below: str = "", room: float = WIDTH - 2 * MARGIN) -> list[Item]:
    """Return the title and the line below it, at most `room` px wide."""
    items: list[Item] = [
        Text(x=MARGIN, y=26, text=fit(title, room, TITLE, bold=True), size=TITLE, bold=True)
    ]
    if below:
        text = fit(below, room, BODY)
        items.append(Text(x=MARGIN, y=47, text=text, size=BODY, fill="muted"))
    return items


def legend(
    top: float,
    *,
    states: Iterable[str] = (),
    components: Iterable[str] = (),
    extra: Sequence[Look] = (),
    lines: Sequence[str] = (),
    width: float = WIDTH,
) -> tuple[list[Item], float]:
    """Return the legend from `top` down, and where it ends."""
    shown = list(dict.fromkeys(components))
    looks = [look for key, look in COMPONENTS.items() if key in shown]
    present = list(states)
    looks += [look for key, look in POD_STATES.items() if key in present]
    items: list[Item] = []
    x, y = MARGIN, top + ROW / 2
    entries: list[tuple[str, float, Look | bool]] = [(look.label, 16.0, look) for look in looks]
    entries += [(look.label, 16.0, look) for look in extra]
    entries += [(LINES[name][0], 34.0, LINES[name][1]) for name in lines]
    for words, room, sign in entries:
        needed = room + text_width(words, SMALL) + 18
        if x + needed > width - MARGIN and x > MARGIN:
            x, y = MARGIN, y + ROW
        if isinstance(sign, Look):
            items += mark(sign.shape, x + 5, y, 5, sign.fill)
        else:
            items += arrow([(x, y), (x + 26, y)], stroke="muted", dashed=sign)
        items.append(Text(x=x + room, y=y, text=words, size=SMALL, fill="muted"))
        x += needed
    return items, y + ROW / 2
