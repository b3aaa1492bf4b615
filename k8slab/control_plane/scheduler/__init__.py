"""The scheduler: it finds a node for each Pod that has none.

`Scheduler` is the program of the kube-scheduler container; `explain` is its decision as a pure
function, with everything that led to it.

Rule of use: whoever wants to know why calls `explain`, or asks a running scheduler for its last
verdict on a Pod.

Upstream: pkg/scheduler
"""

from k8slab.control_plane.scheduler.explain import Explanation, NodeVerdict, explain
from k8slab.control_plane.scheduler.scheduler import LISTED_KINDS, Scheduler

__all__ = ["LISTED_KINDS", "Explanation", "NodeVerdict", "Scheduler", "explain"]
