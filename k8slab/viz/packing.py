"""Nodes as bars that Pods fill: what was requested of each, of what it can give.

    bin_packing(cluster)
    bin_packing(cluster, pod="pod/big")                        # would this one fit, and where?
    bin_packing(cluster, usage={"worker-1": {"cpu": "300m"}})  # beside it, what is really used

The scheduler adds up requests on each node against allocatable, and looks at nothing else: what
is free in all does not help a Pod that fits on no single node.

Rule of use: Pods that ended are not counted; a Pod without requests is no part of a bar.

Upstream: pkg/scheduler/framework/plugins/noderesources/fit.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from k8slab.api.core import Node, Pod
from k8slab.api.pods import is_pod_terminal
from k8slab.api.requests import amounts, pod_requests
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.facts import SYSTEM, ClusterLike, ViewLike, clock, count, short_pod_name
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.shapes import mark
from k8slab.viz.style import (
    BLUE,
    BODY,
    DARK_GREY,
    MARGIN,
    ORANGE,
    SKY,
    SMALL,
    VERMILLION,
    WIDTH,
    Look,
    text_on,
)
from k8slab.viz.text_width import fit, text_width

NAMES, NUMBERS, ROW, BAR, CAPTION = 124.0, 166.0, 30.0, 20.0, 28.0  # px
MOST = 14  # nodes
Usage = Mapping[str, Mapping[str, str]]
OURS = Look(SKY, "square", "requested by a Pod")
SYSTEMS = Look(DARK_GREY, "square", "requested by a Pod of kube-system")
USED = Look(ORANGE, "bar", "really used")
FITS = Look(BLUE, "tick", "what the new Pod asks for fits")
DOES_NOT = Look(VERMILLION, "cross", "it does not")


class Bar(msgspec.Struct, frozen=True):
    """One resource of one node; cpu in millicores, the rest in whole units."""

    node: str
    allocatable: int
    requested: tuple[tuple[str, str, int], ...]  # (namespace, Pod, amount)
    used: int | None = None

    @property
    def free(self) -> int:
        """What is left for newcomers."""
        return self.allocatable - sum(amount for _, _, amount in self.requested)


def bin_packing(
    cluster: ClusterLike,
    *,
    pod: str = "",
    namespace: str = "default",
    resources: Sequence[str] = ("cpu", "memory"),
    usage: Usage | None = None,
    at: ViewLike | None = None,
) -> Figure:
    """Draw what is requested of each node; `pod` names one that looks for a place.

    `usage` says what nodes really use: {"worker-1": {"cpu": "300m"}}. Raises ValueError if the
    Pod is not there.
    """
    view = cluster.view if at is None else at
    newcomer = _newcomer(view, pod, namespace) if pod else {}
    bars = {resource: read(view, resource, usage or {}) for resource in resources}
    title = f"What is requested of the nodes, at {clock(getattr(view, 'time', cluster.now))}"
    below = "each bar is what a node can give (allocatable)"
    if pod:
        asked = ", ".join(f"{shown(name, newcomer.get(name, 0))} {name}" for name in resources)
        below = f"{pod} asks for {asked}"
    summary = "; ".join(_sentence(resource, each) for resource, each in bars.items())
    return Figure(
        draw(bars, newcomer, title, below), alt=f"{title}: {summary}.",
        text=_text(bars, newcomer, f"{title}; {below}:"),
    )  # fmt: skip


def _newcomer(view: ViewLike, pod: str, namespace: str) -> Mapping[str, int]:
    found: Pod | None = view.get(Pod, pod.rpartition("/")[2], namespace)
    if found is None:
        raise ValueError(f"there is no {pod} in namespace {namespace}")
    return pod_requests(found)


def read(view: ViewLike, resource: str, usage: Usage) -> list[Bar]:
    """Return a bar for each node, its Pods in the order of their names."""
    pods: list[Pod] = [pod for pod in view.list(Pod) if not is_pod_terminal(pod)]
    nodes: list[Node] = view.list(Node)
    bars = []
    for node in nodes:
        name = node.metadata.name
        own = [
            (pod.metadata.namespace, short_pod_name(pod), pod_requests(pod).get(resource, 0))
            for pod in pods
            if pod.spec.nodeName == name
        ]
        used = amounts(usage.get(name, {})).get(resource)
        allocatable = amounts(node.status.allocatable).get(resource, 0)
        bars.append(Bar(name, allocatable, tuple(each for each in own if each[2]), used))
    return bars


def shown(resource: str, amount: int) -> str:
    """Write an amount as people say it.

    >>> shown("cpu", 1500), shown("cpu", 250), shown("memory", 3 << 29), shown("pods", 110)
    ('1.5', '250m', '1.5Gi', '110')
    """
    if resource == "cpu":
        return f"{amount}m" if abs(amount) < 1000 else f"{amount / 1000:g}"
    if resource not in ("memory", "ephemeral-storage"):
        return str(amount)
    gibibytes, mebibytes = amount / (1 << 30), amount / (1 << 20)
    return f"{gibibytes:.3g}Gi" if abs(gibibytes) >= 1 else f"{mebibytes:.3g}Mi"


def _sentence(resource: str, bars: Sequence[Bar]) -> str:
    """Say what is requested, what is free, and how much of it lies in one place."""
    total = sum(bar.allocatable for bar in bars)
    free = sum(bar.free for bar in bars)
    most = max((bar.free for bar in bars), default=0)
    share = (total - free) / total if total else 0.0
    return (
        f"{resource} {shown(resource, total - free)} of {shown(resource, total)} requested "
        f"({share:.0%}), {shown(resource, free)} free, at most {shown(resource, most)} on one node"
    )


def _text(bars: Mapping[str, list[Bar]], newcomer: Mapping[str, int], title: str) -> str:
    lines = [title]
    for resource, own in bars.items():
        lines.append(f"  {_sentence(resource, own)}")
        for bar in own:
            parts = ", ".join(f"{pod} {shown(resource, n)}" for _, pod, n in bar.requested)
            line = f"    {bar.node}: {shown(resource, bar.free)} of "
            line += f"{shown(resource, bar.allocatable)} free; {parts or 'no requests'}"
            if bar.used is not None:
                line += f"; uses {shown(resource, bar.used)}"
            if newcomer:
                line += "; fits" if newcomer.get(resource, 0) <= bar.free else "; does not fit"
            lines.append(line)
    return "\n".join(lines)


def draw(
    bars: Mapping[str, list[Bar]], newcomer: Mapping[str, int], title: str, below: str
) -> Drawing:
    """Lay a section out for each resource, a bar for each node."""
    items = heading(title, below)
    y = HEAD
    for resource, own in bars.items():
        sentence = fit(_sentence(resource, own), WIDTH - 2 * MARGIN - 20, BODY, bold=True)
        items.append(Text(x=MARGIN, y=y + CAPTION / 2, text=sentence, size=BODY, bold=True))
        y += CAPTION
        longest = max((bar.allocatable for bar in own), default=0) or 1
        per_px = longest / (WIDTH - 2 * MARGIN - NAMES - NUMBERS)
        for bar in own[:MOST]:
            items += _row(bar, resource, newcomer.get(resource, -1) if newcomer else -1, y, per_px)
            y += ROW
        if len(own) > MOST:
            text = f"and {count(len(own) - MOST, 'node')} more"
            items.append(Text(x=MARGIN, y=y + 6, text=text, size=SMALL, fill="muted"))
            y += 16
        y += 6
    everything = [bar for own in bars.values() for bar in own]
    looks = [OURS, SYSTEMS]
    looks += [USED] if any(bar.used is not None for bar in everything) else []
    looks += [FITS, DOES_NOT] if newcomer else []
    signs, y = legend(y + 4, extra=looks)
    return Drawing(WIDTH, y + 10, (*items, *signs))


def _row(bar: Bar, resource: str, asked: int, y: float, per_px: float) -> list[Item]:
    """Draw one bar; `asked` is what the newcomer wants, -1 if there is none."""
    middle, left = y + ROW / 2, MARGIN + NAMES
    top = middle - BAR / 2
    width = bar.allocatable / per_px
    items: list[Item] = [
        Text(x=MARGIN, y=middle, text=fit(bar.node, NAMES - 10, SMALL), size=SMALL, tip=bar.node),
        Box(x=left, y=top, width=width, height=BAR, fill="panel", stroke="muted", radius=3),
    ]
    x = left
    for namespace, pod, amount in bar.requested:
        items += _segment(namespace, pod, shown(resource, amount), (x, top, amount / per_px))
        x += amount / per_px
    if asked >= 0:
        fits = asked <= bar.free
        # What does not fit ends at the edge of the bar: it has nowhere to be.
        wide = asked / per_px if fits else max(left + width - x, 0.0)
        edge = BLUE if fits else VERMILLION
        items.append(
            Box(x=x, y=top, width=wide, height=BAR, stroke=edge, line=2, radius=2, dashed=True)
        )
        sign = FITS if fits else DOES_NOT
        items += mark(sign.shape, WIDTH - MARGIN - NUMBERS + 12, middle, 5, sign.fill)
    if bar.used is not None:
        end = left + bar.used / per_px
        items.append(Line(points=((left, top + BAR), (end, top + BAR)), stroke=ORANGE, line=4))
    text = f"{shown(resource, bar.free)} of {shown(resource, bar.allocatable)} free"
    items.append(Text(x=WIDTH - MARGIN, y=middle, text=text, size=SMALL, anchor="end"))
    return items


def _segment(
    namespace: str, pod: str, amount: str, place: tuple[float, float, float]
) -> list[Item]:
    """Draw what one Pod requests, with its name if there is room."""
    x, top, width = place
    fill = SYSTEMS.fill if namespace == SYSTEM else OURS.fill
    tip = f"{namespace}/{pod} requests {amount}"
    items: list[Item] = [
        Box(x=x, y=top, width=max(width - 1, 1.5), height=BAR, fill=fill, radius=2, tip=tip)
    ]
    label = fit(pod, width - 8, SMALL) if width > 30 else ""
    if len(label) >= min(5, len(pod)) and text_width(label, SMALL) < width - 4:
        ink = text_on(fill)
        items.append(Text(x=x + 4, y=top + BAR / 2, text=label, size=SMALL, fill=ink, tip=tip))
    return items
