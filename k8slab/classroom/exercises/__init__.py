"""The exercises: a package per chapter, a module per exercise, each with its world and its grader.

`find("06.2")` gives an `Exercise`; `grade` is its pure judge of an answer: it builds fresh clusters
from several seeds, lets the answer work in them, and looks at what they became. `world(seed)`
builds the cluster in which a learner may look around before.

Rule of use: a grader accepts every answer that does the job, however it does it.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.mistakes import AskedWrongError
from k8slab.classroom.verdicts import Finding

if TYPE_CHECKING:
    from k8slab.cluster import Cluster


class Exercise(msgspec.Struct, frozen=True, kw_only=True):
    """One exercise, as the classroom knows it; its text stands in the notebook."""

    key: str  # "06.2"
    title: str
    points: int
    hints: tuple[str, ...]  # from a nudge to nearly the answer
    grade: Callable[[Any], Finding]
    world: Callable[[int], Cluster]
    task: str = ""  # what is different for each learner
    variant_for: Callable[[str], Exercise] | None = None  # by the learner's name


def find(key: str, learner: str = "") -> Exercise:
    """Return an exercise, in the learner's variant; raises ValueError if there is none.

    Without a name it is the variant that the official solution solves.
    """
    found = {one.key: one for one in of_chapter(str(key).partition(".")[0])}
    if key not in found:
        known = f"; this chapter has {', '.join(found)}" if found else ""
        raise AskedWrongError(f'expected an exercise such as "06.2", got {key!r}{known}')
    own = found[key].variant_for
    return found[key] if own is None else own(learner)


def of_chapter(number: str) -> tuple[Exercise, ...]:
    """Return the exercises of a chapter in order, none if it has none."""
    name = f"{__name__}.ch{number}"
    if not re.fullmatch(r"\d\d", number) or find_spec(name) is None:
        return ()
    exercises: tuple[Exercise, ...] = import_module(name).EXERCISES
    return exercises
