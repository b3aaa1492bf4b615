"""Services left, ReplicaSets right, Pods between: who has whom, and by which labels.

    membership(cluster)
    membership(cluster, services=("web",))

A line to a Service says that the Pod is in its EndpointSlices (dashed: but not ready), a line to a
ReplicaSet that the Pod names it as its owner. The two are independent: move a label and watch.

Rule of use: the picture is of what is written, so give the controllers a moment after a change.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.facts import ClusterLike, ViewLike, clock, count
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.membership_facts import (
    Group,
    Member,
    Membership,
    check_names,
    describe,
    read,
    shown_labels,
)
from k8slab.viz.placement import mean, spread
from k8slab.viz.shapes import mark
from k8slab.viz.style import COMPONENTS, MARGIN, POD_STATES, SMALL, WIDTH, text_on
from k8slab.viz.text_width import clip, fit, text_width, wrap

CARD, GROUP = 36.0, 58.0  # px: heights of a Pod, of a Service or ReplicaSet
SIDE, MIDDLE = 226.0, 284.0  # px: widths of the columns
PITCH = 42.0  # px, from one Pod to the next
MOST = 16
HINT = (
    "Left: in an EndpointSlice of the Service. Right: owned by the ReplicaSet; dashed Pods by none."
)
SERVICE_LINE = COMPONENTS["kube-apiserver"].fill  # as the map's Services have no colour of theirs
OWNER_LINE = COMPONENTS["kube-controller-manager"].fill


def membership(
    cluster: ClusterLike,
    *,
    namespace: str = "default",
    services: Sequence[str] = (),
    replica_sets: Sequence[str] = (),
    pods_too: Sequence[str] = (),
    at: ViewLike | None = None,
) -> Figure:
    """Draw who has which Pods in a namespace; names limit what is shown, `pods_too` adds Pods."""
    view = cluster.view if at is None else at
    check_names(view, namespace, services, replica_sets)
    facts = read(view, namespace, services, replica_sets, pods_too)
    return figure_of(facts, getattr(view, "time", cluster.now))


def figure_of(facts: Membership, time: float) -> Figure:
    """Draw memberships that were read at a virtual time."""
    title = f"Who has which Pods, at {clock(time)}"
    has = [
        f"{group.kind} {group.name} has {len(group.members)}"
        for group in (*facts.services, *facts.replica_sets)
    ]
    alt = f"Bipartite graph of {count(len(facts.pods), 'Pod')}: {'; '.join(has) or 'no groups'}."
    return Figure(draw(facts, title), alt=alt, text=describe(facts, title))


def draw(facts: Membership, title: str) -> Drawing:
    """Lay the three columns out."""
    pods = facts.pods[:MOST]
    top = HEAD + 26
    rows = max(len(pods) * PITCH, len(facts.services) * (GROUP + 14),
               len(facts.replica_sets) * (GROUP + 14), PITCH)  # fmt: skip
    left, right = MARGIN, WIDTH - MARGIN - SIDE
    middle = (WIDTH - MIDDLE) / 2
    ys = {pod.name: top + place * PITCH + CARD / 2 for place, pod in enumerate(pods)}
    items = heading(title, HINT)
    heads = ((left, "Services"), (middle, "Pods and their labels"), (right, "ReplicaSets"))
    items += [Text(x=x, y=HEAD + 10, text=text, size=SMALL, fill="muted") for x, text in heads]
    boxes: list[Item] = []
    for groups, x, edge, side in (
        (facts.services, left, left + SIDE, middle),
        (facts.replica_sets, right, right, middle + MIDDLE),
    ):
        for group, y in zip(groups, _heights(groups, ys, top, rows), strict=True):
            boxes += _group(group, x, y)
            items += _lines(group, ys, (edge, y), side)
    for pod in pods:
        boxes += _card(pod, facts, middle, ys[pod.name] - CARD / 2)
    y = top + rows
    if len(facts.pods) > MOST:
        text = f"and {count(len(facts.pods) - MOST, 'more Pod')}"
        boxes.append(Text(x=middle, y=y + 4, text=text, size=SMALL, fill="muted"))
        y += 18
    signs, y = legend(y + 8, states=[pod.state for pod in pods])
    return Drawing(WIDTH, y + 10, (*items, *boxes, *signs))


def _heights(groups: Sequence[Group], ys: dict[str, float], top: float, rows: float) -> list[float]:
    """Return the middles of the groups: each beside its Pods, none on another."""
    wanted = [
        mean([ys[name] for name in group.names() if name in ys], top + rows) for group in groups
    ]
    return spread(wanted, GROUP + 14, top + GROUP / 2, top + rows - GROUP / 2)


def _lines(
    group: Group, ys: dict[str, float], start: tuple[float, float], side: float
) -> list[Item]:
    """Draw the lines from a group to its Pods."""
    colour = SERVICE_LINE if group.kind == "Service" else OWNER_LINE
    return [
        Line(points=(start, (side, ys[name])), stroke=colour, line=2.0, dashed=not fine,
             tip=f"{group.kind} {group.name} has {name}")
        for name, fine in group.members
        if name in ys
    ]  # fmt: skip


def _group(group: Group, x: float, middle: float) -> list[Item]:
    colour = SERVICE_LINE if group.kind == "Service" else OWNER_LINE
    y = middle - GROUP / 2
    ready = sum(fine for _, fine in group.members)
    has = f"{ready} ready" if group.kind == "Service" else f"{len(group.members)} of {group.wanted}"
    name = fit(group.name, SIDE - 36 - text_width(has, SMALL), SMALL, bold=True)
    tip = f"{group.kind} {group.name} selects {group.selector}"
    items: list[Item] = [
        Box(
            x=x,
            y=y,
            width=SIDE,
            height=GROUP,
            fill="panel",
            stroke=colour,
            line=2,
            radius=8,
            tip=tip,
        ),
        Text(x=x + 12, y=y + 15, text=name, size=SMALL, bold=True, tip=tip),
        Text(x=x + SIDE - 12, y=y + 15, text=has, size=SMALL, anchor="end"),
    ]
    for line, text in enumerate(_selector_lines(group.selector)):
        middle = y + 32 + 15 * line
        items.append(Text(x=x + 12, y=middle, text=text, size=SMALL, fill="muted", tip=tip))
    return items


def _selector_lines(selector: str) -> list[str]:
    """Return a selector in at most two lines, the long hash last."""
    parts = selector.replace("pod-template-hash", "hash").split(",")
    parts.sort(key=lambda part: part.startswith("hash"))
    broken = wrap(", ".join(parts), SIDE - 24, SMALL)
    return [*broken[:1], clip(" ".join(broken[1:]), SIDE - 24, SMALL)][: len(broken)]


def _card(pod: Member, facts: Membership, x: float, y: float) -> list[Item]:
    look = POD_STATES[pod.state]
    ink = text_on(look.fill)
    orphan = pod.name in facts.orphans()
    tip = f"Pod {pod.name}: {pod.status}"
    return [
        Box(x=x, y=y, width=MIDDLE, height=CARD, fill="panel", stroke=look.fill, line=1.5,
            radius=6, dashed=orphan, tip=tip),
        Box(x=x, y=y, width=26, height=CARD, fill=look.fill, radius=6),
        *mark(look.shape, x + 13, y + CARD / 2, 5.5, ink),
        Text(x=x + 34, y=y + 11, text=fit(pod.short, MIDDLE - 120, SMALL, bold=True), size=SMALL,
             bold=True, tip=tip),
        Text(x=x + MIDDLE - 8, y=y + 11, text=clip(pod.status, 80, SMALL), size=SMALL, fill="muted",
             anchor="end"),
        Text(x=x + 34, y=y + 26, text=clip(shown_labels(pod), MIDDLE - 42, SMALL), size=SMALL),
    ]  # fmt: skip
