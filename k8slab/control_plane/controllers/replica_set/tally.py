"""A ReplicaSet's Pods by kind: a thousand Pods that are alike are counted as one kind.

`kind_of` is all that counting looks at in a Pod. `Tally` keeps the numbers of every owner true,
change by change, so that a look at a ReplicaSet costs as much as it has kinds of Pods; upstream
looks at each Pod each time. `asks_for_something` says when `plan` has to look at the Pods.

Rule of use: numbers come from here, names (whom to delete, adopt, release) from `plan`.

Upstream: none (syncReplicaSet lists the Pods)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from k8slab.api.apps import ReplicaSet
from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import Object, controller_of
from k8slab.api.pods import is_pod_terminal
from k8slab.control_plane.controllers.replica_set.plan import wanted

READY, NOT_READY, ENDED, ENDING = "ready", "not ready", "ended", "ending"


class Kind(NamedTuple):
    """What Pods that count alike have in common."""

    standing: str
    ready_since: str | None  # lastTransitionTime of a Ready condition that is True
    labels: tuple[tuple[str, str], ...]  # sorted

    @property
    def active(self) -> bool:
        """Whether such a Pod is a replica."""
        return self.standing in (READY, NOT_READY)


Kinds = Mapping[Kind, int]  # how many Pods there are of each kind


def kind_of(pod: Pod) -> Kind:
    """Return the Pod's kind; one that is ending or has ended is not ready, whatever it says."""
    labels = tuple(sorted(pod.metadata.labels.items()))
    if pod.metadata.deletionTimestamp is not None:
        return Kind(ENDING, None, labels)
    if is_pod_terminal(pod):
        return Kind(ENDED, None, labels)
    ready = get_condition(pod.status.conditions, "Ready")
    if ready is None or ready.status != "True":
        return Kind(NOT_READY, None, labels)
    return Kind(READY, ready.lastTransitionTime, labels)


def kinds_of(pods: Iterable[Pod]) -> dict[Kind, int]:
    """Count the Pods by kind."""
    found: dict[Kind, int] = {}
    for kind in map(kind_of, pods):
        found[kind] = found.get(kind, 0) + 1
    return found


def asks_for_something(rs: ReplicaSet, kinds: Kinds, orphans: Iterable[Pod]) -> bool:
    """Say whether there are Pods to create, delete, adopt or release."""
    active = sum(count for kind, count in kinds.items() if kind.active)
    if active != wanted(rs):
        return True
    matches = from_label_selector(rs.spec.selector).matches
    return not all(matches(dict(kind.labels)) for kind in kinds) or any(
        matches(pod.metadata.labels) for pod in orphans
    )


class Tally:
    """The kinds of Pods of each owner, as far as its `change` was told."""

    def __init__(self) -> None:
        self._by_owner: dict[str, dict[Kind, int]] = {}  # by the owner's uid

    def of(self, owner: Object) -> Kinds:
        """Return how many Pods of each kind the owner controls."""
        return self._by_owner.get(owner.metadata.uid, {})

    def change(self, old: Pod | None, new: Pod | None) -> bool:
        """Take over a change of a Pod; say whether it changes any number."""
        before, after = _place(old), _place(new)
        if before == after:
            return False
        if before is not None:
            self._add(*before, -1)
        if after is not None:
            self._add(*after, 1)
        return True

    def _add(self, owner: str, kind: Kind, count: int) -> None:
        kinds = self._by_owner.setdefault(owner, {})
        kinds[kind] = kinds.get(kind, 0) + count
        if not kinds[kind]:
            del kinds[kind]
            if not kinds:
                del self._by_owner[owner]


def _place(pod: Pod | None) -> tuple[str, Kind] | None:
    """Return where the Pod is counted: its controller's uid and its kind."""
    reference = controller_of(pod) if pod is not None else None
    return (reference.uid, kind_of(pod)) if pod is not None and reference is not None else None
