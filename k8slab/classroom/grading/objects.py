"""An object of the learner's that stays in its kernel: its methods are called one by one.

A class that a notebook defines, or an object of one, crosses as its name, its plain attributes and
the names of its methods and their parameters. `describe` is the far end, `assembled` this one.

Rule of use: a class is as good as an object of it, made anew for each call: it keeps no state.

Upstream: none
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

HOME = "__main__"  # the module of what is defined in a notebook
MOST = 50  # methods, attributes, parameters


class Assembled:
    """Stands for a learner's object."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __repr__(self) -> str:
        return f"a {self._kind}"


def describe(value: Any) -> dict[str, Any] | None:
    """Return what there is of an object with methods, None if it is none of the learner's."""
    kind = value if isinstance(value, type) else type(value)
    is_function = callable(value) and kind is not value
    if kind.__module__ != HOME or is_function:
        return None
    members = {name: getattr(value, name) for name in dir(value) if not name.startswith("_")}
    methods = {name: _parameters(kind, name) for name, one in members.items() if callable(one)}
    plain = {name: one for name, one in members.items() if isinstance(one, str | int | float)}
    return {"type": kind.__name__, "methods": methods, "fields": plain} if methods else None


def method(value: Any, name: str) -> Any:
    """Return a method of an object, or of a new object of a class."""
    return getattr(value() if isinstance(value, type) else value, name)


def assembled(message: Mapping[str, Any], far_away: Callable[[str], Callable[..., Any]]) -> Any:
    """Return an object whose methods are those of `far_away`; ValueError if it is none."""
    try:
        kind = str(message["type"])[:60]
        made = Assembled(kind)
        made.name = kind  # type: ignore[attr-defined]
        for name, value in list(message["fields"].items())[:MOST]:
            _set(made, name, value)
        for name, parameters in list(message["methods"].items())[:MOST]:
            function = far_away(name)
            signature = inspect.Signature([_parameter(str(one)) for one in parameters[:MOST]])
            function.__signature__ = signature  # type: ignore[attr-defined]
            _set(made, name, function)
    except (KeyError, TypeError, AttributeError) as problem:
        raise ValueError(f"not sent by describe: {problem}") from None
    return made


def _set(made: Assembled, name: str, value: Any) -> None:
    if not name.isidentifier() or name.startswith("_"):
        raise ValueError(f"no public name: {name!r}")
    setattr(made, name, value)


def _parameters(kind: type, name: str) -> list[str]:
    try:
        return list(inspect.signature(getattr(kind, name)).parameters)
    except (AttributeError, TypeError, ValueError):  # made in __init__, or does not say
        return []


def _parameter(name: str) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
