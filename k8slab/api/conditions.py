"""Conditions: facts about an object, each with the time since which it holds.

Interface: ``get_condition``, ``set_condition``, ``is_true``.
Rule: lastTransitionTime moves only when the status changes; a new reason or message alone keeps it.

Upstream: staging/src/k8s.io/apimachinery/pkg/api/meta/conditions.go
"""

from collections.abc import Iterable
from typing import Protocol, TypeVar

from msgspec.structs import replace


class AnyCondition(Protocol):
    """What the condition Structs of all kinds have in common."""

    @property
    def type(self) -> str:
        """What the condition is about."""

    @property
    def status(self) -> str:
        """True, False or Unknown."""

    @property
    def lastTransitionTime(self) -> str | None:  # noqa: N802 (the API's name)
        """Since when the status is so."""


C = TypeVar("C", bound=AnyCondition)


def get_condition(conditions: Iterable[C], type_: str) -> C | None:
    """Return the condition of a type, or None."""
    for condition in conditions:
        if condition.type == type_:
            return condition
    return None


def is_true(conditions: Iterable[AnyCondition], type_: str) -> bool:
    """Say whether a condition is there with status True."""
    condition = get_condition(conditions, type_)
    return condition is not None and condition.status == "True"


def set_condition(conditions: tuple[C, ...], new: C) -> tuple[C, ...]:
    """Return the conditions with ``new`` in place of that of its type, or at the end.

    With the old status the old lastTransitionTime stays; an equal condition changes nothing.
    """
    for index, old in enumerate(conditions):
        if old.type != new.type:
            continue
        if old.status == new.status:
            new = replace(new, lastTransitionTime=old.lastTransitionTime)  # type: ignore[type-var]
        return conditions if old == new else (*conditions[:index], new, *conditions[index + 1 :])
    return (*conditions, new)
