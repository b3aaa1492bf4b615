"""Pods as tiles and Services as chips: the small pieces that several figures and widgets share.

A tile bears the colour and the shape of its Pod's state, the Pod's name, a dot for each container
(hollow while it does not run) and the letters of the Services that send it traffic.

Rule of use: ask `tiles_height` before placing what comes below.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.viz.architecture_facts import PodFacts, ServiceFacts
from k8slab.viz.drawing import Box, Disc, Item, Text
from k8slab.viz.shapes import mark
from k8slab.viz.style import MARGIN, POD_STATES, SMALL, WIDTH, text_on
from k8slab.viz.text_width import fit, text_width

TILE, GAP, BETWEEN = 22.0, 5.0, 6.0  # px: height of a tile, between rows, between columns
WIDE, NARROW, MANY = 122.0, 84.0, 16  # px: of a tile, up to and above so many Pods
MOST_PODS, MOST_SERVICES, MOST_DOTS, MOST_LETTERS = 24, 12, 4, 2  # drawn; the rest is counted
CHIP, CHIPS_ABREAST = 26.0, 3


def tiles(
    pods: Sequence[PodFacts], x: float, y: float, width: float, lit: Sequence[str]
) -> list[Item]:
    """Return tiles in rows, at most `MOST_PODS` of them."""
    columns, wide = _columns(width, len(pods))
    items: list[Item] = []
    for place, pod in enumerate(pods[:MOST_PODS]):
        across, down = place % columns, place // columns
        left, top = x + across * (wide + BETWEEN), y + down * (TILE + GAP)
        items += tile(pod, left, top, wide, lit=pod.name in lit)
    if len(pods) > MOST_PODS:
        middle = y + -(-MOST_PODS // columns) * (TILE + GAP) + 8
        text = f"and {len(pods) - MOST_PODS} more Pods"
        items.append(Text(x=x, y=middle, text=text, size=SMALL, fill="muted"))
    return items


def tiles_height(pods: Sequence[PodFacts], width: float) -> float:
    """Return how many px the tiles take."""
    if not pods:
        return 0.0
    columns, _ = _columns(width, len(pods))
    rows = -(-min(len(pods), MOST_PODS) // columns)
    return rows * (TILE + GAP) + (16 if len(pods) > MOST_PODS else 0)


def _columns(width: float, pods: int) -> tuple[int, float]:
    """Return how many tiles stand side by side, and how wide each is."""
    least = WIDE if pods <= MANY else NARROW
    columns = max(1, int((width + BETWEEN) // (least + BETWEEN)))
    return columns, (width - (columns - 1) * BETWEEN) / columns


def tile(pod: PodFacts, x: float, y: float, width: float, *, lit: bool = False) -> list[Item]:
    """Return one Pod."""
    look = POD_STATES[pod.state]
    ink = text_on(look.fill)
    tip = f"{pod.namespace}/{pod.name}: {pod.status}"
    edge = "ink" if lit else ""
    items: list[Item] = [
        Box(
            x=x,
            y=y,
            width=width,
            height=TILE,
            fill=look.fill,
            stroke=edge,
            line=3,
            radius=5,
            tip=tip,
        )
    ]
    middle = y + TILE / 2
    items += mark(look.shape, x + 11, middle, 4.5, ink)
    letters, right = _badge(pod.services, x + width - 5, middle)
    items += letters
    if width >= WIDE - 1:
        for _, running in reversed(pod.containers[:MOST_DOTS]):
            right -= 8
            fill = ink if running else ""
            items.append(Disc(x=right + 3, y=middle, radius=2.4, fill=fill, stroke=ink))
    words = fit(pod.short, right - x - 23, SMALL)
    items.append(Text(x=x + 20, y=middle, text=words, size=SMALL, fill=ink, tip=tip))
    return items


def _badge(services: str, right: float, middle: float) -> tuple[list[Item], float]:
    """Return the letters of the Services on a plate, and where there is room left of it."""
    letters = services[:MOST_LETTERS]
    if not letters:
        return [], right
    wide = text_width(letters, SMALL) + 6
    plate = Box(x=right - wide, y=middle - 7, width=wide, height=14, fill="paper", radius=3)
    text = Text(x=right - wide / 2, y=middle, text=letters, size=SMALL, anchor="middle")
    return [plate, text], right - wide - 2


def chips(services: Sequence[ServiceFacts], y: float) -> tuple[list[Item], float]:
    """Return Services in rows from `y` down, and where they end."""
    if not services:
        return [], y
    wide = (WIDTH - 2 * MARGIN - (CHIPS_ABREAST - 1) * 24) / CHIPS_ABREAST
    items: list[Item] = []
    for place, service in enumerate(services[:MOST_SERVICES]):
        x = MARGIN + place % CHIPS_ABREAST * (wide + 24)
        items += chip(service, x, y + place // CHIPS_ABREAST * CHIP, wide)
    y += -(-min(len(services), MOST_SERVICES) // CHIPS_ABREAST) * CHIP
    if len(services) > MOST_SERVICES:
        text = f"and {len(services) - MOST_SERVICES} more Services"
        items.append(Text(x=MARGIN, y=y + 8, text=text, size=SMALL, fill="muted"))
        y += 18
    return items, y


def chip(service: ServiceFacts, x: float, y: float, width: float) -> list[Item]:
    """Return one Service: its letter, name, address, and how many of its endpoints are ready."""
    middle = y + 10
    behind = f"{service.ready}/{service.total}"
    taken = text_width(behind, SMALL) + text_width(service.address, SMALL)
    name = fit(service.name, max(width - 26 - taken - 18, 40), SMALL, bold=True)
    after = x + 26 + text_width(name, SMALL, bold=True) + 7
    address = fit(service.address, x + width - text_width(behind, SMALL) - 8 - after, SMALL)
    tip = f"Service {service.namespace}/{service.name}: {behind} endpoints ready"
    return [
        Box(x=x, y=y + 1, width=18, height=18, fill="paper", stroke="ink", radius=4),
        Text(x=x + 9, y=middle, text=service.letter, size=SMALL, anchor="middle"),
        Text(x=x + 26, y=middle, text=name, size=SMALL, bold=True, tip=tip),
        Text(x=after, y=middle, text=address, size=SMALL, fill="muted"),
        Text(x=x + width, y=middle, text=behind, size=SMALL, anchor="end"),
    ]
