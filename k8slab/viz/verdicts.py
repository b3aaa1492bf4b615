"""Nodes against plugins: who refused a node and why, and what the others scored.

    scheduling_heat_map(explain(pod, nodes, pods))     # k8slab.control_plane.scheduler.explain

A row for each node. A node that a filter refused shows that filter and its reasons; the others show
the score of each plugin, 0 to 100, the darker the better, and the weighted total that decides.

Rule of use: an explanation has `nodes`, `weights`, `best` and `event`, as the scheduler's has.

Upstream: pkg/scheduler/schedule_one.go (findNodesThatFitPod, prioritizeNodes)
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from k8slab.viz.drawing import Box, Drawing, Item, Text
from k8slab.viz.facts import count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.shapes import mark
from k8slab.viz.style import BLUE, BODY, MARGIN, SMALL, VERMILLION, WIDTH, Look, text_on
from k8slab.viz.text_width import clip, fit, wrap

SHADES = (
    "#EAF3F9",
    "#BBD9EC",
    "#7DB6D9",
    "#3A8CC0",
    "#0B5A92",
)  # a score of 0 to 19, 20 to 39, ...
NAMES, TOTAL, ROW, LINE = 168.0, 74.0, 36.0, 14.0  # px
MOST = 16  # nodes
WIDEST = 110.0  # px, of a column
REFUSED = Look(VERMILLION, "cross", "refused by a filter: not scored")
BEST = Look(BLUE, "tick", "best")
SCORES = [
    Look(shade, "square", f"{20 * place} to {20 * place + 19 + place // 4}")
    for place, shade in enumerate(SHADES)
]


class Verdict(Protocol):
    """What was said about one node."""

    @property
    def fits(self) -> bool:
        """Whether no filter refused it."""

    @property
    def plugin(self) -> str:
        """The filter that refused it."""

    @property
    def reasons(self) -> Sequence[str]:
        """Why it refused."""

    @property
    def scores(self) -> Mapping[str, int]:
        """By plugin, 0..100."""

    @property
    def total(self) -> int:
        """Weighted."""


def scheduling_heat_map(explanation: Any) -> Figure:
    """Draw a decision of the scheduler, or what it would be; raises ValueError without nodes."""
    verdicts: Mapping[str, Verdict] = explanation.nodes
    if not verdicts:
        said = explanation.event or "give explain() the cluster's nodes"  # or a plugin failed
        raise ValueError(f"this decision is about no nodes: {said}")
    fitting = [name for name, verdict in verdicts.items() if verdict.fits]
    title = f"Where Pod {explanation.pod} may go"
    below = f"{len(fitting)} of {count(len(verdicts), 'node')} fit"
    if len(explanation.best) == 1:
        below += f"; the best is {explanation.best[0]}"
    elif explanation.best:
        below += f"; {len(explanation.best)} are equally good, and one is taken at random"
    alt = f"Heat map of {count(len(verdicts), 'node')} for Pod {explanation.pod}: {below}."
    return Figure(draw(explanation, title, below), alt=alt, text=f"{title}:\n{_text(explanation)}")


def _text(explanation: Any) -> str:
    lines = []
    for name, verdict in explanation.nodes.items():
        if not verdict.fits:
            told = f"refused by {verdict.plugin}: {', '.join(verdict.reasons)}"
        elif not verdict.scores:
            told = "fits, and is the only one"
        else:
            parts = [f"{p} {s} x {explanation.weights[p]}" for p, s in verdict.scores.items()]
            told = f"{verdict.total} = {' + '.join(parts)}"
        best = " (best)" if name in explanation.best else ""
        lines.append(f"  {name}{best}: {told}")
    return "\n".join([*lines, f"  {explanation.event}"])


def draw(explanation: Any, title: str, below: str) -> Drawing:
    """Lay the table out."""
    verdicts: Mapping[str, Verdict] = explanation.nodes
    weights: Mapping[str, int] = explanation.weights
    width = min((WIDTH - 2 * MARGIN - NAMES - TOTAL) / max(len(weights), 1), WIDEST)
    heads, top = _heads(weights, width)
    items = heading(title, below) + heads
    shown = _shown(explanation)
    for name in shown:
        items += _row(name, verdicts[name], explanation, top, width)
        top += ROW
    if len(shown) < len(verdicts):
        text = f"and {count(len(verdicts) - len(shown), 'node')} more that the text lists"
        items.append(Text(x=MARGIN, y=top + 8, text=text, size=SMALL, fill="muted"))
        top += 18
    told = "" if len(explanation.best) > 1 else explanation.event  # which, chance will tell
    for line in wrap(told, WIDTH - 2 * MARGIN - 30, SMALL):
        items.append(Text(x=MARGIN, y=top + 14, text=line, size=SMALL))
        top += LINE
    signs = [look for look, there in ((BEST, bool(explanation.best)), (REFUSED, not all(
        verdicts[name].fits for name in shown))) if there]  # fmt: skip
    end, y = legend(top + 14, extra=[*signs, *(SCORES if weights else ())])
    return Drawing(WIDTH, y + 10, (*items, *end))


def _shown(explanation: Any) -> list[str]:
    """Return the nodes that are drawn: all, or the best ones, in the order given."""
    names = list(explanation.nodes)
    verdicts = explanation.nodes
    ranked = sorted(names, key=lambda name: (not verdicts[name].fits, -verdicts[name].total))
    chosen = ranked[:MOST]
    return [name for name in names if name in chosen]


def _heads(weights: Mapping[str, int], width: float) -> tuple[list[Item], float]:
    """Write the plugins above their columns, word below word, with their weights."""
    if not weights:
        return [], HEAD + 8
    items: list[Item] = []
    broken = {name: wrap(words(name), width - 8, SMALL) for name in weights}
    rows = max(len(lines) for lines in broken.values()) + 1
    bottom = HEAD + rows * LINE + 10
    for place, (name, lines) in enumerate(broken.items()):
        x = MARGIN + NAMES + (place + 0.5) * width
        for row, line in enumerate([*lines, f"x {weights[name]}"]):
            y = bottom - 12 - (len(lines) - row) * LINE
            fill = "muted" if row == len(lines) else "ink"
            items.append(
                Text(x=x, y=y, text=line, size=SMALL, anchor="middle", fill=fill, tip=name)
            )
    x = MARGIN + NAMES + len(weights) * width + TOTAL / 2
    items.append(Text(x=x, y=bottom - 12, text="total", size=SMALL, anchor="middle", bold=True))
    return items, bottom


def words(plugin: str) -> str:
    """Break the name of a plugin into its words.

    >>> words("NodeResourcesBalancedAllocation")
    'Node Resources Balanced Allocation'
    """
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", plugin)


def _row(name: str, verdict: Verdict, explanation: Any, top: float, width: float) -> list[Item]:
    middle = top + ROW / 2
    best = name in explanation.best
    items: list[Item] = []
    if best:
        items += mark(BEST.shape, MARGIN + 8, middle, 6, BEST.fill)
    elif not verdict.fits:
        items += mark(REFUSED.shape, MARGIN + 8, middle, 5, REFUSED.fill)
    label = fit(name, NAMES - 32, BODY, bold=best)
    items.append(Text(x=MARGIN + 22, y=middle, text=label, size=BODY, bold=best, tip=name))
    if not verdict.scores:
        return [*items, *_told(verdict, top)]
    for place, plugin in enumerate(explanation.weights):
        score = verdict.scores.get(plugin, 0)
        shade = SHADES[min(score // 20, len(SHADES) - 1)]
        x = MARGIN + NAMES + place * width
        tip = f"{plugin} gives {name} {score} of 100, weight {explanation.weights[plugin]}"
        items += [
            Box(x=x + 1, y=top + 2, width=width - 2, height=ROW - 4, fill=shade, radius=3, tip=tip),
            Text(x=x + width / 2, y=middle, text=str(score), size=BODY, fill=text_on(shade),
                 anchor="middle", tip=tip),
        ]  # fmt: skip
    x = MARGIN + NAMES + len(explanation.weights) * width + TOTAL / 2
    total = str(verdict.total)
    items.append(Text(x=x, y=middle, text=total, size=BODY, anchor="middle", bold=best))
    return items


def _told(verdict: Verdict, top: float) -> list[Item]:
    """Write across the columns why a node has no scores."""
    x, room = MARGIN + NAMES, WIDTH - 2 * MARGIN - NAMES
    panel = Box(x=x + 1, y=top + 2, width=room - 2, height=ROW - 4, fill="panel", radius=3)
    if verdict.fits:
        text = "the only node that fits: nothing to compare"
        return [panel, Text(x=x + 10, y=top + ROW / 2, text=text, size=SMALL)]
    reasons = "; ".join(verdict.reasons)
    return [
        panel,
        Text(x=x + 10, y=top + 11, text=verdict.plugin, size=SMALL, bold=True),
        Text(x=x + 10, y=top + 25, text=clip(reasons, room - 24, SMALL), size=SMALL, tip=reasons),
    ]
