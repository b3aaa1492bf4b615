"""A rollout as areas over time: Pods of the old and the new ReplicaSet, ready and not.

    rollout_areas(cluster, "deployment/web")

The areas lie on one another: the old ready Pods, the new ready ones, the new and the old ones that
are not ready. The dashed line is what the Deployment wants: where the ready ones fall below it, the
rollout costs capacity; where the whole rises above, it costs room (maxUnavailable, maxSurge).

Rule of use: Pods that are being deleted count no more, as they do for the Deployment.

Upstream: pkg/controller/deployment/rolling.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.meta import is_controlled_by
from k8slab.api.pods import is_pod_ready
from k8slab.viz.chart import Axes, ticks
from k8slab.viz.drawing import Drawing, Item, Line, Polygon, Text
from k8slab.viz.facts import ClusterLike, ViewLike, clock
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.style import BLUE, MARGIN, ORANGE, SMALL, WIDTH, YELLOW, Look

LEFT, HEIGHT = 74.0, 250.0  # px
REVISION = "deployment.kubernetes.io/revision"
MARGINS = 0.1  # of a rollout's length, before and after it
MOST_LINES = 10  # across
PALE = "#99CDEA"  # a lighter sky: in grey, the palette's own is as dark as its orange
# From the bottom up; neighbours differ in grey as well.
AREAS: Mapping[str, Look] = {
    "old_ready": Look(ORANGE, "square", "old, ready"),
    "new_ready": Look(BLUE, "square", "new, ready"),
    "new_waiting": Look(PALE, "square", "new, not ready"),
    "old_waiting": Look(YELLOW, "square", "old, not ready"),
}


class Count(msgspec.Struct, frozen=True):
    """How many Pods there were from a moment on."""

    time: float  # virtual seconds
    wanted: int
    old_ready: int = 0
    new_ready: int = 0
    new_waiting: int = 0
    old_waiting: int = 0

    @property
    def ready(self) -> int:
        """All that serve."""
        return self.old_ready + self.new_ready

    @property
    def all(self) -> int:
        """All that take room."""
        return self.ready + self.new_waiting + self.old_waiting


def rollout_areas(
    cluster: ClusterLike,
    deployment: str,
    *,
    namespace: str = "default",
    since: float | None = None,
    until: float | None = None,
) -> Figure:
    """Draw the Pods of "deployment/NAME" between two virtual times in seconds.

    By default it is the last rollout, with a little before and after it. "New" are the Pods of the
    ReplicaSet that has the Deployment's template at the end. Raises ValueError if there was no
    such Deployment.
    """
    name = deployment.rpartition("/")[2]
    end = cluster.now if until is None else until
    found = cluster.at(end).get(Deployment, name, namespace)
    if found is None:
        raise ValueError(f"deployment/{name} was not there at {end:g} s in namespace {namespace}")
    counts = read(cluster, found, (since or 0.0, end))
    if since is None:
        counts = last_rollout(counts)
    if until is None:
        end = min(end, counts[-1].time + MARGINS * (counts[-1].time - counts[0].time) + 1)
    title = f"Rollout of deployment/{name}"
    least = min(counts, key=lambda each: each.ready)
    most = max(counts, key=lambda each: each.all)
    below = (
        f"at least {least.ready} ready (at {clock(least.time)}), "
        f"at most {most.all} in all (at {clock(most.time)})"
    )
    last = counts[-1]
    alt = f"{title}: {below}; in the end {last.new_ready} new Pods are ready, of {last.wanted}."
    text = f"{title}, {_budget(found)}: {below}\n{_text(counts)}"
    return Figure(draw(counts, title, below, end), alt=alt, text=text)


def _budget(deployment: Deployment) -> str:
    rolling = deployment.spec.strategy.rollingUpdate if deployment.spec.strategy else None
    if rolling is None:
        return "Recreate"
    return f"maxSurge {rolling.maxSurge}, maxUnavailable {rolling.maxUnavailable}"


def last_rollout(counts: Sequence[Count]) -> list[Count]:
    """Return the counts from when there were old Pods only, and all of them ready."""
    calm = [place for place, each in enumerate(counts[:-1]) if each.all == each.old_ready > 0]
    if not calm:
        return list(counts)
    before, *rest = counts[calm[-1] :]
    lead = MARGINS * (rest[-1].time - rest[0].time) + 1
    return [msgspec.structs.replace(before, time=max(before.time, rest[0].time - lead)), *rest]


def read(cluster: ClusterLike, deployment: Deployment, span: tuple[float, float]) -> list[Count]:
    """Return the counts at each change in a stretch of virtual time, the first at its beginning."""
    meta = deployment.metadata
    starts = (f"Pod/{meta.namespace}/{meta.name}-", f"Deployment/{meta.namespace}/{meta.name}")
    moments = [
        record.time
        for record in cluster.trace
        if record.revision
        and record.subject.startswith(starts)
        and span[0] < record.time <= span[1]
    ]
    end = cluster.at(span[1])
    newest = _newest(end, deployment)
    found: list[Count] = []
    for time in dict.fromkeys([span[0], *moments]):
        now = _count(cluster.at(time), deployment, newest, time)
        if now is None:
            continue
        if not found or msgspec.structs.replace(now, time=found[-1].time) != found[-1]:
            found.append(now)
    return found


def _newest(view: ViewLike, deployment: Deployment) -> str:
    """Return the uid of the ReplicaSet with the Deployment's own template."""
    own = [
        rs
        for rs in view.list(ReplicaSet, deployment.metadata.namespace)
        if is_controlled_by(rs, deployment)
    ]
    newest = max(own, key=lambda rs: int(rs.metadata.annotations.get(REVISION, "0")), default=None)
    return newest.metadata.uid if newest is not None else ""


def _count(view: ViewLike, deployment: Deployment, newest: str, time: float) -> Count | None:
    meta = deployment.metadata
    then: Deployment | None = view.get(Deployment, meta.name, meta.namespace)
    if then is None or then.metadata.uid != meta.uid:
        return None
    sets = [rs for rs in view.list(ReplicaSet, meta.namespace) if is_controlled_by(rs, then)]
    numbers = dict.fromkeys(AREAS, 0)
    for pod in view.list(Pod, meta.namespace):
        owner = next((rs for rs in sets if is_controlled_by(pod, rs)), None)
        if owner is not None and not pod.metadata.deletionTimestamp:
            age = "new" if owner.metadata.uid == newest else "old"
            numbers[f"{age}_{'ready' if is_pod_ready(pod) else 'waiting'}"] += 1
    wanted = then.spec.replicas if then.spec.replicas is not None else 1
    return Count(time, wanted, **numbers)


def _text(counts: Sequence[Count]) -> str:
    lines = []
    for each in counts:
        parts = [
            f"{getattr(each, name)} {look.label.replace(',', '')}"
            for name, look in AREAS.items()
            if getattr(each, name)
        ]
        lines.append(f"  {each.time:9.3f}  wants {each.wanted}: {', '.join(parts) or 'no Pods'}")
    return "\n".join(lines)


def draw(counts: Sequence[Count], title: str, below: str, end: float) -> Drawing:
    """Lay the areas out, one on the other, and the line of what is wanted over them."""
    start = counts[0].time
    highest = max(max(each.all, each.wanted) for each in counts) + 1
    width = WIDTH - LEFT - MARGIN - 10
    axes = Axes(LEFT, HEAD + 6, width, HEIGHT, start, max(end, start + 0.001), highest)
    items = heading(title, below)
    floor = [0.0] * len(counts)
    for name, look in AREAS.items():
        ceiling = [low + getattr(each, name) for low, each in zip(floor, counts, strict=True)]
        items += _area(axes, [each.time for each in counts], floor, ceiling, look)
        floor = ceiling
    items += axes.frame(ticks(0, highest, min(MOST_LINES, highest + 1)))
    wanted = axes.steps([(each.time, float(each.wanted)) for each in counts])
    items.append(Line(points=wanted, stroke="ink", line=2.0, dashed=True, tip="wanted"))
    items += axes.time_axis()
    y = HEAD + 6 + HEIGHT + 34
    shown = [look for name, look in AREAS.items() if any(getattr(c, name) for c in counts)]
    signs, bottom = legend(y, extra=shown)
    x = WIDTH - MARGIN - 60
    items += [
        Line(points=((x - 34, y + 10), (x - 8, y + 10)), stroke="ink", line=2.0, dashed=True),
        Text(x=x, y=y + 10, text="wanted", size=SMALL, fill="muted"),
    ]
    return Drawing(WIDTH, bottom + 10, (*items, *signs))


def _area(
    axes: Axes, times: Sequence[float], floor: Sequence[float], ceiling: Sequence[float], look: Look
) -> list[Item]:
    """Draw what lies between two lines of steps, nothing where they meet."""
    if all(low == high for low, high in zip(floor, ceiling, strict=True)):
        return []
    upper = axes.steps(list(zip(times, ceiling, strict=True)))
    lower = axes.steps(list(zip(times, floor, strict=True)))
    points = (*upper, *reversed(lower))
    return [Polygon(points=points, fill=look.fill, tip=look.label)]
