"""Whether a node is alive, judged by when it was last heard of.

`grace_end` says until when a node may be silent, `judge` what its conditions become if it is
silent beyond that: Unknown, all of them, because nobody knows any more.

Rule of use: pure functions; times are virtual seconds.

Upstream: tryUpdateNodeHealth in pkg/controller/nodelifecycle/node_lifecycle_controller.go
"""

from __future__ import annotations

from typing import Protocol

from msgspec.structs import replace

from k8slab.api.conditions import get_condition
from k8slab.api.core import Node, NodeCondition
from k8slab.api.meta import seconds, timestamp

MONITOR_PERIOD = 5.0  # s, --node-monitor-period
MONITOR_GRACE_PERIOD = 50.0  # s, --node-monitor-grace-period
STARTUP_GRACE_PERIOD = 60.0  # s, --node-startup-grace-period
JUDGED = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")


class LeaseClock(Protocol):
    """Knows when nodes renewed their Leases, also where the renewals were not written.

    A kubelet renews its Lease every 10 s. As long as all goes well those writes change nothing
    that anybody sees, so the lab leaves them out, and asks when a node's silence would end.
    """

    def last_heartbeat(self, node: str) -> float | None:
        """Return when the node's latest renewal reached the API server, None if the Lease says."""


def ready_status(node: Node) -> str:
    """Return the status of the Ready condition; a node that has none yet is Unknown."""
    ready = get_condition(node.status.conditions, "Ready")
    return ready.status if ready is not None else "Unknown"


def grace_end(node: Node, heard: float) -> float:
    """Return until when the node may be silent if it was last heard of at `heard`."""
    if get_condition(node.status.conditions, "Ready") is None:
        return seconds(node.metadata.creationTimestamp) + STARTUP_GRACE_PERIOD
    return heard + MONITOR_GRACE_PERIOD


def last_status(node: Node) -> float:
    """Return when the kubelet last wrote the node's status."""
    ready = get_condition(node.status.conditions, "Ready")
    return seconds(ready.lastHeartbeatTime) if ready is not None else 0.0


def judge(node: Node, heard: float, now: float) -> tuple[NodeCondition, ...]:
    """Return the node's conditions: Unknown if it was silent for too long, else as they are."""
    conditions = node.status.conditions
    if now < grace_end(node, heard):
        return conditions
    for type_ in JUDGED:
        current = get_condition(conditions, type_)
        if current is None:
            conditions = (*conditions, _never(node, type_, now))
        elif current.status != "Unknown":
            unknown = _stopped(current, now)
            conditions = tuple(unknown if c is current else c for c in conditions)
    return conditions


def _never(node: Node, type_: str, now: float) -> NodeCondition:
    return NodeCondition(
        type=type_,
        status="Unknown",
        reason="NodeStatusNeverUpdated",
        message="Kubelet never posted node status.",
        lastHeartbeatTime=node.metadata.creationTimestamp,
        lastTransitionTime=timestamp(now),
    )


def _stopped(condition: NodeCondition, now: float) -> NodeCondition:
    return replace(
        condition,
        status="Unknown",
        reason="NodeStatusUnknown",
        message="Kubelet stopped posting node status.",
        lastTransitionTime=timestamp(now),
    )
