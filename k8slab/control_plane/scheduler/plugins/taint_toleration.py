"""Keeps Pods off nodes whose taints they do not tolerate.

NoSchedule and NoExecute filter; PreferNoSchedule only lowers the score.

Upstream: pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.core import Node, Pod, Toleration
from k8slab.api.taints import (
    NO_EXECUTE,
    NO_SCHEDULE,
    PREFER_NO_SCHEDULE,
    tolerates,
    untolerated_taint,
)
from k8slab.control_plane.scheduler.framework.interface import (
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
    default_normalize_score,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

REASON = "node(s) had untolerated taint(s)"


class TaintToleration:
    """Filter by hard taints, Score by the number of soft ones."""

    name = "TaintToleration"
    _refusal = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON,), name)

    def __init__(self, handle: Handle, args: None) -> None:
        pass

    def sign_pod(self, pod: PodInfo) -> str:
        """Go by the tolerations."""
        return str(pod.pod.spec.tolerations)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node with an untolerated hard taint."""
        taints = node.node.spec.taints
        if not taints or _schedulable(pod.pod, node.node):
            return None
        return self._refusal

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Note the tolerations that can cover a soft taint: those for it, or for all effects."""
        soft = tuple(
            each for each in pod.pod.spec.tolerations if each.effect in ("", PREFER_NO_SCHEDULE)
        )
        state.write(f"PreScore{self.name}", soft)
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """Count the soft taints that are not tolerated."""
        taints = node.node.spec.taints
        if not taints:
            return 0
        tolerations: tuple[Toleration, ...] = state.read(f"PreScore{self.name}")
        soft = (taint for taint in taints if taint.effect == PREFER_NO_SCHEDULE)
        return sum(not tolerates(tolerations, taint) for taint in soft)

    def normalize_score(
        self, state: CycleState, scores: Sequence[int], nodes: Sequence[NodeInfo]
    ) -> list[int]:
        """Give 100 to the node with the fewest."""
        return default_normalize_score(scores, reverse=True)

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for a taint to go, or for a toleration."""
        return (
            ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_TAINT, _now_schedulable),
            ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_TOLERATION),
        )


def _now_schedulable(pod: Pod, old: Node | None, new: Node) -> bool:
    return _schedulable(pod, new) and (old is None or not _schedulable(pod, old))


def _schedulable(pod: Pod, node: Node) -> bool:
    hard = (NO_SCHEDULE, NO_EXECUTE)
    return untolerated_taint(node.spec.taints, pod.spec.tolerations, hard) is None
