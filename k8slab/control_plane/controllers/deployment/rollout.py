"""One pass over a Deployment, while it is being worked out.

A `Rollout` starts with what is there: the Deployment, the ReplicaSet of its template (if any) and
the older ones. Each step of the pass replaces ReplicaSets by others and notes what is to be
written; nothing is written yet.

Rule of use: lives only inside `plan`, which turns it into a `DeploymentPlan`.

Upstream: pkg/controller/deployment/sync.go (where each step writes at once)
"""

from __future__ import annotations

from msgspec.structs import replace

from k8slab.api.apps import Deployment, DeploymentCondition, ReplicaSet
from k8slab.api.conditions import get_condition
from k8slab.api.meta import timestamp
from k8slab.api.rollouts import desired
from k8slab.control_plane.controllers.deployment.deployment_util import size_annotations
from k8slab.control_plane.controllers.deployment.learner import Sizes

Change = tuple[ReplicaSet, ReplicaSet]  # before, after


class Rollout:
    """The state of a pass: `new` and `old` as they will be when everything noted is written."""

    def __init__(self, deployment: Deployment, now: float, sizes: Sizes | None = None) -> None:
        self.deployment = deployment
        self.now = now
        self.sizes = sizes  # who decides in the place of `rolling`, if anybody does
        self.new: ReplicaSet | None = None
        self.old: list[ReplicaSet] = []
        self.create: ReplicaSet | None = None
        self.update: dict[str, ReplicaSet] = {}  # by name, in the order of the first change
        self.delete: list[ReplicaSet] = []
        self.events: list[str] = []  # messages of ScalingReplicaSet

    @property
    def all(self) -> list[ReplicaSet]:
        """Old and new ReplicaSets together."""
        return [*self.old, self.new] if self.new is not None else list(self.old)

    def scale(self, rs: ReplicaSet, size: int) -> bool:
        """Set the size of a ReplicaSet; say whether that changes it."""
        before = desired(rs)
        meta = rs.metadata
        annotations = {**meta.annotations, **size_annotations(self.deployment)}
        if before == size and annotations == meta.annotations:
            return False
        self.put(
            replace(
                rs,
                metadata=replace(meta, annotations=annotations),
                spec=replace(rs.spec, replicas=size),
            )
        )
        if before == size:
            return False
        direction = "up" if before < size else "down"
        self.events.append(f"Scaled {direction} replica set {meta.name} from {before} to {size}")
        return True

    def put(self, rs: ReplicaSet) -> None:
        """Replace a ReplicaSet by a changed one, which will be written."""
        name = rs.metadata.name
        self.old = [rs if other.metadata.name == name else other for other in self.old]
        if self.new is not None and self.new.metadata.name == name:
            self.new = rs
        if self.create is not None and self.create.metadata.name == name:
            self.create = rs
        else:
            self.update[name] = rs

    # -- conditions

    def condition(self, type_: str) -> DeploymentCondition | None:
        """Return the Deployment's condition of that type."""
        return get_condition(self.deployment.status.conditions, type_)

    def set_condition(self, condition: DeploymentCondition) -> None:
        """Put a condition into the Deployment's status."""
        status = self.deployment.status
        conditions = with_condition(status.conditions, condition)
        self.deployment = replace(self.deployment, status=replace(status, conditions=conditions))


def new_condition(
    type_: str, status: str, reason: str, message: str, now: float
) -> DeploymentCondition:
    """Return a condition that holds since now."""
    time = timestamp(now)
    return DeploymentCondition(
        type=type_,
        status=status,
        lastUpdateTime=time,
        lastTransitionTime=time,
        reason=reason,
        message=message,
    )


def with_condition(
    conditions: tuple[DeploymentCondition, ...], condition: DeploymentCondition
) -> tuple[DeploymentCondition, ...]:
    """Return the conditions with this one last, unchanged if it says nothing new."""
    for current in conditions:
        if current.type != condition.type:
            continue
        if current.status == condition.status and current.reason == condition.reason:
            return conditions
        if current.status == condition.status:
            condition = replace(condition, lastTransitionTime=current.lastTransitionTime)
    return (*without_condition(conditions, condition.type), condition)


def without_condition(
    conditions: tuple[DeploymentCondition, ...], type_: str
) -> tuple[DeploymentCondition, ...]:
    """Return the conditions of all other types."""
    return tuple(condition for condition in conditions if condition.type != type_)
