"""From manifest to running as a sequence diagram: a lane for each component, time downwards.

    sequence_diagram(cluster, "deployment/web")
    sequence_diagram(cluster, "pod/web", rules=True)     # and on to its Services

Left, who says what to whom: never component to component, always through the API server; only a
kubelet and its runtime speak directly. Right, the words, under the seven steps.

Rule of use: it follows one Pod from the command that caused it; a step that was not reached is
named below the title.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import groupby

from k8slab.viz.conversation import FOLLOWS, SERVES, SEVEN, STEPS, Turn, converse
from k8slab.viz.drawing import Box, Disc, Drawing, Item, Line, Text, arrow
from k8slab.viz.facts import ClusterLike, clock, count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.player import Frame
from k8slab.viz.shapes import mark
from k8slab.viz.style import (
    BODY,
    COMPONENTS,
    MARGIN,
    SMALL,
    WIDTH,
    Look,
    component_look,
    lane_label,
)
from k8slab.viz.text_width import clip, text_width

LANES, FIRST = 400.0, 66.0  # px: where the last lane is, where the first
WORDS = LANES + 44  # px, where the words begin
CAPTION, ROW, GAP = 24.0, 19.0, 7.0  # px: heights of a step's title, of a turn, between steps
SIGNS = {FOLLOWS: "+", SERVES: "+"}  # in place of a number
DASHED = ("news", "report")
THOUGHT = Look("", "letter", "decides, and tells nobody")


def sequence_diagram(
    cluster: ClusterLike, what: str, *, namespace: str = "default", rules: bool = False
) -> Figure:
    """Draw how "pod/NAME", or the first Pod of "deployment/NAME", came to run, step by step.

    `rules=True` goes on until Services know it. Raises ValueError if there is no such Pod.
    """
    turns = converse(cluster, what, namespace, rules=rules)
    title = f"From manifest to running: {what}"
    took = turns[-1].time - turns[0].time
    missing = [step for step in SEVEN if step not in [turn.step for turn in turns]]
    below = f"{count(len(turns), 'turn')} in {took:.3f} s"
    if missing:
        below += f"; not reached: steps {', '.join(map(str, missing))}"
    alt = (
        f"Sequence diagram of {what}: {count(len(turns), 'turn')} among "
        f"{count(len(lanes(turns)), 'component')}, {7 - len(missing)} of 7 steps reached."
    )
    return Figure(
        draw(turns, title, below),
        alt=alt,
        text=_text(turns, title, missing),
        frames=partial(frames, turns, title),
    )


def frames(turns: Sequence[Turn], title: str) -> list[Frame]:
    """Return the diagram after each turn, for a player."""
    found = []
    for shown, turn in enumerate(turns, 1):
        caption = f"{clock(turn.time)}: {STEPS[turn.step]}: {turn.words}"
        drawing = draw(turns, title, f"turn {shown} of {len(turns)}", shown)
        figure = Figure(drawing, alt=caption, text=_text(turns[:shown], title, ()))
        found.append(Frame(caption, figure))
    return found


def lanes(turns: Sequence[Turn]) -> list[str]:
    """Return who takes part, in the order of the table of components."""
    order = [*COMPONENTS]
    order.append(order.pop(order.index("kube-proxy")))  # the kubelet stands beside its runtime
    names = dict.fromkeys(name for turn in turns for name in (turn.source, turn.target))
    return sorted(names, key=lambda name: (order.index(name.partition("/")[0]), name))


def _text(turns: Sequence[Turn], title: str, missing: Sequence[int]) -> str:
    lines = [f"{title}:"]
    for step, group in groupby(turns, key=lambda turn: turn.step):
        lines.append(f"  {SIGNS.get(step, step)} {STEPS[step]}")
        for turn in group:
            who = turn.source
            if turn.target != turn.source:
                who += f" {'<-' if turn.kind == 'report' else '->'} {turn.target}"
            lines.append(f"    {turn.time:9.3f}  {who}: {turn.words}")
    lines += [f"  {step} {STEPS[step]}: not reached" for step in missing]
    return "\n".join(lines)


def draw(turns: Sequence[Turn], title: str, below: str, shown: int | None = None) -> Drawing:
    """Lay the lanes out, and beside them the words; `shown` turns of them, if given."""
    seen = turns[:shown]
    names = lanes(turns)
    pitch = (LANES - FIRST) / max(len(names) - 1, 1)
    xs = {name: FIRST + place * pitch for place, name in enumerate(names)}
    top = HEAD + 58
    bands: list[Item] = []
    rows: list[Item] = []
    y = top
    for step, group in groupby(turns, key=lambda turn: turn.step):
        own = list(group)
        height = CAPTION + ROW * len(own)
        bands.append(
            Box(x=MARGIN, y=y, width=WIDTH - 2 * MARGIN, height=height, fill="panel", radius=6)
        )
        rows += _caption(step, y + CAPTION / 2)
        y += CAPTION
        for turn in own:
            rows += _turn(turn, xs, y + ROW / 2 - 4) if turn in seen else []
            y += ROW
        y += GAP
    lifelines = [
        Line(points=((x, top - 8), (x, y - GAP)), stroke="rule", line=1.6) for x in xs.values()
    ]
    heads = _heads(names, xs, pitch)
    signs, y = legend(y + 6, extra=(THOUGHT,), lines=("write", "news"))
    return Drawing(
        WIDTH, y + 10, (*heading(title, below), *bands, *lifelines, *heads, *rows, *signs)
    )


def _heads(names: Sequence[str], xs: dict[str, float], pitch: float) -> list[Item]:
    """Write the names above their lanes, in two rows, so that long ones have room."""
    items: list[Item] = []
    for place, name in enumerate(names):
        key, _, node = name.partition("/")
        look = component_look(key)
        x, y = xs[name], HEAD + 8 + 15 * (place % 2)
        words = clip(lane_label(key), 2 * pitch - 6, SMALL)
        tip = f"{key} on {node}" if node else key
        items.append(Text(x=x, y=y, text=words, size=SMALL, anchor="middle", tip=tip))
        items += mark(look.shape, x, HEAD + 41, 6, look.fill)
    return items


def _caption(step: int, y: float) -> list[Item]:
    """Return a step's number, and its title above the words."""
    sign = str(SIGNS.get(step, step))
    return [
        Disc(x=MARGIN + 16, y=y + 2, radius=9, fill="ink"),
        Text(x=MARGIN + 16, y=y + 2, text=sign, size=SMALL, fill="paper", anchor="middle"),
        Text(x=WORDS, y=y, text=STEPS[step], size=BODY, bold=True),
    ]


def _turn(turn: Turn, xs: dict[str, float], y: float) -> list[Item]:
    """Draw a turn between its lanes, and write its words."""
    x0, x1 = xs[turn.source], xs[turn.target]
    tip = f"{clock(turn.time)}  {turn.words}"
    colour = component_look(turn.source).fill
    items: list[Item] = []
    if turn.kind == "thought":
        items.append(
            Box(
                x=x0 - 9, y=y - 6, width=18, height=12, fill=colour, stroke="ink", radius=3, tip=tip
            )
        )
    else:
        dashed = turn.kind in DASHED
        items += arrow([(x0, y), (x1, y)], stroke="ink", line=1.6, dashed=dashed, tip=tip)
        items.append(Disc(x=x0, y=y, radius=3.5, fill=colour, stroke="ink"))
    moment = f"{turn.time:.3f}"
    left = WORDS + text_width("0000.000", SMALL) + 8
    words = clip(turn.words, WIDTH - MARGIN - 8 - left, SMALL)
    items += [
        Text(x=left - 8, y=y, text=moment, size=SMALL, fill="muted", anchor="end"),
        Text(x=left, y=y, text=words, size=SMALL, tip=tip),
    ]
    return items
