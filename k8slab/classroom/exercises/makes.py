"""What exercises have in common in which a function is asked the same as the engine, many times.

`gather` asks it in every case and keeps one mistake of each kind; `most_telling` makes the verdict
of the one from which a learner learns most: the other mistakes often follow from it.

Rule of use: an exercise brings its cases, and `mistakes_in(case, given)`, which compares.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

import msgspec

from k8slab.classroom.verdicts import Evidence, Finding, almost, wrong

Case = TypeVar("Case")
Given = TypeVar("Given")


class Mistake(msgspec.Struct, frozen=True):
    """One thing about which the answer and the engine disagree."""

    about: str  # of what kind the mistake is
    message: str
    misconception: int = 0


Mistakes = dict[str, tuple[Mistake, Evidence]]  # by kind, the first of each


def gather(
    cases: Iterable[Case],
    ask: Callable[[Case], Given | Finding],
    mistakes_in: Callable[[Case, Given], Iterable[Mistake]],
    evidence: Callable[[Case, Given], Evidence],
) -> Mistakes | Finding:
    """Return what is wrong with the answers; a Finding if one of them has no form to be judged."""
    found: Mistakes = {}
    for case in cases:
        given = ask(case)
        if isinstance(given, Finding):
            return given
        for mistake in mistakes_in(case, given):
            if mistake.about not in found:
                found[mistake.about] = (mistake, evidence(case, given))
    return found


def most_telling(
    mistakes: Mapping[str, tuple[Mistake, Evidence]], order: Sequence[str], nearly: int = 2
) -> Finding | None:
    """Return what is said of mistakes, None if there are none.

    `order` has all kinds, the most telling first; fewer kinds than `nearly` are almost right.
    """
    if not mistakes:
        return None
    mistake, evidence = mistakes[min(mistakes, key=order.index)]
    verdict = almost if len(mistakes) < nearly else wrong
    return verdict(mistake.message, mistake.misconception, (evidence,))
