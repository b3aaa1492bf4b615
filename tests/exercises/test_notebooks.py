"""Exercise notebooks: exercises are short, checked, worth what the package says, and solvable."""

from __future__ import annotations

import json
import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from k8slab.classroom.exercises import of_chapter
from k8slab.classroom.grading.grade import grade
from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.grading.submission import check_cell

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "solutions").glob("*.ipynb"))
LONGEST_STATEMENT = 120  # words
NUMBERS = {3: "Three", 4: "Four", 5: "Five", 6: "Six"}


def cells(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(path.read_text())["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in found]


def checks(path: Path) -> dict[str, float]:
    graded = [c for c in cells(path) if c["metadata"].get("nbgrader", {}).get("grade")]
    return {
        check_cell(c["id"], c["source"]).key: c["metadata"]["nbgrader"]["points"] for c in graded
    }


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_is_checked_and_worth_what_the_package_says(path: Path) -> None:
    assert checks(path) == {one.key: one.points for one in of_chapter(path.stem[:2])}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_first_page_says_how_many_exercises_there_are_and_their_points(path: Path) -> None:
    there = of_chapter(path.stem[:2])
    assert len({one.key for one in there}) == len(there)
    number = NUMBERS[len(there)]
    assert (
        f"{number} exercises, {sum(one.points for one in there)} points" in cells(path)[0]["source"]
    )


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_statement_is_short_and_says_when_it_is_done(path: Path) -> None:
    statements = [c["source"] for c in cells(path) if re.match(r"## \d\d\.\d", c["source"])]
    assert len(statements) == len(checks(path))
    for text in statements:
        words = [word for word in text.split() if re.search(r"\w", word)]
        assert len(words) <= LONGEST_STATEMENT, f"{len(words)} words: {text[:40]}"
        assert re.search(r"\*Done when\*.*\d", text, re.DOTALL), text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cell_ids_are_grade_ids_so_that_either_may_be_lost(path: Path) -> None:
    for cell in cells(path):
        facts = cell["metadata"].get("nbgrader")
        assert facts is None or (facts["grade_id"], facts["schema_version"]) == (cell["id"], 3)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_an_exercise_shows_neither_solutions_nor_hidden_tests(path: Path) -> None:
    text = (ROOT / "exercises" / path.name).read_text()
    assert "SOLUTION" not in text
    assert "HIDDEN" not in text


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_solution_is_graded_with_all_points(path: Path) -> None:
    report = grade(path, path.parent, Limits())
    assert report.graded, report.problem
    assert report.notes == ()
    assert report.points == report.of == sum(checks(path).values())


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_exercise_is_tried_with_right_and_wrong_answers(path: Path) -> None:
    tables = import_module(f"tests.exercises.test_ch{path.stem[:2]}")
    for exercise in of_chapter(path.stem[:2]):
        assert len(tables.RIGHT[exercise.key]) >= 2
        assert len({words for _, words in tables.WRONG[exercise.key]}) >= 4
