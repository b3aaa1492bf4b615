"""A class: whose a file is, what counts, and what is written about it."""

from __future__ import annotations

import io
import os
import re
from pathlib import Path

import pytest

from k8slab.classroom.grading import pool
from k8slab.classroom.grading.command import progress
from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.grading.layout import find
from k8slab.classroom.grading.pages import pages
from k8slab.classroom.grading.report import Report, as_csv, as_json, by_learner, printable, summary
from k8slab.classroom.grading.submission import NotGradableError, official_for, read
from k8slab.classroom.misunderstandings import MISUNDERSTANDINGS
from k8slab.classroom.verdicts import Evidence, Verdict
from tests.classroom.grading.conftest import ROOT, cells_of, notebook

EVIL = "<script>alert(1)</script>"


def verdict(points: float, message: str = "So it is.") -> Verdict:
    rung = "right" if points else "keep working"
    evidence = (Evidence(1, 2.0, EVIL),)
    return Verdict(
        key="06.1", points=points, of=1, verdict=rung, message=message, misconception=6,
        evidence=evidence, hint="Look."
    )  # fmt: skip


def report(learner: str, points: float, chapter: str = "06_x", file: str = "06_x.ipynb") -> Report:
    return Report(file=file, learner=learner, chapter=chapter, verdicts=(verdict(points),))


def test_a_file_belongs_to_the_folder_below_the_class(tmp_path: Path) -> None:
    for name in ("b/06.ipynb", "a/ch/06.ipynb", "a/.ipynb_checkpoints/06.ipynb", "a/x.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    os.symlink("/etc/passwd", tmp_path / "b" / "07.ipynb")
    found = [(one.learner, one.file) for one in find([tmp_path, tmp_path / "b" / "06.ipynb"])]
    assert found == [("a", "ch/06.ipynb"), ("b", "06.ipynb")]


def test_of_two_files_about_a_chapter_the_better_one_counts() -> None:
    reports = [report("a", 0), report("a", 1), report("a", 1), report("a", 1, "07_x")]
    (learner,) = by_learner(reports)
    assert (learner.points, learner.of) == (2, 2)
    assert learner.counted == [reports[1], reports[3]]


def test_the_name_of_a_file_tells_its_chapter(tmp_path: Path) -> None:
    cells = cells_of(ROOT / "solutions" / "06_why_services_exist.ipynb")
    folder = ROOT / "solutions"
    names = ["x", "anna_06_why_services_exist (1)", "01_the_cast"]
    paths = [notebook(tmp_path / f"{name}.ipynb", cells) for name in names]
    found = [official_for(path, read(path), folder).stem for path in paths]
    assert found == ["06_why_services_exist", "06_why_services_exist", "01_the_cast"]


def test_a_pipe_is_no_notebook(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.ipynb")
    with pytest.raises(NotGradableError, match="is no file"):
        read(tmp_path / "x.ipynb")


def test_whatever_learners_write_is_text_on_a_page() -> None:
    evil = report(EVIL, 0, file=EVIL)
    broken = Report(file=EVIL, learner=EVIL, problem=EVIL)
    written = pages(by_learner([evil, broken]))
    assert list(written) == ["index.html", "script-alert-1-script.html"]
    for text in written.values():
        assert "<script" not in text
        assert "&lt;script&gt;" in text


def test_a_page_has_all_feedback_and_needs_nothing_else() -> None:
    (text,) = list(pages(by_learner([report("a", 0)])).values())[1:]
    for words in ("keep working, 0 of 1 points", "So it is.", "Look.", MISUNDERSTANDINGS[6].so):
        assert words in text
    assert not re.search(r"https?://|src=|@import|url\(", text)


def test_every_learner_has_a_page_of_their_own() -> None:
    learners = by_learner([report(name, 1) for name in ("a", "A!", "index", "", "\u00e9")])
    names = ["index.html", "a.html", "a-2.html", "index-2.html", "learner.html", "learner-2.html"]
    assert list(pages(learners)) == names


def test_tables_hold_a_learner_each_and_no_formula() -> None:
    learners = by_learner([report("=1+1", 1), Report(file="x", learner="b", problem="No.")])
    assert [line.split()[:2] for line in summary(learners).splitlines()[:1]] == [["=1+1", "1"]]
    assert as_csv(learners).splitlines()[1].startswith("'=1+1,06_x.ipynb,yes,06.1,1,1,right,6,")
    assert as_json(learners).startswith('[\n  {\n    "learner": "=1+1",')


def test_nothing_that_a_terminal_obeys_is_printed() -> None:
    assert printable("a\x1b[2J\u202e\ud800\nb /home/x", ["/home/x"]) == "a [2J   b (a folder)"
    assert len(printable("x" * 5000)) < 1010


def test_reports_come_in_the_order_of_the_tasks_whatever_the_jobs(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.ipynb").write_text("{" * (5 - number) * 1000)
    tasks = [pool.Task(one, ROOT / "solutions", Limits()) for one in sorted(tmp_path.iterdir())]
    done: list[int] = []
    reports = pool.grade_all(tasks, 3, done.append)
    assert [one.file for one in reports] == [f"{number}.ipynb" for number in range(5)]
    assert (done, reports) == ([1, 2, 3, 4, 5], pool.grade_all(tasks, 1))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_on_a_terminal_only() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        draw = progress(2, stream)
        draw(1)
        draw(2)
    assert "[###############...............] 1 of 2" in terminal.getvalue()
    assert terminal.getvalue().endswith("\n")
    assert file.getvalue() == ""
