"""What is claimed of the exercises of every chapter; a chapter's module brings the tables.

RIGHT: answers that pass. WRONG: answers and the words that they need to hear. WRONG_KIND: answers
that are none.
"""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find


def rows(table: dict[str, tuple[Any, ...]]) -> list[Any]:
    return [
        pytest.param(key, row, id=f"{key}-{n}")
        for key, given in table.items()
        for n, row in enumerate(given)
    ]


def passes(key: str, answer: Any) -> None:
    finding = judge(find(key), answer)
    assert finding.rung == "right", finding.message


def hears_what_is_wrong(key: str, row: tuple[Any, str]) -> None:
    answer, words = row
    finding = judge(find(key), answer)
    assert finding.rung in ("keep working", "almost"), finding.message
    assert words in finding.message


def is_told_what_is_expected(key: str, answer: Any) -> None:
    finding = judge(find(key), answer)
    assert finding.rung == "wrong kind", finding.message
    assert finding.message.startswith("Expected ")
