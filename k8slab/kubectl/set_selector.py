"""`kubectl set selector`: which Pods a Service stands for.

    set selector svc web app=web,tier=front      the last word is the selector, all of it
    set selector --local -f web.yaml app=web -o yaml

Rule of use: a selector is replaced, not added to; only Services can be given one.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/set/set_selector.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.core import Service
from k8slab.api.labels import Requirement, parse
from k8slab.client import STRATEGIC_PATCH
from k8slab.kubectl.changing import CHANGE, patched, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import Found
from k8slab.kubectl.targets import targets

_OPERATORS = {"in": "In", "notin": "NotIn", "exists": "Exists", "!": "DoesNotExist"}


async def set_selector(call: Invocation) -> None:
    """Give Services another selector."""
    if not call.words:
        raise CommandError("one selector is required")
    wanted = _requirements(call.words[-1])
    found, errors = await targets(call, call.words[:-1])
    for target in found:
        try:
            await _set(call, target, labels_in(wanted))
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def labels_in(requirements: Sequence[Requirement]) -> dict[str, str]:
    """Return the labels that a selector demands; CommandError if it says more than "key=value"."""
    more = [
        f"{{{r.key} {_OPERATORS[r.operator]} [{' '.join(r.values)}]}}"
        for r in requirements
        if r.operator in _OPERATORS
    ]
    if more:
        raise CommandError(f"match expression [{' '.join(more)}] not supported on this object")
    return {requirement.key: requirement.values[0] for requirement in requirements}


def change_of(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str | None]:
    """Return the merge patch that makes one map of another.

    >>> change_of({"app": "web", "tier": "a"}, {"app": "web", "env": "qa"})
    {'tier': None, 'env': 'qa'}
    """
    gone = {key: None for key in old if key not in new}
    return {**gone, **{key: value for key, value in new.items() if old.get(key) != value}}


def _requirements(text: str) -> tuple[Requirement, ...]:
    try:
        found = parse(text).requirements
    except ValueError as error:
        raise CommandError(f'couldn\'t parse the selector string "{text}": {error}') from None
    for requirement in found:
        operator = requirement.operator
        if operator in ("gt", "lt"):
            raise CommandError(f'"{operator}" isn\'t supported in label selectors')
        if operator == "!=":
            raise CommandError(f'"{operator}" is not a valid label selector operator')
    return found


async def _set(call: Invocation, target: Found, labels: dict[str, str]) -> None:
    svc = target.obj
    if not isinstance(svc, Service):
        raise CommandError("setting a selector is only supported for Services")
    change: dict[str, Any] = {"spec": {"selector": change_of(svc.spec.selector, labels)}}
    if call.flags.text("resource-version"):
        change["metadata"] = {"resourceVersion": call.flags.text("resource-version")}
    stored = await patched(call, target, change, STRATEGIC_PATCH)
    show(call, target, stored, "selector updated")


SET_SELECTOR = Command(
    set_selector, (*FILES, *CHANGE, Flag("resource-version"), flag_on("all"), flag_on("local"))
)
