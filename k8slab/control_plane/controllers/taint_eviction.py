"""Taint eviction: deletes Pods from nodes that have a NoExecute taint which they do not tolerate.

`eviction_delay` says after how many seconds a Pod has to go: at once, after the least
tolerationSeconds among the tolerations that count, or never. `TaintEvictionController` keeps a
timer for each Pod, and drops it when the taint goes in time.

Rule of use: deleting is all it does; the replacement is its controller's business.

Upstream: pkg/controller/tainteviction/taint_eviction.go
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from k8slab.api.conditions import set_condition
from k8slab.api.core import Node, Pod, PodCondition, Taint, Toleration
from k8slab.api.errors import ApiError
from k8slab.api.meta import timestamp
from k8slab.api.taints import covers
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.controller_utils import decide, work

WORKERS = 8  # UpdateWorkerSize
NEVER = math.inf
MIRROR = "kubernetes.io/config.mirror"
SYSTEM = "kube-system"  # its Pods keep the lab's own decision, so that the cluster comes up
Delay = Callable[[Sequence[Taint], Sequence[Toleration]], float]


def eviction_delay(taints: Sequence[Taint], tolerations: Sequence[Toleration]) -> float:
    """Return after how many seconds under these NoExecute taints a Pod has to go.

    0 if it does not tolerate one of them, infinity if it tolerates all of them for ever. For each
    taint the first toleration that covers it counts, and of those the shortest.
    """
    limit = NEVER
    for taint in taints:
        first = next((each for each in tolerations if covers(each, taint)), None)
        if first is None:
            return 0.0
        if first.tolerationSeconds is not None:
            limit = min(limit, float(first.tolerationSeconds))
    return max(limit, 0.0)


class TaintEvictionController:
    """The loop: at each change of a node's taints or of a Pod, set or drop its timer."""

    component = "taint-eviction-controller"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        *,
        delay: Delay = eviction_delay,
    ) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._delay = delay
        self._nodes = informers.informer(Node)
        self._pods = informers.informer(Pod)
        self._queue = WorkQueue(self._sim, self.component)
        self._since: dict[str, float] = {}  # when the Pod's node was found tainted

    async def run(self) -> None:
        """Evict for ever."""
        self._pods.add_index("node", lambda pod: (pod.spec.nodeName,))
        for informer in (self._nodes, self._pods):
            await informer.synced.wait()
        self._nodes.add_handler(self._on_node)
        self._pods.add_handler(self._on_pod)
        await work(self._sim, self._queue, self._sync, WORKERS)

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        before = no_execute(old) if old is not None else []
        after = no_execute(new) if new is not None else []
        node = new or old
        if before != after and node is not None:
            for pod in self._pods.by_index("node", node.metadata.name):
                self._queue.add(key_of(pod))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            assert old is not None
            self._since.pop(key_of(old), None)
            return
        before = (old.spec.nodeName, old.spec.tolerations) if old is not None else None
        if new.spec.nodeName and before != (new.spec.nodeName, new.spec.tolerations):
            node = self._nodes.by_key(new.spec.nodeName)
            if node is not None and no_execute(node):
                self._queue.add(key_of(new))

    async def _sync(self, key: str) -> None:
        pod = self._pods.by_key(key)
        node = self._nodes.by_key(pod.spec.nodeName) if pod is not None else None
        taints = no_execute(node) if node is not None else []
        if pod is None or pod.metadata.deletionTimestamp is not None or not taints:
            self._cancel(key, pod)
            return
        delay = self._delay_of(pod, taints)
        if delay == NEVER or MIRROR in pod.metadata.annotations:
            self._cancel(key, None)
            return
        now = self._sim.now
        left = self._since.setdefault(key, now) + delay - now
        if left > 0:
            self._queue.add_after(key, left)
        else:
            await self._evict(key, pod)

    def _delay_of(self, pod: Pod, taints: Sequence[Taint]) -> float:
        if pod.metadata.namespace == SYSTEM:
            return eviction_delay(taints, pod.spec.tolerations)
        try:
            return self._delay(taints, pod.spec.tolerations)
        except ReplacementError as error:
            self._recorder.event(pod, "Warning", "FailedEvictionDelay", str(error))
            return NEVER

    def _cancel(self, key: str, pod: Pod | None) -> None:
        planned = self._since.pop(key, None) is not None
        if planned and pod is not None and pod.metadata.deletionTimestamp is None:
            text = f"Cancelling deletion of Pod {key}"
            self._recorder.event(pod, "Normal", "TaintManagerEviction", text)

    async def _evict(self, key: str, pod: Pod) -> None:
        meta = pod.metadata
        decide(self._sim, self.component, pod, f"delete: node {pod.spec.nodeName} is tainted")
        text = f"Marking for deletion Pod {key}"
        self._recorder.event(pod, "Normal", "TaintManagerEviction", text)
        disrupted = PodCondition(
            type="DisruptionTarget",
            status="True",
            reason="DeletionByTaintManager",
            message="Taint manager: deleting due to NoExecute taint",
            lastTransitionTime=timestamp(self._sim.now),
        )
        try:
            newest = await self._client.get(Pod, meta.name, meta.namespace)
            conditions = set_condition(newest.status.conditions, disrupted)
            status = replace(newest.status, conditions=conditions)
            await self._client.update_status(replace(newest, status=status))
            await self._client.delete(Pod, meta.name, meta.namespace)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
        self._since.pop(key, None)


def no_execute(node: Node) -> list[Taint]:
    """Return the node's taints that drive Pods away."""
    return [taint for taint in node.spec.taints if taint.effect == "NoExecute"]
