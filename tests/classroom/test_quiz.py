from __future__ import annotations

import pytest

from k8slab.classroom import chapters, exit_ticket, warm_up
from k8slab.classroom.ledger import Ledger
from k8slab.classroom.questions import letters, read_answer

CHAPTERS = ("00", "06")


def keys(quiz: object) -> list[str]:
    return [one.key for one in quiz.questions]  # type: ignore[attr-defined]


def test_a_warm_up_asks_what_was_missed_earlier(book: Ledger) -> None:
    assert keys(warm_up("06")) == ["06.replaced", "06.running"]
    ticket = exit_ticket("00")
    ticket.answer(1, next(c.text for c in ticket.questions[0].choices if "order" in c.text))
    assert keys(warm_up("06")) == ["00.seed", "06.replaced"]


def test_what_was_learned_since_is_not_asked_again(book: Ledger) -> None:
    ticket = exit_ticket("00")
    wrong = next(
        c.text for c in ticket.questions[1].choices if c.text != ticket.questions[1].actual
    )
    ticket.answer(2, wrong)
    ticket.answer(2, ticket.questions[1].actual)
    assert keys(warm_up("06")) == ["06.replaced", "06.running"]


def test_a_chapter_repeats_nothing_of_itself(book: Ledger) -> None:
    ticket = exit_ticket("06")
    for number, question in enumerate(ticket.questions, start=1):
        ticket.answer(number, next(c.text for c in question.choices if c.text != question.actual))
    assert keys(warm_up("06")) == ["06.replaced", "06.running"]


def test_every_answer_is_explained(book: Ledger) -> None:
    ticket = exit_ticket("06")
    question = ticket.questions[1]
    assert ticket.answer(2, question.actual, "certain").startswith("Right. No interface")
    said = ticket.answer(2, next(t for _, t in letters(question) if "kube-proxy" in t))
    assert said.startswith("Not quite: it is None")
    assert "never in the path" in said


def test_a_question_that_is_not_there_is_said_to_be_none(book: Ledger) -> None:
    with pytest.raises(ValueError, match="from 1 to 3, got 4"):
        exit_ticket("06").answer(4, "A")
    with pytest.raises(ValueError, match="expected the number of a chapter"):
        warm_up("6")


@pytest.mark.parametrize("number", CHAPTERS)
def test_a_chapter_has_two_and_three_questions_that_explain_every_choice(number: str) -> None:
    chapter = chapters.load(number)
    assert (len(chapter.warm_up), len(chapter.ticket)) == (2, 3)
    for question in (*chapter.warm_up, *chapter.ticket, *chapter.predictions):
        assert question.chapter == number
        if question.actual is not None:
            assert read_answer(question, question.actual) == question.actual
        assert question.because.endswith(".")
    for question in (*chapter.warm_up, *chapter.ticket):
        assert question.actual is not None
        assert all(choice.because.endswith(".") for choice in question.choices)


def test_the_static_page_folds_the_answers(book: Ledger) -> None:
    output = exit_ticket("06")._repr_mimebundle_()
    assert output["text/html"].count("<details>") == 3
    assert "Right" not in output["text/plain"]
