"""The steps of a JSONPath: by name, by index, to everything, down to any depth, past a test.

A step turns the values found so far into those one step further; a `Path` is a row of steps.

Rule of use: made by `jsonpath.parse`; each is a pure function.

Upstream: staging/src/k8s.io/client-go/util/jsonpath/jsonpath.go
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<=": operator.le,
    ">=": operator.ge,
    "<": operator.lt,
    ">": operator.gt,
}
Step = Callable[[list[Any], Any], list[Any]]


class JsonPathError(ValueError):
    """A template that cannot be read, or a path that leads nowhere."""


class Path(msgspec.Struct, frozen=True):
    """The steps of one path; `at_root` when it starts at the whole object."""

    steps: tuple[Step, ...]
    at_root: bool = False

    def find(self, root: Any, here: Any, strict: bool = False) -> list[Any]:
        """Return what the path leads to; with `strict` a name that leads nowhere is an error."""
        values = [root if self.at_root else here]
        for step in self.steps:
            values = step(values, root)
            if strict and not values and isinstance(step, Named):
                raise JsonPathError(f"{step.name} is not found")
        return values


class Named(msgspec.Struct, frozen=True):
    """A step to a field."""

    name: str

    def __call__(self, values: list[Any], root: Any) -> list[Any]:
        """Return the fields of that name."""
        return [v[self.name] for v in values if isinstance(v, Mapping) and self.name in v]


def everything(values: list[Any], root: Any) -> list[Any]:
    """Go to all fields or items."""
    found: list[Any] = []
    for value in values:
        if isinstance(value, Mapping):
            found += [value[key] for key in sorted(value)]
        elif isinstance(value, list | tuple):
            found += value
    return found


def descend(values: list[Any], root: Any) -> list[Any]:
    """Go to everything below, at any depth."""
    found: list[Any] = []
    for value in values:
        found.append(value)
        found += descend(everything([value], root), root)
    return found


def index(text: str) -> Step:
    """Go to an item or a slice; JsonPathError if the text is neither."""
    if not re.fullmatch(r"-?\d*(:-?\d*){0,2}", text) or not text:
        raise JsonPathError(f"invalid array index {text}")
    numbers = [int(part) if part else None for part in text.split(":")]

    def step(values: list[Any], root: Any) -> list[Any]:
        found: list[Any] = []
        for value in values:
            if not isinstance(value, list | tuple):
                raise JsonPathError(f"{_kind(value)} is not array or slice")
            found += _items(value, numbers)
        return found

    return step


def _items(value: Any, numbers: list[int | None]) -> list[Any]:
    if len(numbers) > 1:
        return list(value[slice(*numbers)])
    index = numbers[0] or 0
    if not -len(value) <= index < len(value):
        raise JsonPathError(f"array index out of bounds: index {index}, length {len(value)}")
    return [value[index]]


def union(steps: list[Step]) -> Step:
    """Go where any of the steps leads."""

    def step(values: list[Any], root: Any) -> list[Any]:
        return [found for one in steps for found in one(values, root)]

    return step


def filtered(left: Any, sign: str, right: Any) -> Step:
    """Go to the items of which left and right compare so, or of which left exists."""

    def side(operand: Any, root: Any, item: Any) -> list[Any]:
        return operand.find(root, item) if isinstance(operand, Path) else [operand]

    def passes(root: Any, item: Any) -> bool:
        found = side(left, root, item)
        if sign == "exists":
            return bool(found)
        other = side(right, root, item)
        if not found or not other:
            return False
        try:
            return COMPARE[sign](found[0], other[0])
        except TypeError:
            return False

    def step(values: list[Any], root: Any) -> list[Any]:
        items = everything([v for v in values if isinstance(v, list | tuple)], root)
        return [item for item in items if passes(root, item)]

    return step


def _kind(value: Any) -> str:
    return "map[string]interface {}" if isinstance(value, Mapping) else str(value)
