"""What grading found, as a table to read, and as JSON and CSV for programs.

A `Report` is about a file, a `Learner` about all files of one person. Of several files about one
chapter the best one counts.

Rule of use: the same submissions give the same bytes; nothing here depends on the machine.

Upstream: none
"""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec

from k8slab.classroom.verdicts import Verdict

WIDTH = 100
INDENT = " " * 9
LONGEST = 1_000  # characters of a message
COLUMNS = ("learner", "file", "counts", "exercise", "points", "of", "verdict", "misconception")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one file: verdicts, or the reason why there are none."""

    file: str
    learner: str = ""
    chapter: str = ""  # the stem of the official notebook
    problem: str = ""
    verdicts: tuple[Verdict, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def graded(self) -> bool:
        """Whether the file could be graded."""
        return not self.problem

    @property
    def points(self) -> float:
        """The points of all exercises."""
        return round(sum(one.points for one in self.verdicts), 1)

    @property
    def of(self) -> int:
        """The points that can be had."""
        return sum(one.of for one in self.verdicts)


class Learner(msgspec.Struct, frozen=True, kw_only=True):
    """All files of one person."""

    name: str
    reports: tuple[Report, ...]

    @property
    def counted(self) -> list[Report]:
        """The best report on each chapter, the first of equals, in the order of chapters."""
        best: dict[str, Report] = {}
        for one in self.reports:
            if one.graded and (one.chapter not in best or one.points > best[one.chapter].points):
                best[one.chapter] = one
        return [best[chapter] for chapter in sorted(best)]

    @property
    def points(self) -> float:
        """The points of all chapters."""
        return round(sum(one.points for one in self.counted), 1)

    @property
    def of(self) -> int:
        """The points that could be had in the chapters that were handed in."""
        return sum(one.of for one in self.counted)


def by_learner(reports: Sequence[Report]) -> list[Learner]:
    """Return the learners of reports that are sorted by learner."""
    groups = groupby(reports, key=lambda one: one.learner)
    return [Learner(name=name, reports=tuple(group)) for name, group in groups]


def table(report: Report) -> str:
    """Return the report as a table with the feedback below each exercise."""
    if not report.graded:
        return f"{report.file}: not graded\n    {report.problem}"
    lines = [f"{report.file}: {report.points:g} of {report.of} points"]
    for one in report.verdicts:
        lines.append(f"  {one.key:<6} {one.points:>4g} of {one.of:<3} {one.verdict}")
        lines += _wrapped(one.message)
        lines += [line for seen in one.evidence for line in _wrapped(f"seen with {seen}")]
        lines += _wrapped(f"Hint: {one.hint}") if one.hint else []
    lines += [line for note in report.notes for line in _wrapped(f"Note: {note}")]
    return "\n".join(lines)


def summary(learners: Sequence[Learner]) -> str:
    """Return a line per learner, and one for each file that could not be graded."""
    width = max((len(one.name) for one in learners), default=0)
    lines = []
    for one in learners:
        chapters = ", ".join(f"{r.chapter[:2]}: {r.points:g}/{r.of}" for r in one.counted)
        lines.append(f"{one.name:<{width}} {one.points:>6g} of {one.of:<4} {chapters}".rstrip())
        lines += [f"    {r.file}: not graded. {r.problem}" for r in one.reports if not r.graded]
    return "\n".join(lines)


def as_json(learners: Sequence[Learner]) -> str:
    """Return everything as JSON text."""
    rows = [
        {
            "learner": one.name,
            "points": one.points,
            "of": one.of,
            "files": [_file(report, report in one.counted) for report in one.reports],
        }
        for one in learners
    ]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"


def _file(report: Report, counts: bool) -> dict[str, Any]:
    return {
        "file": report.file,
        "chapter": report.chapter,
        "graded": report.graded,
        "problem": report.problem,
        "counts": counts,
        "points": report.points,
        "of": report.of,
        "exercises": [msgspec.to_builtins(verdict) for verdict in report.verdicts],
        "notes": report.notes,
    }


def as_csv(learners: Sequence[Learner]) -> str:
    """Return one line per file and exercise, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow((*COLUMNS, "message"))
    for learner in learners:
        for row in _rows(learner):
            writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row])
    return text.getvalue()


def _rows(learner: Learner) -> Iterator[tuple[str, ...]]:
    counted = learner.counted
    for report in learner.reports:
        head = learner.name, report.file, "yes" if report in counted else "no"
        if not report.graded:
            yield *head, "", "0", "", "not graded", "", report.problem
        for one in report.verdicts:
            points = one.key, f"{one.points:g}", str(one.of), one.verdict
            yield *head, *points, str(one.misconception or ""), one.message


def printable(text: str, hidden: Sequence[str] = ()) -> str:
    """Return a text without what a terminal or page would obey, short, and without some paths."""
    for path in hidden:
        text = text.replace(path, "(a folder)")
    shown = "".join(c if c.isprintable() else " " for c in text[: LONGEST + 1])
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}..."


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(
        text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
    )
