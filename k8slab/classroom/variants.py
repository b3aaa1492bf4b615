"""Exercises of one's own: which variant of an exercise a learner gets, from their name alone.

    pick("Ada", "04.1", (5, 8, 12, 20))   # the same for Ada on every computer

Nobody's variant is the first one. In a submission the name stands in the answer cell `learner`, so
grading asks for the same variant, and says whose it was.

Rule of use: every variant is as hard as the others, and has its answer in the cluster.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")
LONGEST = 60  # characters of a name


def pick(learner: str, key: str, variants: Sequence[T]) -> T:
    """Return the learner's variant of the exercise with that key.

    >>> pick("Ada", "04.1", "abcd") == pick(" ada ", "04.1", "abcd"), pick("", "04.1", "abcd")
    (True, 'a')
    """
    name = named(learner).casefold()
    if not name:
        return variants[0]
    number = int.from_bytes(sha256(f"{key} {name}".encode()).digest()[:8], "big")
    return variants[number % len(variants)]


def named(given: object) -> str:
    """Return a name without needless space, "" if what was given is none."""
    return " ".join(given.split())[:LONGEST] if isinstance(given, str) else ""
