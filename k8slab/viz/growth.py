"""Rules and cost against the number of Services: how a table grows, on logarithmic scales.

    rules_and_cost({"rules in the text": [(10, 74), (100, 614)],
                    "rules that a packet meets": [(10, 9), (100, 54)]})

A line for each measurement. On these scales a straight line is a power: what doubles when Services
double rises by 45 degrees (its exponent is 1), what stays the same is flat (its exponent is 0).

Rule of use: the points are data, (Services, value), both above 0; whoever measured them says how.

Upstream: none
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from k8slab.viz.drawing import Drawing, Item, Line, Point, Text
from k8slab.viz.figure import Figure
from k8slab.viz.legend import HEAD, heading, legend
from k8slab.viz.shapes import mark
from k8slab.viz.style import (
    BLUE,
    GREEN,
    MARGIN,
    ORANGE,
    PURPLE,
    SKY,
    SMALL,
    VERMILLION,
    WIDTH,
    Look,
)

Points = Sequence[tuple[float, float]]
LEFT, HEIGHT, RIGHT = 90.0, 280.0, 90.0  # px: before the frame, of the frame, after it
# A colour and a shape for each line; the shapes are enough in grey.
LOOKS = (
    (VERMILLION, "square"),
    (BLUE, "disc"),
    (ORANGE, "triangle"),
    (GREEN, "diamond"),
    (PURPLE, "down"),
    (SKY, "pentagon"),
)


def rules_and_cost(
    measured: Mapping[str, Points],
    *,
    across: str = "Services",
    title: str = "What more Services cost",
) -> Figure:
    """Draw how measurements grow with the number of Services (or of what `across` names).

    Raises ValueError if there are no points, or a number that has no logarithm.
    """
    points = [point for own in measured.values() for point in own]
    if not points or min(min(point) for point in points) <= 0:
        raise ValueError("expected points above 0: {name: [(10, 74), (100, 614)]}")
    if len(measured) > len(LOOKS):
        raise ValueError(f"at most {len(LOOKS)} lines can be told apart, got {len(measured)}")
    powers = "; ".join(f"{name} {_power(own)}" for name, own in measured.items())
    text = _text(measured, across, title)
    return Figure(draw(measured, across, title), alt=f"{title}, by {across}: {powers}.", text=text)


def exponent(points: Points) -> float:
    """Return the slope on logarithmic scales, by least squares: 1 doubles when Services double.

    >>> round(exponent([(10, 20), (100, 200), (1000, 2000)]), 6), exponent([(1, 5), (10, 5)])
    (1.0, 0.0)
    """
    logs = [(math.log(x), math.log(y)) for x, y in points]
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    spread = sum((x - mean_x) ** 2 for x, _ in logs)
    return sum((x - mean_x) * (y - mean_y) for x, y in logs) / spread if spread else 0.0


def _power(points: Points) -> str:
    slope = exponent(points)
    return "stays the same" if abs(slope) < 0.05 else f"grows with the power {slope:.2f}"


def _text(measured: Mapping[str, Points], across: str, title: str) -> str:
    lines = [f"{title}:"]
    for name, own in measured.items():
        lines.append(f"  {name} {_power(own)}")
        lines += [f"    {x:g} {across}: {y:.6g}" for x, y in sorted(own)]
    return "\n".join(lines)


def draw(measured: Mapping[str, Points], across: str, title: str) -> Drawing:
    """Lay the frame out, a line for each measurement with its name at its end."""
    points = [point for own in measured.values() for point in own]
    xs, ys = decades([x for x, _ in points]), decades([y for _, y in points])
    top, width = HEAD + 10, WIDTH - LEFT - MARGIN - RIGHT

    def at(x: float, y: float) -> Point:
        right = width * math.log(x / xs[0]) / math.log(xs[-1] / xs[0])
        up = HEIGHT * math.log(y / ys[0]) / math.log(ys[-1] / ys[0])
        return LEFT + right, top + HEIGHT - up

    items = heading(title, f"both scales are logarithmic; across: {across}")
    for value in ys:
        y = at(xs[0], value)[1]
        items += [
            Line(points=((LEFT, y), (LEFT + width, y)), stroke="rule", line=0.8),
            Text(x=LEFT - 8, y=y, text=power_of_ten(value), size=SMALL, fill="muted", anchor="end"),
        ]
    for value in xs:
        x = at(value, ys[0])[0]
        text = power_of_ten(value)
        items += [
            Line(points=((x, top), (x, top + HEIGHT)), stroke="rule", line=0.8),
            Text(x=x, y=top + HEIGHT + 14, text=text, size=SMALL, fill="muted", anchor="middle"),
        ]
    names: list[tuple[float, str]] = []
    for (name, own), (fill, shape) in zip(measured.items(), LOOKS, strict=False):
        line = [at(x, y) for x, y in sorted(own)]
        items.append(Line(points=tuple(line), stroke=fill, line=2.2, tip=name))
        for x, y in line:
            items += mark(shape, x, y, 5, fill)
        names.append((line[-1][1], f"power {exponent(own):.2f}"))
    items += _labels(names, LEFT + width + 12)
    looks = [Look(*look, name) for name, look in zip(measured, LOOKS, strict=False)]
    signs, end = legend(top + HEIGHT + 30, extra=looks)
    return Drawing(WIDTH, end + 10, (*items, *signs))


def _labels(names: Sequence[tuple[float, str]], x: float) -> list[Item]:
    """Write each line's power beside its end, none on another."""
    items: list[Item] = []
    free = 0.0
    for y, text in sorted(names):
        middle = max(y, free)
        items.append(Text(x=x, y=middle, text=text, size=SMALL))
        free = middle + 16
    return items


def decades(values: Sequence[float]) -> list[float]:
    """Return the powers of ten around some values, at least two.

    >>> decades([3, 70]), decades([10, 10])
    ([1, 10, 100], [10, 100])
    """
    low = math.floor(math.log10(min(values)) + 1e-9)
    high = max(math.ceil(math.log10(max(values)) - 1e-9), low + 1)
    return [10**power if power >= 0 else 10.0**power for power in range(low, high + 1)]


def power_of_ten(value: float) -> str:
    """Write a power of ten as people read it.

    >>> power_of_ten(100), power_of_ten(1000000), power_of_ten(0.01)
    ('100', '1,000,000', '0.01')
    """
    return f"{value:,}" if value >= 1 else f"{value:g}"
