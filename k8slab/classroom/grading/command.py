"""`python -m k8slab grade`: the command line of grading.

Rule of use: exit status 0 when every file was graded, whatever its points, and 2 otherwise.

Upstream: none
"""

from __future__ import annotations

import argparse
from pathlib import Path

from k8slab.classroom.grading.kernel import Limits
from k8slab.classroom.grading.report import Report, as_csv, as_json, table

ROOT = Path(__file__).resolve().parents[3]
OFFICIAL = ROOT / "solutions"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `grade` understands."""
    limits = Limits()
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a notebook to grade")
    parser.add_argument(
        "--official",
        type=Path,
        default=OFFICIAL,
        metavar="PATH",
        help="the official notebook, or the folder of all of them (default: solutions/)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all of it as JSON")
    parser.add_argument("--csv", type=Path, metavar="FILE", help="write a line per exercise as CSV")
    parser.add_argument(
        "--timeout",
        type=float,
        default=limits.seconds,
        metavar="S",
        help="seconds that one cell may take (default: %(default)g)",
    )
    parser.add_argument(
        "--memory",
        type=int,
        default=limits.memory >> 20,
        metavar="MB",
        help="memory that the cells may use together (default: %(default)d)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Grade the files, print a table for each, write what was asked for; return the status."""
    from k8slab.classroom.grading.grade import grade

    official: Path = arguments.official
    if not official.exists():
        print(f"grade: there are no official notebooks at {official}: name them with --official")
        return 2
    limits = Limits(arguments.timeout, arguments.memory << 20)
    reports: list[Report] = []
    for path in arguments.files:
        fixed = official if official.is_file() else None
        reports.append(grade(path, official, limits, fixed))
        print(table(reports[-1]), flush=True)
    if arguments.json is not None:
        arguments.json.write_text(as_json(reports), encoding="utf-8")
    if arguments.csv is not None:
        arguments.csv.write_text(as_csv(reports), encoding="utf-8")
    return 0 if all(report.graded for report in reports) else 2
