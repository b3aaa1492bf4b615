from __future__ import annotations

from typing import Any

import pytest

from k8slab.classroom import predict, reveal
from k8slab.classroom.ledger import Ledger
from k8slab.classroom.predictions import AGAIN, NOT_COMMITTED

PODS: dict[str, Any] = {"number": True, "unit": "Pods"}
FATE = {"It is deleted": "Nobody deletes it.", "It lives on": ""}


def test_a_committed_guess_is_compared_explained_and_scored(book: Ledger) -> None:
    predict("06.n", "How many?", **PODS, guess=3, confidence="certain")
    shown = reveal("06.n", 4, because="Three are wanted again.")
    assert shown.right is False
    assert shown.text.splitlines() == [
        "You predicted: 3 Pods. What happened: 4 Pods.",
        "Three are wanted again.",
        "You were certain: a surprise of this kind is remembered best.",
        "Score: correct 0%, calibration 10%.",
    ]


def test_a_wrong_choice_hears_about_itself(book: Ledger) -> None:
    predict("06.c", "What becomes of it?", choices=FATE, guess="A")
    assert "Nobody deletes it." in reveal("06.c", "It lives on").text


def test_without_a_prediction_the_notebook_goes_on(book: Ledger) -> None:
    predict("06.c", "What becomes of it?", choices=FATE)
    shown = reveal("06.c", "It lives on", because="It has no owner.")
    assert shown.right is None
    assert shown.lines == ["What happened: It lives on.", "It has no owner.", NOT_COMMITTED]
    assert reveal("06.never-asked", 4).right is None


def test_the_advice_to_predict_is_given_once_a_notebook(book: Ledger) -> None:
    for _ in range(2):  # a cell that is run again says the same
        assert reveal("06.first", 1).lines[-1] == NOT_COMMITTED
        assert reveal("06.second", 2).lines[-1] == AGAIN
    markup = reveal("06.second", 2)._repr_mimebundle_()["text/html"]
    assert "--jp-ui-font-color2" in markup


def test_the_last_answer_before_the_reveal_counts_and_once(book: Ledger) -> None:
    asked = predict("06.n", "How many?", **PODS, guess=3)
    asked.commit(4)
    assert reveal("06.n", 4).right
    assert reveal("06.n", 4).right
    assert [entry.kind for entry in book.entries] == ["prediction", "prediction", "reveal"]


def test_a_guess_after_the_reveal_is_another_prediction(book: Ledger) -> None:
    predict("06.n", "How many?", **PODS, guess=3)
    reveal("06.n", 4)
    assert "Committed" not in predict("06.n", "How many?", **PODS).text
    predict("06.n", "How many?", **PODS, guess=4)
    assert reveal("06.n", 4).right


def test_an_answer_from_an_older_notebook_does_not_count(book: Ledger) -> None:
    predict("06.c", "What?", choices=["left", "right"], guess="left")
    predict("06.c", "What becomes of it?", choices=FATE)
    assert reveal("06.c", "It lives on").right is None


def test_the_world_may_do_what_nobody_offered(book: Ledger) -> None:
    predict("06.c", "What becomes of it?", choices=FATE, guess="B")
    assert "What happened: It moves." in reveal("06.c", "It moves").text


def test_the_outputs_are_twins_and_always_the_same(book: Ledger) -> None:
    asked = predict("06.c", "What becomes of `web`?", choices=FATE)
    output = asked._repr_mimebundle_()
    assert output["text/plain"].splitlines()[:2] == [
        "Predict: What becomes of `web`?",
        "  A  It is deleted",
    ]
    assert "<code>web</code>" in output["text/html"]
    assert output == asked._repr_mimebundle_()


@pytest.mark.parametrize("given", [{}, {"choices": ["a"], "number": True}])
def test_a_question_has_one_kind(book: Ledger, given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="needs one of choices"):
        predict("06.x", "What?", **given)


def test_a_question_without_text_must_be_in_its_chapter(book: Ledger) -> None:
    assert "ClusterIP" in predict("06.vip").text
    with pytest.raises(ValueError, match=r"no chapter holds a question '06\.none'"):
        predict("06.none")
    with pytest.raises(ValueError, match="needs what happened"):
        reveal("06.none")
