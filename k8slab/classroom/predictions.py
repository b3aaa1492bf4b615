"""Predict first, then run: a committed guess, and what became of it.

    predict("06.relabel", "How many Pods are there afterwards?", number=True)   # before the run
    reveal("06.relabel", len(pods), because="The ReplicaSet wants three again.")  # after it

`predict` shows a form; with `guess=` it commits at once, without one. `reveal` compares, explains
and scores correctness and calibration. Without a committed prediction it says so, the first time
with advice, and the notebook goes on.

Rule of use: one key per prediction; the last answer committed before the reveal counts.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from k8slab.classroom import page
from k8slab.classroom.form import available, form
from k8slab.classroom.ledger import Entry, Ledger, current
from k8slab.classroom.mistakes import AskedWrongError
from k8slab.classroom.pictures import find_spots, lettered
from k8slab.classroom.questions import (
    Answer,
    Choice,
    Kind,
    Question,
    as_choices,
    letters,
    read_answer,
    say,
)
from k8slab.classroom.scoring import (
    calibration,
    correctness,
    explain,
    mutant_for,
    on_confidence,
    read_confidence,
)
from k8slab.classroom.suppose import WhatIf, what_if
from k8slab.viz.figure import Figure
from k8slab.viz.style import BLUE, GREY, ORANGE

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

NOT_COMMITTED = (
    "You did not predict this. Guess first the next time: even a wrong guess makes the answer "
    "stick."
)
AGAIN = "Not predicted."
Choices = Sequence[str] | Mapping[str, str]


class Prediction:
    """A question with its form; shown when it is the last value of a cell."""

    def __init__(
        self,
        question: Question,
        ledger: Ledger,
        committed: Entry | None = None,
        picture: Figure | None = None,
    ) -> None:
        self.question = question
        self.picture = picture  # whose shapes are the choices, if there is one
        self._ledger = ledger
        self._committed = committed
        self._notice = ledger.take_notice()

    def commit(self, answer: Any, confidence: str | float | None = None) -> Prediction:
        """Commit an answer as the form would; raises ValueError if it is no possible answer."""
        entry = Entry(
            kind="prediction",
            key=self.question.key,
            answer=read_answer(self.question, answer),
            confidence=read_confidence(confidence),
        )
        self._ledger.add(entry)
        self._committed = entry
        return self

    @property
    def text(self) -> str:
        """The question, its choices, and what was committed."""
        rows = [self._notice, f"Predict: {self.question.text}"]
        rows += [f"  {letter}  {text}" for letter, text in letters(self.question)]
        rows.append(self._state())
        return "\n".join(row for row in rows if row)

    def __repr__(self) -> str:
        return self.text

    def _state(self) -> str:
        entry = self._committed
        if entry is None or entry.answer is None:
            return HOW[self.question.kind]
        return f"Committed: {say(entry.answer, self.question.unit)}"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        inside = page.paragraph(self._notice) if self._notice else ""
        inside += page.paragraph(f"Predict: {self.question.text}", strong=True)
        if self.picture is not None:
            inside += _lettered(self.question, self.picture).svg()
        inside += page.choices(letters(self.question)) + page.paragraph(self._state())
        markup = page.box(inside, ORANGE, "Prediction")
        wanted = self._wants_form()
        widget = form(self.question, self._on_commit, self.picture) if wanted else None
        return page.bundle(self.text, markup, widget)

    def _wants_form(self) -> bool:
        return self._committed is None and available()

    def _on_commit(self, answer: Answer, confidence: float) -> str:
        self.commit(answer, confidence)
        notice = self._ledger.take_notice()
        return page.paragraph(f"{self._state()}. Now run the next cell. {notice}".rstrip())


HOW: Mapping[Kind, str] = {
    "choice": "Choose one, say how sure you are, and commit.",
    "number": "Enter a number, say how sure you are, and commit.",
    "order": "Put them in order, say how sure you are, and commit.",
    "set": "Check all that apply, say how sure you are, and commit.",
}


def predict(
    key: str,
    question: str = "",
    *,
    choices: Choices | None = None,
    number: bool = False,
    order: Choices | None = None,
    all_of: Choices | None = None,
    picture: Figure | None = None,
    unit: str = "",
    tolerance: float = 0.0,
    guess: Any = None,
    confidence: str | float | None = None,
) -> Prediction:
    """Ask for a prediction; without a question, ask the one that the chapter holds under the key.

    Give one of `choices` (one is right; a mapping explains each), `number` (with a unit and the
    tolerance that counts as right), `order` (to be put in order) or `all_of` (several may be
    right). `choices` that are shapes of a `picture`, such as `cluster.map()`, are made by a click.
    `guess` commits at once; letters and texts are understood, "BAC" is an order.
    """
    ledger = current()
    if question:
        kinds: dict[Kind, Any] = {
            "choice": choices,
            "number": number,
            "order": order,
            "set": all_of,
        }
        kind, options = _kind(key, kinds)
        asked = Question(
            key=key, text=question, kind=kind, choices=options, unit=unit, tolerance=tolerance
        )
    else:
        asked = _from_chapter(key)
    ledger.asked[key] = asked
    if picture is not None:
        _lettered(asked, picture)  # so that a shape that is missing is said at once
    prediction = Prediction(asked, ledger, _open_prediction(ledger, asked), picture)
    return prediction if guess is None else prediction.commit(guess, confidence)


def _lettered(question: Question, picture: Figure) -> Figure:
    """Return the picture with the choices' letters on their shapes.

    Raises ValueError if the question has no choices, or one that the picture does not have.
    """
    if question.kind != "choice":
        raise AskedWrongError(
            f"a picture belongs to choices=[...], got a question for a {question.kind}"
        )
    return lettered(picture, find_spots(picture, [one.text for one in question.choices]))


class Reveal:
    """What happened, beside what was predicted, or beside the advice to predict."""

    def __init__(self, question: Question, actual: Answer, because: str) -> None:
        self.question = question
        self.actual = actual
        self.because = because or question.because
        self.advice = NOT_COMMITTED
        self.world: WhatIf | None = None  # in which a wrong prediction would have come true
        self.entry: Entry | None = None  # with the score, if there was a prediction

    @property
    def right(self) -> bool | None:
        """Whether the prediction came true; None without a prediction."""
        return None if self.entry is None else self.entry.score == 1

    @property
    def lines(self) -> list[str]:
        """The comparison, in sentences."""
        unit, actual = self.question.unit, say(self.actual, self.question.unit)
        entry = self.entry
        if entry is None or entry.answer is None:
            return [f"What happened: {actual}.", self.because, self.advice]
        guess = say(entry.answer, unit)
        if self.right:
            rows = [f"You predicted: {guess}. So it is.", self.because]
        else:
            rows = [f"You predicted: {guess}. What happened: {actual}."]
            rows.append(explain(self.question, entry.answer, self.because))
        if entry.confidence is not None:
            rows.append(on_confidence(entry.confidence, bool(self.right)))
        return [*rows, _score(entry)]

    @property
    def text(self) -> str:
        """The comparison, a sentence a line, and the other world if there is one."""
        more = [] if self.world is None else self.world.lines
        return "\n".join(line for line in (*self.lines, *more) if line)

    def __repr__(self) -> str:
        return self.text

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        head, *rest = [line for line in self.lines if line]
        inside = page.paragraph(head, strong=True)
        inside += "".join(page.paragraph(line, quiet=line == self.advice) for line in rest)
        color = GREY if self.right is None else BLUE if self.right else ORANGE
        markup = page.box(inside, color, "What became of the prediction")
        if self.world is not None:
            markup += self.world.markup
        return page.bundle(self.text, markup)


def reveal(
    key: str, actual: Any = None, because: str = "", *, world: Cluster | None = None
) -> Reveal:
    """Compare what happened with what was predicted under the key, explain, and keep the score.

    `actual` is what the cluster did; without it, the answer that the chapter holds is used. With
    the `world` in which it happened, a wrong prediction is answered with its mutant, too: the same
    run in a cluster where it would have come true.
    """
    ledger = current()
    question = ledger.asked.get(key) or _from_chapter(key, _nameless(key))
    told = question.actual if actual is None else _as_actual(question, actual)
    if told is None:
        raise AskedWrongError(f"reveal({key!r}) needs what happened: reveal({key!r}, actual)")
    shown = Reveal(question, told, because)
    entry = _open_prediction(ledger, question) or ledger.latest(key, "reveal")
    if entry is not None and entry.answer is not None:
        scored = _scored(question, entry, told)
        if scored != ledger.latest(key, "reveal"):  # a cell that is run again scores once
            ledger.add(scored)
        shown.entry = scored
        name = mutant_for(question, entry.answer, told)
        if world is not None and name:
            shown.world = what_if(world, name)
    else:
        shown.advice = _advice(ledger, key)
    return shown


def _advice(ledger: Ledger, key: str) -> str:
    """Return the advice in full once a notebook; a cell that is run again says the same again."""
    ledger.advised = ledger.advised or key
    return NOT_COMMITTED if ledger.advised == key else AGAIN


def _kind(key: str, kinds: Mapping[Kind, Any]) -> tuple[Kind, tuple[Choice, ...]]:
    """Return the one kind that was given, and its choices."""
    given = [kind for kind, value in kinds.items() if value]
    if len(given) != 1:
        raise AskedWrongError(
            f"predict({key!r}) needs one of choices=[...], number=True, order=[...], "
            f"all_of=[...]; got {', '.join(given) or 'none'}"
        )
    return given[0], () if given[0] == "number" else as_choices(kinds[given[0]])


def _from_chapter(key: str, default: Question | None = None) -> Question:
    from k8slab.classroom.chapters import question

    found = question(key) or default
    if found is None:
        raise AskedWrongError(f"no chapter holds a question {key!r}: give its text to predict")
    return found


def _nameless(key: str) -> Question:
    """Return a question for a reveal whose cell with the prediction was never run."""
    return Question(key=key, text="")


def _open_prediction(ledger: Ledger, question: Question) -> Entry | None:
    """Return what is committed and not yet revealed, if it answers the question as it is now."""
    entry = ledger.latest(question.key, "prediction", "reveal")
    if entry is None or entry.kind != "prediction":
        return None
    try:
        read_answer(question, entry.answer)
    except ValueError:  # the notebook has changed since
        return None
    return entry


def _as_actual(question: Question, actual: Any) -> Answer:
    """Return what happened in the question's own words, as far as it is one of the answers."""
    if isinstance(actual, int | float) and not isinstance(actual, bool) and not question.choices:
        return float(actual)
    try:
        return read_answer(question, actual)
    except ValueError:
        if isinstance(actual, list | tuple | set | frozenset):
            return tuple(sorted(map(str, actual)) if isinstance(actual, set) else map(str, actual))
        return str(actual)


def _scored(question: Question, entry: Entry, actual: Answer) -> Entry:
    assert entry.answer is not None
    score = correctness(question, entry.answer, actual)
    sure = entry.confidence
    return Entry(
        kind="reveal",
        key=question.key,
        answer=entry.answer,
        actual=actual,
        confidence=sure,
        score=score,
        calibration=None if sure is None else calibration(sure, score == 1),
    )


def _score(entry: Entry) -> str:
    parts = [f"correct {entry.score:.0%}"]
    if entry.calibration is not None:
        parts.append(f"calibration {entry.calibration:.0%}")
    return f"Score: {', '.join(parts)}."
