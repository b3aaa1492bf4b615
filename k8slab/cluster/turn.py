"""Taking turns: a notebook's cells and the server of a served cluster are two threads.

Rule of use: whoever moves the clock or acts holds `turn`; a method marked `in_turn` does.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar


class HasTurn(Protocol):
    """Something that one thread at a time may use."""

    @property
    def turn(self) -> AbstractContextManager[object]:
        """Held while it is used; the same thread may take it again."""


S = TypeVar("S", bound=HasTurn)
P = ParamSpec("P")
R = TypeVar("R")


def in_turn(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Let one thread at a time do this."""

    @wraps(method)
    def wrapped(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with self.turn:
            return method(self, *args, **kwargs)

    return wrapped
