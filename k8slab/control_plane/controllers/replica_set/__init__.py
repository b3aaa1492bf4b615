"""The ReplicaSet controller: keeps as many Pods of a template as somebody asked for.

`plan` decides what to do, `rank_for_deletion` which Pods go first, `calculate_status` counts;
`ReplicaSetController` is the loop. `adapt` puts a learner's function in the place of `plan`.

Rule of use: it owns by uid and selector: matching orphans are adopted, relabelled Pods released.

Upstream: pkg/controller/replicaset
"""

from k8slab.control_plane.controllers.replica_set.learner import adapt, checked
from k8slab.control_plane.controllers.replica_set.plan import Plan, plan, rank_for_deletion
from k8slab.control_plane.controllers.replica_set.replica_set_controller import (
    ReplicaSetController,
)
from k8slab.control_plane.controllers.replica_set.status import calculate_status

__all__ = [
    "Plan",
    "ReplicaSetController",
    "adapt",
    "calculate_status",
    "checked",
    "plan",
    "rank_for_deletion",
]
