"""The StatefulSet controller: Pods with names, places and storage of their own, one after another.

`plan` says what one look asks for, `calculate_status` counts, `pod_for` makes the Pod of an
ordinal; `StatefulSetController` is the loop.

Rule of use: there is never more than one Pod of a name, so a Pod is replaced only when it is gone.

Upstream: pkg/controller/statefulset
"""

from k8slab.control_plane.controllers.stateful_set.plan import StatefulSetPlan, plan
from k8slab.control_plane.controllers.stateful_set.stateful_set_controller import (
    StatefulSetController,
)
from k8slab.control_plane.controllers.stateful_set.stateful_set_utils import ordinal_of, pod_for
from k8slab.control_plane.controllers.stateful_set.status import calculate_status

__all__ = [
    "StatefulSetController",
    "StatefulSetPlan",
    "calculate_status",
    "ordinal_of",
    "plan",
    "pod_for",
]
