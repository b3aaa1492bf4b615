"""What a check says: points, a rung of the ladder, the misconception, evidence, the next hint.

    not started < wrong kind < keep working < almost < right

An exercise's grader returns a `Finding`; `check` makes a `Verdict` of it, which knows the
exercise's points and hints and how to show itself.

Rule of use: a message explains what is so; evidence says when and where it was seen.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, get_args

import msgspec

from k8slab.classroom import page
from k8slab.viz.style import BLUE, GREY, ORANGE, SKY

Rung = Literal["not started", "wrong kind", "keep working", "almost", "right"]
LADDER: tuple[Rung, ...] = get_args(Rung)
SHARE: Mapping[Rung, float] = {"almost": 0.5, "right": 1.0}  # of the points; 0 for the others
COLORS: Mapping[Rung, str] = {"right": BLUE, "almost": SKY, "keep working": ORANGE}
SHOWN = 5  # pieces of evidence


class Evidence(msgspec.Struct, frozen=True):
    """One thing that was seen in a cluster of the check."""

    seed: int  # of that cluster
    time: float  # virtual seconds
    text: str

    def __str__(self) -> str:
        return f"seed {self.seed}, {self.time:.3f} s: {self.text}"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What a grader found out about an answer."""

    rung: Rung
    message: str
    misconception: int = 0  # its number in the course's table of misunderstandings, 0 for none
    evidence: tuple[Evidence, ...] = ()


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the learner is told."""

    key: str
    points: float
    of: int
    verdict: Rung
    message: str
    misconception: int = 0
    evidence: tuple[Evidence, ...] = ()
    hint: str = ""

    @property
    def lines(self) -> list[str]:
        """Everything, a sentence or two a line."""
        head = f"{self.key}: {self.verdict} ({self.points:g} of {self.of} points)"
        seen = [f"  seen with {one}" for one in self.evidence[:SHOWN]]
        tip = [f"Hint: {self.hint}"] if self.hint else []
        return [head, self.message, *seen, *tip]

    @property
    def text(self) -> str:
        """The verdict in words."""
        return "\n".join(self.lines)

    def require(self) -> None:
        """Raise AssertionError unless the answer is right: what nbgrader counts."""
        if self.verdict != "right":
            raise AssertionError(self.text)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        head, message, *_ = self.lines
        inside = page.paragraph(head, strong=True) + page.paragraph(message)
        for one in self.evidence[:SHOWN]:
            inside += page.paragraph(f"seen with {one}")
        if self.hint:
            inside += page.folded("Hint", page.paragraph(self.hint))
        color = COLORS.get(self.verdict, GREY)
        return page.bundle(self.text, page.box(inside, color, "Result of the check"))


def right(message: str, evidence: tuple[Evidence, ...] = ()) -> Finding:
    """Return that the answer is right, and why."""
    return Finding(rung="right", message=message, evidence=evidence)


def almost(message: str, misconception: int = 0, evidence: tuple[Evidence, ...] = ()) -> Finding:
    """Return that one thing is missing."""
    return Finding(rung="almost", message=message, misconception=misconception, evidence=evidence)


def wrong(message: str, misconception: int = 0, evidence: tuple[Evidence, ...] = ()) -> Finding:
    """Return that the answer does not do it yet, and what was believed."""
    return Finding(
        rung="keep working", message=message, misconception=misconception, evidence=evidence
    )


def wrong_kind(expected: str, given: Any) -> Finding:
    """Return that the answer is not of the kind that is asked for."""
    shown = repr(given)
    found = shown if len(shown) <= 60 else f"{shown[:57]}..."
    message = f"Expected {expected}; found {found} ({type(given).__name__})."
    if given is None:
        message += " Does your function `return` its answer, or print it?"
    return Finding(rung="wrong kind", message=message)
