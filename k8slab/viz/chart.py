"""Axes for the few figures that are charts: ticks at round numbers, a frame, lines and steps.

`Axes` turns virtual time and a value into px inside a rectangle; `ticks` chooses round numbers.

Rule of use: time runs to the right in virtual seconds, and every axis bears its unit.

Upstream: none
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from k8slab.viz.drawing import Item, Line, Point, Text
from k8slab.viz.style import SMALL


class Axes(msgspec.Struct, frozen=True):
    """A rectangle in px, and what its edges mean."""

    left: float
    top: float
    width: float
    height: float
    start: float  # virtual seconds
    end: float
    highest: float

    def x(self, time: float) -> float:
        """Return where a time is."""
        span = self.end - self.start or 1.0
        return self.left + self.width * (time - self.start) / span

    def y(self, value: float) -> float:
        """Return where a value is."""
        return self.top + self.height * (1 - value / (self.highest or 1.0))

    def point(self, time: float, value: float) -> Point:
        """Return where a time and a value meet."""
        return self.x(time), self.y(value)

    def steps(self, changes: Sequence[tuple[float, float]]) -> tuple[Point, ...]:
        """Return the line of a value that holds from each change to the next, and to the end."""
        points: list[Point] = []
        for time, value in changes:
            if points:
                points.append((self.x(time), points[-1][1]))
            points.append(self.point(time, value))
        points.append((self.left + self.width, points[-1][1]))
        return tuple(points)

    def frame(self, values: Sequence[float], unit: str = "") -> list[Item]:
        """Return the lines across at some values, each with its number."""
        items: list[Item] = []
        right = self.left + self.width
        for value in values:
            y = self.y(value)
            text = f"{value:g}{unit}"
            items.append(Line(points=((self.left, y), (right, y)), stroke="rule", line=0.8))
            items.append(
                Text(x=self.left - 8, y=y, text=text, size=SMALL, fill="muted", anchor="end")
            )
        return items

    def time_axis(self, unit: str = "s") -> list[Item]:
        """Return the times below the rectangle; `unit` is that of `start` and `end`."""
        y = self.top + self.height + 14
        times = ticks(self.start, self.end, 8)
        items: list[Item] = [
            Text(
                x=self.x(time),
                y=y,
                text=f"{time:g} {unit}",
                size=SMALL,
                fill="muted",
                anchor="middle",
            )
            for time in times
        ]
        items += [
            Line(points=((self.x(time), y - 12), (self.x(time), y - 8)), stroke="muted")
            for time in times
        ]
        return items


def ticks(low: float, high: float, most: int) -> list[float]:
    """Return at most `most` round numbers from `low` to `high`, evenly spaced.

    >>> ticks(14.1, 44.2, 8)
    [15.0, 20.0, 25.0, 30.0, 35.0, 40.0]
    """
    span = high - low
    if span <= 0:
        return [low]
    rough = span / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(number * step, 9) for number in range(first, last + 1)][:most]
