"""The ReplicaSet's status: how many Pods there are, and how they are.

`calculate_status` counts; `failure_conditions` keeps the ReplicaFailure condition.

Rule of use: Pods that are ending count in terminatingReplicas only.

Upstream: pkg/controller/replicaset/replica_set_utils.go
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from k8slab.api.apps import ReplicaSet, ReplicaSetCondition, ReplicaSetStatus
from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.meta import seconds, timestamp
from k8slab.control_plane.controllers.replica_set.tally import (
    ENDING,
    READY,
    Kind,
    Kinds,
    kinds_of,
)


def calculate_status(
    rs: ReplicaSet,
    pods: Sequence[Pod] | Kinds,
    *,
    now: float,
    failure: tuple[str, str] | None = None,
) -> ReplicaSetStatus:
    """Count the ReplicaSet's Pods, one by one or by kind.

    `failure` is reason and message of what could not be done, `now` is in virtual seconds.
    """
    template = rs.spec.template.metadata.labels.items()
    active = labelled = ready = available = terminating = 0
    for kind, count in (pods if isinstance(pods, Mapping) else kinds_of(pods)).items():
        terminating += count * (kind.standing == ENDING)
        if kind.active:
            active += count
            labelled += count * (template <= dict(kind.labels).items())
        if kind.standing == READY:
            ready += count
            available += count * (available_in(rs, kind, now) <= 0)
    return ReplicaSetStatus(
        replicas=active,
        fullyLabeledReplicas=labelled,
        readyReplicas=ready,
        availableReplicas=available,
        terminatingReplicas=terminating,
        observedGeneration=rs.metadata.generation,
        conditions=failure_conditions(rs.status.conditions, failure, now),
    )


def available_in(rs: ReplicaSet, kind: Kind, now: float) -> float:
    """Return in how many seconds ready Pods of this kind will have been so for long enough."""
    if not rs.spec.minReadySeconds:
        return 0.0
    if kind.ready_since is None:
        return math.inf
    return seconds(kind.ready_since) + rs.spec.minReadySeconds - now


def failure_conditions(
    conditions: tuple[ReplicaSetCondition, ...], failure: tuple[str, str] | None, now: float
) -> tuple[ReplicaSetCondition, ...]:
    """Return the conditions with ReplicaFailure set, or taken away if there is no failure."""
    if failure is None:
        return tuple(c for c in conditions if c.type != "ReplicaFailure")
    if get_condition(conditions, "ReplicaFailure") is not None:
        return conditions  # the first failure is kept until a sync succeeds
    reason, message = failure
    condition = ReplicaSetCondition(
        type="ReplicaFailure",
        status="True",
        lastTransitionTime=timestamp(now),
        reason=reason,
        message=message,
    )
    return (*conditions, condition)
