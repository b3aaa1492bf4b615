"""Nearly 150 hostile submissions: none hangs or breaks the grader, none earns what it should not.

Of those that run code every sixth is graded; with K8SLAB_HOSTILE=all each one is, which takes
some minutes on two cores.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from k8slab.classroom.checks import judge
from k8slab.classroom.exercises import find, of_chapter
from k8slab.classroom.grading import sandbox
from k8slab.classroom.grading.grade import grade
from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.grading.pool import Task, grade_all
from k8slab.classroom.grading.report import Report
from k8slab.classroom.grading.submission import merge
from tests.classroom.grading import hostile
from tests.classroom.grading.conftest import ROOT, answers, cells_of, notebook, own_cell

LIMITS = Limits(seconds=2.0, memory=2 << 30, total=20.0)
STEP = 1 if os.environ.get("K8SLAB_HOSTILE") == "all" else 6
CHAPTERS = [f"{number:02}" for number in range(17)]
KEYS = [one.key for chapter in CHAPTERS for one in of_chapter(chapter)]
VALUES: list[Any] = [
    float("nan"), float("inf"), [float("nan")] * 5, [], {}, "", "ABCDEFGH", ["ABCDEFGH"] * 3, True,
    -1, 10**300, [[[]]], {"A": float("nan")}, [None] * 5, {None: None}, {1: {2: 3}}, "\ud800", b"x",
    lambda *a, **k: None, lambda *a, **k: float("nan"),
    lambda *a, **k: [a], lambda *a, **k: "", lambda: None,
]  # fmt: skip

needs_sandbox = pytest.mark.skipif(not sandbox.available(), reason="no sandbox on this system")


def some(table: dict[str, str]) -> dict[str, str]:
    return dict(list(table.items())[::STEP])


CODE, READS, ANSWERS = some(hostile.CODE), hostile.READS, some(hostile.ANSWERS)
Graded = dict[str, Report]


@pytest.fixture(scope="module")
def reports(official: Path, tmp_path_factory: pytest.TempPathFactory) -> Graded:
    """Return what `python -m k8slab grade` finds in all of them, and in an honest one."""
    folder = tmp_path_factory.mktemp("class")
    (folder / "ben.txt").write_text("xyzzy")
    cells = cells_of(official / "06_two.ipynb")
    written = {"honest": cells}
    nothing = {"relabel-answer": "pass", "members-answer": "members = 1"}
    for name, code in {**CODE, **READS}.items():
        for word, place in {"CANARY": folder / "*.txt", "SOLUTIONS": official / "*"}.items():
            code = code.replace(word, repr(str(place)))
        written[name] = [own_cell(code), *answers(cells, nothing)]
    for name, code in ANSWERS.items():
        place = "members-answer" if "members" in code else "relabel-answer"
        written[name] = answers(cells, {**nothing, place: code})
    tasks = [
        Task(
            notebook(folder / f"{number}.ipynb", one),
            official,
            LIMITS if number else Limits(),
            isolated=True,
        )
        for number, one in enumerate(written.values())
    ]
    return dict(zip(written, grade_all(tasks, os.cpu_count() or 1), strict=True))


@needs_sandbox
@pytest.mark.parametrize("name", [*CODE, *READS, *ANSWERS])
def test_a_hostile_submission_earns_nothing(reports: Graded, name: str) -> None:
    assert reports[name].graded, reports[name].problem
    assert [one.points for one in reports[name].verdicts] == [0, 0]


@needs_sandbox
@pytest.mark.parametrize("name", READS)
def test_feedback_tells_nothing_of_the_machine(reports: Graded, name: str) -> None:
    report = reports[name]
    said = " ".join([*report.notes, *(one.text for one in report.verdicts)])
    assert "raised" in said
    secrets = (
        "xyzzy",
        "root:",
        "BEGIN SOLUTION",
        str(ROOT),
        sys.prefix,
        f"at {os.uname().nodename}",
    )
    assert [secret for secret in secrets if secret in said] == []


@needs_sandbox
def test_among_them_an_honest_submission_gets_its_points(reports: Graded) -> None:
    assert reports["honest"].points == 5


@pytest.mark.parametrize("content", [pytest.param(v, id=k) for k, v in hostile.FILES.items()])
def test_what_is_no_notebook_is_told_so(official: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.ipynb").write_bytes(content)
    report = grade(tmp_path / "x.ipynb", official, LIMITS)
    assert not report.graded
    assert len(report.problem) < 200


@pytest.mark.parametrize("change", [pytest.param(v, id=k) for k, v in hostile.CHANGES.items()])
def test_changed_notebooks_run_the_official_cells(official: Path, change: Any) -> None:
    cells = cells_of(official / "06_two.ipynb")
    merged = merge({"cells": cells}, {"cells": change(cells)})
    ran = [one for one in merged.cells if one.role in ("given", "check")]
    wanted = merge({"cells": cells}, {"cells": cells}).cells
    assert ran == [one for one in wanted if one.role in ("given", "check")]


@pytest.mark.parametrize("key", KEYS)
def test_no_exercise_takes_junk_for_an_answer(key: str) -> None:
    for value in VALUES:
        assert judge(find(key), value).rung in ("not started", "wrong kind", "keep working")
