"""CEL's library: arithmetic, texts, lists, times, and what Kubernetes adds.

`FUNCTIONS` are called by name (`size(x)`, `sets.contains(a, b)`), `METHODS` on a value
(`x.startsWith("a")`). What is not here is in `NOT_HERE`: rules that need it cannot be computed.

Rule of use: each takes plain values and returns one; TypeError means "no such overload".

Upstream: github.com/google/cel-go/{common/stdlib,ext}, staging/src/k8s.io/apiserver/pkg/cel/library
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

from k8slab.api.quantity import parse
from k8slab.control_plane.apiserver.cel.values import (
    NO_OVERLOAD,
    Amount,
    CelError,
    Optional,
    equal,
    is_number,
    moment,
    span,
    type_name,
)

# Functions of a real server that the lab does not compute.
NOT_HERE = frozenset(
    {
        *("url", "getScheme", "getHost", "getHostname", "getPort", "getEscapedPath", "getQuery"),
        *("ip", "cidr", "containsIP", "containsCIDR", "family", "isLoopback", "isUnspecified"),
        *("format", "named", "validate", "semver", "isSemver", "authorizer", "base64", "jsonpatch"),
        *(
            "isCanonical",
            "prefixLength",
            "masked",
            "bytes",
            "reverse",
            "slice",
            "flatten",
            "distinct",
        ),
        *("optMap", "optFlatMap", "transformList", "transformMap", "sortBy", "cost"),
    }
)


def add(one: Any, other: Any, *, minus: bool = False) -> Any:
    """Add, put together or subtract two values."""
    if type(one) is type(other) and is_number(one):
        return one - other if minus else one + other
    if not minus and isinstance(one, str) and isinstance(other, str):
        return one + other
    if not minus and isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return (*one, *other)
    if isinstance(one, datetime | timedelta) and isinstance(other, datetime | timedelta):
        return one - other if minus else one + other  # type: ignore[operator]
    raise TypeError


def divide(one: Any, other: Any, sign: str) -> Any:
    """Multiply, divide or take the rest; whole numbers are divided towards zero."""
    if type(one) is not type(other) or not is_number(one):
        raise TypeError
    if sign == "*":
        return one * other
    if isinstance(one, float):
        if sign == "%":
            raise TypeError
        return one / other if other else math.copysign(math.inf, one)
    if not other:
        raise CelError("division by zero" if sign == "/" else "modulus by zero")
    whole = abs(one) // abs(other) * (1 if (one < 0) == (other < 0) else -1)
    return whole if sign == "/" else one - whole * other


def compare(one: Any, other: Any) -> int:
    """Return -1, 0 or 1; values of different kinds cannot be compared."""
    if is_number(one) and is_number(other):
        pass
    elif type(one) is not type(other) or not isinstance(one, bool | str | datetime | timedelta):
        raise TypeError
    return int(one > other) - int(one < other)


def _size(value: Any) -> int:
    if isinstance(value, str | list | tuple | Mapping):
        return len(value)
    raise TypeError


def _int(value: Any) -> int:
    if isinstance(value, datetime):
        return int(value.timestamp())
    if isinstance(value, str) and not re.fullmatch(r"[+-]?\d+", value):
        raise CelError(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    return int(value)


def _string(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}s"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    return f"{value:g}" if isinstance(value, float) else str(value)


def _bool(value: Any) -> bool:
    if value in ("true", "false") or isinstance(value, bool):
        return value in (True, "true")
    raise CelError(f'strconv.ParseBool: parsing "{value}": invalid syntax')


def _substring(text: str, start: int, end: int | None = None) -> str:
    end = len(text) if end is None else end
    if not 0 <= start <= end <= len(text):
        raise CelError(f"index out of range: {start if start > end else end}")
    return text[start:end]


def _index_of(of: Any, what: Any) -> int:
    if isinstance(of, str):
        return of.find(what)
    return next((index for index, item in enumerate(of) if equal(item, what)), -1)


def _last_index_of(of: Any, what: Any) -> int:
    if isinstance(of, str):
        return of.rfind(what)
    return next((i for i in reversed(range(len(of))) if equal(of[i], what)), -1)


def _matches(text: str, pattern: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error as error:
        raise CelError(f"error parsing regexp: {error}") from None


def _contains(of: Sequence[Any], items: Sequence[Any]) -> bool:
    return all(any(equal(item, other) for other in of) for item in items)


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_cidr(text: str) -> bool:
    try:
        ipaddress.ip_interface(text)
    except ValueError:
        return False
    return "/" in text


def _is_url(text: str) -> bool:
    parts = urlsplit(text)
    return bool(parts.scheme and parts.netloc) or text.startswith("/")


def _quantity(text: str) -> Amount:
    return Amount(parse(text)[0])


def _is_quantity(text: str) -> bool:
    try:
        parse(text)[0]
    except ValueError:
        return False
    return True


def _fraction(value: Any) -> Fraction:
    return value.number if isinstance(value, Amount) else Fraction(value)


def _sign(one: Amount, other: Amount) -> int:
    return (one.number > other.number) - (one.number < other.number)


def _extreme(choose: Callable[..., Any]) -> Callable[..., Any]:
    def chosen(*values: Any) -> Any:
        given = values[0] if len(values) == 1 and isinstance(values[0], list | tuple) else values
        if not all(is_number(value) for value in given):
            raise TypeError
        return choose(given)

    return chosen


def _is_sorted(items: Sequence[Any]) -> bool:
    return all(compare(one, other) <= 0 for one, other in pairwise(items))


def _value_of(found: Optional) -> Any:
    if not found.is_there:
        raise CelError("optional.none() dereference")
    return found.value


def _find_all(text: str, pattern: str, limit: int = -1) -> tuple[str, ...]:
    found = tuple(match.group() for match in re.finditer(pattern, text))
    return found if limit < 0 else found[:limit]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "size": _size,
    "int": _int,
    "uint": _int,
    "double": float,
    "string": _string,
    "bool": _bool,
    "dyn": lambda value: value,
    "type": type_name,
    "duration": span,
    "timestamp": moment,
    "isURL": _is_url,
    "isIP": _is_ip,
    "isCIDR": _is_cidr,
    "quantity": _quantity,
    "isQuantity": _is_quantity,
    "optional.of": lambda value: Optional(value, True),
    "optional.none": Optional,
    "math.greatest": _extreme(max),
    "math.least": _extreme(min),
    "math.abs": abs,
    "sets.contains": _contains,
    "sets.equivalent": lambda one, other: _contains(one, other) and _contains(other, one),
    "sets.intersects": lambda one, other: any(_contains(other, (item,)) for item in one),
}
METHODS: Mapping[str, Callable[..., Any]] = {
    "size": _size,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "contains": lambda text, part: part in str.__str__(text),
    "matches": _matches,
    "charAt": lambda text, at: _substring(text, at, min(at + 1, len(text))),
    "indexOf": _index_of,
    "lastIndexOf": _last_index_of,
    "lowerAscii": str.lower,
    "upperAscii": str.upper,
    "replace": lambda text, old, new, count=-1: str.replace(text, old, new, count),
    "split": lambda text, by, count=-1: tuple(
        list(text) if not by else str.split(text, by, count - 1 if count > 0 else -1)
    ),
    "substring": _substring,
    "trim": str.strip,
    "join": lambda items, by="": str.join(by, items),
    "find": lambda text, pattern: next(iter(_find_all(text, pattern)), ""),
    "findAll": _find_all,
    "isSorted": _is_sorted,
    "sum": lambda items: sum(items),
    "min": lambda items: _extreme(min)(tuple(items)),
    "max": lambda items: _extreme(max)(tuple(items)),
    "first": lambda items: Optional(items[0], True) if items else Optional(),
    "last": lambda items: Optional(items[-1], True) if items else Optional(),
    "hasValue": lambda found: bool(found.is_there),
    "value": _value_of,
    "orValue": lambda found, other: found.value if found.is_there else other,
    "or": lambda found, other: found if found.is_there else other,
    "compareTo": _sign,
    "isGreaterThan": lambda one, other: _sign(one, other) > 0,
    "isLessThan": lambda one, other: _sign(one, other) < 0,
    "asInteger": lambda amount: int(amount.number),
    "asApproximateFloat": lambda amount: float(amount.number),
    "isInteger": lambda amount: amount.number.denominator == 1,
    "add": lambda one, other: Amount(one.number + _fraction(other)),
    "sub": lambda one, other: Amount(one.number - _fraction(other)),
    "getSeconds": lambda value: (
        int(value.total_seconds()) if isinstance(value, timedelta) else value.second
    ),
    "getMinutes": lambda value: (
        int(value.total_seconds() // 60) if isinstance(value, timedelta) else value.minute
    ),
    "getHours": lambda value: (
        int(value.total_seconds() // 3600) if isinstance(value, timedelta) else value.hour
    ),
    "getFullYear": lambda value: value.year,
    "getMonth": lambda value: value.month - 1,
    "getDayOfMonth": lambda value: value.day - 1,
}

__all__ = ["FUNCTIONS", "METHODS", "NOT_HERE", "NO_OVERLOAD", "add", "compare", "divide"]
