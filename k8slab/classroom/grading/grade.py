"""Grading one submission: run its cells, fetch its answers, judge them.

`grade(path, folder, limits)` returns a `Report` for any file whatever. After a cell that hangs or
kills its kernel, the cells that had worked are run again in a new one, and grading goes on until
the time of the whole notebook is used up.

Rule of use: the verdicts come from the checks of this package, run in this process.

Upstream: none (nbgrader: executecells.py)
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from k8slab.classroom.checks import NOT_STARTED, judge, verdict_of
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError
from k8slab.classroom.grading import sandbox, submission
from k8slab.classroom.grading.kernel import Kernel, KernelError, Limits
from k8slab.classroom.grading.remote import fetch
from k8slab.classroom.grading.report import Report, printable
from k8slab.classroom.grading.submission import Cell, NotGradableError, Submission
from k8slab.classroom.time_limit import OutOfTimeError, time_limit
from k8slab.classroom.variants import named
from k8slab.classroom.verdicts import Finding, Verdict, wrong


def grade(
    path: Path,
    folder: Path,
    limits: Limits,
    official: Path | None = None,
    *,
    isolated: bool | None = None,
) -> Report:
    """Return the report on a file; the official notebook is looked for in the folder.

    The kernel is `isolated` in a sandbox if the system allows it, unless that is decided already.
    """
    name = printable(path.name)
    try:
        theirs = submission.read(path)
        source = official or submission.official_for(path, theirs, folder)
        merged = submission.merge(submission.read(source), theirs)
    except NotGradableError as problem:
        return Report(file=name, problem=f"{name} {problem}.")
    isolated = sandbox.available() if isolated is None else isolated
    try:
        with Kernel(limits, isolated=isolated) as kernel:
            report = run(kernel, merged)
    except KernelError as problem:
        return Report(file=name, chapter=source.stem, problem=str(problem))
    return msgspec.structs.replace(report, file=name, chapter=source.stem)


def run(kernel: Kernel, merged: Submission) -> Report:
    """Run all cells in a kernel, judge the answers, and return what came out."""
    verdicts, notes = _Run(kernel).all(merged.cells)
    hidden = [str(kernel.folder), *_places()]
    return Report(
        file="",
        verdicts=tuple(_clean(one, hidden) for one in verdicts),
        notes=tuple(printable(one, hidden) for one in (*merged.notes, *notes)),
    )


def _places() -> list[str]:
    """Return where on this machine things lie, which is nobody's business: longest first."""
    package = Path(__file__).resolve().parents[3]
    found = {str(package), sys.prefix, sys.base_prefix, str(Path.home())}
    own = [one for one in found if one not in ("/", "/usr", "/usr/local")]
    return sorted(own, key=lambda one: (-len(one), one))


def _clean(verdict: Verdict, hidden: Sequence[str]) -> Verdict:
    """Return the verdict with texts that can be shown anywhere: they may quote the learner."""
    evidence = tuple(
        msgspec.structs.replace(one, text=printable(one.text, hidden)) for one in verdict.evidence
    )
    message = printable(verdict.message, hidden)
    return msgspec.structs.replace(verdict, message=message, evidence=evidence)


class _Run:
    """One pass through the cells of a submission."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._worked: list[Cell] = []
        self._notes: list[str] = []
        self._end = time.monotonic() + kernel.limits.total

    @property
    def _late(self) -> bool:
        return time.monotonic() > self._end

    def all(self, cells: tuple[Cell, ...]) -> tuple[list[Verdict], list[str]]:
        """Run every cell; return the verdicts and what happened on the way."""
        verdicts = []
        for cell in cells:
            if cell.role == "check":
                verdicts.append(self._judge(cell))
            elif cell.source.strip() and not self._late:
                self._run(cell)
        if self._late:
            total = self._kernel.limits.total
            self._notes.append(f"After {total:g} s no further cell was run: it took too long.")
        return verdicts, self._notes

    def _run(self, cell: Cell) -> None:
        try:
            raised = self._kernel.run(cell.source)
        except KernelError as problem:
            self._notes.append(f"{_named(cell)} was stopped. {problem}")
            self._replay()
            return
        if raised:
            self._notes.append(f"{_named(cell)} raised {raised}")
        else:
            self._worked.append(cell)

    def _replay(self) -> None:
        """Bring the new kernel to where the old one was before the cell that ended it."""
        for cell in list(self._worked):
            if self._late:
                return
            try:
                self._kernel.run(cell.source)
            except KernelError:  # it worked once, and not again
                self._worked.remove(cell)

    def _judge(self, cell: Cell) -> Verdict:
        exercise = find(cell.key, self._learner())
        if self._late:
            return verdict_of(exercise, wrong("The notebook had used up its time before this."))
        before = self._kernel.generation
        try:
            with time_limit(2 * self._kernel.limits.seconds):
                finding = judge(exercise, fetch(self._kernel, cell.expression))
        except NotStartedError:
            finding = NOT_STARTED
        except LearnerError as problem:
            finding = wrong(str(problem))
        except OutOfTimeError:
            finding = _too_slow(2 * self._kernel.limits.seconds)
        if self._kernel.generation != before:
            self._replay()
        return verdict_of(exercise, finding)

    def _learner(self) -> str:
        """Return the name in the submission's cell `learner`, which chooses the variants."""
        if self._late:
            return ""
        try:
            given = fetch(self._kernel, "learner")
        except (LearnerError, NotStartedError):
            given = None
        learner = named(given)
        note = f"Graded in the variants of {learner}."
        if learner and note not in self._notes:
            self._notes.append(note)
        return learner


def _too_slow(seconds: float) -> Finding:
    return wrong(f"The clusters that try your answer were still busy with it after {seconds:g} s.")


def _named(cell: Cell) -> str:
    return "A cell of your own" if cell.role == "own" else f"The cell {cell.id}"
