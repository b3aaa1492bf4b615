"""`python -m k8slab grade`: the command line of grading.

Files and folders of notebooks are graded, several at a time. One learner's results are printed
with all feedback, those of a class with a line each; `--json`, `--csv` and `--html` write them.

Rule of use: exit status 0 when every file was graded, whatever its points, and 2 otherwise.

Upstream: none
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import msgspec

from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.grading.report import Learner

ROOT = Path(__file__).resolve().parents[3]
OFFICIAL = ROOT / "solutions"
BAR = 30  # characters
NOT_ISOLATED = (
    "grade: this system allows no sandbox, so submissions run as your own processes do: they can "
    "read and change your files. Grade what you trust, or on Linux (docs/grading.md)."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `grade` understands."""
    limits = Limits()
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="PATH", help="a notebook, or a folder of learners"
    )
    parser.add_argument(
        "--official",
        type=Path,
        default=OFFICIAL,
        metavar="PATH",
        help="the official notebook, or the folder of all of them (default: solutions/)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it as JSON")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a line per exercise as CSV")
    parser.add_argument("--html", type=Path, metavar="DIR", help="write a page for each learner")
    parser.add_argument(
        "--jobs",
        type=int,
        metavar="N",
        default=os.cpu_count() or 1,
        help="how many are graded at a time (default: %(default)d)",
    )
    parser.add_argument(
        "--timeout",
        type=float,
        default=limits.seconds,
        metavar="S",
        help="seconds that one cell may take (default: %(default)g)",
    )
    parser.add_argument(
        "--total",
        type=float,
        default=limits.total,
        metavar="S",
        help="seconds that one notebook may take (default: %(default)g)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=limits.memory >> 20,
        metavar="MB",
        help="memory that the cells of one notebook may use together (default: %(default)d)",
    )
    parser.add_argument(
        "--sandbox",
        choices=("auto", "require", "off"),
        default="auto",
        help="whether to run submissions in a sandbox: if possible, or not at all without one",
    )


def run(arguments: argparse.Namespace) -> int:
    """Grade the files, say and write what was asked for; return the status."""
    from k8slab.classroom.grading import sandbox

    official: Path = arguments.official
    if not official.exists():
        return _fail(f"there are no official notebooks at {official}: name them with --official")
    isolated = arguments.sandbox != "off" and sandbox.available()
    if not isolated and arguments.sandbox == "require":
        return _fail("this system allows no sandbox, and --sandbox require asks for one")
    if not isolated and arguments.sandbox == "auto":
        print(NOT_ISOLATED, file=sys.stderr, flush=True)
    learners = _grade(arguments, isolated)
    if not learners:
        return _fail("there is no notebook to grade")
    _show(learners)
    _write(learners, arguments)
    return 0 if all(one.graded for learner in learners for one in learner.reports) else 2


def _grade(arguments: argparse.Namespace, isolated: bool) -> list[Learner]:
    from k8slab.classroom.grading.layout import find
    from k8slab.classroom.grading.pool import Task, grade_all
    from k8slab.classroom.grading.report import by_learner, printable

    official: Path = arguments.official
    limits = Limits(arguments.timeout, arguments.memory << 20, total=arguments.total)
    fixed = official if official.is_file() else None
    works = find(arguments.files)
    tasks = [Task(work.path, official, limits, fixed, isolated) for work in works]
    reports = grade_all(tasks, max(1, arguments.jobs), progress(len(tasks), sys.stderr))
    named = [
        msgspec.structs.replace(one, learner=printable(work.learner), file=printable(work.file))
        for one, work in zip(reports, works, strict=True)
    ]
    return by_learner(named)


def _show(learners: list[Learner]) -> None:
    from k8slab.classroom.grading.report import summary, table

    if len(learners) > 1:
        print(summary(learners))
        return
    for report in learners[0].reports:
        print(table(report))
    if len(learners[0].reports) > 1:
        print(f"{learners[0].points:g} of {learners[0].of} points in all")


def _write(learners: list[Learner], arguments: argparse.Namespace) -> None:
    from k8slab.classroom.grading.pages import pages
    from k8slab.classroom.grading.report import as_csv, as_json

    if arguments.json is not None:
        arguments.json.write_text(as_json(learners), encoding="utf-8")
    if arguments.csv is not None:
        arguments.csv.write_text(as_csv(learners), encoding="utf-8")
    if arguments.html is not None:
        arguments.html.mkdir(parents=True, exist_ok=True)
        for name, text in pages(learners).items():
            (arguments.html / name).write_text(text, encoding="utf-8")


def progress(total: int, stream: TextIO) -> Callable[[int], None]:
    """Return what draws a bar on a terminal, and does nothing anywhere else."""
    started = time.monotonic()

    def draw(done: int) -> None:
        left = (time.monotonic() - started) / done * (total - done)
        bar = "#" * (BAR * done // total)
        stream.write(f"\r[{bar:.<{BAR}}] {done} of {total}, {left:.0f} s left ")
        stream.write("\n" if done == total else "")
        stream.flush()

    return draw if stream.isatty() and total > 1 else lambda done: None


def _fail(sentence: str) -> int:
    print(f"grade: {sentence}")
    return 2
