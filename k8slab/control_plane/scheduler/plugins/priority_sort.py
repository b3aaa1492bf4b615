"""Orders the active queue: higher priority first, then who came first.

Upstream: pkg/scheduler/framework/plugins/queuesort/priority_sort.go
"""

from __future__ import annotations

from k8slab.api.core import Pod
from k8slab.control_plane.scheduler.framework.snapshot import Handle


class PrioritySort:
    """QueueSort by priority and time of entry."""

    name = "PrioritySort"

    def __init__(self, handle: Handle, args: None) -> None:
        pass

    def sort_key(self, pod: Pod, timestamp: float) -> tuple[float, ...]:
        """Return (-priority, time of entry); the lowest comes first."""
        return (-(pod.spec.priority or 0), timestamp)
