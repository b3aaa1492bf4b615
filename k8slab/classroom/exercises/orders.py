"""What exercises about the order of events have in common: letters, and what must come first.

An `Order` knows the events, which of them happen, and pairs of which one is always first. Every
order in which no event stands before its cause is right: `grade_order` accepts them all.

Rule of use: which events happened is read from runs; `causes` says what the order must respect.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

Explained = tuple[str, int]  # a sentence, and the number of the misunderstanding or 0


class Happened(msgspec.Struct, frozen=True):
    """Which events happened in one run; times in virtual seconds, in their order."""

    events: tuple[str, ...]
    evidence: tuple[Evidence, ...]


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An exercise about order: the events by letter, and what is said of wrong answers."""

    events: Mapping[str, str]
    causes: Mapping[tuple[str, str], str]  # (earlier, later): why
    missing: Mapping[str, Explained]  # said when an event that happens is left out
    never: Mapping[str, Explained] = {}  # said of an event that does not happen
    misconceptions: Mapping[tuple[str, str], int] = {}
    example: str = "BDA"
    praise: str


def grade_order(answer: Any, order: Order, runs: Sequence[Happened]) -> Finding:
    """Judge letters in order, such as "BDA" or a list of them."""
    if isinstance(answer, list | tuple) and all(isinstance(one, str) for one in answer):
        answer = "".join(answer)
    if not isinstance(answer, str):
        return wrong_kind(f'letters in order, such as "{order.example}"', answer)
    letters = [letter for letter in answer.upper() if letter not in " ,>-;"]
    if not letters or any(letter not in order.events for letter in letters):
        return wrong_kind(f"letters from {''.join(order.events)}", answer)
    if len(dict.fromkeys(letters)) != len(letters):
        return wrong("Each event happens at most once: a letter stands there twice.")
    return _compare(letters, order, runs)


def _compare(letters: list[str], order: Order, runs: Sequence[Happened]) -> Finding:
    # Only what the message is about: the whole run would be the answer.
    evidence = dict(zip(runs[0].events, runs[0].evidence, strict=True))
    happened = [letter for letter in order.events if all(letter in run.events for run in runs)]
    for letter in letters:
        if letter not in happened:
            return wrong(*order.never[letter])
    for letter in happened:
        if letter not in letters:
            return wrong(*order.missing[letter], (evidence[letter],))
    for (earlier, later), because in order.causes.items():
        if letters.index(earlier) > letters.index(later):
            message = f"All the events are right, and {earlier} comes before {later}: {because}."
            number = order.misconceptions.get((earlier, later), 0)
            return almost(message, number, (evidence[earlier], evidence[later]))
    return right(order.praise, runs[0].evidence)
