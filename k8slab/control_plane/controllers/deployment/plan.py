"""What one pass over a Deployment changes.

`plan` looks at the Deployment and its ReplicaSets and returns a `DeploymentPlan`: the size that
each ReplicaSet will have, what to create, update and delete, and the Deployment's new status.

Rule of use: a pass takes one step; plan again when ReplicaSets tell what became of it.

Upstream: syncDeployment in pkg/controller/deployment/deployment_controller.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec.structs import replace

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.rollouts import desired, is_rolling_update
from k8slab.control_plane.controllers.deployment.deployment_util import has_progress_deadline
from k8slab.control_plane.controllers.deployment.learner import Sizes
from k8slab.control_plane.controllers.deployment.progress import (
    calculate_status,
    look_again_after,
    sync_status,
)
from k8slab.control_plane.controllers.deployment.recreate import rollout_recreate
from k8slab.control_plane.controllers.deployment.rolling import rollout_rolling
from k8slab.control_plane.controllers.deployment.rollout import Rollout, new_condition
from k8slab.control_plane.controllers.deployment.sync import (
    clean_up,
    is_scaling_event,
    scale,
    sync_revisions,
)


class DeploymentPlan(msgspec.Struct, frozen=True):
    """What a pass asks for; `create`, `update` and `delete` are to be written in that order."""

    deployment: Deployment  # with the status and annotations that it shall have
    sizes: Mapping[str, int]  # by name of the ReplicaSet, once all is written
    create: ReplicaSet | None = None
    update: tuple[ReplicaSet, ...] = ()
    delete: tuple[ReplicaSet, ...] = ()
    events: tuple[str, ...] = ()  # messages of ScalingReplicaSet Events
    look_again_after: float | None = None  # s, when the progress deadline passes


def plan(
    deployment: Deployment,
    replica_sets: Sequence[ReplicaSet],
    *,
    now: float,
    pods: Sequence[Pod] = (),
    sizes: Sizes | None = None,
) -> DeploymentPlan:
    """Say what the next step of the Deployment's rollout is.

    `replica_sets` are those that the Deployment owns, `now` is in virtual seconds, and `pods` (of
    those ReplicaSets) matter for strategy Recreate only. `sizes` decides about rolling updates in
    the place of `rolling`, and may raise ReplacementError.
    """
    rollout = Rollout(deployment, now, sizes)
    if deployment.metadata.deletionTimestamp is not None:
        sync_revisions(rollout, replica_sets, create=False)
        return _result(rollout, rolling_out=False)
    _note_pause(rollout)
    sync_revisions(rollout, replica_sets, create=False)
    if deployment.spec.paused or is_scaling_event(rollout):
        scale(rollout)
        if deployment.spec.paused:
            clean_up(rollout)
        return _result(rollout, rolling_out=False)
    if is_rolling_update(deployment):
        if rollout.new is None:
            sync_revisions(rollout, replica_sets, create=True)
        rollout_rolling(rollout)
    else:
        rollout_recreate(rollout, replica_sets, pods)
    return _result(rollout, rolling_out=True)


def _note_pause(rollout: Rollout) -> None:
    """Stop the deadline while paused, and start it anew afterwards."""
    deployment = rollout.deployment
    if not has_progress_deadline(deployment):
        return
    current = rollout.condition("Progressing")
    if current is not None and current.reason == "ProgressDeadlineExceeded":
        return  # what timed out stays so, paused or not
    was_paused = current is not None and current.reason == "DeploymentPaused"
    if deployment.spec.paused == was_paused:
        return
    word = "paused" if deployment.spec.paused else "resumed"
    reason = f"Deployment{word.capitalize()}"
    text = f"Deployment is {word}"
    rollout.set_condition(new_condition("Progressing", "Unknown", reason, text, rollout.now))


def _result(rollout: Rollout, *, rolling_out: bool) -> DeploymentPlan:
    # A deployment that is only scaled is not judged by its deadline: that is for rollouts.
    status = sync_status(rollout) if rolling_out else calculate_status(rollout)
    deployment = replace(rollout.deployment, status=status)
    return DeploymentPlan(
        deployment=deployment,
        sizes={rs.metadata.name: desired(rs) for rs in rollout.all},
        create=rollout.create,
        update=tuple(rollout.update.values()),
        delete=tuple(rollout.delete),
        events=tuple(rollout.events),
        look_again_after=look_again_after(deployment, rollout.now) if rolling_out else None,
    )
