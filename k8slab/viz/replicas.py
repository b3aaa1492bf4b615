"""Replica counts over time: what a ReplicaSet or Deployment wants, has, and has ready.

    replica_lane(cluster, "replicaset/web-6f7d8c9b4")
    replica_lane(cluster, "deployment/web", since=30)

Three step lines and, below them, a mark for each write about its Pods: created, bound, removed.

Rule of use: the counts are those of the object's status, as the controller wrote it.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from k8slab.api.scheme import resolve
from k8slab.viz.chart import Axes
from k8slab.viz.drawing import Drawing, Item, Line, Text
from k8slab.viz.facts import ClusterLike, clock
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading
from k8slab.viz.shapes import mark
from k8slab.viz.style import BLUE, MARGIN, ORANGE, PURPLE, SKY, SMALL, VERMILLION, WIDTH
from k8slab.viz.text_width import text_width
from k8slab.viz.traffic import actor

LEFT, HEIGHT, LANE, BELOW = 74.0, 180.0, 22.0, 34.0  # px
MOST_LINES = 8  # across the counts
DEEDS = {
    "create": ("created", "triangle", VERMILLION),
    "create binding": ("bound to a node", "diamond", ORANGE),
    "delete": ("marked for deletion", "down", PURPLE),
    "remove": ("removed", "cross", PURPLE),
}
CURVES = (("there", SKY, False), ("ready", BLUE, False), ("wanted", "ink", True))


class Counts(msgspec.Struct, frozen=True):
    """What the object said from a moment on."""

    time: float
    wanted: int
    there: int
    ready: int


def replica_lane(
    cluster: ClusterLike,
    workload: str,
    *,
    namespace: str = "default",
    since: float = 0.0,
    until: float | None = None,
) -> Figure:
    """Draw the counts of "replicaset/NAME" or "deployment/NAME" between two virtual times."""
    kind, _, name = workload.partition("/")
    resource = resolve(kind)
    if resource is None or not name:
        raise ValueError(f'expected "replicaset/NAME" or "deployment/NAME", got {workload!r}')
    end = cluster.now if until is None else until
    history = read(cluster, resource.kind, name, namespace, (since, end))
    if not history:
        raise ValueError(
            f"{resource.plural} {name!r} was not there between {since:g} and {end:g} s"
        )
    deeds = _deeds(cluster, name, namespace, (history[0].time, end))
    title = f"Replicas of {resource.singular}/{name}"
    last = history[-1]
    alt = f"{title} over time: it ends wanting {last.wanted}, has {last.there}, {last.ready} ready."
    return Figure(draw(history, deeds, title, end), alt=alt, text=_text(history, deeds, title))


def read(
    cluster: ClusterLike, kind: str, name: str, namespace: str, span: tuple[float, float]
) -> list[Counts]:
    """Return the counts at each change of the object."""
    found: list[Counts] = []
    for record in cluster.trace.about(f"{kind}/{namespace}/{name}"):
        if not record.revision or not span[0] <= record.time <= span[1]:
            continue
        obj = cluster.at(record.time).get(kind, name, namespace)
        if obj is None:
            continue
        now = _counts(record.time, obj)
        if not found or (now.wanted, now.there, now.ready) != (
            found[-1].wanted, found[-1].there, found[-1].ready,
        ):  # fmt: skip
            found.append(now)
    return found


def _counts(time: float, obj: Any) -> Counts:
    wanted = obj.spec.replicas if obj.spec.replicas is not None else 1
    return Counts(time, wanted, obj.status.replicas, obj.status.readyReplicas)


def _deeds(
    cluster: ClusterLike, name: str, namespace: str, span: tuple[float, float]
) -> list[tuple[float, str, str, str]]:
    """Return (time, verb, who, Pod) of the writes about Pods of that name."""
    start = f"Pod/{namespace}/{name}-"
    return [
        (record.time, record.verb, actor(record), record.subject.rpartition("/")[2])
        for record in cluster.trace
        if record.revision
        and record.verb in DEEDS
        and record.subject.startswith(start)
        and span[0] <= record.time <= span[1]
    ]


def _text(
    history: Sequence[Counts], deeds: Sequence[tuple[float, str, str, str]], title: str
) -> str:
    lines = [f"{title}:"]
    lines += [f"  {c.time:9.3f}  wants {c.wanted}, has {c.there}, {c.ready} ready" for c in history]
    for verb, (words, _, _) in DEEDS.items():
        times = [time for time, did, _, _ in deeds if did == verb]
        if times:
            lines.append(f"  Pods {words}: {len(times)}, {clock(times[0])} to {clock(times[-1])}")
    return "\n".join(lines)


def draw(
    history: Sequence[Counts],
    deeds: Sequence[tuple[float, str, str, str]],
    title: str,
    end: float,
) -> Drawing:
    """Lay the curves and the lanes of marks out."""
    start = history[0].time
    end = end if end > start else start + 1
    highest = max(max(c.wanted, c.there) for c in history) + 1
    axes = Axes(LEFT, HEAD + 10, WIDTH - LEFT - MARGIN - 10, HEIGHT, start, end, highest)
    items = heading(title, "what it wants, has and has ready; below, what was done to its Pods")
    step = -(-highest // MOST_LINES)
    items += axes.frame(list(range(0, highest + 1, step)))
    for attribute, colour, dashed in CURVES:
        changes = [(c.time, float(getattr(c, attribute))) for c in history]
        width = 1.6 if dashed else 3.0 if attribute == "there" else 2.0
        items.append(Line(points=axes.steps(changes), stroke=colour, line=width, dashed=dashed))
    y = HEAD + 10 + HEIGHT + 16
    for verb, (_, shape, colour) in DEEDS.items():
        mine = [(time, pod) for time, did, _, pod in deeds if did == verb]
        if not mine:
            continue
        items.append(Line(points=((LEFT, y), (WIDTH - MARGIN - 10, y)), stroke="rule"))
        for time, _pod in mine:
            items += mark(shape, axes.x(time), y, 5, colour)
        y += LANE
    lanes = Axes(axes.left, axes.top, axes.width, y - LANE / 2 - axes.top, axes.start, axes.end, 1)
    items += lanes.time_axis()
    items += _legend(deeds, y + BELOW)
    return Drawing(WIDTH, y + BELOW + 18, tuple(items))


def _legend(deeds: Sequence[tuple[float, str, str, str]], y: float) -> list[Item]:
    items: list[Item] = []
    x = MARGIN
    for words, colour, dashed in CURVES:
        items.append(Line(points=((x, y), (x + 22, y)), stroke=colour, line=2.4, dashed=dashed))
        items.append(Text(x=x + 28, y=y, text=words, size=SMALL, fill="muted"))
        x += 46 + text_width(words, SMALL)
    done = [verb for _, verb, _, _ in deeds]
    for verb, (words, shape, colour) in DEEDS.items():
        if verb in done:
            items += mark(shape, x + 5, y, 5, colour)
            items.append(Text(x=x + 16, y=y, text=words, size=SMALL, fill="muted"))
            x += 34 + text_width(words, SMALL)
    return items
