"""Where cards of a column go: beside what they have to do with, and none on another.

    spread([100, 110, 400], pitch=50, top=80)      # [100, 150, 400]

Rule of use: places are middles; `top` and `bottom` are the first and the last that may be taken.

Upstream: none
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def spread(
    wanted: Sequence[float], pitch: float, top: float, bottom: float = math.inf
) -> list[float]:
    """Return a place for each wanted one, in their order, at least `pitch` apart.

    >>> spread([100, 110, 400], 50, 80), spread([110, 100], 50, 80, 140)
    ([100, 150, 400], [140, 90])
    """
    places = list(wanted)
    order = sorted(range(len(places)), key=lambda number: (places[number], number))
    free = top
    for number in order:
        places[number] = max(places[number], free)
        free = places[number] + pitch
    limit = bottom
    for number in reversed(order):
        places[number] = min(places[number], limit)
        limit = places[number] - pitch
    return places


def mean(places: Sequence[float], otherwise: float) -> float:
    """Return the mean of some places, `otherwise` if there are none."""
    return sum(places) / len(places) if places else otherwise
