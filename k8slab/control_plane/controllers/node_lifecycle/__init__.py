"""The node life-cycle controller: notices that a node fell silent, and marks it and its Pods.

`health` judges a node by its heartbeats, `taints` says which taints its conditions ask for and how
fast nodes may be tainted, `NodeLifecycleController` is the loop. `LeaseClock` tells when a node
last renewed its Lease, so that renewals that change nothing need not be written.

Rule of use: this controller only marks; who deletes Pods of a tainted node is taint eviction.

Upstream: pkg/controller/nodelifecycle
"""

from k8slab.control_plane.controllers.node_lifecycle.health import LeaseClock, judge
from k8slab.control_plane.controllers.node_lifecycle.node_lifecycle_controller import (
    NodeLifecycleController,
)
from k8slab.control_plane.controllers.node_lifecycle.taints import (
    eviction_rate,
    no_schedule_taints,
    zone_state,
)

__all__ = [
    "LeaseClock",
    "NodeLifecycleController",
    "eviction_rate",
    "judge",
    "no_schedule_taints",
    "zone_state",
]
