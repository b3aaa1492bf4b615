"""Taking turns: a notebook's cells and the server of a served cluster are two threads.

Whose turn it is may have a large cluster in hand, so Python looks for garbage less often.

Rule of use: whoever moves the clock or acts holds `turn`; a method marked `in_turn` does.

Upstream: none
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

NEW_OBJECTS = 10_000  # after so many the collector looks at the youngest; Python's own is 700


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
        with self.turn, seldom_collecting():
            return method(self, *args, **kwargs)

    return wrapped


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Have Python look for cycles of garbage less often meanwhile.

    The engine makes hardly any, but many objects that stay: looking at all of them again and
    again takes a fifth of the time at 1,000 Pods.
    """
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], NEW_OBJECTS) if before[0] else 0, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
