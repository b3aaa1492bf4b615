"""Keeps Pods off cordoned nodes.

Upstream: pkg/scheduler/framework/plugins/nodeunschedulable/node_unschedulable.go
"""

from __future__ import annotations

from k8slab.api.core import Node, Pod, Taint
from k8slab.api.taints import NO_SCHEDULE, tolerates
from k8slab.control_plane.scheduler.framework.interface import (
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

REASON = "node(s) were unschedulable"
TAINT = Taint(key="node.kubernetes.io/unschedulable", effect=NO_SCHEDULE)


class NodeUnschedulable:
    """Filter by spec.unschedulable, unless the Pod tolerates the taint of that name."""

    name = "NodeUnschedulable"
    _refusal = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON,), name)

    def __init__(self, handle: Handle, args: None) -> None:
        pass

    def sign_pod(self, pod: PodInfo) -> str:
        """Go by the tolerations."""
        return str(pod.pod.spec.tolerations)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a cordoned node."""
        if not node.node.spec.unschedulable or tolerates(pod.pod.spec.tolerations, TAINT):
            return None
        return self._refusal

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for a node to be uncordoned, or for a toleration."""
        return (
            ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_TAINT, _now_schedulable),
            ClusterEvent(
                Resource.TARGET_POD,
                Action.UPDATE_POD_TOLERATION,
                lambda pod, old, new: tolerates(new.spec.tolerations, TAINT),
            ),
        )


def _now_schedulable(pod: Pod, old: Node | None, new: Node | None) -> bool:
    was = old is None or old.spec.unschedulable
    return was and new is not None and not new.spec.unschedulable
