"""Keeps a Pod out of the queue while it has scheduling gates.

Upstream: pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go
"""

from __future__ import annotations

from k8slab.api.core import Pod
from k8slab.control_plane.scheduler.framework.interface import (
    Action,
    ClusterEvent,
    Code,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle


class SchedulingGates:
    """PreEnqueue: no gates, no waiting."""

    name = "SchedulingGates"

    def __init__(self, handle: Handle, args: None) -> None:
        pass

    def pre_enqueue(self, pod: Pod) -> Status | None:
        """Refuse a Pod that still has gates."""
        gates = pod.spec.schedulingGates
        if not gates:
            return None
        names = " ".join(gate.name for gate in gates)
        text = f"waiting for scheduling gates: [{names}]"
        return Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (text,), self.name)

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for the gates to go."""
        return (ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_GATES_ELIMINATED),)
