"""What of a change of a node or a Pod can make a waiting Pod schedulable.

Interface: `node_changes`, `assigned_changes` (a Pod that has a node), `pod_changes` (the waiting
Pod itself). Each returns `Action` bits, 0 for a change that helps nobody, such as a heartbeat.

Rule of use: bits say what changed; whether it helps a certain Pod is what plugins are asked.

Upstream: pkg/scheduler/framework/events.go
"""

from __future__ import annotations

from k8slab.api.core import Node, Pod
from k8slab.api.requests import pod_requests
from k8slab.control_plane.scheduler.framework.interface import Action


def node_changes(old: Node | None, new: Node) -> int:
    """Return what changed on a node that can help a Pod, as `Action` bits; heartbeats cannot."""
    if old is None:
        return Action.ADD
    actions = 0
    if old.status.allocatable != new.status.allocatable:
        actions |= Action.UPDATE_NODE_ALLOCATABLE
    if old.metadata.labels != new.metadata.labels:
        actions |= Action.UPDATE_NODE_LABEL
    uncordoned = old.spec.unschedulable and not new.spec.unschedulable
    if uncordoned or old.spec.taints != new.spec.taints:
        actions |= Action.UPDATE_NODE_TAINT
    return actions


def assigned_changes(old: Pod | None, new: Pod) -> int:
    """Return what changed on a Pod with a node that can help others."""
    if old is None or not old.spec.nodeName:
        return Action.ADD
    actions = 0
    if old.metadata.labels != new.metadata.labels:
        actions |= Action.UPDATE_POD_LABEL
    if shrinks(old, new):
        actions |= Action.UPDATE_POD_SCALE_DOWN
    return actions


def pod_changes(old: Pod, new: Pod) -> int:
    """Return which of a waiting Pod's changes can help it, as `Action` bits; 0 for none."""
    actions = 0
    if old.metadata.labels != new.metadata.labels:
        actions |= Action.UPDATE_POD_LABEL
    if old.spec is new.spec:
        return actions
    if old.spec.tolerations != new.spec.tolerations:
        actions |= Action.UPDATE_POD_TOLERATION
    if old.spec.schedulingGates and not new.spec.schedulingGates:
        actions |= Action.UPDATE_POD_GATES_ELIMINATED
    if shrinks(old, new):
        actions |= Action.UPDATE_POD_SCALE_DOWN
    return actions


def shrinks(old: Pod, new: Pod) -> bool:
    """Say whether the Pod asks for, or still takes, less of something than it did."""
    same = old.spec is new.spec or old.spec == new.spec
    if same and _resized(old) == _resized(new):
        return False
    before, after = pod_requests(old), pod_requests(new)
    return any(after.get(name, 0) < amount for name, amount in before.items())


def _resized(pod: Pod) -> list[tuple[object, object]]:
    """Return what containers still take, where a resize is under way."""
    statuses = (*pod.status.containerStatuses, *pod.status.initContainerStatuses)
    return [(each.resources, each.allocatedResources) for each in statuses if each.resources]
