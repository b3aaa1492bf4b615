"""What grading found, as a table to read, and as JSON and CSV for programs.

Rule of use: the same submission gives the same bytes; nothing here depends on the machine.

Upstream: none
"""

from __future__ import annotations

import csv
import io
import textwrap
from collections.abc import Iterator, Sequence

import msgspec

from k8slab.classroom.verdicts import Verdict

WIDTH = 100
INDENT = " " * 9
COLUMNS = ("file", "exercise", "points", "of", "verdict", "message")
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one file: verdicts, or the reason why there are none."""

    file: str
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
        return sum(one.points for one in self.verdicts)

    @property
    def of(self) -> int:
        """The points that can be had."""
        return sum(one.of for one in self.verdicts)


def table(report: Report) -> str:
    """Return the report as a table with the feedback below each exercise."""
    if not report.graded:
        return f"{report.file}: not graded\n    {report.problem}"
    lines = [f"{report.file}: {report.points:g} of {report.of} points"]
    for one in report.verdicts:
        lines.append(f"  {one.key:<6} {one.points:>4g} of {one.of:<3} {one.verdict}")
        lines += _wrapped(one.message)
        lines += [line for seen in one.evidence for line in _wrapped(f"seen with {seen}")]
    lines += [line for note in report.notes for line in _wrapped(f"Note: {note}")]
    return "\n".join(lines)


def as_json(reports: Sequence[Report]) -> str:
    """Return all reports as JSON text."""
    rows = [
        {
            "file": one.file,
            "graded": one.graded,
            "problem": one.problem,
            "points": one.points,
            "of": one.of,
            "exercises": [msgspec.to_builtins(verdict) for verdict in one.verdicts],
            "notes": one.notes,
        }
        for one in reports
    ]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2).decode() + "\n"


def as_csv(reports: Sequence[Report]) -> str:
    """Return one line per file and exercise, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for report in reports:
        for row in _rows(report):
            writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row])
    return text.getvalue()


def _rows(report: Report) -> Iterator[tuple[str, ...]]:
    if not report.graded:
        yield report.file, "", "0", "", "not graded", report.problem
    for one in report.verdicts:
        yield report.file, one.key, f"{one.points:g}", str(one.of), one.verdict, one.message


def _wrapped(text: str) -> list[str]:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return textwrap.wrap(
        printable, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT, break_on_hyphens=False
    )
