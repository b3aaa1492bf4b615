"""Lets a Pod that names its node run there only.

Upstream: pkg/scheduler/framework/plugins/nodename/node_name.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.control_plane.scheduler.framework.interface import (
    SKIP,
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

REASON = "node(s) didn't match the requested node name"


class NodeName:
    """Filter by spec.nodeName."""

    name = "NodeName"
    _refusal = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON,), name)

    def __init__(self, handle: Handle, args: None) -> None:
        pass

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Skip Pods that name no node, which is nearly all."""
        return None if pod.pod.spec.nodeName else SKIP

    def sign_pod(self, pod: PodInfo) -> str:
        """Go by the name."""
        return pod.pod.spec.nodeName

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse every node but the one named."""
        wanted = pod.pod.spec.nodeName
        return self._refusal if wanted and wanted != node.name else None

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for the node."""
        return (ClusterEvent(Resource.NODE, Action.ADD),)
