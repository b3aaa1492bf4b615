"""Checking an answer: `check("06.2", answer)` says how far it is, and explains.

    check("06.2", answer)   a Verdict: points, rung, misconception, evidence, next hint
    hint("06.2")            the first hint; hint("06.2", 2) the second
    lab("06.4")             the exercise's cluster, to look around in
    task("04.1")            the numbers and names that are this learner's own

An untouched stub, an answer with blanks or of the wrong kind, a function that raises or never ends:
each gets a sentence, as everything does. No traceback reaches the learner.

Rule of use: the notebook only calls these; what is right is decided in fresh clusters.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8slab.classroom import page
from k8slab.classroom.exercises import Exercise, find
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError
from k8slab.classroom.ledger import Entry, Ledger, current
from k8slab.classroom.mistakes import AskedWrongError
from k8slab.classroom.time_limit import OutOfTimeError, line_of, time_limit
from k8slab.classroom.verdicts import LADDER, SHARE, Finding, Verdict, wrong
from k8slab.viz.style import SKY

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEED = 1  # of the cluster to look around in
PATIENCE = 60.0  # s for one check in a notebook; the slowest takes a tenth of that
NOT_STARTED = Finding(
    rung="not started",
    message="There is no answer here yet. Replace the `...` or the `raise NotImplementedError` "
    "by yours, run that cell, then this one.",
)


def check(key: str, answer: Any = None) -> Verdict:
    """Return how far the answer to an exercise is; raises ValueError for an unknown exercise."""
    ledger = current()
    exercise = find(key, ledger.learner)
    try:
        with time_limit(PATIENCE):
            finding = judge(exercise, answer)
    except OutOfTimeError as problem:
        finding = wrong(broken_off(line_of(problem)))
    tries = failed_tries(ledger, key)
    verdict = verdict_of(exercise, finding, tries)
    entry = Entry(
        kind="check", key=key, score=verdict.points / exercise.points, verdict=finding.rung
    )
    ledger.add(entry)
    return verdict


def judge(exercise: Exercise, answer: Any) -> Finding:
    """Return what the exercise's grader finds, whatever the answer does."""
    blank = blanks(answer)
    if blank is not None:
        return blank
    try:
        return exercise.grade(answer)
    except NotStartedError:
        return NOT_STARTED
    except LearnerError as problem:
        return wrong(str(problem))
    except Exception as problem:  # an answer that nobody thought of must not end in a traceback
        what = f"{type(problem).__name__}: {problem}"
        return wrong(f"The check could not cope with this answer ({what}). Try another form of it.")


def broken_off(line: str) -> str:
    """Return what a learner is told whose answer was still busy, and with which line."""
    if not line:
        return f"The clusters that try your answer were still busy with it after {PATIENCE:g} s."
    return (
        f"Your answer was broken off after {PATIENCE:g} s, at `{line}`. Does every loop around "
        "this line come to an end?"
    )


def blanks(answer: Any) -> Finding | None:
    """Return what to say of an answer with a `...` where something is to stand, None without one.

    >>> blanks({"A": "etcd", "B": ..., "C": ...}).message
    'Still blank: B, C. Put your answer in the place of each `...`.'
    """
    if answer is None or answer is ... or answer is NotImplemented:
        return NOT_STARTED
    if isinstance(answer, Mapping):
        parts = dict(answer)
    elif isinstance(answer, list | tuple):
        parts = {f"number {number}": one for number, one in enumerate(answer, 1)}
    else:
        return None
    left = [str(name) for name, one in parts.items() if one is ...]
    if not left:
        return None
    if len(left) == len(parts):
        return NOT_STARTED
    text = f"Still blank: {', '.join(left)}. Put your answer in the place of each `...`."
    return Finding(rung="wrong kind", message=text)


def verdict_of(exercise: Exercise, finding: Finding, tries: int = 0) -> Verdict:
    """Return the finding with points, and with the hint that is due after so many tries."""
    solved = finding.rung == "right"
    hints = exercise.hints
    return Verdict(
        key=exercise.key,
        points=round(exercise.points * SHARE.get(finding.rung, 0.0), 1),
        of=exercise.points,
        verdict=finding.rung,
        message=finding.message,
        misconception=finding.misconception,
        evidence=finding.evidence,
        hint="" if solved or not hints else hints[min(tries, len(hints) - 1)],
    )


def failed_tries(ledger: Ledger, key: str) -> int:
    """Return how often the exercise was tried in earnest, and not solved."""
    earnest = LADDER[2:-1]
    return sum(e.kind == "check" and e.key == key and e.verdict in earnest for e in ledger.entries)


class Hint:
    """One hint of an exercise, folded until it is wanted."""

    def __init__(self, exercise: Exercise, number: int) -> None:
        self.number = number
        self.of = len(exercise.hints)
        self.text = exercise.hints[number - 1]
        self._next = f'`hint("{exercise.key}", {number + 1})` says more.'

    def __repr__(self) -> str:
        more = self._next if self.number < self.of else ""
        return f"Hint {self.number} of {self.of}: {self.text} {more}".rstrip()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        inside = page.folded(f"Hint {self.number} of {self.of}", page.paragraph(self.text))
        more = page.paragraph(self._next) if self.number < self.of else ""
        return page.bundle(repr(self), page.box(inside + more, SKY, "Hint"))


def hint(key: str, number: int = 1) -> Hint:
    """Return a hint, counted from 1; raises ValueError if there is none of that number."""
    exercise = find(key, current().learner)
    if not isinstance(number, int) or not 1 <= number <= len(exercise.hints):
        raise AskedWrongError(f"expected a hint from 1 to {len(exercise.hints)}, got {number!r}")
    return Hint(exercise, number)


def lab(key: str, seed: int = SEED) -> Cluster:
    """Return a fresh cluster of the exercise to look around in; a check never uses it."""
    return find(key, current().learner).world(seed)


class Task:
    """What is different about an exercise for each learner."""

    def __init__(self, exercise: Exercise, learner: str) -> None:
        whose = f"For {learner}" if learner else "For whoever gives no name"
        self.text = f"{whose}: {exercise.task}" if exercise.task else "The same for everybody."

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return page.bundle(self.text, page.box(page.paragraph(self.text), SKY, "Task"))


def task(key: str) -> Task:
    """Return what an exercise asks of this learner; raises ValueError if there is none."""
    learner = current().learner
    return Task(find(key, learner), learner)
