"""Spans of time as people read them: "45s", "3m20s", "2d4h".

Interface: ``human_duration`` (two units at most), ``short_human_duration`` (one unit),
``age`` (how long ago a timestamp was), ``go_duration`` (exactly, as Go writes it) and
``parse_go_duration`` (back again).
Rule: the longer the span, the coarser the unit; nobody cares about the seconds of a day.

>>> human_duration(200), human_duration(8000), human_duration(187200)
('3m20s', '133m', '2d4h')

Upstream: staging/src/k8s.io/apimachinery/pkg/util/duration/duration.go
"""

import re

from k8slab.api.meta import seconds as seconds_of

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86400, 365 * 86400
_GO_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(h|ms|us|µs|ns|m|s)")
_GO_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}


def human_duration(seconds: float) -> str:
    """Write a span of seconds with at most two units."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < 2 * MINUTE:
        return f"{max(total, 0)}s"
    if total < 10 * MINUTE:
        return _pair(total, MINUTE, "m", 1, "s")
    if total < 3 * HOUR:
        return f"{total // MINUTE}m"
    if total < 8 * HOUR:
        return _pair(total, HOUR, "h", MINUTE, "m")
    if total < 2 * DAY:
        return f"{total // HOUR}h"
    if total < 8 * DAY:
        return _pair(total, DAY, "d", HOUR, "h")
    if total < 2 * YEAR:
        return f"{total // DAY}d"
    if total < 8 * YEAR:
        return _pair(total, YEAR, "y", DAY, "d")
    return f"{total // YEAR}y"


def short_human_duration(seconds: float) -> str:
    """Write a span of seconds with one unit."""
    total = int(seconds)
    if total < -1:
        return "<invalid>"
    if total < MINUTE:
        return f"{max(total, 0)}s"
    for unit, size, limit in (("m", MINUTE, HOUR), ("h", HOUR, DAY), ("d", DAY, YEAR)):
        if total < limit:
            return f"{total // size}{unit}"
    return f"{total // YEAR}y"


def age(timestamp: str | None, now: float) -> str:
    """Write how long ago a timestamp was; ``now`` in virtual seconds."""
    return human_duration(now - seconds_of(timestamp)) if timestamp else "<unknown>"


def _pair(total: int, size: int, unit: str, small_size: int, small_unit: str) -> str:
    whole, rest = divmod(total, size)
    rest //= small_size
    return f"{whole}{unit}{rest}{small_unit}" if rest else f"{whole}{unit}"


def parse_go_duration(text: str) -> float:
    """Return the seconds of a duration as Go writes it. Raises ValueError.

    >>> parse_go_duration("1m30s"), parse_go_duration("1.5h"), parse_go_duration("0")
    (90.0, 5400.0, 0.0)
    """
    if text == "0":
        return 0.0
    sign, rest = (-1.0, text[1:]) if text.startswith("-") else (1.0, text)
    parts = _GO_PART.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise ValueError(f'invalid duration "{text}"')
    return sign * sum(float(number) * _GO_UNITS[unit] for number, unit in parts)


def go_duration(seconds: float) -> str:
    """Write seconds as Go does.

    >>> [go_duration(s) for s in (0, 0.235, 1.2, 10, 80, 300, 3600)]
    ['0s', '235ms', '1.2s', '10s', '1m20s', '5m0s', '1h0m0s']
    """
    millis = round(seconds * 1000)
    if millis == 0:
        return "0s"
    if millis < 1000:
        return f"{millis}ms"
    minutes, rest = divmod(millis, 60_000)
    text = f"{rest // 1000}"
    if rest % 1000:
        text += f".{rest % 1000:03d}".rstrip("0")
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes}m{text}s"
    return f"{minutes}m{text}s" if minutes else f"{text}s"
