"""What the informers tell: into the cache with Pods that have a node, into the queue with others.

`EventHandlers.pod` and `.node` are the handlers; every change that could help a waiting Pod is
handed to the queue, which asks the plugins.

Rule of use: handlers look and enqueue; they never wait.

Upstream: pkg/scheduler/eventhandlers.go
"""

from __future__ import annotations

from collections.abc import Container

from k8slab.api.core import Node, Pod
from k8slab.api.meta import Object
from k8slab.api.pods import is_pod_terminal
from k8slab.client import key_of
from k8slab.control_plane.scheduler.cache import Cache
from k8slab.control_plane.scheduler.framework.events import assigned_changes, node_changes
from k8slab.control_plane.scheduler.framework.interface import Action, Resource
from k8slab.control_plane.scheduler.framework.snapshot import Nominator
from k8slab.control_plane.scheduler.framework.types import PodInfo, scheduler_name
from k8slab.control_plane.scheduler.scheduling_queue import SchedulingQueue

GONE, WAITING, ASSIGNED = "gone", "waiting", "assigned"


class EventHandlers:
    """Keeps the cache and the queue of one scheduler true."""

    def __init__(
        self,
        cache: Cache,
        queue: SchedulingQueue,
        nominator: Nominator,
        profiles: Container[str],
    ) -> None:
        self._cache = cache
        self._queue = queue
        self._nominator = nominator
        self._profiles = profiles  # the names by which Pods ask for this scheduler

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
            if after == GONE and pod.status.nominatedNodeName:
                self._gives_up_its_node(pod)
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
        """Follow claims, volumes and classes, for Pods that wait for one."""
        obj = new or old
        assert obj is not None
        action = Action.ADD if old is None else Action.DELETE if new is None else Action.UPDATE
        self._queue.move_all(obj.kind, action, old, new)

    def _gives_up_its_node(self, pod: Pod) -> None:
        """Try those Pods again that the nomination of this one kept off: none matters more."""
        room = Resource.ASSIGNED_POD, Action.DELETE
        self._queue.move_all(*room, pod, None, up_to=pod.spec.priority or 0)

    def _state(self, pod: Pod | None) -> str:
        if pod is None or is_pod_terminal(pod):
            return GONE
        if pod.spec.nodeName:
            return ASSIGNED
        return WAITING if scheduler_name(pod) in self._profiles else GONE

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
