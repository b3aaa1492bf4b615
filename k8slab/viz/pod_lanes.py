"""The lanes of one Pod over virtual time: who did what, and the four things that STATUS is not.

    event_lane(cluster, "pod/web-6f7d8c9b4-x2k9p")

Above, how the Pod was: STATUS column, phase, Ready condition, containers. Below, a lane for each
component with a mark at each deed; the numbers lead to the list. Time is stretched where much
happens: deeds a millisecond apart stay apart.

Rule of use: at most `MOST` deeds are drawn, the newest; `since` and `until` choose others.

Upstream: none
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise

from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.facts import ClusterLike, clock, count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.player import Frame
from k8slab.viz.pod_story import Deed, spans, tell
from k8slab.viz.shapes import mark
from k8slab.viz.style import (
    COMPONENTS,
    DARK_GREY,
    MARGIN,
    ORANGE,
    POD_STATES,
    SKY,
    SMALL,
    WIDTH,
    YELLOW,
    component_look,
    lane_label,
    text_on,
)
from k8slab.viz.text_width import clip, fit, text_width

MOST = 26
LEFT = 128.0  # px, where time begins
SPAN, LANE, STEP = 24.0, 26.0, 18.0  # px: heights of a span, a lane, a line of the list
NEAREST, LAST = 22.0, 84.0  # px between two deeds, after the last one
COLUMNS = {
    "status": "STATUS column",
    "phase": "phase",
    "ready": "Ready condition",
    "containers": "containers",
}


def event_lane(
    cluster: ClusterLike,
    pod: str,
    *,
    namespace: str = "default",
    since: float = 0.0,
    until: float | None = None,
) -> Figure:
    """Draw what happened to a Pod, "pod/NAME" or "NAME", between two virtual times in seconds."""
    name = pod.rpartition("/")[2]
    deeds = tell(cluster, name, namespace, since, cluster.now if until is None else until)
    if not deeds:
        raise ValueError(f"nothing in the trace is about pod/{name} in namespace {namespace}")
    return _figure(name, deeds, partial(_replay, name, deeds))


def _replay(name: str, deeds: Sequence[Deed]) -> list[Frame]:
    """Return the lanes after each deed, for a player."""
    return [
        Frame(f"{clock(deed.time)}: {deed.component}: {deed.words}", _figure(name, deeds[:number]))
        for number, deed in enumerate(deeds, 1)
    ]


def _figure(
    name: str, deeds: Sequence[Deed], frames: Callable[[], Sequence[Frame]] | None = None
) -> Figure:
    shown = deeds[-MOST:]
    title = f"What happened to pod/{name}"
    drawing = draw(shown, title, _summary(deeds, shown))
    alt = (
        f"Lanes of pod/{name}: {count(len(deeds), 'deed')} by {', '.join(_actors(deeds))}; "
        f"in the end its STATUS is {deeds[-1].after.status or 'gone'}."
    )
    return Figure(drawing, alt=alt, text=_text(title, deeds), frames=frames)


def _summary(deeds: Sequence[Deed], shown: Sequence[Deed]) -> str:
    first, last = clock(shown[0].time), clock(shown[-1].time)
    left_out = len(deeds) - len(shown)
    earlier = f"; {count(left_out, 'earlier deed')} left out" if left_out else ""
    return (
        f"{count(len(shown), 'deed')} from {first} to {last}, stretched where much happens{earlier}"
    )


def _text(title: str, deeds: Sequence[Deed]) -> str:
    lines = [f"{title}:"]
    before = ""
    for deed in deeds:
        lines.append(f"  {deed.time:9.3f}  {deed.component}: {deed.words}")
        after = deed.after
        now = f"STATUS {after.status}, phase {after.phase}, Ready {after.ready}, {after.containers}"
        if after.state and now != before:
            lines.append(f"             -> {now}")
            before = now
    return "\n".join(lines)


def _actors(deeds: Sequence[Deed]) -> list[str]:
    """Return who acted, in the order of the table of components."""
    order = list(COMPONENTS)
    names = dict.fromkeys(deed.who for deed in deeds)
    return sorted(names, key=lambda name: (order.index(name.partition("/")[0]), name))


def draw(deeds: Sequence[Deed], title: str, below: str) -> Drawing:
    """Lay the lanes out."""
    xs = places([deed.time for deed in deeds], LEFT + 14, WIDTH - MARGIN - LAST)
    items = heading(title, below)
    y = HEAD + 4
    for column, words in COLUMNS.items():
        items += _span_row(deeds, xs, column, words, y)
        y += SPAN + 4
    y += 8
    lanes = _actors(deeds)
    bottom = y + LANE * len(lanes)
    guides = [Line(points=((x, HEAD + 4), (x, bottom)), stroke="rule", line=0.6) for x in xs]
    lower: list[Item] = []
    for name in lanes:
        lower += _lane(deeds, xs, name, y)
        y += LANE
    lower += _ticks(deeds, xs, bottom + 10)
    listed, y = _list(deeds, bottom + 28)
    signs, y = legend(y + 6, states=[deed.after.state for deed in deeds if deed.after.state])
    # Guides lie below all else.
    return Drawing(WIDTH, y + 10, (*guides, *items, *lower, *listed, *signs))


def places(times: Sequence[float], left: float, right: float) -> list[float]:
    """Return an x for each time: in order, `NEAREST` px apart, further for longer gaps.

    >>> places([0.0, 0.001, 10.0], 0, 100)
    [0, 22.0, 100.0]
    """
    gaps = [later - earlier for earlier, later in pairwise(times)]
    if not gaps:
        return [left]
    nearest = min(NEAREST, (right - left) / len(gaps))
    spare = right - left - nearest * len(gaps)
    # Below a tenth of a second a gap is none; above, each doubling counts the same.
    weights = [math.log2(1 + gap / 0.1) if gap > 0.05 else 0.0 for gap in gaps]
    total = sum(weights)
    xs = [left]
    for weight in weights:
        xs.append(xs[-1] + nearest + (spare * weight / total if total else 0.0))
    return xs


def _span_row(
    deeds: Sequence[Deed], xs: Sequence[float], column: str, words: str, y: float
) -> list[Item]:
    """Draw one column's values as bars that begin where the value does."""
    middle = y + SPAN / 2
    items: list[Item] = [Text(x=MARGIN, y=middle, text=words, size=SMALL, fill="muted")]
    end = WIDTH - MARGIN
    for first, after, value, state in spans(deeds, column):
        left = xs[first]
        right = xs[after] if after < len(xs) else end
        fill = _fill(column, value, state)
        ink = text_on(fill) if fill != "panel" else "ink"
        tip = f"{words}: {value} from {clock(deeds[first].time)}"
        items.append(
            Box(x=left, y=y, width=max(right - left - 2, 4), height=SPAN, fill=fill, radius=4,
                stroke="rule" if fill == "panel" else "", tip=tip)
        )  # fmt: skip
        words_in = _inside(value, right - left - 12)
        if words_in:
            items.append(Text(x=left + 6, y=middle, text=words_in, size=SMALL, fill=ink, tip=tip))
    return items


def _inside(value: str, width: float) -> str:
    """Return as much of a value as says something in the width, else nothing."""
    if text_width(value, SMALL) <= width:
        return value
    shorter = fit(value, width, SMALL)
    return shorter if len(shorter) >= 5 else ""


def _fill(column: str, value: str, state: str) -> str:
    if column == "status":
        return POD_STATES[state].fill
    if column == "ready":
        return POD_STATES["Ready"].fill if value == "True" else "panel"
    if column == "phase":
        return SKY if value == "Running" else POD_STATES[value].fill
    if "terminated" in value:
        return DARK_GREY
    if value.startswith("waiting") and not value.endswith(("Creating", "Initializing")):
        return ORANGE
    return SKY if value == "running" else YELLOW if value.startswith("waiting") else "panel"


def _lane(deeds: Sequence[Deed], xs: Sequence[float], name: str, y: float) -> list[Item]:
    middle = y + LANE / 2
    look = component_look(name)
    items: list[Item] = [
        Line(points=((LEFT, middle), (WIDTH - MARGIN, middle)), stroke="rule"),
        *mark(look.shape, MARGIN + 6, middle, 6, look.fill),
        Text(
            x=MARGIN + 18,
            y=middle,
            text=fit(lane_label(name), LEFT - MARGIN - 24, SMALL),
            size=SMALL,
        ),
    ]
    for x, deed in zip(xs, deeds, strict=True):
        if deed.who == name:
            tip = f"{deed.number}  {clock(deed.time)}  {deed.component}: {deed.words}"
            fill, ink = look.fill, text_on(look.fill)
            width = max(16.0, text_width(str(deed.number), SMALL) + 6)
            items += [
                Box(
                    x=x - width / 2,
                    y=middle - 9,
                    width=width,
                    height=18,
                    fill=fill,
                    radius=5,
                    tip=tip,
                ),
                Text(
                    x=x,
                    y=middle,
                    text=str(deed.number),
                    size=SMALL,
                    fill=ink,
                    anchor="middle",
                    tip=tip,
                ),
            ]
    return items


def _ticks(deeds: Sequence[Deed], xs: Sequence[float], y: float) -> list[Item]:
    """Write times below the lanes, where there is room."""
    items: list[Item] = [Text(x=MARGIN, y=y, text="virtual time, s", size=SMALL, fill="muted")]
    free = LEFT - 10
    for x, deed in zip(xs, deeds, strict=True):
        text = f"{deed.time:.3f}"
        half = text_width(text, SMALL) / 2
        left = max(x - half, LEFT - 8)
        if left >= free and left + 2 * half <= WIDTH - 4:
            items.append(Text(x=left, y=y, text=text, size=SMALL, fill="muted"))
            free = left + 2 * half + 8
    return items


def _list(deeds: Sequence[Deed], y: float) -> tuple[list[Item], float]:
    """Write the numbered deeds in two columns."""
    half = -(-len(deeds) // 2)
    width = (WIDTH - 2 * MARGIN - 20) / 2
    items: list[Item] = []
    for place, deed in enumerate(deeds):
        x = MARGIN + (width + 20) * (place // half)
        middle = y + STEP * (place % half) + STEP / 2
        look = component_look(deed.who)
        words = clip(f"{deed.component}: {deed.words}", width - 86, SMALL)
        items += [
            Text(x=x + 18, y=middle, text=str(deed.number), size=SMALL, anchor="end", bold=True),
            Text(
                x=x + 66, y=middle, text=f"{deed.time:.3f}", size=SMALL, fill="muted", anchor="end"
            ),
            *mark(look.shape, x + 76, middle, 4, look.fill),
            Text(x=x + 86, y=middle, text=words, size=SMALL),
        ]
    return items, y + STEP * half
