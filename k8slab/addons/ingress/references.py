"""References between objects of the Gateway API: what may name what, and conditions as data.

A name in one's own namespace needs no leave. One in another namespace needs a ReferenceGrant there:
whoever owns the target says who may use it.

Rule of use: pure.

Upstream: gateway-api apis/v1/referencegrant_types.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api.meta import Object

GROUP = "gateway.networking.k8s.io"


class Named(msgspec.Struct, frozen=True):
    """What a reference names."""

    group: str
    kind: str
    namespace: str
    name: str


class Grants:
    """All ReferenceGrants."""

    def __init__(self, grants: Iterable[Object] = ()) -> None:
        self._grants = list(grants)

    def permit(self, namespace: str, group: str, kind: str, target: Named) -> bool:
        """Say whether an object of that kind in the namespace may name the target."""
        if namespace == target.namespace:
            return True
        asker = {"group": group, "kind": kind, "namespace": namespace}
        return any(
            grant.metadata.namespace == target.namespace
            and any(dict(each) == asker for each in _spec(grant)["from"])
            and any(_is(each, target) for each in _spec(grant)["to"])
            for grant in self._grants
        )


def _is(entry: Mapping[str, Any], target: Named) -> bool:
    same_kind = entry["group"] == target.group and entry["kind"] == target.kind
    return bool(same_kind and entry.get("name", target.name) == target.name)


def _spec(grant: Object) -> Mapping[str, Any]:
    return grant.spec  # type: ignore[attr-defined, no-any-return]


def condition(type_: str, holds: bool, reason: str, message: str) -> dict[str, str]:
    """Return a condition but for its times."""
    return {"type": type_, "status": str(holds), "reason": reason, "message": message}


def dated(
    conditions: Iterable[Mapping[str, str]],
    before: Sequence[Mapping[str, Any]],
    generation: int,
    now: str,
) -> list[dict[str, Any]]:
    """Return the conditions with their times: one whose status stayed keeps its old time."""
    known = {each["type"]: each for each in before}
    found: list[dict[str, Any]] = []
    for each in conditions:
        if "lastTransitionTime" in each:  # another controller's
            found.append(dict(each))
            continue
        old = known.get(each["type"], {})
        since = old["lastTransitionTime"] if old.get("status") == each["status"] else now
        found.append({**each, "observedGeneration": generation, "lastTransitionTime": since})
    return found
