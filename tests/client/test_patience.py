"""A function that turns for ever is stopped, after as many lines everywhere."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from typing import Any

import pytest

from k8slab.client import patience
from k8slab.client.learner import ReplacementError, call


def stands_still() -> None:
    while True:
        pass


def forgets_to_count() -> int:
    number = 0
    while number < 3:
        other = number + 1
    return other


def swallows() -> None:
    while True:
        try:
            raise KeyError
        except Exception:
            continue


def collects() -> list[int]:
    return [n for n in itertools.count() if n < 0]


def sums() -> int:
    return sum(1 for _ in itertools.count())


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "LINES", 10_000)


@pytest.mark.parametrize("function", [stands_still, forgets_to_count, swallows, collects, sums])
def test_a_loop_without_end_is_ended(impatient: None, function: Callable[[], Any]) -> None:
    with pytest.raises(patience.EndlessError, match="10,000 lines it was still at"):
        patience.patiently(function)


def test_what_comes_to_an_end_is_left_alone(impatient: None) -> None:
    assert patience.patiently(lambda most: sum(range(most)), 10**5) == sum(range(10**5))


def test_the_tracing_of_others_goes_on_afterwards(impatient: None) -> None:
    before = sys.gettrace()
    with pytest.raises(patience.EndlessError):
        patience.patiently(stands_still)
    assert sys.gettrace() is before


def test_a_replacement_that_never_ends_is_told_by_its_name(impatient: None) -> None:
    with pytest.raises(ReplacementError, match="your plan did not come to an end"):
        call("plan", "plan()", stands_still)
