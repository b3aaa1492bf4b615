"""The journey of a request as a ladder: a lifeline for each place, a rung for each hop.

    journey_figure(cluster.request("pod/client", "http://web"))

Left, the packet goes from lifeline to lifeline and back; right, beside each hop, its addresses,
what they were rewritten to, and the very rule that did it. By default only the first packet and
its answer are drawn, for the others fare alike; `whole=True` draws every packet.

Rule of use: anything with `hops` will do, as `k8slab.linux.journey.Journey` has them.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from k8slab.viz.drawing import Box, Disc, Drawing, Item, Line, Text, arrow
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.style import BLUE, MARGIN, PURPLE, SMALL, VERMILLION, WIDTH
from k8slab.viz.text_width import clip, fit, text_width

MOST = 40  # hops
ROW, LINE = 22.0, 15.0  # px: a hop, each further line of it
LIFELINES, ALONE = 330.0, 60.0  # px: width of the ladder, from its edge to the first lifeline
COMMENT = re.compile(r' -m comment --comment (?:"[^"]*"|\S+)')
REFUSALS = ("-j REJECT", "-j DROP", "dropped: ")


def journey_figure(answer: Any, *, whole: bool = False) -> Figure:
    """Draw the hops of an answer (or of a journey); raises ValueError if there are none."""
    hops = list(answer.hops)
    if not hops:
        raise ValueError("this journey has no hops: the name was not resolved, or nothing was sent")
    shown = (hops if whole else first_exchange(hops))[:MOST]
    title, outcome = headline(answer)
    left_out = len(hops) - len(shown)
    below = f"{outcome}; {count(len(shown), 'hop')} of the first packet and its answer"
    if whole or not left_out:
        below = f"{outcome}; {count(len(shown), 'hop')}"
    rewritten = sum(hop.changed for hop in shown)
    alt = f"Ladder of {title}: {outcome}. {count(len(shown), 'hop')}, {rewritten} with a rewrite."
    return Figure(draw(shown, title, below), alt=alt, text=_text(shown, title, outcome, left_out))


def first_exchange(hops: Sequence[Any]) -> list[Any]:
    """Return the hops of the first packet and of the answer to it.

    If no answer comes, the packet is sent again: the second try is left out.
    """
    found: list[Any] = []
    for hop in hops:
        if found and found[-1].direction == "reply" and hop.direction == "request":
            break
        if len(found) > 1 and _same_place(hop, found[0]):
            break
        found.append(hop)
    return found


def _same_place(hop: Any, first: Any) -> bool:
    """Say whether the packet is where it began, and as it was then."""
    places = [(each.direction, each.namespace, each.point, each.before) for each in (hop, first)]
    return bool(places[0] == places[1])


def headline(answer: Any) -> tuple[str, str]:
    """Return the title of an answer's or a journey's figure, and how it ended."""
    source, url = getattr(answer, "source", ""), getattr(answer, "url", "")
    status = getattr(answer, "status", 0)
    outcome = getattr(answer, "outcome", "the packets as they went")
    if status:
        outcome = f"{outcome} with {status}"
    title = f"{source} -> {url}" if source else getattr(answer, "title", "") or "A journey"
    return title, str(outcome)


def reason(hop: Any) -> str:
    """Return why the packet was rewritten or refused here, "" if it was not."""
    rule = hop.rule
    if rule is not None and any(refusal in rule.text for refusal in REFUSALS):
        return short_rule(rule.text)
    if "hairpin is off" in hop.note:
        return f"dropped: {hop.note}"
    if not hop.changed:
        return ""
    return short_rule(rule.text) if rule is not None else "by the conntrack entry of its connection"


def short_rule(text: str) -> str:
    """Return a rule without its comments.

    >>> short_rule('-A KUBE-SEP-X -p tcp -m comment --comment "default/web" -m tcp -j DNAT')
    '-A KUBE-SEP-X -p tcp -m tcp -j DNAT'
    """
    return COMMENT.sub("", text)


def _text(hops: Sequence[Any], title: str, outcome: str, left_out: int) -> str:
    lines = [f"{title}: {outcome}"]
    for hop in hops:
        sign = "->" if hop.direction == "request" else "<-"
        lines.append(f"  {sign} {hop.namespace} {hop.point}: {hop.before}")
        if hop.changed:
            lines.append(f"       now {hop.after}")
        if reason(hop):
            lines.append(f"       {reason(hop)}")
    if left_out:
        lines.append(f"  and {count(left_out, 'further hop')} of the packets that follow")
    return "\n".join(lines)


def draw(hops: Sequence[Any], title: str, below: str) -> Drawing:
    """Lay the ladder out."""
    places = list(dict.fromkeys(hop.namespace for hop in hops))
    step = (LIFELINES - ALONE) / max(len(places) - 1, 1)
    xs = {place: MARGIN + ALONE + number * step for number, place in enumerate(places)}
    items = heading(title, below)
    top = HEAD + 8 + 16 * _head_rows(places)
    items += _heads(places, xs, step)
    ys, y = [], top + 16
    for hop in hops:
        ys.append(y)
        y += ROW + LINE * (hop.changed + bool(reason(hop)))
    lifelines = [Line(points=((x, top), (x, y)), stroke="rule", line=2.0) for x in xs.values()]
    rungs = _rungs(hops, xs, ys)
    details = [item for hop, at in zip(hops, ys, strict=True) for item in _detail(hop, at)]
    return Drawing(WIDTH, y + 44, (*items, *lifelines, *rungs, *details, *_legend(y + 22)))


def _head_rows(places: Sequence[str]) -> int:
    return 1 if len(places) < 3 else 2


def _heads(places: Sequence[str], xs: dict[str, float], step: float) -> list[Item]:
    """Write the places above their lifelines, in two rows if there are many."""
    rows = _head_rows(places)
    width = min(step * rows - 8, 170.0) if len(places) > 1 else 200.0
    items: list[Item] = []
    for number, place in enumerate(places):
        words = fit(place.removeprefix("default/"), width, SMALL)
        x = max(xs[place], MARGIN + text_width(words, SMALL) / 2)
        y = HEAD + 8 + 16 * (number % rows)
        items.append(Text(x=x, y=y, text=words, size=SMALL, anchor="middle", tip=place))
    return items


def _rungs(hops: Sequence[Any], xs: dict[str, float], ys: Sequence[float]) -> list[Item]:
    items: list[Item] = []
    for place, (hop, y) in enumerate(zip(hops, ys, strict=True)):
        x = xs[hop.namespace]
        colour = BLUE if hop.direction == "request" else PURPLE
        if place and hops[place - 1].namespace != hop.namespace:
            start = (xs[hops[place - 1].namespace], ys[place - 1])
            items += arrow(
                [start, (x, y)], stroke=colour, line=1.8, dashed=hop.direction == "reply"
            )
        refused = any(refusal in reason(hop) for refusal in REFUSALS)
        fill = VERMILLION if refused else colour if hop.changed else "paper"
        items.append(
            Disc(x=x, y=y, radius=6 if hop.changed or refused else 4.5, fill=fill, stroke=colour,
                 line=2, tip=f"{hop.namespace} {hop.point}")
        )  # fmt: skip
    return items


def _detail(hop: Any, y: float) -> list[Item]:
    """Write what is known of a hop beside it."""
    left, width = MARGIN + LIFELINES + 40, WIDTH - MARGIN - LIFELINES - 40 - MARGIN
    items: list[Item] = [
        Text(x=left, y=y, text=hop.point, size=SMALL, bold=True),
        Text(x=left + 116, y=y, text=clip(str(hop.before), width - 116, SMALL), size=SMALL),
    ]
    if hop.changed:
        y += LINE
        wide = text_width("now", SMALL) + 8
        items += [
            Box(x=left + 116 - wide - 6, y=y - 7, width=wide, height=14, fill="ink", radius=3),
            Text(
                x=left + 112 - wide / 2 - 2,
                y=y,
                text="now",
                size=SMALL,
                fill="paper",
                anchor="middle",
            ),
            Text(
                x=left + 116,
                y=y,
                text=clip(str(hop.after), width - 116, SMALL),
                size=SMALL,
                bold=False,
            ),
        ]
    if reason(hop):
        items.append(
            Text(x=left, y=y + LINE, text=fit(reason(hop), width, SMALL), size=SMALL, fill="muted",
                 tip=hop.rule.text if hop.rule is not None else "")
        )  # fmt: skip
    return items


def _legend(y: float) -> list[Item]:
    items: list[Item] = [*arrow([(MARGIN, y), (MARGIN + 26, y)], stroke=BLUE, line=1.8)]
    items.append(Text(x=MARGIN + 34, y=y, text="request", size=SMALL, fill="muted"))
    items += arrow([(MARGIN + 100, y), (MARGIN + 126, y)], stroke=PURPLE, line=1.8, dashed=True)
    items.append(Text(x=MARGIN + 134, y=y, text="reply", size=SMALL, fill="muted"))
    items.append(Disc(x=MARGIN + 186, y=y, radius=6, fill="muted"))
    text = "an address was rewritten here"
    items.append(Text(x=MARGIN + 198, y=y, text=text, size=SMALL, fill="muted"))
    return items
