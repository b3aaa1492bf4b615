"""An answer that lives in a kernel, as a value or a function of this process.

`fetch(kernel, "selector")` gives data as data. A function stays there: what comes back is one that
sends its arguments over and returns what the learner's function made of them. So does an object.

Rule of use: all that crosses is JSON; time spent over there counts against the check's limit.

Upstream: none
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from k8slab.classroom.exercises.answers import LearnerError, NotStartedError
from k8slab.classroom.grading.kernel import DiedError, HungError, Kernel
from k8slab.classroom.grading.objects import assembled
from k8slab.classroom.grading.wire import is_desk, plain, restored

INSIDE = "__import__('k8slab.classroom.grading.inside', fromlist=['inside'])"
OBJECTS = INSIDE.replace("inside", "objects")
LARGEST = 2_000_000  # characters of an answer
MOST_WISHES = 1_000  # labels that one call may ask for


class Stranger:
    """Stands for a value that is neither data nor a function."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    def __repr__(self) -> str:
        return f"a {self._kind}"


def fetch(kernel: Kernel, expression: str) -> Any:
    """Return the answer that an expression names; None if there is none yet.

    Raises LearnerError if the kernel hangs or dies over it.
    """
    try:
        text = kernel.value(f"{INSIDE}.encode({expression})")
    except ValueError:  # the name was never bound
        return None
    except (HungError, DiedError) as problem:
        raise LearnerError(f"Your answer could not be read. {problem}") from None
    message = _decode(text)
    if message.get("kind") == "function":
        return _function(kernel, expression)
    if message.get("kind") == "object":
        return _object(kernel, expression, message)
    return _value(message)


def _object(kernel: Kernel, expression: str, message: dict[str, Any]) -> Any:
    def far_away(name: str) -> Callable[..., Any]:
        return _function(kernel, f"{OBJECTS}.method({expression}, {name!r})")

    try:
        return assembled(message, far_away)
    except ValueError:
        raise LearnerError("Your answer is an object that cannot be read.") from None


def _function(kernel: Kernel, expression: str) -> Callable[..., Any]:
    deadline = time.monotonic() + kernel.limits.seconds

    def far_away(*arguments: Any, **named: Any) -> Any:
        sent = json.dumps([plain(arguments), plain(named)])
        left = max(0.0, deadline - time.monotonic())
        try:
            text = kernel.value(f"{INSIDE}.call({expression}, {sent!r})", left)
        except HungError:
            limit = kernel.limits.seconds
            raise LearnerError(f"Your function had not answered after {limit:g} s.") from None
        except DiedError:
            raise LearnerError("Your function ended the whole process.") from None
        except ValueError as problem:
            raise LearnerError(f"Your function could not be called: {problem}.") from None
        message = _decode(text)
        _wish([one for one in arguments if is_desk(one)], message.get("wishes"))
        return _value(message)

    return far_away


def _wish(desks: list[Any], asked: Any) -> None:
    """Ask each desk for what the learner's function asked of its copy."""
    try:
        for desk, wishes in zip(desks, asked or (), strict=False):
            for kind, name, labels in wishes[:MOST_WISHES]:
                desk.label(kind, name, **labels)
    except (TypeError, ValueError) as problem:
        raise LearnerError(f"Your function asked for something odd: {problem}.") from None


def _decode(text: str) -> dict[str, Any]:
    try:
        message = json.loads(text) if len(text) <= LARGEST else None
    except (ValueError, RecursionError):
        message = None
    if not isinstance(message, dict):
        raise LearnerError("Your answer is too large or too strange to be read.")
    return message


def _value(message: dict[str, Any]) -> Any:
    match message.get("kind"):
        case "data":
            try:
                return restored(message.get("value"))
            except ValueError:
                raise LearnerError("Your answer holds an object that cannot be read.") from None
        case "missing":
            raise NotStartedError
        case "raised":
            raise LearnerError(str(message.get("text"))[:1000])
        case _:
            return Stranger(str(message.get("type", "value"))[:60])
