"""The ReplicaSet's status: how many Pods there are, and how they are.

`calculate_status` counts; `failure_conditions` keeps the ReplicaFailure condition.

Rule of use: Pods that are ending count in terminatingReplicas only.

Upstream: pkg/controller/replicaset/replica_set_utils.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.apps import ReplicaSet, ReplicaSetCondition, ReplicaSetStatus
from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.meta import timestamp
from k8slab.api.pods import is_pod_available, is_pod_terminal


def calculate_status(
    rs: ReplicaSet, pods: Sequence[Pod], *, now: float, failure: tuple[str, str] | None = None
) -> ReplicaSetStatus:
    """Count the ReplicaSet's Pods; `failure` is reason and message of what could not be done."""
    template = rs.spec.template.metadata.labels.items()
    min_ready = rs.spec.minReadySeconds
    active = labelled = ready = available = terminating = 0
    for pod in pods:
        if pod.metadata.deletionTimestamp is not None:
            terminating += 1
            continue
        if is_pod_terminal(pod):
            continue
        active += 1
        labelled += template <= pod.metadata.labels.items()
        condition = get_condition(pod.status.conditions, "Ready")
        if condition is not None and condition.status == "True":
            ready += 1
            available += min_ready == 0 or is_pod_available(pod, min_ready, now)
    return ReplicaSetStatus(
        replicas=active,
        fullyLabeledReplicas=labelled,
        readyReplicas=ready,
        availableReplicas=available,
        terminatingReplicas=terminating,
        observedGeneration=rs.metadata.generation,
        conditions=failure_conditions(rs.status.conditions, failure, now),
    )


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
