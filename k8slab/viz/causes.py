"""Why: the chain of causes as a graph, first cause at the top, what you asked about at the bottom.

    why_graph(cluster.why("pod/web-6f7d8c9b4-x2k9p"))

Each card is a record of the trace: when, who, what. An arrow says "set off": the one below would
not have happened without the one above.

Rule of use: an explanation has `records` (or is a list of them); each names its cause by id.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.sim import Record
from k8slab.viz.drawing import Box, Drawing, Item, Text, arrow
from k8slab.viz.facts import clock, count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.shapes import mark
from k8slab.viz.style import MARGIN, SMALL, WIDTH, component_key, component_look
from k8slab.viz.text_width import clip, fit, text_width

CARD, BETWEEN, WIDEST = 44.0, 24.0, 620.0  # px


def why_graph(explanation: Any) -> Figure:
    """Draw the causes; raises ValueError if there are none."""
    records: list[Record] = list(getattr(explanation, "records", explanation))
    if not records:
        raise ValueError("nothing to explain: there is no record of it in the trace")
    subject = getattr(explanation, "subject", records[0].subject)
    title = f"Why {subject}"
    first = min(records, key=lambda record: record.id)
    alt = (
        f"Graph of {count(len(records), 'record')}: it began at {clock(first.time)}, "
        f"when {first.component} did {first.verb} {first.subject}."
    )
    below = f"{count(len(records), 'record')}; an arrow says: set off"
    return Figure(draw(records, title, below), alt=alt, text=_text(records, title))


def layers(records: Sequence[Record]) -> list[list[Record]]:
    """Return the records in layers: each lies below all that set it off."""
    import networkx

    known = {record.id: record for record in records}
    graph: Any = networkx.DiGraph()
    for number in sorted(known):
        graph.add_node(number)
        if known[number].cause in known:
            graph.add_edge(known[number].cause, number)
    generations = networkx.topological_generations(graph)
    return [[known[number] for number in sorted(layer)] for layer in generations]


def _text(records: Sequence[Record], title: str) -> str:
    lines = [f"{title}:"]
    for record in sorted(records, key=lambda record: record.id):
        detail = f" ({record.detail})" if record.detail else ""
        by = f", set off by {record.cause}" if record.cause else ""
        did = f"{record.component} {record.verb} {record.subject}{detail}"
        lines.append(f"  {record.id}: at {clock(record.time)} {did}{by}")
    return "\n".join(lines)


def draw(records: Sequence[Record], title: str, below: str) -> Drawing:
    """Lay the layers out, one below the other."""
    items = heading(title, below)
    spots: dict[int, tuple[float, float]] = {}
    y = HEAD + 8
    cards: list[Item] = []
    for layer in layers(records):
        width = min(WIDEST, (WIDTH - 2 * MARGIN - 16 * (len(layer) - 1)) / len(layer))
        left = (WIDTH - width * len(layer) - 16 * (len(layer) - 1)) / 2
        for place, record in enumerate(layer):
            x = left + place * (width + 16)
            spots[record.id] = (x + width / 2, y)
            cards += _card(record, x, y, width)
        y += CARD + BETWEEN
    for record in records:
        if record.cause in spots:
            (x0, y0), (x1, y1) = spots[record.cause], spots[record.id]
            items += arrow([(x0, y0 + CARD), (x1, y1)], stroke="ink", line=1.6)
    parts = [component_key(record.component) for record in records]
    signs, y = legend(y - BETWEEN + 12, components=parts)
    return Drawing(WIDTH, y + 10, (*items, *cards, *signs))


def _card(record: Record, x: float, y: float, width: float) -> list[Item]:
    look = component_look(record.component)
    moment = clock(record.time)
    room = width - 60 - text_width(moment, SMALL)
    head = f"{record.component}: {record.verb}"
    object_ = record.subject + (f"  {record.detail}" if record.detail else "")
    tip = f"record {record.id}"
    return [
        Box(x=x, y=y, width=width, height=CARD, fill="panel", stroke=look.fill, line=2, tip=tip),
        *mark(look.shape, x + 20, y + CARD / 2, 7, look.fill),
        Text(x=x + 40, y=y + 14, text=fit(head, room, SMALL, bold=True), size=SMALL, bold=True),
        Text(x=x + width - 10, y=y + 14, text=moment, size=SMALL, fill="muted", anchor="end"),
        Text(x=x + 40, y=y + 31, text=clip(object_, width - 52, SMALL), size=SMALL, tip=tip),
    ]
