"""The Deployment's status: counts, whether enough is available, and whether it gets on.

`calculate_status` counts; `sync_status` adds the Progressing condition: NewReplicaSetCreated,
ReplicaSetUpdated at each step ahead, NewReplicaSetAvailable at the end, ProgressDeadlineExceeded
if no step came for progressDeadlineSeconds. That condition only tells; nothing is rolled back.

Rule of use: last step of each pass.

Upstream: pkg/controller/deployment/progress.go, sync.go
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apps import Deployment, DeploymentCondition, DeploymentStatus
from k8slab.api.conditions import get_condition
from k8slab.api.meta import seconds
from k8slab.api.rollouts import deployment_complete, desired, max_unavailable
from k8slab.control_plane.controllers.deployment.deployment_util import (
    available,
    has_progress_deadline,
    total,
)
from k8slab.control_plane.controllers.deployment.rollout import (
    Rollout,
    new_condition,
    with_condition,
    without_condition,
)


def calculate_status(rollout: Rollout) -> DeploymentStatus:
    """Count the Pods of all ReplicaSets and say whether the minimum is available."""
    deployment, everything = rollout.deployment, rollout.all
    ready = available(everything)
    terminating = [rs.status.terminatingReplicas for rs in everything]
    known = [count for count in terminating if count is not None]
    status = DeploymentStatus(
        observedGeneration=deployment.metadata.generation,
        replicas=sum(rs.status.replicas for rs in everything),
        updatedReplicas=rollout.new.status.replicas if rollout.new is not None else 0,
        readyReplicas=sum(rs.status.readyReplicas for rs in everything),
        availableReplicas=ready,
        terminatingReplicas=sum(known) if len(known) == len(terminating) else None,
        unavailableReplicas=max(total(everything) - ready, 0),
        collisionCount=deployment.status.collisionCount,
        conditions=deployment.status.conditions,
    )
    enough = ready >= desired(deployment) - max_unavailable(deployment)
    condition = new_condition(
        "Available",
        "True" if enough else "False",
        "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        rollout.now,
    )
    return replace(status, conditions=with_condition(status.conditions, condition))


def sync_status(rollout: Rollout) -> DeploymentStatus:
    """Return the status after a rollout's pass."""
    status = calculate_status(rollout)
    conditions = _with_progress(rollout, status)
    return replace(status, conditions=_with_failures(rollout, conditions))


def _with_progress(rollout: Rollout, status: DeploymentStatus) -> tuple[DeploymentCondition, ...]:
    deployment = rollout.deployment
    if not has_progress_deadline(deployment):
        return without_condition(status.conditions, "Progressing")
    current = rollout.condition("Progressing")
    if (
        status.replicas == status.updatedReplicas
        and current is not None
        and current.reason == "NewReplicaSetAvailable"
    ):
        return status.conditions  # complete, and scaling or a lost Pod is no new rollout
    new = rollout.new
    what = (
        f'ReplicaSet "{new.metadata.name}"' if new else f'Deployment "{deployment.metadata.name}"'
    )
    now = rollout.now
    if deployment_complete(deployment, status):
        text = f"{what} has successfully progressed."
        done = new_condition("Progressing", "True", "NewReplicaSetAvailable", text, now)
        return with_condition(status.conditions, done)
    if deployment_progressing(deployment, status):
        text = f"{what} is progressing."
        step = new_condition("Progressing", "True", "ReplicaSetUpdated", text, now)
        if current is not None and current.status == "True":
            step = replace(step, lastTransitionTime=current.lastTransitionTime)
        # Set anew even if it says the same: its lastUpdateTime is what the deadline counts from.
        return (*without_condition(status.conditions, "Progressing"), step)
    if deployment_timed_out(deployment, current, now):
        text = f"{what} has timed out progressing."
        late = new_condition("Progressing", "False", "ProgressDeadlineExceeded", text, now)
        return with_condition(status.conditions, late)
    return status.conditions


def _with_failures(
    rollout: Rollout, conditions: tuple[DeploymentCondition, ...]
) -> tuple[DeploymentCondition, ...]:
    """Show a ReplicaSet's failure on the Deployment, the new one's before those of old ones."""
    for rs in [*([rollout.new] if rollout.new else []), *rollout.old]:
        for failure in rs.status.conditions:
            if failure.type == "ReplicaFailure":
                shown = DeploymentCondition(
                    type="ReplicaFailure",
                    status=failure.status,
                    lastUpdateTime=failure.lastTransitionTime,
                    lastTransitionTime=failure.lastTransitionTime,
                    reason=failure.reason,
                    message=failure.message,
                )
                return with_condition(conditions, shown)
    return without_condition(conditions, "ReplicaFailure")


def deployment_progressing(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Say whether the new counts are a step ahead of those that the Deployment shows."""
    before = deployment.status
    return (
        status.updatedReplicas > before.updatedReplicas
        or status.replicas - status.updatedReplicas < before.replicas - before.updatedReplicas
        or status.readyReplicas > before.readyReplicas
        or status.availableReplicas > before.availableReplicas
    )


def deployment_timed_out(
    deployment: Deployment, progressing: DeploymentCondition | None, now: float
) -> bool:
    """Say whether the last step is longer ago than the deadline allows."""
    deadline = deployment.spec.progressDeadlineSeconds
    if progressing is None or deadline is None or progressing.reason == "NewReplicaSetAvailable":
        return False
    if progressing.reason == "ProgressDeadlineExceeded":
        return True
    return seconds(progressing.lastUpdateTime) + deadline < now


def look_again_after(deployment: Deployment, now: float) -> float | None:
    """Return in how many seconds the deadline will have passed, None if it does not matter."""
    deadline = deployment.spec.progressDeadlineSeconds
    progressing = get_condition(deployment.status.conditions, "Progressing")
    if not has_progress_deadline(deployment) or deadline is None or progressing is None:
        return None
    if progressing.reason in ("NewReplicaSetAvailable", "ProgressDeadlineExceeded"):
        return None
    return max(seconds(progressing.lastUpdateTime) + deadline - now, 0.0) + 1.0
