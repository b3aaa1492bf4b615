"""Questions with an answer at once: the warm-up that opens a chapter, the ticket that ends it.

`warm_up("06")` asks two questions that the learner missed in earlier chapters, or the chapter's own
two; `exit_ticket("06")` asks three, and what is missed there comes back in a later warm-up.

Rule of use: each answer is explained, the right ones too; `quiz.answer(1, "B")` answers in code.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.classroom import chapters, page
from k8slab.classroom.form import available, form
from k8slab.classroom.ledger import Entry, Ledger, current
from k8slab.classroom.mistakes import AskedWrongError
from k8slab.classroom.questions import Answer, Question, letters, read_answer, say
from k8slab.classroom.scoring import (
    calibration,
    correctness,
    explain,
    on_confidence,
    read_confidence,
)
from k8slab.viz.style import SKY

WARM_UP_SIZE = 2


class Quiz:
    """Some questions whose answers are in the chapter's data."""

    def __init__(self, title: str, questions: Sequence[Question], ledger: Ledger) -> None:
        self.title = title
        self.questions = tuple(questions)
        self._ledger = ledger
        self._notice = ledger.take_notice()

    def answer(self, number: int, given: Any, confidence: str | float | None = None) -> str:
        """Answer a question (counted from 1) and return the explanation.

        Raises ValueError if there is no such question, or if it cannot be answered like that.
        """
        if not 1 <= number <= len(self.questions):
            most = len(self.questions)
            raise AskedWrongError(f"expected a question from 1 to {most}, got {number}")
        question = self.questions[number - 1]
        return self._mark(question, read_answer(question, given), read_confidence(confidence))

    def _mark(self, question: Question, answer: Answer, confidence: float | None) -> str:
        actual = question.actual
        assert actual is not None  # every question of a chapter's data has one
        score = correctness(question, answer, actual)
        right = score == 1
        fitted = None if confidence is None else calibration(confidence, right)
        entry = Entry(
            kind="question",
            key=question.key,
            answer=answer,
            actual=actual,
            confidence=confidence,
            score=score,
            calibration=fitted,
        )
        self._ledger.add(entry)
        sure = "" if confidence is None else on_confidence(confidence, right)
        verdict = "Right." if right else f"Not quite: it is {say(actual, question.unit)}."
        because = question.because if right else explain(question, answer)
        return " ".join(part for part in (verdict, because, sure) if part)

    @property
    def text(self) -> str:
        """The questions and their choices."""
        lines = [self._notice] if self._notice else []
        lines.append(self.title)
        for number, question in enumerate(self.questions, start=1):
            lines.append(f"{number}. {question.text}")
            lines += [f"   {letter}  {text}" for letter, text in letters(question)]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        inside = page.paragraph(self._notice) if self._notice else ""
        inside += page.paragraph(self.title, strong=True)
        for number, question in enumerate(self.questions, start=1):
            assert question.actual is not None
            answer = f"{say(question.actual, question.unit)}. {question.because}"
            inside += page.paragraph(f"{number}. {question.text}")
            inside += page.choices(letters(question))
            inside += page.folded("Answer", page.paragraph(answer))
        widget = self._widget() if available() else None
        return page.bundle(self.text, page.box(inside, SKY, self.title), widget)

    def _widget(self) -> Any:
        import ipywidgets as widgets

        title = widgets.HTML(page.paragraph(f"{self._notice} {self.title}".strip(), strong=True))
        return widgets.VBox([title, *(self._form(question) for question in self.questions)])

    def _form(self, question: Question) -> Any:
        def on_commit(answer: Answer, confidence: float) -> str:
            return page.paragraph(self._mark(question, answer, confidence))

        return form(question, on_commit)


def warm_up(chapter: str) -> Quiz:
    """Ask two questions: what the learner missed before this chapter, else the chapter's own."""
    ledger, own = current(), chapters.load(chapter)
    chosen = [*missed(ledger, before=chapter), *own.warm_up][:WARM_UP_SIZE]
    return Quiz("Warm-up: two questions before we start", chosen, ledger)


def exit_ticket(chapter: str) -> Quiz:
    """Ask three questions about the chapter; a later warm-up repeats what is missed."""
    return Quiz(
        "Exit ticket: three questions to take along", chapters.load(chapter).ticket, current()
    )


def missed(ledger: Ledger, before: str) -> list[Question]:
    """Return the questions of earlier chapters whose latest answer was wrong, newest first."""
    latest: dict[str, Entry] = {}
    for entry in ledger.entries:
        if entry.kind in ("question", "reveal") and entry.key.partition(".")[0] < before:
            latest.pop(entry.key, None)  # so that the newest stands last
            latest[entry.key] = entry
    wrong = [entry.key for entry in reversed(latest.values()) if (entry.score or 0) < 1]
    found = (chapters.question(key) for key in wrong)
    return [one for one in found if one is not None and one.actual is not None]
