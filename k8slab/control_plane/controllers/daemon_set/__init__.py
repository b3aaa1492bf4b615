"""The DaemonSet controller: one Pod of a template on each node that it may run on.

`placement` says which nodes and binds a Pod to one by affinity, `plan` what to create and delete
now, rolling updates included, `history` keeps the templates as ControllerRevisions;
`DaemonSetController` is the loop.

Rule of use: the default scheduler places the Pods; the controller only says where.

Upstream: pkg/controller/daemon
"""

from k8slab.control_plane.controllers.daemon_set.daemon_controller import DaemonSetController
from k8slab.control_plane.controllers.daemon_set.placement import daemon_pod, node_should_run
from k8slab.control_plane.controllers.daemon_set.plan import DaemonPlan, calculate_status, plan

__all__ = [
    "DaemonPlan",
    "DaemonSetController",
    "calculate_status",
    "daemon_pod",
    "node_should_run",
    "plan",
]
