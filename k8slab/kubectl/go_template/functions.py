"""What templates can call, and how Go writes values.

MISSING is a key that is not there, which is another thing than null.

Rule of use: `FUNCTIONS[name](*values)`; FunctionError in Go's words. `and` and `or` are listed, and
carried out in `running`, for they do not look at what decides nothing.

Upstream: text/template/funcs.go, staging/src/k8s.io/cli-runtime/pkg/printers/template.go
"""

from __future__ import annotations

import base64
import html
import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote_plus

from k8slab.kubectl.go_template.errors import FunctionError


class _Missing:
    """No value at all."""

    def __bool__(self) -> bool:
        return False


MISSING = _Missing()


def go_text(value: Any) -> str:
    """Return a value as Go's %v writes it.

    >>> go_text({"b": 2, "a": [True, None]})
    'map[a:[true <nil>] b:2]'
    """
    if isinstance(value, _Missing):
        return "<no value>"
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _float(value)
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(go_text, value))}]"
    return str(value)


def go_type(value: Any) -> str:
    """Return the name of a value's type in Go."""
    names = {bool: "bool", int: "int", float: "float64", str: "string"}
    if isinstance(value, Mapping):
        return "map[string]interface {}"
    return names.get(type(value), "[]interface {}" if isinstance(value, list) else "<nil>")


def _float(value: float) -> str:
    """Return a float as Go's %v writes it: with an exponent from 1e+06 on."""
    _, digits, power = Decimal(repr(value)).normalize().as_tuple()
    exponent = len(digits) + int(power) - 1
    if value and not -4 <= exponent < 6:
        number = f"{value:.{len(digits) - 1}e}"
        return re.sub(r"e([-+])(\d)$", r"e\g<1>0\2", number)
    return f"{value:.{max(0, -int(power))}f}"


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping | list | tuple):
        return len(value)
    if value is None or isinstance(value, _Missing):
        raise FunctionError("reflect: call of reflect.Value.Type on zero Value")
    raise FunctionError(f"len of type {go_type(value)}")


def _index(value: Any, *steps: Any) -> Any:
    for step in steps:
        if value is None or isinstance(value, _Missing):
            raise FunctionError("index of untyped nil")
        if isinstance(value, Mapping):
            if not isinstance(step, str):
                raise FunctionError(f"value has type {go_type(step)}; should be string")
            value = value.get(step, MISSING)
        elif isinstance(value, list | tuple | str):
            value = _item(value, step)
        else:
            raise FunctionError(f"can't index item of type {go_type(value)}")
    return value


def _item(value: Any, step: Any) -> Any:
    if isinstance(step, bool) or not isinstance(step, int):
        raise FunctionError(f"cannot index slice/array with type {go_type(step)}")
    if not 0 <= step < len(value):
        raise FunctionError(f"index out of range: {step}")
    return ord(value[step]) if isinstance(value, str) else value[step]


def _slice(value: Any, *places: int) -> Any:
    if not isinstance(value, list | tuple | str):
        raise FunctionError(f"can't slice item of type {go_type(value)}")
    start, stop = (*places, *(0, len(value))[len(places) :])[:2]
    if not 0 <= start <= stop <= len(value):
        raise FunctionError(f"index out of range: {stop}")
    return value[start:stop]


def _basic(value: Any) -> str:
    """Return the kind of a value that can be compared."""
    kind = go_type(value)
    if kind in ("bool", "int", "float64", "string"):
        return kind
    raise FunctionError("non-comparable type " + kind if kind != "<nil>" else "invalid type")


def _check_alike(first: Any, second: Any) -> None:
    kinds = _basic(first), _basic(second)
    if kinds[0] != kinds[1]:
        raise FunctionError(f"incompatible types for comparison: {kinds[0]} and {kinds[1]}")


def _eq(first: Any, *others: Any) -> bool:
    if not others:
        raise FunctionError("missing argument for comparison")
    for other in others:
        if None in (first, other) or MISSING in (first, other):
            if first is other:
                return True
            continue
        _check_alike(first, other)
        if first == other:
            return True
    return False


def _lt(first: Any, second: Any) -> bool:
    _check_alike(first, second)
    if isinstance(first, bool):
        raise FunctionError("invalid type for comparison")
    return bool(first < second)


def _print(*values: Any) -> str:
    """Join as Go's Sprint does: a blank between two values of which none is a text."""
    out = ""
    for place, value in enumerate(values):
        between = place and not isinstance(value, str) and not isinstance(values[place - 1], str)
        out += (" " if between else "") + go_text(value)
    return out


_VERB = re.compile(r"%([-+# 0]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])")


def _printf(form: str, *values: Any) -> str:
    rest = list(values)

    def written(match: re.Match[str]) -> str:
        flags, width, precision, verb = match.groups()
        if verb == "%":
            return "%"
        if not rest:
            return f"%!{verb}(MISSING)"
        text = _verb(verb, rest.pop(0), precision)
        fill = "0" if "0" in flags and "-" not in flags else " "
        wide = int(width or 0)
        return text.ljust(wide) if "-" in flags else text.rjust(wide, fill)

    text = _VERB.sub(written, form)
    extra = ", ".join(f"{go_type(value)}={go_text(value)}" for value in rest)
    return f"{text}%!(EXTRA {extra})" if rest else text


def _verb(verb: str, value: Any, precision: str | None) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if verb == "v":
        return go_text(value)
    if verb == "s" and isinstance(value, str | list | Mapping):
        return go_text(value)[: int(precision)] if precision else go_text(value)
    if verb == "q" and isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if verb == "d" and number and isinstance(value, int):
        return str(value)
    if verb == "x" and isinstance(value, int | str) and not isinstance(value, bool):
        return value.encode().hex() if isinstance(value, str) else f"{value:x}"
    if verb == "t" and isinstance(value, bool):
        return go_text(value)
    if verb == "T":
        return go_type(value)
    if verb in "feg" and isinstance(value, float):
        return f"{value:.{precision or 6}{verb}}" if verb != "g" or precision else _float(value)
    shown = "<nil>" if value is None else f"{go_type(value)}={go_text(value)}"
    return f"%!{verb}({shown})"


def _base64decode(value: str) -> str:
    illegal = re.search(r"[^A-Za-z0-9+/\r\n]", value.rstrip("="))
    try:
        return base64.b64decode(value, validate=True).decode(errors="replace")
    except ValueError:
        place = illegal.start() if illegal else len(value) // 4 * 4
        raise FunctionError(
            f"base64 decode failed: illegal base64 data at input byte {place}"
        ) from None


def _exists(value: Any, *steps: Any) -> bool:
    """Say whether there is something at the end of the steps: kubectl's own function."""
    try:
        return _index(value, *steps) not in (None, MISSING)
    except FunctionError:
        return False


def _decided(*values: Any) -> Any:
    raise AssertionError(f"decided without {values}")


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "and": _decided,
    "or": _decided,
    "not": lambda value: not value,
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "printf": _printf,
    "println": lambda *values: " ".join(map(go_text, values)) + "\n",
    "html": lambda *values: html.escape(_print(*values)).replace("&#x27;", "&#39;"),
    "js": lambda *values: json.dumps(_print(*values))[1:-1].replace("'", "\\'"),
    "urlquery": lambda *values: quote_plus(_print(*values)),
    "eq": _eq,
    "ne": lambda first, second: not _eq(first, second),
    "lt": _lt,
    "le": lambda first, second: _lt(first, second) or _eq(first, second),
    "gt": lambda first, second: not _lt(first, second) and not _eq(first, second),
    "ge": lambda first, second: not _lt(first, second),
    "exists": _exists,
    "base64decode": _base64decode,
}
