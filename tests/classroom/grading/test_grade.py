"""Grading: what is right gets its points, whatever else the file does."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from k8slab.__main__ import main
from k8slab.classroom.grading.grade import grade
from k8slab.classroom.grading.report import Report
from tests.classroom.grading.conftest import LIMITS, ROOT, Cells, cells_of, notebook

Grading = Callable[..., Report]


def points(report: Report) -> list[float]:
    assert report.graded, report.problem
    return [one.points for one in report.verdicts]


def test_a_solved_copy_gets_every_point(grading: Grading) -> None:
    report = grading()
    assert points(report) == [1, 4]
    assert report.notes == ()


def test_an_untouched_copy_gets_none_and_a_friendly_word(official: Path) -> None:
    report = grade(ROOT / "exercises" / "06_why_services_exist.ipynb", official, LIMITS)
    assert points(report) == [0, 0]
    assert {one.verdict for one in report.verdicts} == {"not started"}


def test_a_broken_cell_costs_its_own_points_only(grading: Grading) -> None:
    report = grading(relabel_answer="order = oops")
    assert points(report) == [0, 4]
    assert report.notes == ("The cell relabel-answer raised NameError: name 'oops' is not defined",)


@pytest.mark.parametrize("code", ["while True: pass", "import os; os._exit(1)"])
def test_a_cell_that_ends_its_kernel_leaves_the_other_points(grading: Grading, code: str) -> None:
    report = grading(members_answer=code, extra="kept = 1")
    assert points(report) == [1, 0]
    assert "was stopped" in report.notes[0]


def test_what_worked_before_a_hang_is_there_after_it(grading: Grading) -> None:
    hang = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: print(1)"

    def insert(cells: Cells) -> Cells:
        return [*cells[:2], {**cells[1], "id": "mine", "metadata": {}, "source": hang}, *cells[2:]]

    assert points(grading(change=insert)) == [1, 4]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("import time; time.sleep(1000)", "had not answered after 4 s"),
        ("import os; os._exit(0)", "ended the whole process"),
        ("return 1 / 0", "ZeroDivisionError: division by zero at `return 1 / 0`"),
        ("return object()", "found a object"),
        ("return service.nothing", "AttributeError"),
    ],
)
def test_a_function_that_fails_is_told_how(grading: Grading, body: str, words: str) -> None:
    report = grading(members_answer=f"def members(service, pods):\n    {body}")
    assert points(report) == [1, 0]
    assert words in report.verdicts[1].message


def test_deleted_cells_cost_only_what_they_held(grading: Grading) -> None:
    report = grading(relabel_answer="", members_check="", imports="")
    assert points(report) == [0, 4]
    assert "The answer cell relabel-answer is missing." in report.notes


def test_edited_metadata_and_order_change_nothing(grading: Grading) -> None:
    def shuffle(cells: Cells) -> Cells:
        edited = {"nbgrader": {"grade": True, "points": 1000, "grade_id": 5}}
        return [{**cell, "metadata": edited if n % 2 else 7} for n, cell in enumerate(cells)][::-1]

    report = grading(change=shuffle)
    assert (report.points, report.of) == (5, 5)


def test_the_first_of_two_copies_of_an_answer_counts(grading: Grading) -> None:
    report = grading(change=lambda cells: [*cells, {**cells[1], "source": 'order = "F"'}])
    assert points(report) == [1, 4]
    assert "more than once" in report.notes[0]


@pytest.mark.parametrize(
    "code",
    [
        "import k8slab.classroom.checks as c\nc.judge = c.check = lambda *a: 'right'",
        "import k8slab.classroom.grading.inside as i\ni.encode = lambda value: 'right'",
        "import k8slab.classroom.verdicts as v\nv.SHARE = dict.fromkeys(v.LADDER, 1.0)",
        "class Yes(str):\n    __eq__ = lambda *a: True\norder = Yes('FGH')",
    ],
)
def test_patching_the_classroom_earns_nothing(grading: Grading, code: str) -> None:
    report = grading(extra=code, relabel_answer="pass", members_answer="members = 1")
    assert points(report) == [0, 0]


def test_edited_checks_are_not_read(grading: Grading) -> None:
    report = grading(relabel_answer="order = 'F'", relabel_check="check = print")
    assert points(report) == [0, 4]


def test_much_output_and_questions_to_nobody_are_survived(grading: Grading) -> None:
    report = grading(extra="print('x\\n' * 200_000)\nprint('y' * 10_000_000)\ninput('points? ')")
    assert points(report) == [1, 4]
    assert "StdinNotImplementedError" in report.notes[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "not valid JSON"),
        (b"\xff\xfe\x00", "not valid JSON"),
        (b"[]", "no list of cells"),
        (b'{"worksheets": []}', "no list of cells"),
        (b'{"cells": [3, {"cell_type": "code"}]}', "none of the exercises"),
    ],
)
def test_what_is_no_submission_is_said_to_be_none(
    official: Path, tmp_path: Path, content: bytes, words: str
) -> None:
    (tmp_path / "x.ipynb").write_bytes(content)
    report = grade(tmp_path / "x.ipynb", official, LIMITS)
    assert not report.graded
    assert words in report.problem


def test_the_command_writes_a_table_json_and_csv(
    official: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notebook(tmp_path / "=1.ipynb", cells_of(official / "06_two.ipynb"))
    (tmp_path / "bad.ipynb").write_text("no")
    files = [str(tmp_path / "=1.ipynb"), str(tmp_path / "bad.ipynb")]
    written = ["--json", str(tmp_path / "out.json"), "--csv", str(tmp_path / "out.csv")]
    assert main(["grade", *files, "--official", str(official), *written]) == 2
    assert "=1.ipynb: 5 of 5 points" in capsys.readouterr().out
    (learner,) = json.loads((tmp_path / "out.json").read_text())
    assert [one["graded"] for one in learner["files"]] == [True, False]
    rows = (tmp_path / "out.csv").read_text().splitlines()
    assert rows[1].startswith(f"{tmp_path.name},'=1.ipynb,yes,06.1,1,1,right,")
    assert len(rows) == 4


def test_without_a_command_the_commands_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert "grade" in capsys.readouterr().out
    assert main(["version"]) == 0
    assert capsys.readouterr().out.startswith("k8slab ")
