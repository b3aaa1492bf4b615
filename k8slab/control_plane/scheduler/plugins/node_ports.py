"""Keeps two Pods from asking for the same port of one node.

Upstream: pkg/scheduler/framework/plugins/nodeports/node_ports.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.core import Pod
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
from k8slab.control_plane.scheduler.framework.types import (
    ANY_IP,
    HostPort,
    NodeInfo,
    PodInfo,
    host_ports,
)

REASON = "node(s) didn't have free ports for the requested pod ports"


class NodePorts:
    """Filter by host ports."""

    name = "NodePorts"
    _refusal = Status(Code.UNSCHEDULABLE, (REASON,), name)

    def __init__(self, handle: Handle, args: None) -> None:
        pass

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Skip Pods without host ports."""
        return None if pod.ports else SKIP

    def sign_pod(self, pod: PodInfo) -> str:
        """Go by the ports."""
        return str(pod.ports)

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node on which one of the ports is taken."""
        for port in pod.ports:
            if any(conflicts(port, used) for used in node.used_ports):
                return self._refusal
        return None

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for a Pod with host ports to leave, or for a node."""
        return (
            ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE, _frees_a_port),
            ClusterEvent(Resource.NODE, Action.ADD),
        )


def conflicts(one: HostPort, other: HostPort) -> bool:
    """Say whether two cannot be bound at once; 0.0.0.0 stands for all addresses.

    >>> conflicts(("0.0.0.0", "TCP", 80), ("10.0.0.1", "TCP", 80))
    True
    >>> conflicts(("10.0.0.1", "TCP", 80), ("10.0.0.1", "UDP", 80))
    False
    """
    return one[1:] == other[1:] and (one[0] == other[0] or ANY_IP in (one[0], other[0]))


def _frees_a_port(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    gone = host_ports(old) if old is not None else ()
    return any(conflicts(port, freed) for port in host_ports(pod) for freed in gone)
