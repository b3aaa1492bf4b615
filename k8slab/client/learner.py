"""What a learner's function did wrong, in words for whoever wrote it.

A cluster can run on functions that learners wrote (`Cluster(replace=...)`). Whatever such a
function raises or returns, the component that calls it goes on: it gets a `ReplacementError`,
tells its text where people look (an Event, a log), and changes nothing else.

Rule of use: call the function through `call`, look at what it returned, show values with `shown`.

Upstream: none
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, TypeVar, cast

from k8slab.api import load, to_dict
from k8slab.api.meta import Object
from k8slab.client import patience

O = TypeVar("O", bound=Object)  # noqa: E741

LONGEST = 40  # characters of a value that is shown


class ReplacementError(Exception):
    """A learner's function raised, or returned what is of no use; the text says which and where."""


def call(name: str, usage: str, function: Callable[..., Any], *args: Any, **keywords: Any) -> Any:
    """Return what the function returns; raise `ReplacementError` if it raises or never ends.

    `name` is what the learner knows it by ("plan"), `usage` how the lab calls it.
    """
    try:
        return patience.patiently(function, *args, **keywords)
    except patience.EndlessError as error:
        raise ReplacementError(f"your {name} {error}") from None
    except Exception as error:
        raise ReplacementError(told(name, usage, error)) from None


def told(name: str, usage: str, error: Exception) -> str:
    """Return what was raised, and at which line of the learner's."""
    if isinstance(error, NotImplementedError):
        return f"your {name} is still a stub: it raised NotImplementedError"
    what = f"{type(error).__name__}: {error}".rstrip(": ")
    ours = (__file__, patience.__file__)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename not in ours]
    if not frames:
        return f"your {name} could not be called as {usage}: {what}"
    return f"your {name} raised {what} at `{frames[-1].line or f'line {frames[-1].lineno}'}`"


def shown(value: Any) -> str:
    """Return a value and its type, short.

    >>> shown(None)
    'None (NoneType)'
    """
    text = repr(value)
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
    return f"{short} ({type(value).__name__})"


def copied(obj: O) -> O:
    """Return a copy of an object, which a learner may spoil as they like."""
    return cast(O, load(to_dict(obj)))
