"""RollingUpdate: grow the new ReplicaSet and shrink the old ones, within surge and unavailable.

One pass takes at most one step: up if there is room above, else down if enough Pods are available.
The next pass comes when the ReplicaSets' status tells what became of it.

    4 replicas, surge 1, unavailable 1:   old 4, new 0 -> 4, 1 -> 3, 1 -> 3, 2 -> ... -> 0, 4

Rule of use: unhealthy old Pods go first; they are no loss.

Upstream: pkg/controller/deployment/rolling.go
"""

from __future__ import annotations

from k8slab.api.rollouts import deployment_complete, desired, max_unavailable
from k8slab.control_plane.controllers.deployment.deployment_util import (
    active,
    age_order,
    available,
    total,
)
from k8slab.control_plane.controllers.deployment.learner import Sizes
from k8slab.control_plane.controllers.deployment.rollout import Rollout
from k8slab.control_plane.controllers.deployment.sync import clean_up, new_rs_new_replicas


def rollout_rolling(rollout: Rollout) -> None:
    """Take the next step of a rolling update; when all are done, clean up."""
    if rollout.sizes is not None:
        moved = follow(rollout, rollout.sizes)
    else:
        moved = reconcile_new_replica_set(rollout) or reconcile_old_replica_sets(rollout)
    if not moved and deployment_complete(rollout.deployment, rollout.deployment.status):
        clean_up(rollout)


def follow(rollout: Rollout, sizes: Sizes) -> bool:
    """Set the sizes that somebody else decides on; say whether that changed any."""
    assert rollout.new is not None
    wanted = sizes(rollout.deployment, rollout.new, rollout.old)
    named = [rs for rs in rollout.all if rs.metadata.name in wanted]
    return any([rollout.scale(rs, wanted[rs.metadata.name]) for rs in named])


def reconcile_new_replica_set(rollout: Rollout) -> bool:
    """Bring the new ReplicaSet nearer to the desired size; say whether that changed it."""
    new, wanted = rollout.new, desired(rollout.deployment)
    if new is None or desired(new) == wanted:
        return False
    if desired(new) > wanted:
        return rollout.scale(new, wanted)
    size = new_rs_new_replicas(rollout.deployment, rollout.all, new)
    return size != desired(new) and rollout.scale(new, size)


def reconcile_old_replica_sets(rollout: Rollout) -> bool:
    """Take away old Pods as far as enough stay available; say whether any were."""
    new = rollout.new
    if new is None or total(rollout.old) == 0:
        return False
    # New Pods that are not available yet do not allow old ones to go.
    min_available = desired(rollout.deployment) - max_unavailable(rollout.deployment)
    new_unavailable = desired(new) - new.status.availableReplicas
    most = total(rollout.all) - min_available - new_unavailable
    if most <= 0:
        return False
    cleaned = clean_up_unhealthy_replicas(rollout, most)
    return cleaned is not None and cleaned + scale_down_old_replica_sets(rollout) > 0


def clean_up_unhealthy_replicas(rollout: Rollout, most: int) -> int | None:
    """Take away up to `most` old Pods that are not available, and return how many.

    None if a ReplicaSet has more available Pods than it wants: its controller has not yet seen its
    size, so nobody knows what may still be taken away.
    """
    done = 0
    for rs in sorted(active(rollout.old), key=age_order):
        if done >= most:
            break
        surplus = min(most - done, desired(rs) - rs.status.availableReplicas)
        if surplus < 0:
            return None
        if surplus:
            rollout.scale(rs, desired(rs) - surplus)
            done += surplus
    return done


def scale_down_old_replica_sets(rollout: Rollout) -> int:
    """Take away old Pods while more than the minimum are available, and return how many."""
    min_available = desired(rollout.deployment) - max_unavailable(rollout.deployment)
    surplus = available([*active(rollout.old), *([rollout.new] if rollout.new else [])])
    surplus -= min_available
    done = 0
    for rs in sorted(active(rollout.old), key=age_order):
        step = min(desired(rs), surplus - done)
        if step > 0:
            rollout.scale(rs, desired(rs) - step)
            done += step
    return done
