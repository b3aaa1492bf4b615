"""How many Pods a ReplicaSet has to make, and which it has to give up.

`plan` decides: which Pods to adopt and release, how many to create, which to delete.
`rank_for_deletion` says which Pods go first when there are too many.

Rule of use: a Pod that is being deleted is no replica, so its replacement comes at once.

Upstream: manageReplicas and getPodsToDelete in pkg/controller/replicaset/replica_set.go,
ActivePodsWithRanks in pkg/controller/controller_utils.go
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from functools import cmp_to_key
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from k8slab.api.apps import ReplicaSet
from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import seconds
from k8slab.api.pods import is_pod_active, is_pod_ready
from k8slab.client import key_of
from k8slab.control_plane.controllers.controller_ref_manager import claim

BURST_REPLICAS = 500  # most Pods created or deleted in one sync
DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
NUMBER = re.compile(r"-[0-9]+|0|[1-9][0-9]*")
PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


class Plan(msgspec.Struct, frozen=True):
    """What one look at a ReplicaSet and the Pods of its namespace asks for."""

    create: int = 0
    delete: tuple[Pod, ...] = ()  # first to last
    adopt: tuple[Pod, ...] = ()
    release: tuple[Pod, ...] = ()
    pods: tuple[Pod, ...] = ()  # the Pods that belong to it after adopting and releasing


def plan(rs: ReplicaSet, pods: Sequence[Pod], *, now: float, related: Sequence[Pod] = ()) -> Plan:
    """Say what has to be done so that the ReplicaSet has as many active Pods as it wants.

    `pods` are those of its namespace; `related` are the Pods of all ReplicaSets of the same
    owner, which matter for which Pod to delete. `now` is in virtual seconds.
    """
    claims = claim(rs, from_label_selector(rs.spec.selector), pods)
    mine = claims.owned + claims.adopt
    result = Plan(adopt=claims.adopt, release=claims.release, pods=mine)
    if rs.metadata.deletionTimestamp is not None:
        return result
    active = [pod for pod in mine if is_pod_active(pod)]
    missing = wanted(rs) - len(active)
    if missing >= 0:
        return replace(result, create=min(missing, BURST_REPLICAS))
    surplus = min(-missing, BURST_REPLICAS)
    if surplus < len(active):  # else all go, in whatever order
        active = rank_for_deletion(active, related, now)
    return replace(result, delete=tuple(active[:surplus]))


def wanted(rs: ReplicaSet) -> int:
    """Return the number of Pods asked for, 1 if nobody said."""
    return 1 if rs.spec.replicas is None else rs.spec.replicas


def rank_for_deletion(pods: Sequence[Pod], related: Sequence[Pod], now: float) -> list[Pod]:
    """Return the Pods in the order in which they should go when there are too many.

    First: unassigned, Pending, not ready, of lower deletion cost, beside more related Pods on
    their node, ready for less time, with more restarts, younger. Times compare by their order of
    magnitude only, so that it is not always the newest node that loses its Pods.
    """
    # A ReplicaSet of no owner has no related Pods, not even its own: then nodes do not count.
    neighbours = {key_of(pod): pod.spec.nodeName for pod in related if is_pod_active(pod)}
    on_node: dict[str, int] = {}
    for node in neighbours.values():
        on_node[node] = on_node.get(node, 0) + 1

    def standing(pod: Pod) -> tuple[object, ...]:
        return (
            pod.spec.nodeName != "",
            PHASES.get(pod.status.phase, 0),
            is_pod_ready(pod),
            deletion_cost(pod),
            -on_node.get(pod.spec.nodeName, 0),
        )

    def compare(one: _Ages, other: _Ages) -> int:
        return (
            _by_age(one, other, now - one.ready, now - other.ready)
            or _sign(other.restarts, one.restarts)
            or _by_age(one, other, now - one.created, now - other.created)
        )

    ages = [_Ages(pod, _ready_since(pod), _created(pod), max_restarts(pod)) for pod in pods]
    ranked = [row.pod for row in sorted(ages, key=cmp_to_key(compare))]
    return sorted(ranked, key=standing)  # keeps the order of those that are equal


class _Ages(NamedTuple):
    pod: Pod
    ready: float  # virtual seconds since when
    created: float
    restarts: tuple[int, int]


def _by_age(one: _Ages, other: _Ages, age: float, other_age: float) -> int:
    """Compare by magnitude of age, the younger first; different ages of one magnitude by uid."""
    if age == other_age:
        return 0
    by_magnitude = _sign(magnitude(age), magnitude(other_age))
    return by_magnitude or _sign(one.pod.metadata.uid, other.pod.metadata.uid)


def _ready_since(pod: Pod) -> float:
    ready = get_condition(pod.status.conditions, "Ready")
    return seconds(ready.lastTransitionTime) if ready and ready.status == "True" else 0.0


def _created(pod: Pod) -> float:
    return seconds(pod.metadata.creationTimestamp)


def _sign(one: Any, other: Any) -> int:
    return bool(one > other) - bool(one < other)


def magnitude(duration: float) -> int:
    """Return the whole part of log2 of a duration (seconds) in nanoseconds, -1 if it is none.

    >>> magnitude(100) == magnitude(120), magnitude(10) < magnitude(100)
    (True, True)
    """
    nanoseconds = duration * 1e9
    return math.floor(math.log2(nanoseconds)) if nanoseconds >= 1 else -1


def deletion_cost(pod: Pod) -> int:
    """Return what the Pod's annotation says its deletion costs, 0 if that is no 32-bit number.

    A plus sign and leading zeros are refused, as upstream does.
    """
    text = pod.metadata.annotations.get(DELETION_COST, "")
    cost = int(text) if NUMBER.fullmatch(text) else 0
    return cost if -(2**31) <= cost < 2**31 else 0


def max_restarts(pod: Pod) -> tuple[int, int]:
    """Return the most restarts of a regular container and of a sidecar."""
    sidecars = {c.name: c.restartPolicy == "Always" for c in pod.spec.initContainers}
    regular = max((s.restartCount for s in pod.status.containerStatuses), default=0)
    init = pod.status.initContainerStatuses
    return regular, max((s.restartCount for s in init if sidecars.get(s.name)), default=0)
