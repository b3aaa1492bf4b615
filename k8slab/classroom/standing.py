"""How far the learner is: points, predictions, calibration, and a map of the course.

    progress()          # shown when it is the last value of a cell
    progress().points   # the same in numbers

Everything is counted from the ledger. For an exercise the last check counts, as in grading; for a
prediction or a question, each one that was scored.

Rule of use: `standing` is pure; the picture and the words are made from what it returns.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, get_args

import msgspec

from k8slab.classroom import chapters
from k8slab.classroom.exercises import of_chapter
from k8slab.classroom.ledger import Entry, current
from k8slab.classroom.plan import PLAN, Stop, written

State = Literal["done", "begun", "open", "to come"]
STATES: tuple[State, ...] = get_args(State)
LEAST = 5  # statements of confidence before anything is said about them
CLOSE = 0.1  # between how sure one was and how often one was right


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far the learner is in one chapter."""

    stop: Stop
    state: State
    points: float = 0.0
    of: int = 0
    solved: int = 0  # exercises
    exercises: int = 0
    answered: int = 0  # questions of the exit ticket
    ticket: int = 0

    @property
    def words(self) -> str:
        """The chapter's state in one line."""
        if self.state == "to come":
            return "to come"
        parts: list[str] = [self.state]
        if self.exercises:
            parts.append(f"{self.solved} of {self.exercises} exercises")
            parts.append(f"{self.points:g} of {self.of} points")
        parts.append(f"exit ticket {self.answered} of {self.ticket}")
        return ", ".join(parts)


class Calibration(msgspec.Struct, frozen=True):
    """How sure the learner was, and how often rightly."""

    count: int
    sure: float = 0.0  # mean of the confidences, 0 to 1
    right: float = 0.0  # share of right answers, 0 to 1
    score: float = 0.0  # mean calibration, 0 to 1

    @property
    def words(self) -> str:
        """What that means, in a sentence or two."""
        if self.count < LEAST:
            more = "once more" if LEAST - self.count == 1 else f"{LEAST - self.count} more times"
            return f"Calibration: say how sure you are {more}, and it can be told."
        facts = f"Calibration {self.score:.0%}: {self.sure:.0%} sure, right {self.right:.0%} of "
        facts += f"{self.count} times."
        if self.sure - self.right > CLOSE:
            return f"{facts} You are surer than you are right."
        if self.right - self.sure > CLOSE:
            return f"{facts} You know more than you think."
        return f"{facts} You know what you know."


class Progress:
    """What the ledger tells, as numbers, as words and as a map."""

    def __init__(self, entries: Sequence[Entry], learner: str = "") -> None:
        self.learner = learner
        self.chapters = [standing(stop, entries) for stop in PLAN]
        self.predicted, self.came_true = _predictions(entries)
        self.calibration = calibrated(entries)

    @property
    def points(self) -> float:
        """The points of all exercises."""
        return sum(one.points for one in self.chapters)

    @property
    def of(self) -> int:
        """The points that can be had in the chapters that are there."""
        return sum(one.of for one in self.chapters)

    @property
    def next(self) -> Stop | None:
        """The first chapter that is there and not done; None if all are."""
        left = (one.stop for one in self.chapters if one.state in ("begun", "open"))
        return next(left, None)

    @property
    def lines(self) -> list[str]:
        """The whole of it but for the chapters, in sentences."""
        done = sum(one.state == "done" for one in self.chapters)
        there = sum(one.state != "to come" for one in self.chapters)
        whose = f" of {self.learner}" if self.learner else ""
        lines = [
            f"Progress{whose}: {done} of {there} chapters, {self.points:g} of {self.of} points."
        ]
        if self.predicted:
            lines.append(f"Predictions: {self.came_true} of {self.predicted} came true.")
        lines.append(self.calibration.words)
        if self.next is not None:
            lines.append(f"Next: chapter {self.next.number}, {self.next.title}.")
        return lines

    @property
    def text(self) -> str:
        """Everything in words, a line for each chapter."""
        rows = [f"  {one.stop.number} {one.stop.title}: {one.words}" for one in self.chapters]
        return "\n".join([*self.lines, *rows])

    @property
    def figure(self) -> Any:
        """The map of the course."""
        from k8slab.classroom.course_map import course_map

        return course_map(self)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> Any:
        return self.figure._repr_mimebundle_()


def progress() -> Progress:
    """Return how far this kernel's learner is."""
    ledger = current()
    return Progress(ledger.entries, ledger.learner)


def standing(stop: Stop, entries: Sequence[Entry]) -> Standing:
    """Return how far somebody with these entries is in a chapter."""
    if not written(stop.number):
        return Standing(stop=stop, state="to come")
    own = {entry.key: entry for entry in entries if entry.kind in ("check", "question")}
    exercises = of_chapter(stop.number)
    scores = {one.key: (own[one.key].score or 0.0) if one.key in own else 0.0 for one in exercises}
    solved = sum(score == 1 for score in scores.values())
    ticket = chapters.load(stop.number).ticket
    answered = sum(question.key in own for question in ticket)
    touched = any(entry.key.startswith(f"{stop.number}.") for entry in entries)
    done = solved == len(exercises) and answered == len(ticket)
    return Standing(
        stop=stop,
        state="done" if done else "begun" if touched else "open",
        points=round(sum(one.points * scores[one.key] for one in exercises), 1),
        of=sum(one.points for one in exercises),
        solved=solved,
        exercises=len(exercises),
        answered=answered,
        ticket=len(ticket),
    )


def calibrated(entries: Sequence[Entry]) -> Calibration:
    """Return how well the confidences fitted, over all that were stated and scored."""
    stated = [
        (entry.confidence, float(entry.score == 1), entry.calibration)
        for entry in entries
        if entry.confidence is not None and entry.calibration is not None
    ]
    if not stated:
        return Calibration(0)
    sure, right, score = (sum(column) / len(stated) for column in zip(*stated, strict=True))
    return Calibration(len(stated), sure, right, score)


def _predictions(entries: Sequence[Entry]) -> tuple[int, int]:
    """Return how many predictions were revealed, and how many of them came true."""
    revealed = [entry for entry in entries if entry.kind == "reveal"]
    return len(revealed), sum(entry.score == 1 for entry in revealed)
