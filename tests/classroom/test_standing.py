from __future__ import annotations

import pytest

from k8slab.classroom import check, progress
from k8slab.classroom.chapters import load
from k8slab.classroom.exercises import of_chapter
from k8slab.classroom.ledger import Entry, Ledger
from k8slab.classroom.plan import PLAN, written
from k8slab.classroom.standing import Progress, calibrated, standing


def checked(key: str, score: float) -> Entry:
    return Entry(kind="check", key=key, score=score, verdict="right" if score == 1 else "almost")


def answered(key: str, score: float = 1.0, confidence: float | None = None) -> Entry:
    fitted = None if confidence is None else 1 - (confidence - score) ** 2
    return Entry(kind="question", key=key, score=score, confidence=confidence, calibration=fitted)


ALL_OF_06 = [checked(one.key, 1.0) for one in of_chapter("06")] + [
    answered(question.key, 0.0) for question in load("06").ticket
]


def test_the_plan_has_the_titles_of_the_chapters() -> None:
    there = [stop for stop in PLAN if written(stop.number)]
    assert [stop.title for stop in there] == [load(stop.number).title for stop in there]


def test_a_chapter_needs_only_earlier_ones() -> None:
    numbers = [stop.number for stop in PLAN]
    assert numbers == [f"{n:02}" for n in range(17)]
    assert all(need < stop.number and need in numbers for stop in PLAN for need in stop.needs)


@pytest.mark.parametrize(
    ("entries", "state"),
    [([], "open"), (ALL_OF_06[:1], "begun"), (ALL_OF_06[:-1], "begun"), (ALL_OF_06, "done")],
)
def test_a_chapter_is_done_with_its_exercises_and_its_ticket(
    entries: list[Entry], state: str
) -> None:
    assert standing(PLAN[6], entries).state == state


def test_the_last_check_of_an_exercise_counts() -> None:
    first, *_ = of_chapter("06")
    entries = [checked(first.key, 1.0), checked(first.key, 0.5)]
    assert standing(PLAN[6], entries).points == first.points / 2


def test_calibration_compares_how_sure_with_how_right() -> None:
    sure_and_wrong = [answered("06.vip", 0.0, 0.95)] * 5
    assert "surer than you are right" in calibrated(sure_and_wrong).words
    assert "more than you think" in calibrated([answered("06.vip", 1.0, 0.4)] * 5).words
    assert "what you know" in calibrated([answered("06.vip", 1.0, 0.95)] * 5).words
    assert "once more" in calibrated(sure_and_wrong[:4]).words


def test_what_is_next_is_the_first_that_is_not_done() -> None:
    assert str(getattr(Progress([]).next, "number", "")) == "00"
    entries = [answered(question.key) for question in load("00").ticket]
    assert str(getattr(Progress(entries).next, "number", "")) == "01"


def test_the_map_and_its_words_are_made_from_the_ledger(book: Ledger) -> None:
    book.sign("Ada")
    check("06.2", {"app": "x"})
    shown = progress()
    data, facts = shown._repr_mimebundle_()
    assert data["text/plain"] == shown.text
    assert data["image/png"].startswith(b"\x89PNG")
    assert "chapters are done" in facts["image/png"]["alt"]
    assert shown.lines[0].startswith("Progress of Ada: 0 of ")
    assert "  06 Why Services exist: begun, 0 of 4 exercises, 0 of " in shown.text
    assert "<title>06 Why Services exist: begun" in shown.figure.svg()
