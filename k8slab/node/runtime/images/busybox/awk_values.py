"""awk's values: numbers, texts, and texts that look like numbers; and what can be done with them.

    >>> text(10.0), text(2 / 3), number("12 apples"), truth(Read("0")), truth("0")
    ('10', '0.666667', 12.0, False, True)

Rule of use: pure.

Upstream: busybox editors/awk.c (getvar_i, getvar_s, istrue)
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from k8slab.node.runtime.images.busybox.awk_expressions import AwkError
from k8slab.node.runtime.images.busybox.standalone import formatted
from k8slab.node.runtime.images.busybox.text import classes

Value = str | float
_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)")


class Read(str):
    """Text that came from outside: it compares as a number if it looks like one."""

    __slots__ = ()


BUILTINS: Mapping[str, Callable[[list[Value]], Value]] = {
    "length": lambda v: float(len(text(v[0]))),
    "substr": lambda v: _substr(text(v[0]), number(v[1]), number(v[2]) if len(v) > 2 else math.inf),
    "index": lambda v: float(text(v[0]).find(text(v[1])) + 1),
    "toupper": lambda v: text(v[0]).upper(),
    "tolower": lambda v: text(v[0]).lower(),
    "sprintf": lambda v: formatted(text(v[0]), [text(each) for each in v[1:]], repeat=False),
    "int": lambda v: float(math.trunc(number(v[0]))),
    "sqrt": lambda v: math.sqrt(number(v[0])),
    "exp": lambda v: math.exp(number(v[0])),
    "log": lambda v: math.log(number(v[0])),
    "sin": lambda v: math.sin(number(v[0])),
    "cos": lambda v: math.cos(number(v[0])),
    "close": lambda v: 0.0,
}


def _substr(whole: str, start: float, count: float) -> str:
    first = max(round(start), 1)
    last = len(whole) if count == math.inf else round(start) + round(count) - 1
    return whole[first - 1 : max(last, 0)]


def parts_of(line: str, separator: str) -> list[str]:
    """Return the fields of a line."""
    if separator == " ":
        return line.split()
    if not line:
        return []
    if len(separator) == 1 and separator != "\\":
        return line.split(separator)
    return re.split(classes(separator), line)


def computed(sign: str, a: float, b: float) -> float:
    """Compute with two numbers. Raises AwkError."""
    if sign in ("/", "%") and b == 0:
        raise AwkError("cmd. line:1: Division by zero")
    results: Mapping[str, Callable[[], float]] = {
        "+": lambda: a + b, "-": lambda: a - b, "*": lambda: a * b, "/": lambda: a / b,
        "%": lambda: math.fmod(a, b), "^": lambda: a**b,
    }  # fmt: skip
    return results[sign]()


def compared(sign: str, a: Any, b: Any) -> bool:
    """Compare two numbers, or two texts."""
    results: Mapping[str, bool] = {
        "<": a < b,
        "<=": a <= b,
        "==": a == b,
        "!=": a != b,
        ">": a > b,
        ">=": a >= b,
    }
    return results[sign]


def is_number(value: Value) -> bool:
    """Say whether a value compares as a number."""
    if isinstance(value, Read):
        return not value or _NUMBER.fullmatch(value.strip()) is not None
    return isinstance(value, float)


def number(value: Value) -> float:
    """Return the number that a value begins with, 0 if with none."""
    if isinstance(value, str):
        found = _NUMBER.match(value)
        return float(found[0]) if found is not None else 0.0
    return value


def text(value: Value) -> str:
    """Return a value as it is printed: whole numbers without a point."""
    if isinstance(value, str):
        return value
    return str(int(value)) if value == int(value) else f"{value:.6g}"


def truth(value: Value) -> bool:
    """Say whether a value counts as true."""
    if isinstance(value, Read) and is_number(value):
        return bool(value) and number(value) != 0
    return bool(value)
