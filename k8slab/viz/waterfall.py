"""A look-up of a name as a waterfall: each question in its order, when it was asked and answered.

    dns_waterfall(cluster.request("pod/client", "http://web"))
    dns_waterfall(one, other)        # below one another, on the same scale of time

A libc asks for the name with each suffix of its search list in turn, A and AAAA at once, until
one is answered: every NXDOMAIN before that is a question in vain.

Rule of use: anything with a `lookup` will do, or the look-up itself (`k8slab.linux.resolver`).

Upstream: none (`dig +search +showsearch` and tcpdump do parts of this)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.viz.chart import Axes
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.shapes import mark
from k8slab.viz.style import (
    BLUE,
    BODY,
    DARK_GREY,
    MARGIN,
    ORANGE,
    PURPLE,
    SMALL,
    VERMILLION,
    WIDTH,
    Look,
)
from k8slab.viz.text_width import clip, fit, text_width

NAMES, TYPE, OUTCOME = 322.0, 44.0, 190.0  # px: widths of columns
MOST_NAMES = 2  # in the title
ROW, CAPTION, BAR, GAP = 22.0, 28.0, 12.0, 8.0  # px
OUTCOMES: Mapping[str, Look] = {
    "answered": Look(BLUE, "tick", "answered"),
    "NXDOMAIN": Look(VERMILLION, "cross", "NXDOMAIN: no such name"),
    "NODATA": Look(DARK_GREY, "ring", "NODATA: the name has no such record"),
    "TIMEOUT": Look(ORANGE, "question", "no answer came"),
    "error": Look(PURPLE, "down", "the server failed or refused"),
}


def dns_waterfall(*lookups: Any, title: str = "") -> Figure:
    """Draw the questions of one or more look-ups; raises ValueError if nothing was asked."""
    found = [getattr(each, "lookup", None) or each for each in lookups]
    if not any(getattr(each, "queries", ()) for each in found):
        raise ValueError("no name server was asked: give an answer whose name had to be looked up")
    queries = [query for each in found for query in each.queries]
    vain = sum(outcome(query) != "answered" for query in queries)
    names = list(dict.fromkeys(each.name for each in found))
    title = title or f"Who is {' or '.join(names)}?"
    if len(names) > MOST_NAMES:
        title = f"Who is {names[0]}? And {len(names) - 1} other names"
    below = f"{count(len(queries), 'question')}, {vain} without an address"
    asked = count(len(queries), "DNS question")
    alt = f"Waterfall of {asked} for {', '.join(names)}: {vain} in vain."
    return Figure(draw(found, title, below), alt=alt, text=_text(found, title, below))


def outcome(query: Any) -> str:
    """Return the row of `OUTCOMES` of a question."""
    if query.addresses:
        return "answered"
    if query.rcode == "NOERROR":
        return "NODATA"
    return query.rcode if query.rcode in OUTCOMES else "error"


def told(query: Any) -> str:
    """Say what came back."""
    kind = outcome(query)
    if kind == "answered":
        return ", ".join(query.addresses)
    return "no answer" if kind == "TIMEOUT" else query.rcode if kind == "error" else kind


def result(lookup: Any) -> str:
    """Say how a look-up ended."""
    return lookup.error or ", ".join(lookup.addresses)


def _text(lookups: Sequence[Any], title: str, below: str) -> str:
    lines = [f"{title} {below}:"]
    for lookup in lookups:
        start = lookup.queries[0].asked if lookup.queries else 0.0
        lines.append(f"  {lookup.name}: {result(lookup)}")
        for query in lookup.queries:
            asked, took = query.asked - start, query.answered - query.asked
            lines.append(
                f"    +{asked * 1000:.1f} ms  {query.name}. {query.type}: "
                f"{told(query)} after {took * 1000:.1f} ms"
            )
    return "\n".join(lines)


def draw(lookups: Sequence[Any], title: str, below: str) -> Drawing:
    """Lay the questions out, a row each."""
    longest = max(
        query.answered - each.queries[0].asked for each in lookups for query in each.queries
    )
    factor, unit = (1.0, "s") if longest > 2 else (1000.0, "ms")
    left, width = MARGIN + NAMES + TYPE, WIDTH - 2 * MARGIN - NAMES - TYPE - OUTCOME - 14
    rows: list[Item] = []
    y = HEAD
    for lookup in lookups:
        rows += _caption(lookup, y + CAPTION / 2)
        y += CAPTION
        for query in lookup.queries:
            axes = Axes(left, y, width, ROW, 0.0, longest * factor, 1.0)
            start = (query.asked - lookup.queries[0].asked) * factor
            rows += _row(query, axes, (start, start + (query.answered - query.asked) * factor))
            y += ROW
        y += GAP
    scale = Axes(left, HEAD, width, y - HEAD - GAP, 0.0, longest * factor, 1.0)
    kinds = [outcome(query) for lookup in lookups for query in lookup.queries]
    looks = [look for kind, look in OUTCOMES.items() if kind in kinds]
    signs, end = legend(y + 24, extra=looks)
    return Drawing(WIDTH, end + 10, (*heading(title, below), *rows, *scale.time_axis(unit), *signs))


def _caption(lookup: Any, y: float) -> list[Item]:
    """Write the name that was looked up, and how it ended."""
    name = fit(lookup.name, NAMES, BODY, bold=True)
    x = MARGIN + text_width(name, BODY, bold=True) + 12
    text = clip(result(lookup), WIDTH - MARGIN - x, BODY)
    return [
        Text(x=MARGIN, y=y, text=name, size=BODY, bold=True, tip=lookup.name),
        Text(x=x, y=y, text=text, size=BODY, fill="muted"),
    ]


def _row(query: Any, axes: Axes, span: tuple[float, float]) -> list[Item]:
    kind = outcome(query)
    look = OUTCOMES[kind]
    middle = axes.top + ROW / 2
    x0, x1 = axes.x(span[0]), axes.x(span[1])
    tip = f"{query.name}. {query.type} at {query.server}: {told(query)}"
    right = WIDTH - MARGIN - OUTCOME
    words = clip(told(query), OUTCOME - 20, SMALL)
    return [
        Text(x=MARGIN + 8, y=middle, text=fit(query.name, NAMES - 20, SMALL), size=SMALL, tip=tip),
        Text(x=MARGIN + NAMES, y=middle, text=query.type, size=SMALL, fill="muted"),
        Line(points=((axes.left, middle), (axes.left + axes.width, middle)), stroke="rule"),
        Box(x=x0, y=middle - BAR / 2, width=max(x1 - x0, 3.0), height=BAR, fill=look.fill,
            radius=2, dashed=kind == "TIMEOUT", tip=tip),
        *mark(look.shape, right + 6, middle, 5, look.fill),
        Text(x=right + 18, y=middle, text=words, size=SMALL, bold=kind == "answered", tip=tip),
    ]  # fmt: skip
