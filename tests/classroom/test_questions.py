from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.classroom.questions import Choice, Question, read_answer
from k8slab.classroom.scoring import calibration, correctness, explain, read_confidence

ABC = (Choice("apple", "it is round"), Choice("bread"), Choice("cheese"))


def question(kind: Any, **more: Any) -> Question:
    return Question(
        key="06.x", text="?", kind=kind, choices=() if kind == "number" else ABC, **more
    )


@pytest.mark.parametrize(
    ("kind", "typed", "answer"),
    [
        ("choice", "B", "bread"),
        ("choice", "b", "bread"),
        ("choice", "Bread", "bread"),
        ("number", "3", 3.0),
        ("number", 0.5, 0.5),
        ("order", "CAB", ("cheese", "apple", "bread")),
        ("order", "C > A > B", ("cheese", "apple", "bread")),
        ("order", ["bread", "apple", "cheese"], ("bread", "apple", "cheese")),
        ("set", "CA", ("apple", "cheese")),
        ("set", [], ()),
        ("set", "bread", ("bread",)),
    ],
)
def test_letters_texts_and_lists_are_answers(kind: Any, typed: Any, answer: Any) -> None:
    assert read_answer(question(kind), typed) == answer


@pytest.mark.parametrize(
    ("kind", "typed", "words"),
    [
        ("choice", "D", "expected one of A, B, C"),
        ("number", "many", "expected a number"),
        ("number", True, "expected a number"),
        ("number", None, "expected a number"),
        ("order", "AB", "expected all 3 in order, got 2"),
        ("order", "AAB", "each choice once"),
        ("order", 7, "expected several choices"),
        ("set", "AX", "expected one of"),
    ],
)
def test_what_is_no_answer_is_told_what_is(kind: Any, typed: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        read_answer(question(kind), typed)


def test_numbers_count_within_a_tolerance() -> None:
    near = question("number", tolerance=2.0)
    assert [correctness(near, guess, 10.0) for guess in (12.0, 15.0, 17.0)] == [1, 0.5, 0]


@given(st.permutations(["apple", "bread", "cheese"]))
def test_an_order_is_right_or_partly_right_and_reversed_is_wrong(order: list[str]) -> None:
    score = correctness(question("order"), tuple(order), ("apple", "bread", "cheese"))
    assert (score == 1) == (order == ["apple", "bread", "cheese"])
    assert (score == 0) == (order == ["cheese", "bread", "apple"])


@given(st.floats(0, 1), st.booleans())
def test_honest_confidence_is_never_punished_more_than_boasting(sure: float, right: bool) -> None:
    assert 0 <= calibration(sure, right) <= 1
    assert calibration(0.0, False) >= calibration(sure, False) >= calibration(1.0, False)


def test_an_explanation_is_about_the_choice_that_was_made() -> None:
    assert explain(question("choice"), "apple", "Cheese keeps.") == "it is round Cheese keeps."


@pytest.mark.parametrize("bad", ["very", 1.5, -1])
def test_a_confidence_is_a_word_or_a_chance(bad: Any) -> None:
    with pytest.raises(ValueError, match="expected a confidence"):
        read_confidence(bad)
