"""What a StatefulSet needs now: Pods to create, to delete, to replace, and what it waits for.

`plan` goes through the Pods from the lowest ordinal up: each must be there and available before
the next is looked at. Then it takes away those beyond the size, highest first, and last replaces
Pods of an old revision, highest first. With podManagementPolicy Parallel nobody waits.

    0 ready, 1 missing, 2 missing          -> create 1
    0 ready, 1 not ready, 2 missing        -> wait for 1
    0 ready, 1 ready, 2 ready, size 1      -> delete 2
    all ready, 0 and 1 of an old revision  -> delete 1 (the next look creates it anew)

Rule of use: an ordered set does one thing at a time; the next look does the next.

Upstream: updateStatefulSet in pkg/controller/statefulset/stateful_set_control.go
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from k8slab.api.apps import ControllerRevision, StatefulSet
from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_terminal
from k8slab.api.rollouts import scaled_value
from k8slab.control_plane.controllers.stateful_set.history import template_of
from k8slab.control_plane.controllers.stateful_set.stateful_set_utils import (
    exists,
    first_ordinal,
    identity_matches,
    index_of,
    is_available,
    is_leaving,
    is_ordered,
    is_running_and_ready,
    pod_for,
    revision_of,
    wanted,
)


class StatefulSetPlan(msgspec.Struct, frozen=True):
    """What one look at a StatefulSet and its Pods asks for."""

    create: tuple[Pod, ...] = ()
    delete: tuple[Pod, ...] = ()  # ended, or beyond the size
    update: tuple[Pod, ...] = ()  # of an old revision, to be deleted and made anew
    repair: tuple[Pod, ...] = ()  # lost the labels or claims of their ordinal
    waiting: str = ""  # for what, if an ordered set cannot go on


def plan(
    set_: StatefulSet,
    pods: Sequence[Pod],
    current: ControllerRevision,
    update: ControllerRevision,
    *,
    now: float,
) -> StatefulSetPlan:
    """Say what has to be done next; `pods` are the set's own, `now` is in virtual seconds.

    `current` is the revision of the Pods that a rollout has not reached, `update` that of the
    present template.
    """
    if set_.metadata.deletionTimestamp is not None:
        return StatefulSetPlan()
    replicas = _replicas(set_, pods, current, update)
    condemned = [pod for pod in pods if not 0 <= index_of(set_, pod) < wanted(set_)]
    condemned.sort(key=lambda pod: -index_of(set_, pod))
    if not is_ordered(set_):
        return _all_at_once(set_, replicas, condemned, update, now)
    result = _next_replica(set_, replicas, now)
    if _is_busy(result):
        return result
    shrinking = _next_condemned(set_, condemned, now)
    if _is_busy(shrinking):
        return replace(shrinking, repair=result.repair)
    return replace(result, update=_rolling_update(set_, replicas, update, now))


def _is_busy(result: StatefulSetPlan) -> bool:
    return bool(result.create or result.delete or result.waiting)


def _replicas(
    set_: StatefulSet,
    pods: Sequence[Pod],
    current: ControllerRevision,
    update: ControllerRevision,
) -> list[Pod]:
    """Return a Pod for each ordinal, one to be created where none is."""
    start = first_ordinal(set_)
    there = {index_of(set_, pod): pod for pod in pods}
    old = template_of(current)
    replicas = []
    for index in range(wanted(set_)):
        pod = there.get(index)
        if pod is None and index < partition(set_):
            pod = pod_for(set_, old, current.metadata.name, start + index)
        elif pod is None:
            pod = pod_for(set_, set_.spec.template, update.metadata.name, start + index)
        replicas.append(pod)
    return replicas


def partition(set_: StatefulSet) -> int:
    """Return how many Pods, from the first on, keep the revision they have."""
    strategy = set_.spec.updateStrategy
    if strategy.type == "OnDelete" or strategy.rollingUpdate is None:
        return 0
    return strategy.rollingUpdate.partition or 0


# -- one after another


def _next_replica(set_: StatefulSet, replicas: Sequence[Pod], now: float) -> StatefulSetPlan:
    repair: tuple[Pod, ...] = ()
    for pod in replicas:
        name = pod.metadata.name
        if not exists(pod):
            return StatefulSetPlan(create=(pod,), repair=repair)
        if is_leaving(pod):
            return StatefulSetPlan(waiting=f"{name} to be gone", repair=repair)
        if is_pod_terminal(pod):
            return StatefulSetPlan(delete=(pod,), repair=repair)
        if not is_running_and_ready(pod):
            return StatefulSetPlan(waiting=f"{name} to be Running and Ready", repair=repair)
        if not is_available(set_, pod, now):
            return StatefulSetPlan(waiting=f"{name} to be Available", repair=repair)
        if not identity_matches(set_, pod):
            repair += (pod,)
    return StatefulSetPlan(repair=repair)


def _next_condemned(set_: StatefulSet, condemned: Sequence[Pod], now: float) -> StatefulSetPlan:
    """Take away the highest Pod; of several that are not available only the lowest may go."""
    unavailable = [pod for pod in condemned if is_leaving(pod) or not is_available(set_, pod, now)]
    for pod in condemned[:1]:
        name = pod.metadata.name
        if is_leaving(pod):
            return StatefulSetPlan(waiting=f"{name} to be gone")
        if not is_available(set_, pod, now) and pod is not unavailable[-1]:
            return StatefulSetPlan(waiting=f"{unavailable[-1].metadata.name} to be Available")
        return StatefulSetPlan(delete=(pod,))
    return StatefulSetPlan()


# -- all at once


def _all_at_once(
    set_: StatefulSet,
    replicas: Sequence[Pod],
    condemned: Sequence[Pod],
    update: ControllerRevision,
    now: float,
) -> StatefulSetPlan:
    staying = [pod for pod in replicas if exists(pod) and not is_leaving(pod)]
    ended = [pod for pod in staying if is_pod_terminal(pod)]
    return StatefulSetPlan(
        create=tuple(pod for pod in replicas if not exists(pod)),
        delete=(*ended, *(pod for pod in condemned if not is_leaving(pod))),
        repair=tuple(
            pod for pod in staying if not is_pod_terminal(pod) and not identity_matches(set_, pod)
        ),
        update=tuple(
            pod for pod in _rolling_update(set_, replicas, update, now) if pod not in ended
        ),
    )


def _rolling_update(
    set_: StatefulSet, replicas: Sequence[Pod], update: ControllerRevision, now: float
) -> tuple[Pod, ...]:
    """Return the highest Pods of an old revision, as many as may be away at once."""
    strategy = set_.spec.updateStrategy
    if strategy.type == "OnDelete":
        return ()
    rolling = strategy.rollingUpdate
    limit = 1 if rolling is None or rolling.maxUnavailable is None else rolling.maxUnavailable
    # At least one: 10% of 3 Pods would otherwise be none, for ever.
    allowed = max(scaled_value(limit, wanted(set_), round_up=False), 1)
    away = sum(is_leaving(pod) or not is_available(set_, pod, now) for pod in replicas)
    old = [
        pod
        for pod in reversed(replicas[partition(set_) :])
        if revision_of(pod) != update.metadata.name and not is_leaving(pod)
    ]
    return tuple(old[: max(allowed - away, 0)])
