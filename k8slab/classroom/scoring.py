"""How good a prediction was: whether it came true, and whether its author knew.

`correctness` says how much of an answer is right (0 to 1), `calibration` how well the stated
confidence fitted (the Brier score, turned so that 1 is best). `explain` finds the sentence that
helps: about the choice that was made, not only about the right one.

Rule of use: pure functions; a prediction without a confidence has no calibration.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from k8slab.classroom.mistakes import AskedWrongError
from k8slab.classroom.questions import Answer, Question, find_choice

# What a learner says, and the chance of being right that it means.
CONFIDENCE: Mapping[str, float] = {"guessing": 0.4, "fairly sure": 0.7, "certain": 0.95}
SURE, UNSURE = 0.9, 0.5


def read_confidence(given: str | float | None) -> float | None:
    """Return a confidence as a chance from 0 to 1; raises ValueError if it is none."""
    if given is None:
        return None
    if isinstance(given, str):
        if given not in CONFIDENCE:
            known = ", ".join(CONFIDENCE)
            raise AskedWrongError(f"expected a confidence of {known}, got {given!r}")
        return CONFIDENCE[given]
    if not 0 <= given <= 1:
        raise AskedWrongError(f"expected a confidence from 0 to 1, got {given!r}")
    return float(given)


def correctness(question: Question, answer: Answer, actual: Answer) -> float:
    """Return how much of the answer is right, from 0 to 1.

    A number is right within the tolerance and half right within three of them; an order counts
    the pairs in the right order; a set counts what is common of all that was named.
    """
    if isinstance(answer, float) and isinstance(actual, float):
        off = abs(answer - actual)
        return 1.0 if off <= question.tolerance else 0.5 if off <= 3 * question.tolerance else 0.0
    if isinstance(answer, tuple) and isinstance(actual, tuple) and answer != actual:
        return _pairs(answer, actual) if question.kind == "order" else _common(answer, actual)
    return float(answer == actual)


def calibration(confidence: float, right: bool) -> float:
    """Return 1 for a confidence that fitted perfectly, 0 for a certainty that was wrong.

    >>> round(calibration(0.7, True), 2), round(calibration(0.7, False), 2)
    (0.91, 0.51)
    """
    return 1 - (confidence - float(right)) ** 2


def explain(question: Question, answer: Answer, because: str = "") -> str:
    """Return why the answer is wrong, in the words that belong to it, and what is so."""
    about = ""
    if isinstance(answer, str):
        choice = find_choice(question, answer)
        about = choice.because if choice is not None else ""
    because = because or question.because
    return " ".join(part for part in dict.fromkeys((about, because)) if part)


def mutant_for(question: Question, answer: Answer, actual: Answer) -> str:
    """Return the mutant in which a wrong answer were right, "" if none is known.

    It belongs to a choice about which the answer and what happened disagree.
    """
    named, happened = ((one,) if isinstance(one, str) else one for one in (answer, actual))
    if not isinstance(named, tuple) or not isinstance(happened, tuple):
        return ""
    believed = [c for c in question.choices if c.text in named and c.text not in happened]
    if question.kind == "set":
        believed += [c for c in question.choices if c.text in happened and c.text not in named]
    return next((choice.mutant for choice in believed if choice.mutant), "")


def on_confidence(confidence: float, right: bool) -> str:
    """Return a sentence about how sure the learner was."""
    if confidence >= SURE:
        return (
            "You were certain, and rightly so."
            if right
            else "You were certain: a surprise of this kind is remembered best."
        )
    if confidence <= UNSURE:
        return (
            "You called it a guess, and knew more than you thought."
            if right
            else "You called it a guess: you knew that you did not know, which is worth something."
        )
    return "You were fairly sure, and right." if right else "You were fairly sure; now you know."


def _pairs(answer: tuple[str, ...], actual: tuple[str, ...]) -> float:
    wanted = list(combinations(actual, 2))
    place = {text: number for number, text in enumerate(answer)}
    good = sum(a in place and b in place and place[a] < place[b] for a, b in wanted)
    return good / len(wanted) if wanted else 0.0


def _common(answer: tuple[str, ...], actual: tuple[str, ...]) -> float:
    named = dict.fromkeys((*answer, *actual))
    return sum(one in answer and one in actual for one in named) / len(named)
