"""What each chapter asks: a module of data per chapter, `ch06.py` for chapter 06.

`load("06")` gives a `Chapter`: two questions for the warm-up, three for the exit ticket, and any
predictions that are not written out in the notebook. `question("06.vip")` finds one by its key.

Rule of use: a chapter module is data only; its `CHAPTER` is all that is read.

Upstream: none
"""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec

import msgspec

from k8slab.classroom.questions import Question


class Chapter(msgspec.Struct, frozen=True, kw_only=True):
    """The questions of one chapter."""

    number: str
    title: str
    warm_up: tuple[Question, ...]  # for whoever missed nothing earlier
    ticket: tuple[Question, ...]
    predictions: tuple[Question, ...] = ()


def load(number: str) -> Chapter:
    """Return a chapter; raises ValueError if there is none of that number."""
    name = f"{__name__}.ch{number}"
    if not re.fullmatch(r"\d\d", number) or find_spec(name) is None:
        raise ValueError(f'expected the number of a chapter such as "06", got {number!r}')
    chapter: Chapter = import_module(name).CHAPTER
    return chapter


def question(key: str) -> Question | None:
    """Return the question with that key, None if its chapter has none."""
    try:
        chapter = load(key.partition(".")[0])
    except ValueError:
        return None
    everything = (*chapter.warm_up, *chapter.ticket, *chapter.predictions)
    return next((one for one in everything if one.key == key), None)
