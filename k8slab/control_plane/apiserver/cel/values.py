"""What CEL has beside plain data: errors, optional values, spans of time and moments, quantities.

Rule of use: values of CEL are plain data (None, bool, int, float, str, lists, maps) and these.

Upstream: github.com/google/cel-go/common/types, staging/src/k8s.io/apiserver/pkg/cel/library
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

import msgspec

NO_OVERLOAD = "no such overload"
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
_SPAN = re.compile(r"([0-9]*\.?[0-9]+)(h|ms|us|µs|ns|m|s)")


class CelError(ValueError):
    """What went wrong while an expression was computed, in CEL's words."""


class Optional(msgspec.Struct, frozen=True):
    """A value that may not be there."""

    value: Any = None
    is_there: bool = False


class Amount(msgspec.Struct, frozen=True):
    """A quantity of the API, such as 500m or 2Gi."""

    number: Fraction


def type_name(value: Any) -> str:
    """Return the name of a value's type, as `type(...)` and messages have it."""
    names = {bool: "bool", int: "int", float: "double", str: "string", type(None): "null_type"}
    if isinstance(value, Mapping):
        return "map"
    return names.get(type(value)) or ("list" if isinstance(value, list | tuple) else "dyn")


def is_number(value: Any) -> bool:
    """Say whether a value is a number; a truth value is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def equal(one: Any, other: Any) -> bool:
    """Say whether two values are equal: values of different types never are, but for numbers."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(equal, one, other))
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    return bool(one == other)


def span(text: str) -> timedelta:
    """Return a span of time from a text such as "1h30m"; raises CelError."""
    sign, rest = (-1, text[1:]) if text.startswith("-") else (1, text.removeprefix("+"))
    parts = _SPAN.findall(rest)
    if not parts or "".join(number + unit for number, unit in parts) != rest:
        raise CelError(f'time: invalid duration "{text}"')
    return timedelta(seconds=sign * sum(float(n) * _UNITS[unit] for n, unit in parts))


def moment(text: str) -> datetime:
    """Return a moment from a text in RFC 3339; raises CelError."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CelError(f'parsing time "{text}": invalid') from None
    if found.tzinfo is None:
        raise CelError(f'parsing time "{text}": a zone is missing')
    return found
