"""Questions: what a learner is asked, and why each wrong answer is wrong.

A `Question` is a value of one of four kinds: `choice` (one of), `number`, `order` (a list in the
right order) and `set` (all that apply). `read_answer` turns what somebody typed into an answer of
the kind, `letters` names the choices A, B, C.

Rule of use: each wrong choice carries the explanation that cures it; right/wrong teaches nothing.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from k8slab.classroom.mistakes import AskedWrongError

Kind = Literal["choice", "number", "order", "set"]
Answer = str | float | tuple[str, ...]
SEPARATORS = str.maketrans({">": " ", ",": " ", ";": " "})


class Choice(msgspec.Struct, frozen=True):
    """One possible answer and what to say to whoever picks it."""

    text: str
    because: str = ""
    misconception: int = 0  # its number in the course's table of misunderstandings, 0 for none
    mutant: str = ""  # the world in which whoever is wrong about this choice would be right


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question; `actual` is None while only the cluster knows the answer."""

    key: str  # "06.relabel": the chapter, then a name
    text: str
    kind: Kind = "choice"
    choices: tuple[Choice, ...] = ()
    actual: Answer | None = None
    because: str = ""
    tolerance: float = 0.0  # by how much a number may be off
    unit: str = ""

    @property
    def chapter(self) -> str:
        """The chapter that asks: "06"."""
        return self.key.partition(".")[0]


Why = str | tuple[str, int] | tuple[str, int, str]


def choice_of(key: str, text: str, right: str, because: str, wrong: Mapping[str, Why]) -> Question:
    """Return a question with one right choice; `wrong` maps texts to explanations.

    An explanation may come with the number of the misunderstanding, and with the mutant in which it
    were so. The choices are sorted by their text, so that their order tells nothing and never
    changes.
    """
    choices = [Choice(right, because)]
    for label, why in wrong.items():
        facts: tuple[Any, ...] = (why,) if isinstance(why, str) else why
        choices.append(Choice(label, *facts))
    choices.sort(key=lambda one: one.text.lower())
    return Question(key=key, text=text, choices=tuple(choices), actual=right, because=because)


def as_choices(given: Sequence[str] | Mapping[str, str] | None) -> tuple[Choice, ...]:
    """Return choices from their texts, or from a mapping of texts to explanations."""
    if isinstance(given, Mapping):
        return tuple(Choice(str(text), because) for text, because in given.items())
    return tuple(Choice(str(text)) for text in given or ())


def letters(question: Question) -> list[tuple[str, str]]:
    """Return (letter, text) of each choice.

    >>> letters(Question(key="0", text="?", choices=(Choice("yes"), Choice("no"))))
    [('A', 'yes'), ('B', 'no')]
    """
    return [(chr(ord("A") + number), one.text) for number, one in enumerate(question.choices)]


def read_answer(question: Question, given: Any) -> Answer:
    """Return what was given as an answer to the question, letters replaced by the choices' texts.

    Raises ValueError with a sentence for the learner if it is no answer of the question's kind.
    """
    if question.kind == "number":
        return _read_number(given)
    if question.kind == "choice":
        return _read_choice(question, given)
    return _read_several(question, given)


def find_choice(question: Question, text: Any) -> Choice | None:
    """Return the choice with that text or letter, None if there is none."""
    wanted = str(text).strip()
    for letter, label in letters(question):
        if wanted in (letter, letter.lower()) or wanted.lower() == label.lower():
            return next(one for one in question.choices if one.text == label)
    return None


def say(answer: Answer, unit: str = "") -> str:
    """Return an answer in words.

    >>> say(3.0, "Pods"), say(("create", "ready")), say(("check, store", "bind"))
    ('3 Pods', 'create, ready', 'check, store; bind')
    """
    if isinstance(answer, str):
        return answer
    if isinstance(answer, float):
        return f"{answer:g} {unit}".rstrip()
    separator = "; " if any("," in one for one in answer) else ", "
    return separator.join(answer) or "none of them"


def _read_number(given: Any) -> float:
    try:
        if isinstance(given, bool):
            raise ValueError
        return float(given)
    except (TypeError, ValueError):
        raise AskedWrongError(f"expected a number, got {given!r}") from None


def _read_choice(question: Question, given: Any) -> str:
    found = find_choice(question, given)
    if found is None:
        names = ", ".join(letter for letter, _ in letters(question))
        raise AskedWrongError(f"expected one of {names} or the text of a choice, got {given!r}")
    return found.text


def _read_several(question: Question, given: Any) -> tuple[str, ...]:
    """Return the texts of several choices; "B A C", "BAC" and lists are understood."""
    if isinstance(given, str):
        words = given.translate(SEPARATORS).split()
        given = words if len(words) > 1 or find_choice(question, given) else list(given)
    if not isinstance(given, Iterable):
        raise AskedWrongError(f'expected several choices such as "BAC", got {given!r}')
    texts = tuple(_read_choice(question, one) for one in given)
    if len(dict.fromkeys(texts)) != len(texts):
        raise AskedWrongError(f"expected each choice once, got {', '.join(texts)}")
    if question.kind == "order":
        if len(texts) != len(question.choices):
            wanted = len(question.choices)
            raise AskedWrongError(f"expected all {wanted} in order, got {len(texts)}")
        return texts
    return tuple(one.text for one in question.choices if one.text in texts)
