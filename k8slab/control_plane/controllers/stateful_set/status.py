"""The StatefulSet's status: how many Pods there are, how they are, and of which revision.

`calculate_status` counts; a rollout that has reached every Pod makes its revision the current one.

Rule of use: Pods that are ending still count as replicas, since their names are still taken.

Upstream: updateStatus and completeRollingUpdate in pkg/controller/statefulset
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.apps import StatefulSet, StatefulSetStatus
from k8slab.api.core import Pod
from k8slab.control_plane.controllers.stateful_set.stateful_set_utils import (
    is_available,
    is_leaving,
    is_running_and_ready,
    revision_of,
    wanted,
)


def calculate_status(
    set_: StatefulSet,
    pods: Sequence[Pod],
    *,
    current: str,
    update: str,
    now: float,
    replaced: Sequence[Pod] = (),
) -> StatefulSetStatus:
    """Count the set's Pods.

    `current` and `update` name revisions; `replaced` are Pods that this look deleted for a rollout,
    which count as current no more; `now` is in virtual seconds.
    """
    gone = {pod.metadata.uid for pod in replaced}
    staying = [p for p in pods if not is_leaving(p) and p.metadata.uid not in gone]
    available = [pod for pod in pods if is_available(set_, pod, now)]
    status = StatefulSetStatus(
        observedGeneration=set_.metadata.generation,
        replicas=len(pods),
        readyReplicas=sum(map(is_running_and_ready, pods)),
        availableReplicas=len(available),
        currentReplicas=sum(revision_of(pod) == current for pod in staying),
        updatedReplicas=sum(revision_of(pod) == update for pod in staying),
        currentRevision=current,
        updateRevision=update,
        collisionCount=set_.status.collisionCount or 0,
        conditions=set_.status.conditions,
    )
    return _completed(set_, status)


def _completed(set_: StatefulSet, status: StatefulSetStatus) -> StatefulSetStatus:
    """Make the update revision the current one when all Pods have it and are ready."""
    size = wanted(set_)
    counts = (status.updatedReplicas, status.readyReplicas, status.replicas)
    if set_.spec.updateStrategy.type == "OnDelete" or counts != (size, size, size):
        return status
    return replace(
        status, currentReplicas=status.updatedReplicas, currentRevision=status.updateRevision
    )
