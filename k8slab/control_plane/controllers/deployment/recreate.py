"""Recreate: first all old Pods go, then the new ones come.

Nothing of the new template starts while a Pod of an older one may still run: programs that cannot
bear two versions at once need that, and pay with an outage.

Rule of use: needs the Deployment's Pods, because a ReplicaSet does not count those that are ending.

Upstream: pkg/controller/deployment/recreate.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.meta import controller_of
from k8slab.api.pods import is_pod_terminal
from k8slab.api.rollouts import deployment_complete, desired
from k8slab.control_plane.controllers.deployment.deployment_util import active
from k8slab.control_plane.controllers.deployment.rollout import Rollout
from k8slab.control_plane.controllers.deployment.sync import clean_up, sync_revisions


def rollout_recreate(
    rollout: Rollout, replica_sets: Sequence[ReplicaSet], pods: Sequence[Pod]
) -> None:
    """Empty the old ReplicaSets; when their Pods are gone, make and fill the new one."""
    emptied = [rollout.scale(rs, 0) for rs in active(rollout.old)]
    if any(emptied) or old_pods_running(rollout, pods):
        return
    if rollout.new is None:
        sync_revisions(rollout, replica_sets, create=True)
    assert rollout.new is not None
    if desired(rollout.new) != desired(rollout.deployment):
        rollout.scale(rollout.new, desired(rollout.deployment))
    if deployment_complete(rollout.deployment, rollout.deployment.status):
        clean_up(rollout)


def old_pods_running(rollout: Rollout, pods: Sequence[Pod]) -> bool:
    """Say whether a Pod of an older template may still run, ending ones included."""
    if any(rs.status.replicas > 0 for rs in rollout.old):
        return True
    new = rollout.new.metadata.uid if rollout.new is not None else None
    for pod in pods:
        owner = controller_of(pod)
        if owner is not None and owner.uid != new and not is_pod_terminal(pod):
            return True
    return False
