"""What the informers tell: into the cache with Pods that have a node, into the queue with others.

`EventHandlers.pod` and `.node` are the handlers; every change that could help a waiting Pod is
handed to the queue, which asks the plugins.

Rule of use: handlers look and enqueue; they never wait.

Upstream: pkg/scheduler/eventhandlers.go
"""

from __future__ import annotations

from k8slab.api.core import Node, Pod
from k8slab.api.meta import Object
from k8slab.api.pods import is_pod_terminal
from k8slab.client import key_of
from k8slab.control_plane.scheduler.cache import Cache
from k8slab.control_plane.scheduler.framework.interface import Action, Resource
from k8slab.control_plane.scheduler.framework.snapshot import Nominator
from k8slab.control_plane.scheduler.framework.types import PodInfo
from k8slab.control_plane.scheduler.scheduling_queue import SchedulingQueue, shrinks

DEFAULT_SCHEDULER_NAME = "default-scheduler"

GONE, WAITING, ASSIGNED = "gone", "waiting", "assigned"


class EventHandlers:
    """Keeps the cache and the queue of one scheduler true."""

    def __init__(
        self, cache: Cache, queue: SchedulingQueue, nominator: Nominator, scheduler_name: str
    ) -> None:
        self._cache = cache
        self._queue = queue
        self._nominator = nominator
        self._scheduler_name = scheduler_name

    def pod(self, old: Pod | None, new: Pod | None) -> None:
        """Follow a Pod from waiting over assigned to gone."""
        pod = new or old
        if pod is None:
            return
        key = key_of(pod)
        before, after = self._state(old), self._state(new)
        if before == WAITING and after != WAITING:
            self._queue.delete(key)
            self._nominator.delete(key)
        if new is not None and after == WAITING:
            self._waits(old if before == WAITING else None, new)
        elif new is not None and after == ASSIGNED:
            self._cache.set_pod(new)
            actions = assigned_changes(old, new)
            if actions:
                self._queue.move_all(Resource.ASSIGNED_POD, actions, old, new)
        elif before == ASSIGNED or self._cache.is_assumed(key):
            self._cache.remove_pod(key)
            self._queue.move_all(Resource.ASSIGNED_POD, Action.DELETE, pod, None)

    def node(self, old: Node | None, new: Node | None) -> None:
        """Follow a node."""
        if new is not None:
            self._cache.set_node(new)
            actions = node_changes(old, new)
            if actions:
                self._queue.move_all(Resource.NODE, actions, old, new)
        elif old is not None:
            self._cache.remove_node(old.metadata.name)
            self._queue.move_all(Resource.NODE, Action.DELETE, old, None)

    def storage(self, old: Object | None, new: Object | None) -> None:
        """Follow claims, volumes and classes: any change may help a Pod that waits for one."""
        action = Action.ADD if old is None else Action.DELETE if new is None else Action.UPDATE
        self._queue.move_all(Resource.STORAGE, action, old, new)

    def _state(self, pod: Pod | None) -> str:
        if pod is None or is_pod_terminal(pod):
            return GONE
        if pod.spec.nodeName:
            return ASSIGNED
        mine = (pod.spec.schedulerName or DEFAULT_SCHEDULER_NAME) == self._scheduler_name
        return WAITING if mine else GONE

    def _waits(self, old: Pod | None, new: Pod) -> None:
        key = key_of(new)
        if self._cache.is_assumed(key):
            return  # an older version than what the scheduler already decided
        if old is not None and key in self._queue:
            self._queue.update(old, new)
        else:
            self._queue.add(new)
        if new.status.nominatedNodeName:
            self._nominator.add(PodInfo(new), new.status.nominatedNodeName)
        elif old is not None and old.status.nominatedNodeName:
            self._nominator.delete(key)


def node_changes(old: Node | None, new: Node) -> int:
    """Return what changed on a node that can help a Pod, as `Action` bits; heartbeats cannot."""
    if old is None:
        return Action.ADD
    actions = 0
    if old.status.allocatable != new.status.allocatable:
        actions |= Action.UPDATE_NODE_ALLOCATABLE
    if old.metadata.labels != new.metadata.labels:
        actions |= Action.UPDATE_NODE_LABEL
    if (old.spec.taints, old.spec.unschedulable) != (new.spec.taints, new.spec.unschedulable):
        actions |= Action.UPDATE_NODE_TAINT
    return actions


def assigned_changes(old: Pod | None, new: Pod) -> int:
    """Return what changed on a Pod with a node that can help others."""
    if old is None or not old.spec.nodeName:
        return Action.ADD
    actions = 0
    if old.metadata.labels != new.metadata.labels:
        actions |= Action.UPDATE_POD_LABEL
    if old.spec is not new.spec and shrinks(old, new):
        actions |= Action.UPDATE_POD_SCALE_DOWN
    return actions
