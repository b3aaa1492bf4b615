"""What is claimed of the exercises of every chapter; a chapter's module brings the tables.

    class TestExercises(Claims):
        chapter, right, wrong, wrong_kind = "04", RIGHT, WRONG, WRONG_KIND

RIGHT: answers that pass. WRONG: answers and the words that they need to hear. WRONG_KIND: answers
that are none. The stubs are those of the exercise notebook itself.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, ClassVar

import pytest

from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find
from tools import notebook_files

FOLDER = Path(__file__).resolve().parents[2] / "exercises"
CHECK = re.compile(r'check\("(?P<key>[\d.]+)", (?P<answer>.+)\)')
Table = dict[str, tuple[Any, ...]]


class Claims:
    """The claims; a subclass names its chapter and has its tables."""

    chapter: ClassVar[str]
    right: ClassVar[Table]
    wrong: ClassVar[Table]
    wrong_kind: ClassVar[Table]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        tables = {"right": self.right, "wrong": self.wrong, "other": self.wrong_kind}
        for name, table in tables.items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(("key", name), rows(table))
        if "stub" in metafunc.fixturenames:
            metafunc.parametrize(("key", "stub"), rows(stubs(self.chapter)))

    def test_different_right_answers_pass(self, key: str, right: Any) -> None:
        finding = judge(find(key), right)
        assert finding.rung == "right", finding.message

    def test_a_wrong_answer_hears_what_is_wrong(self, key: str, wrong: tuple[Any, str]) -> None:
        answer, words = wrong
        finding = judge(find(key), answer)
        assert finding.rung in ("keep working", "almost"), finding.message
        assert words in finding.message

    def test_an_answer_of_the_wrong_kind_is_told_what_is_expected(
        self, key: str, other: Any
    ) -> None:
        finding = judge(find(key), other)
        assert finding.rung == "wrong kind", finding.message
        assert finding.message.startswith("Expected ")

    def test_the_untouched_stub_is_not_started(self, key: str, stub: Any) -> None:
        finding = judge(find(key), stub)
        assert finding.rung == "not started", finding.message


def rows(table: Table) -> list[Any]:
    return [
        pytest.param(key, row, id=f"{key}-{n}")
        for key, given in table.items()
        for n, row in enumerate(given)
    ]


def stubs(chapter: str) -> Table:
    """Return what the exercise notebook hands to each check before anybody has written a word."""
    (path,) = FOLDER.glob(f"{chapter}_*.ipynb")
    names: dict[str, Any] = {}
    found: Table = {}
    for cell in notebook_files.read(path).cells:
        kind = cell.metadata.get("nbgrader", {})
        if kind.get("solution"):
            exec(cell.source, names)
        elif kind.get("grade") and (asked := CHECK.search(cell.source)):
            found[asked["key"]] = (None, ..., eval(asked["answer"], names))
    return found
