"""The journey of a request on the map: through which machines, and where it was rewritten.

    journey_map(cluster, cluster.request("pod/client", "http://web"))

A frame for each machine, in the order in which the packet comes to them: its Pods above, its kernel
below. Numbers follow the packet there and back; the list says what it looked like. No arrow leads
to a Service or to kube-proxy: the address of a Service is only a match in the rules of the kernel.

Rule of use: the first packet and its answer are drawn; `journey_figure` shows every hop.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from k8slab.api.core import Node, Pod
from k8slab.viz.drawing import Box, Disc, Drawing, Item, Point, Text, arrow
from k8slab.viz.facts import ClusterLike, ViewLike, count, short_pod_name
from k8slab.viz.figure import Figure
from k8slab.viz.ladder import REFUSALS, first_exchange, headline, reason
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.player import Frame
from k8slab.viz.style import BLUE, BODY, MARGIN, PURPLE, SMALL, VERMILLION, WIDTH, Look, text_on
from k8slab.viz.text_width import clip, fit

POD, LINE, GAP, ROW = 36.0, 24.0, 64.0, 19.0  # px: LINE, a way between two kernels
WHERE, PACKET = 168.0, 344.0  # px: columns of the list
ABOVE = 114.0  # px, of a frame without its kernel: name, Pods, arrows
KERNEL_WORDS = "kernel: rules, routes"
REQUEST = Look(BLUE, "disc", "on its way to the server")
REPLY = Look(PURPLE, "disc", "on its way back")
REFUSED = Look(VERMILLION, "disc", "refused or dropped")
Rectangle = tuple[float, float, float, float]  # left, top, width, height


class Place(msgspec.Struct, frozen=True):
    """A network namespace that the packet came to, and the machine that it belongs to."""

    name: str  # as the hops name it
    label: str
    machine: str
    is_pod: bool


class Step(msgspec.Struct, frozen=True):
    """A move from one place to the next, or something done to the packet in one place."""

    source: str
    target: str  # the same place for a rewrite
    direction: str  # "request" or "reply"
    packet: str
    why: str = ""
    refused: bool = False
    rewrites: str = ""  # "sender" or "receiver"


def journey_map(cluster: ClusterLike, answer: Any) -> Figure:
    """Draw the way of an answer's first packet; raises ValueError if nothing was sent."""
    hops = first_exchange(list(answer.hops))
    if not hops:
        raise ValueError("this journey has no hops: the name was not resolved, or nothing was sent")
    places = places_of(hops, cluster.view)
    steps = steps_of(hops)
    title, outcome = headline(answer)
    machines = list(dict.fromkeys(place.machine for place in places))
    rewritten = sum(step.source == step.target and not step.refused for step in steps)
    below = f"{outcome}; by way of {', '.join(machines)}; {count(rewritten, 'rewrite')}"
    text = _text(places, steps, f"{title}: {below}")
    alt = f"Map of {title}: {below}."
    replay = partial(frames, places, steps, title)
    return Figure(draw(places, steps, title, below), alt=alt, text=text, frames=replay)


def frames(places: Sequence[Place], steps: Sequence[Step], title: str) -> list[Frame]:
    """Return the map after each step, for a player."""
    found = []
    for shown, step in enumerate(steps, 1):
        caption = f"{shown}. {where(step, places)}: {step.packet}"
        drawing = draw(places, steps, title, f"step {shown} of {len(steps)}", shown)
        figure = Figure(drawing, alt=caption, text=_text(places, steps[:shown], title))
        found.append(Frame(caption, figure))
    return found


def places_of(hops: Sequence[Any], view: ViewLike) -> list[Place]:
    """Return the places in the order in which the packet came to them."""
    nodes = [node.metadata.name for node in view.list(Node)]
    found = []
    for name in dict.fromkeys(hop.namespace for hop in hops):
        namespace, slash, pod_name = name.partition("/")
        pod: Pod | None = view.get(Pod, pod_name, namespace) if slash else None
        if pod is not None:
            found.append(Place(name, short_pod_name(pod), pod.spec.nodeName, True))
        else:
            found.append(Place(name, KERNEL_WORDS if name in nodes else name, name, False))
    return found


def steps_of(hops: Sequence[Any]) -> list[Step]:
    """Return moves, rewrites and refusals in their order."""
    found: list[Step] = []
    last = hops[0].namespace
    for hop in hops:
        here, direction = hop.namespace, hop.direction
        if here != last:
            found.append(Step(last, here, direction, str(hop.before)))
            last = here
        why = reason(hop)
        if any(word in why for word in REFUSALS):
            found.append(Step(here, here, direction, str(hop.before), why, refused=True))
        elif hop.changed:
            sender = (hop.before.src, hop.before.sport) != (hop.after.src, hop.after.sport)
            rewrites = "sender" if sender else "receiver"
            found.append(Step(here, here, direction, str(hop.after), why, rewrites=rewrites))
    return found


def _text(places: Sequence[Place], steps: Sequence[Step], title: str) -> str:
    lines = [title]
    for number, step in enumerate(steps, 1):
        lines.append(f"  {number}. {where(step, places)}: {step.packet}")
        if step.why:
            lines.append(f"     {step.why}")
    return "\n".join(lines)


def where(step: Step, places: Sequence[Place]) -> str:
    """Say where a step happened: "client to worker-1", "rewritten in worker-1"."""
    short = {place.name: place.label if place.is_pod else place.name for place in places}
    if step.source == step.target:
        stopped = "refused" if "-j REJECT" in step.why else "dropped"
        return f"{stopped if step.refused else 'rewritten'} in {short[step.source]}"
    return f"{short[step.source]} to {short[step.target]}"


def draw(
    places: Sequence[Place],
    steps: Sequence[Step],
    title: str,
    below: str,
    shown: int | None = None,
) -> Drawing:
    """Lay out the machines side by side, the way through them, and the list of `shown` steps."""
    lines = max(2, *_moves(steps, places).values(), 0)
    boxes, machines = _boxes(places, LINE * (lines + 1))
    items = [*heading(title, below), *machines]
    marks: list[Item] = []
    ways = list(zip(steps, path(steps, boxes), strict=True))
    for number, (step, (start, end)) in enumerate(ways[:shown], 1):
        if start != end:
            colour, back = (PURPLE, True) if step.direction == "reply" else (BLUE, False)
            items += arrow([start, end], stroke=colour, line=2, dashed=back)
        marks += _number(number, step, ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2))
    y = HEAD + LINE * (lines + 1) + ABOVE + 20
    for number, step in enumerate(steps[:shown], 1):
        marks += _line(number, step, places, y + (number - 0.5) * ROW)
    y += ROW * len(steps)
    looks = [REQUEST] + [REPLY] * any(step.direction == "reply" for step in steps)
    looks += [REFUSED] * any(step.refused for step in steps)
    signs, bottom = legend(y + 8, extra=looks)
    return Drawing(WIDTH, bottom + 10, (*items, *marks, *signs))


def _boxes(
    places: Sequence[Place], kernel_height: float
) -> tuple[dict[str, Rectangle], list[Item]]:
    """Return the rectangle of each place, and the frames of their machines."""
    machines = list(dict.fromkeys(place.machine for place in places))
    width = (WIDTH - 2 * MARGIN - GAP * (len(machines) - 1)) / len(machines)
    boxes: dict[str, Rectangle] = {}
    items: list[Item] = []
    for column, machine in enumerate(machines):
        x = MARGIN + column * (width + GAP)
        pods = [place for place in places if place.machine == machine and place.is_pod]
        kernel = [place for place in places if place.machine == machine and not place.is_pod]
        items += [
            Box(x=x, y=HEAD, width=width, height=kernel_height + ABOVE, fill="panel",
                stroke="rule", radius=10),
            Text(x=x + 12, y=HEAD + 15, text=fit(machine, width - 24, BODY, bold=True), size=BODY,
                 bold=True),
        ]  # fmt: skip
        wide = (width - 24 - 12 * (len(pods) - 1)) / max(len(pods), 1)
        for place, pod in enumerate(pods):
            boxes[pod.name] = (x + 12 + place * (wide + 12), HEAD + 28, wide, POD)
            items += _box(pod, boxes[pod.name])
        for each in kernel:
            boxes[each.name] = (x + 12, HEAD + ABOVE - 12, width - 24, kernel_height)
            items += _box(each, boxes[each.name])
    return boxes, items


def _box(place: Place, box: Rectangle) -> list[Item]:
    x, y, width, height = box
    middle = y + height / 2 if place.is_pod else y + 11
    words = fit(place.label, width - 20, SMALL, bold=place.is_pod)
    return [
        Box(x=x, y=y, width=width, height=height, fill="paper", stroke="muted", radius=6,
            tip=place.name),
        Text(x=x + width / 2, y=middle, text=words, size=SMALL, bold=place.is_pod,
             fill="ink" if place.is_pod else "muted", anchor="middle"),
    ]  # fmt: skip


def path(steps: Sequence[Step], boxes: Mapping[str, Rectangle]) -> list[tuple[Point, Point]]:
    """Return where each step starts and ends, the same point for a rewrite; none on another."""
    ends: list[tuple[Point, Point]] = []
    beside = [name for step in steps for name in _pods(step, boxes)]
    used: dict[str, int] = {}
    for step in steps:
        a, b = boxes[step.source], boxes[step.target]
        pod = next(iter(_pods(step, boxes)), "")
        within = step.source == step.target
        key = f"{step.source} {step.direction}" if within else pod or _pair(step)
        place = used[key] = used.get(key, -1) + 1
        if within:
            spot = (a[0] + 22 + 26 * place, a[1] + LINE * (1.5 + (step.direction == "reply")))
            ends.append((spot, spot))
        elif pod:  # between a Pod and its machine, up or down
            x, y, width, height = boxes[pod]
            x += width / 2 + 44 * (place - (beside.count(pod) - 1) / 2)
            upper, lower = (x, y + height), (x, max(a[1], b[1]))
            ends.append((upper, lower) if pod == step.source else (lower, upper))
        else:
            left, right = (a[0] + a[2], b[0]) if a[0] < b[0] else (a[0], b[0] + b[2])
            y = a[1] + LINE * (1.5 + place)
            ends.append(((left, y), (right, y)))
    return ends


def _pair(step: Step) -> str:
    """Name two places that a packet moves between, in either direction."""
    return " ".join(sorted((step.source, step.target)))


def _moves(steps: Sequence[Step], places: Sequence[Place]) -> dict[str, int]:
    """Count the moves between each two kernels."""
    pods = {place.name for place in places if place.is_pod}
    moves = [step for step in steps if step.source != step.target]
    pairs = [_pair(step) for step in moves if not {step.source, step.target} & pods]
    return {pair: pairs.count(pair) for pair in pairs}


def _pods(step: Step, boxes: Mapping[str, Rectangle]) -> list[str]:
    """Return the Pod at one end of a move."""
    if step.source == step.target:
        return []
    return [name for name in (step.source, step.target) if boxes[name][3] == POD][:1]


def _number(number: int, step: Step, spot: tuple[float, float]) -> list[Item]:
    fill = VERMILLION if step.refused else BLUE if step.direction == "request" else PURPLE
    x, y = spot
    tip = f"{number}. {step.packet} {step.why}".rstrip()
    return [
        Disc(x=x, y=y, radius=9, fill=fill, stroke="paper", line=1.5, tip=tip),
        Text(x=x, y=y, text=str(number), size=SMALL, fill=text_on(fill), anchor="middle", tip=tip),
    ]


def _line(number: int, step: Step, places: Sequence[Place], y: float) -> list[Item]:
    """Write one step: its number, where, the packet, and the rule that did it."""
    left = MARGIN + 28
    room = WIDTH - MARGIN - left - WHERE - PACKET - 4
    return [
        *_number(number, step, (MARGIN + 10, y)),
        Text(x=left, y=y, text=fit(where(step, places), WHERE - 10, SMALL), size=SMALL),
        Text(x=left + WHERE, y=y, text=clip(step.packet, PACKET - 10, SMALL), size=SMALL),
        Text(x=left + WHERE + PACKET, y=y, text=fit(step.why, room, SMALL) if step.why else "",
             size=SMALL, fill="muted", tip=step.why),
    ]  # fmt: skip
