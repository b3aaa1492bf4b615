"""Who may have which name: no two kinds of a group answer to the same.

`accepted` decides which of the names that a definition asks for it gets, given the names that other
definitions of its group have, and words the two conditions that follow from that. `defaulted` fills
in the names that follow from others.

Rule of use: pure; a name once accepted stays, until its definition goes or asks for another.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/controller/status/naming_controller.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from k8slab.api.apiextensions import (
    ESTABLISHED,
    NAMES_ACCEPTED,
    CustomResourceConversion,
    CustomResourceDefinition,
    CustomResourceDefinitionCondition,
    CustomResourceDefinitionStatus,
)
from k8slab.api.conditions import get_condition, set_condition
from k8slab.api.meta import timestamp


def defaulted(crd: CustomResourceDefinition) -> CustomResourceDefinition:
    """Return the definition with what follows from the rest of it."""
    names = crd.spec.names
    names = replace(
        names,
        singular=names.singular or names.kind.lower(),
        listKind=names.listKind or (f"{names.kind}List" if names.kind else ""),
    )
    conversion = crd.spec.conversion or CustomResourceConversion(strategy="None")
    return replace(crd, spec=replace(crd.spec, names=names, conversion=conversion))


def with_stored_version(crd: CustomResourceDefinition) -> CustomResourceDefinition:
    """Return the definition with its storage version among those that objects are stored in."""
    storage = [version.name for version in crd.spec.versions if version.storage]
    stored = tuple(dict.fromkeys((*crd.status.storedVersions, *storage)))
    return replace(crd, status=replace(crd.status, storedVersions=stored))


def accepted(
    crd: CustomResourceDefinition, others: Iterable[CustomResourceDefinition], now: float
) -> CustomResourceDefinitionStatus:
    """Return the status that the names of `others` in the group leave; `now` in virtual seconds."""
    resources: dict[str, None] = {}
    kinds: dict[str, None] = {}
    for other in others:
        had = other.status.acceptedNames
        resources |= dict.fromkeys((had.plural, had.singular, *had.shortNames))
        kinds |= dict.fromkeys((had.kind, had.listKind))
    asked, given = crd.spec.names, crd.status.acceptedNames
    refused = ("", "")
    for field, used in (("plural", resources), ("singular", resources), ("shortNames", resources)):
        refused, given = _take(field, asked, given, used, refused)
    for field in ("kind", "listKind"):
        refused, given = _take(field, asked, given, kinds, refused)
    given = replace(given, categories=asked.categories)
    names = CustomResourceDefinitionCondition(
        type=NAMES_ACCEPTED,
        status="False" if refused[0] else "True",
        reason=refused[0] or "NoConflicts",
        message=refused[1] or "no conflicts found",
        lastTransitionTime=timestamp(now),
    )
    found = set_condition(crd.status.conditions, names)
    found = set_condition(found, _established(crd, is_accepted=not refused[0], now=now))
    return replace(crd.status, acceptedNames=given, conditions=found)


def _take(
    field: str, asked: Any, given: Any, used: dict[str, None], refused: tuple[str, str]
) -> tuple[tuple[str, str], Any]:
    """Give a definition the name that it asks for, if nobody else has it."""
    wanted, had = getattr(asked, field), getattr(given, field)
    words = (wanted,) if isinstance(wanted, str) else wanted
    mine = (had,) if isinstance(had, str) else had
    taken = [f'"{word}" is already in use' for word in words if word in used and word not in mine]
    if not taken:
        return refused, replace(given, **{field: wanted})
    text = taken[0] if len(taken) == 1 else f"[{', '.join(taken)}]"
    return (f"{field[0].upper()}{field[1:]}Conflict", text), given


def _established(
    crd: CustomResourceDefinition, *, is_accepted: bool, now: float
) -> CustomResourceDefinitionCondition:
    before = get_condition(crd.status.conditions, ESTABLISHED)
    if before is not None and (before.status == "True" or not is_accepted):
        return before
    return CustomResourceDefinitionCondition(
        type=ESTABLISHED,
        status="False",
        reason="Installing" if is_accepted else "NotAccepted",
        message=(
            "the initial names have been accepted" if is_accepted else "not all names are accepted"
        ),
        lastTransitionTime=timestamp(now),
    )
