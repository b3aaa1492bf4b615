"""From Services through EndpointSlices to addresses: what kube-proxy and the DNS server go by.

    slice_graph(cluster)
    slice_graph(cluster, services=("web",))

A slice has ports, and addresses with three conditions: ready, serving, terminating. A line to an
address is solid if it is ready, dashed if it is not. A Pod that a selector selects and no slice has
stands without a line: it has no address yet, or it ended.

Rule of use: the picture is of what is written; the controller takes a moment after a change.

Upstream: staging/src/k8s.io/endpointslice/reconciler.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from k8slab.api import labels
from k8slab.api.core import Pod, Service
from k8slab.api.discovery import Endpoint, EndpointSlice
from k8slab.viz.drawing import Box, Drawing, Item, Line, Text
from k8slab.viz.facts import (
    SERVICE_NAME_LABEL,
    ClusterLike,
    ViewLike,
    clock,
    count,
    short_pod_name,
    status_column,
)
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.placement import mean, spread
from k8slab.viz.shapes import mark
from k8slab.viz.style import BLUE, DARK_GREY, MARGIN, PURPLE, SMALL, WIDTH, YELLOW, Look, text_on
from k8slab.viz.text_width import clip, fit, text_width

SIDE, MIDDLE, RIGHT = 216.0, 244.0, 280.0  # px: widths of the columns
CARD, GROUP, PITCH = 36.0, 52.0, 42.0  # px: an address, a Service or slice, to the next address
MOST = 18  # addresses
KINDS: Mapping[str, Look] = {
    "ready": Look(BLUE, "disc", "ready"),
    "not ready": Look(YELLOW, "ring", "not ready"),
    "terminating": Look(PURPLE, "down", "terminating, still serving"),
    "ending": Look(DARK_GREY, "cross", "terminating, not serving"),
    "in no slice": Look("#DDDDDD", "square", "selected, but in no slice"),
}


class Spot(msgspec.Struct, frozen=True):
    """An address in a slice, or a Pod in none."""

    slice: str  # its name, "" for none
    pod: str  # "" for an address that is no Pod's
    address: str
    kind: str  # a key of KINDS
    where: str  # its node, or the Pod's STATUS if it is in no slice


class Shelf(msgspec.Struct, frozen=True):
    """A slice: of which Service, and for which ports."""

    name: str
    service: str
    ports: str
    spots: tuple[Spot, ...]


def slice_graph(
    cluster: ClusterLike,
    *,
    namespace: str = "default",
    services: Sequence[str] = (),
    at: ViewLike | None = None,
) -> Figure:
    """Draw the EndpointSlices of a namespace, or of some of its Services.

    Raises ValueError if there are none.
    """
    view = cluster.view if at is None else at
    shelves, loose = read(view, namespace, services)
    if not shelves:
        raise ValueError(f"no EndpointSlices of {', '.join(services) or 'Services'} in {namespace}")
    title = f"EndpointSlices at {clock(getattr(view, 'time', cluster.now))}"
    spots = [spot for shelf in shelves for spot in shelf.spots]
    ready = sum(spot.kind == "ready" for spot in spots)
    below = f"{count(len(shelves), 'slice')} with {len(spots)} addresses, {ready} of them ready"
    alt = f"Services, EndpointSlices and addresses: {below}."
    return Figure(draw(shelves, loose, title, below), alt=alt, text=_text(shelves, loose, title))


def read(
    view: ViewLike, namespace: str, services: Sequence[str] = ()
) -> tuple[list[Shelf], list[Spot]]:
    """Return the slices, and the Pods that a Service selects though no slice has them."""
    pods: dict[str, Pod] = {pod.metadata.name: pod for pod in view.list(Pod, namespace)}
    shelves = [
        _shelf(each, pods)
        for each in view.list(EndpointSlice, namespace)
        if not services or each.metadata.labels.get(SERVICE_NAME_LABEL) in services
    ]
    shelves.sort(key=lambda shelf: (shelf.service, shelf.name))
    known = [spot.pod for shelf in shelves for spot in shelf.spots]
    chosen = [
        labels.from_labels(service.spec.selector)
        for service in view.list(Service, namespace)
        if service.spec.selector and (not services or service.metadata.name in services)
    ]
    loose = [
        Spot("", short_pod_name(pod), pod.status.podIP or "no address", "in no slice",
             status_column(pod))
        for pod in pods.values()
        if short_pod_name(pod) not in known
        and any(selector.matches(pod.metadata.labels) for selector in chosen)
    ]  # fmt: skip
    return shelves, loose


def _shelf(item: EndpointSlice, pods: Mapping[str, Pod]) -> Shelf:
    name = item.metadata.name
    ports = ", ".join(
        f"{port.name + ' ' if port.name else ''}{port.port}/{port.protocol or 'TCP'}"
        for port in item.ports
    )
    spots = [
        _spot(name, endpoint, address, pods)
        for endpoint in item.endpoints
        for address in endpoint.addresses
    ]
    service = item.metadata.labels.get(SERVICE_NAME_LABEL, "")
    return Shelf(name, service, ports or "no ports", tuple(spots))


def _spot(name: str, endpoint: Endpoint, address: str, pods: Mapping[str, Pod]) -> Spot:
    target = endpoint.targetRef
    pod = pods.get(target.name) if target is not None and target.kind == "Pod" else None
    shown = short_pod_name(pod) if pod is not None else target.name if target is not None else ""
    return Spot(name, shown, address, kind_of(endpoint), endpoint.nodeName or "")


def kind_of(endpoint: Endpoint) -> str:
    """Return the row of `KINDS` of an endpoint; conditions that nobody wrote are good ones."""
    conditions = endpoint.conditions
    serving = conditions.serving if conditions.serving is not None else conditions.ready
    if conditions.terminating:
        return "ending" if serving is False else "terminating"
    return "not ready" if conditions.ready is False else "ready"


def _text(shelves: Sequence[Shelf], loose: Sequence[Spot], title: str) -> str:
    lines = [f"{title}:"]
    for shelf in shelves:
        lines.append(f"  {shelf.service or 'no Service'} <- {shelf.name}, {shelf.ports}:")
        lines += [
            f"    {spot.address} {spot.pod or 'no Pod'}: {KINDS[spot.kind].label}"
            for spot in shelf.spots
        ]
    lines += [f"  in no slice: {spot.pod} ({spot.where}), {spot.address}" for spot in loose]
    return "\n".join(lines)


def draw(shelves: Sequence[Shelf], loose: Sequence[Spot], title: str, below: str) -> Drawing:
    """Lay the three columns out: Services, slices, addresses."""
    everything = [*(spot for shelf in shelves for spot in shelf.spots), *loose]
    shown = everything[:MOST]
    top, middle, right = HEAD + 22, (WIDTH - MIDDLE) / 2 - 26, WIDTH - MARGIN - RIGHT
    items = heading(title, below)
    heads = ((MARGIN, "Services"), (middle, "EndpointSlices"), (right, "addresses"))
    items += [Text(x=x, y=HEAD + 8, text=text, size=SMALL, fill="muted") for x, text in heads]
    cards: list[Item] = []
    ends = {id(spot): top + place * PITCH + CARD / 2 for place, spot in enumerate(shown)}
    of_service: dict[str, list[float]] = {}
    wanted = [
        mean([ends[id(spot)] for spot in shelf.spots if id(spot) in ends], top) for shelf in shelves
    ]
    ys = spread(wanted, GROUP + 8, top + GROUP / 2)
    for shelf, y in zip(shelves, ys, strict=True):
        of_service.setdefault(shelf.service, []).append(y)
        cards += _group(shelf.name, shelf.ports, (middle, y), MIDDLE)
        items += [
            Line(points=((middle + MIDDLE, y), (right, ends[id(spot)])), stroke="muted", line=1.8,
                 dashed=spot.kind != "ready", tip=f"{shelf.name}: {spot.address} {spot.kind}")
            for spot in shelf.spots
            if id(spot) in ends
        ]  # fmt: skip
    bottom = max(top + len(shown) * PITCH, max(ys) + GROUP / 2 + 8)
    middles = spread([mean(own, top) for own in of_service.values()], GROUP + 8, top + GROUP / 2)
    for (service, own), y in zip(of_service.items(), middles, strict=True):
        cards += _group(service or "no Service", count(len(own), "slice"), (MARGIN, y), SIDE)
        items += [
            Line(points=((MARGIN + SIDE, y), (middle, at)), stroke=BLUE, line=2) for at in own
        ]
    for spot in shown:
        cards += _card(spot, right, ends[id(spot)] - CARD / 2)
    if len(everything) > MOST:
        text = f"and {len(everything) - MOST} more that the text lists"
        cards.append(Text(x=right, y=bottom + 4, text=text, size=SMALL, fill="muted"))
        bottom += 18
    kinds = [spot.kind for spot in shown]
    signs, end = legend(bottom + 8, extra=[KINDS[kind] for kind in KINDS if kind in kinds])
    return Drawing(WIDTH, end + 10, (*items, *cards, *signs))


def _group(name: str, below: str, spot: tuple[float, float], width: float) -> list[Item]:
    """Draw a Service or a slice."""
    x, middle = spot
    return [
        Box(x=x, y=middle - GROUP / 2, width=width, height=GROUP, fill="panel", stroke=BLUE,
            line=2, radius=8, tip=name),
        Text(x=x + 12, y=middle - 9, text=fit(name, width - 24, SMALL, bold=True), size=SMALL,
             bold=True, tip=name),
        Text(x=x + 12, y=middle + 9, text=clip(below, width - 24, SMALL), size=SMALL, fill="muted"),
    ]  # fmt: skip


def _card(spot: Spot, x: float, y: float) -> list[Item]:
    """Draw an address with its Pod and its condition."""
    look = KINDS[spot.kind]
    ink = text_on(look.fill)
    tip = f"{spot.address} {spot.pod}: {look.label}"
    room = RIGHT - 50 - text_width(spot.address, SMALL)
    second = ", ".join(text for text in (spot.kind, spot.where) if text)
    return [
        Box(x=x, y=y, width=RIGHT, height=CARD, fill="panel", stroke=look.fill, line=1.5,
            dashed=not spot.slice, tip=tip),
        Box(x=x, y=y, width=26, height=CARD, fill=look.fill),
        *mark(look.shape, x + 13, y + CARD / 2, 5.5, ink),
        Text(x=x + 34, y=y + 11, text=fit(spot.pod or "no Pod", room, SMALL, bold=True),
             size=SMALL, bold=True, tip=tip),
        Text(x=x + RIGHT - 8, y=y + 11, text=spot.address, size=SMALL, anchor="end"),
        Text(x=x + 34, y=y + 26, text=clip(second, RIGHT - 44, SMALL), size=SMALL, fill="muted"),
    ]  # fmt: skip
