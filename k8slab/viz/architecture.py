"""The architecture map: machines, components, Pods, and who talked to whom.

    architecture_map(cluster, since=120, highlight=("kube-scheduler", "pod/web-x2k9p"))

The API server is the bar in the middle, because every arrow ends there: components meet nowhere
else. Solid arrows are calls, dashed ones the news that set a component going; `highlight` lights
some boxes up and leaves the others pale.

Rule of use: `architecture_facts` says what is there, this module only where it is drawn.

Upstream: none
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

from k8slab.viz.architecture_facts import (
    EVERYWHERE,
    GONE,
    Facts,
    NodeFacts,
    describe,
    read,
    summary,
)
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text, arrow, label
from k8slab.viz.facts import ClusterLike, ViewLike, clock
from k8slab.viz.figure import Figure
from k8slab.viz.legend import CONTAINER, HEAD, SERVICE, heading, legend
from k8slab.viz.player import Frame, moments, of_trace
from k8slab.viz.shapes import mark
from k8slab.viz.style import BODY, COMPONENTS, MARGIN, SMALL, VERMILLION, WIDTH, text_on
from k8slab.viz.text_width import fit, text_width
from k8slab.viz.tiles import TILE, chips, tiles, tiles_height
from k8slab.viz.traffic import API, ETCD, Edge
from k8slab.viz.traffic import traffic as count_messages

PAD, GAP = 12.0, 12.0  # px: inside a panel, between panels
PART, BAR, API_HEIGHT = 28.0, 20.0, 34.0  # px: heights of a component, the runtime, the API server
WIRES, ORDERS = 46.0, 16.0  # px: lengths of wires to the API server, to the runtime
BUS = 6.0  # px, of the API server's extension below a row of machines
PER_ROW, MOST_NODES = 3, 12  # machines side by side, and drawn at all
CENTRAL_WIDTHS = {
    "kube-scheduler": 134.0,
    "kube-controller-manager": 158.0,
    "kubelet": 88.0,
    "kube-proxy": 100.0,
    "kindnet": 86.0,
}
WORKER_WIDTHS = {"kubelet": 70.0, "kube-proxy": 94.0, "kindnet": 76.0}
ETCD_WIDTH = 96.0
YOU_X, YOU_WIDTH = 672.0, 72.0  # above the panel, between the other components and etcd
SHORT = {"kube-controller-manager": "controller manager"}


def architecture_map(
    cluster: ClusterLike,
    *,
    highlight: Sequence[str] = (),
    traffic: Sequence[Edge] | None = None,
    since: int = 0,
    namespace: str = "",
    at: ViewLike | None = None,
) -> Figure:
    """Draw the cluster with the messages after the trace record `since`.

    `traffic` replaces the counted messages; `at` is a view of the past; `namespace` limits Pods
    and Services; `highlight` names components, "kubelet/worker-1", "pod/NAME" or "node/NAME".
    """
    view = cluster.view if at is None else at
    until = getattr(view, "time", cluster.now)
    edges = count_messages(cluster.trace, since, until) if traffic is None else list(traffic)
    facts = read(view, namespace)
    moment = f"The cluster at {clock(until)}"
    start = f"record {since}" if since else "the start"
    drawing = draw(facts, edges, moment, f"{summary(facts)}; messages since {start}", highlight)
    alt = f"Map of the cluster: {summary(facts)}. {_busiest(edges)}"
    frames = partial(replay, cluster, since, cluster.trace.until(until), namespace)
    text = describe(facts, edges, moment, start)
    return Figure(drawing, alt=alt, text=text, frames=frames if len(cluster.trace) else None)


def replay(cluster: ClusterLike, since: int, until: int, namespace: str = "") -> list[Frame]:
    """Return the map after each of some records from `since` to `until`, messages counted."""

    def draw_at(number: int) -> Figure:
        view = cluster.at(cluster.trace[number].time)
        return architecture_map(cluster, at=view, since=since, namespace=namespace)

    return of_trace(cluster.trace, moments(cluster.trace, since, until), draw_at)


def _busiest(edges: Sequence[Edge]) -> str:
    calls = [edge for edge in edges if edge.kind == "write" and edge.target == API]
    if not calls:
        return "Nobody called the API server."
    return f"{calls[0].source} called the API server most often, {calls[0].messages} times."


def draw(
    facts: Facts, edges: Sequence[Edge], title: str, below: str, highlight: Sequence[str] = ()
) -> Drawing:
    """Lay the map out."""
    plan = _Plan(edges, highlight)
    central = [node for node in facts.nodes if node.control_plane]
    others = [*central[1:], *(node for node in facts.nodes if not node.control_plane)]
    y = HEAD
    for node in central[:1]:
        y = plan.control_plane(node, y)
    for first in range(0, min(len(others), MOST_NODES), PER_ROW):
        y = plan.row(others[first : first + PER_ROW], y + WIRES)
    y = plan.remainder(facts, len(others) - MOST_NODES, y + GAP)
    services, y = chips(facts.services, y)
    states = [pod.state for pod in facts.pods()]
    lines = [kind for kind in ("write", "news") if any(edge.kind == kind for edge in edges)]
    extra = ([CONTAINER] if states else []) + ([SERVICE] if facts.services else [])
    signs, y = legend(y + 6, states=states, extra=extra, lines=lines)
    head = heading(title, below, room=YOU_X - 2 * MARGIN)
    return Drawing(WIDTH, y + 10, (*head, *plan.items, *services, *signs))


class _Plan:
    """The items so far, from top to bottom."""

    def __init__(self, edges: Sequence[Edge], highlight: Sequence[str]) -> None:
        self.items: list[Item] = []
        self.counts = {(e.source, e.target, e.kind): e.messages for e in edges}
        self.lit = tuple(name.removeprefix("pods/").removeprefix("pod/") for name in highlight)
        self.api_bottom = 0.0

    def control_plane(self, node: NodeFacts, top: float) -> float:
        """Draw the control-plane node, API server last; return where it ends."""
        room = sum(CENTRAL_WIDTHS.values()) + GAP * (len(CENTRAL_WIDTHS) - 1)
        runtime_top = top + 32 + tiles_height(node.pods, room) + (4 if node.pods else 0)
        parts_top = runtime_top + BAR + ORDERS
        api_top = parts_top + PART + WIRES
        self.api_bottom = api_top + API_HEIGHT
        bottom = self.api_bottom + PAD
        self._panel(node, MARGIN, top, WIDTH - 2 * MARGIN, bottom - top)
        self._name(node, MARGIN + PAD, top + 17)
        self.items += tiles(node.pods, MARGIN + PAD, top + 32, room, self.lit)
        states, x = dict(node.components), MARGIN + PAD
        for name, wide in CENTRAL_WIDTHS.items():
            where = f"{name}/{node.name}" if name in EVERYWHERE else name
            self._component(where, states.get(name, GONE), x, parts_top, wide)
            wire_top = parts_top + PART
            self._wires(where, x + wide / 2, wire_top, api_top, (wire_top + api_top) / 2)
            if name == "kubelet":
                width = MARGIN + PAD + room - x
                self._runtime(node, x, runtime_top, width, (x + wide / 2, parts_top))
            x += wide + GAP
        self._store(states, parts_top, api_top)
        return bottom

    def _store(self, states: dict[str, str], parts_top: float, top: float) -> None:
        """Draw the API server below all, etcd and you above it."""
        left, right = MARGIN + PAD, WIDTH - MARGIN - PAD
        self._component(API, states.get(API, GONE), left, top, right - left, API_HEIGHT)
        etcd = right - ETCD_WIDTH
        self._component(ETCD, states.get(ETCD, GONE), etcd, parts_top, ETCD_WIDTH)
        self._component("you", "Ready", YOU_X, 14, YOU_WIDTH, PART)
        x, start = etcd + ETCD_WIDTH / 2, parts_top + PART
        self._single((API, ETCD, "write"), x, top, start, (start + top) / 2)
        x, start = YOU_X + YOU_WIDTH / 2, 14 + PART
        self._single(("you", API, "write"), x, start, top, top - WIRES / 2)

    def _single(
        self, key: tuple[str, str, str], x: float, start: float, end: float, middle: float
    ) -> None:
        """Draw a wire that is there even when nothing went over it."""
        number = self.counts.get(key, 0)
        self.items += arrow([(x, start), (x, end)], **_wire_look(number))
        if number:
            self.items += label(x, middle, str(number), size=SMALL, back="panel")

    def row(self, nodes: Sequence[NodeFacts], top: float) -> float:
        """Draw machines side by side; return where they end."""
        width = (WIDTH - 2 * MARGIN - (PER_ROW - 1) * GAP) / PER_ROW
        tallest = max(tiles_height(node.pods, width - 2 * PAD) for node in nodes)
        height = PAD + PART + ORDERS + BAR + 8 + max(tallest, TILE) + 32
        if not self._is_next_to_api(top):
            self._bus(top - WIRES + BUS)
        for place, node in enumerate(nodes):
            self._worker(node, MARGIN + place * (width + GAP), top, width, height)
        return top + height

    def _is_next_to_api(self, top: float) -> bool:
        """Say whether nothing lies between the API server and a row of machines."""
        return top - WIRES - self.api_bottom <= PAD

    def _bus(self, y: float) -> None:
        """Lead the API server around the rows above, so that further rows can reach it too."""
        left, middle = MARGIN / 2, self.api_bottom - API_HEIGHT / 2
        corners = ((MARGIN + PAD, middle), (left, middle), (left, y), (WIDTH - MARGIN - PAD, y))
        self.items.append(Line(points=corners, stroke=COMPONENTS[API].fill, line=3, tip=API))

    def _worker(self, node: NodeFacts, x: float, top: float, width: float, height: float) -> None:
        self._panel(node, x, top, width, height)
        states, left, parts_top = dict(node.components), x + PAD, top + PAD
        up = self.api_bottom if self._is_next_to_api(top) else top - WIRES + BUS
        for name, wide in WORKER_WIDTHS.items():
            where = f"{name}/{node.name}"
            self._wires(where, left + wide / 2, parts_top, up, top - WIRES / 2)
            self._component(where, states.get(name, GONE), left, parts_top, wide)
            left += wide + 6
        runtime, inner = parts_top + PART + ORDERS, width - 2 * PAD
        kubelet = (x + PAD + WORKER_WIDTHS["kubelet"] / 2, parts_top + PART)
        self._runtime(node, x + PAD, runtime, inner, kubelet)
        self.items += tiles(node.pods, x + PAD, runtime + BAR + 8, inner, self.lit)
        self._name(node, x + PAD, top + height - 16)

    def remainder(self, facts: Facts, nodes: int, y: float) -> float:
        """Draw the Pods without a node, and count the machines that have no room."""
        if nodes > 0:
            text = f"and {nodes} more nodes"
            self.items.append(Text(x=MARGIN, y=y + 8, text=text, size=SMALL, fill="muted"))
            y += 22
        if not facts.unplaced:
            return y
        width = WIDTH - 2 * MARGIN
        height = tiles_height(facts.unplaced, width - 2 * PAD) + 36
        self.items += [
            Box(x=MARGIN, y=y, width=width, height=height, stroke="rule", radius=10, dashed=True),
            Text(x=MARGIN + PAD, y=y + 15, text="on no node yet", size=SMALL, fill="muted"),
        ]
        self.items += tiles(facts.unplaced, MARGIN + PAD, y + 28, width - 2 * PAD, self.lit)
        return y + height + GAP

    # -- pieces

    def _panel(self, node: NodeFacts, x: float, y: float, width: float, height: float) -> None:
        well, lit = node.status == "Ready", f"node/{node.name}" in self.lit
        edge = "accent" if lit else "rule" if well else VERMILLION
        line = 2.5 if lit else 1.0 if well else 2.0
        self.items.append(
            Box(x=x, y=y, width=width, height=height, fill="panel", stroke=edge, line=line,
                radius=10, dashed=not well)
        )  # fmt: skip

    def _name(self, node: NodeFacts, x: float, y: float) -> None:
        name = fit(node.name, 150, BODY, bold=True)
        after = x + text_width(name, BODY, bold=True) + 8
        self.items += [
            Text(x=x, y=y, text=name, size=BODY, bold=True),
            Text(x=after, y=y, text=node.status, size=SMALL, fill="muted"),
        ]

    def _component(
        self, name: str, state: str, x: float, y: float, width: float, height: float = PART
    ) -> None:
        """Draw a component: filled when it runs (and is lit), hollow and dashed when it is gone."""
        key = name.partition("/")[0]
        look, alive = COMPONENTS[key], state in ("Ready", "Running")
        full = alive and (not self.lit or name in self.lit or key in self.lit)
        ink = text_on(look.fill) if full else "ink" if alive else "muted"
        tip = name if key == "you" else f"{name}: {state}"
        words = fit(SHORT.get(key, key), width - 20, SMALL)
        start, middle = x + width / 2 - (text_width(words, SMALL) + 14) / 2, y + height / 2
        self.items += [
            Box(x=x, y=y, width=width, height=height, fill=look.fill if full else "paper",
                stroke=look.fill, line=1.5, dashed=not alive, tip=tip),
            *mark(look.shape, start + 4, middle, 5, ink if full else look.fill),
            Text(x=start + 14, y=middle, text=words, size=SMALL, fill=ink, tip=tip),
        ]  # fmt: skip

    def _runtime(
        self, node: NodeFacts, x: float, y: float, width: float, kubelet: tuple[float, float]
    ) -> None:
        """Draw the container runtime as a bar, and the kubelet's orders to it."""
        name = f"containerd/{node.name}"
        number = self.counts.get((f"kubelet/{node.name}", name, "order"), 0)
        end = (kubelet[0], y if kubelet[1] < y else y + BAR)
        self.items += arrow([kubelet, end], **_wire_look(number))
        if number:
            middle = (kubelet[1] + end[1]) / 2
            self.items.append(Text(x=kubelet[0] + 9, y=middle, text=str(number), size=SMALL))
        self._component(name, dict(node.components).get("containerd", GONE), x, y, width, BAR)

    def _wires(self, name: str, x: float, start: float, end: float, middle: float) -> None:
        """Draw calls and news between a component and the API server, one beside the other."""
        back = "panel" if end > start else "paper"
        pieces = (((name, API, "write"), x - 14), ((API, name, "news"), x + 14))
        for key, place in pieces:
            number = self.counts.get(key, 0)
            if not number:
                continue
            points = [(place, start), (place, end)]
            points = points if key[2] == "write" else points[::-1]
            self.items += arrow(points, dashed=key[2] == "news", **_wire_look(number))
            self.items += label(place, middle, str(number), size=SMALL, back=back)


def _wire_look(messages: int) -> dict[str, Any]:
    """Return colour and width of a wire: ten times the messages, half a px more."""
    if not messages:
        return {"stroke": "rule", "line": 1.0}
    return {"stroke": "ink", "line": 1.0 + 0.5 * math.log10(messages)}
