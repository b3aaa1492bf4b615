"""Pod garbage collection: clears away Pods that no kubelet ever will.

`doomed` says which: Pods of a node that does not exist, Pods that are being deleted on a node which
somebody marked out of service, Pods deleted before they had a node, and the oldest of too many
finished ones. `PodGarbageCollector` is the loop; it looks every 20 s if there is a reason to.

Rule of use: a missing node is given 40 s to come back, and a Pod that runs is set to Failed first.

Upstream: pkg/controller/podgc/gc_controller.go
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from k8slab.api.conditions import is_true, set_condition
from k8slab.api.core import Node, Pod, PodCondition
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, timestamp
from k8slab.api.pods import is_pod_terminal
from k8slab.client import Client, ConnectionFailed, EventRecorder, Informers
from k8slab.control_plane.controllers.controller_utils import decide
from k8slab.sim import Signal

PERIOD = 20.0  # s, gcCheckPeriod
QUARANTINE = 40.0  # s, quarantineTime
THRESHOLD = 12500  # Pods, --terminated-pod-gc-threshold
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
NEVER = math.inf
ROUNDING = 1e-6  # of a period: a sum of floats may be a hair beyond the moment it means


class Doomed(msgspec.Struct, frozen=True):
    """A Pod to clear away, and why; `orphaned` if its node does not exist."""

    pod: Pod
    why: str
    orphaned: bool = False


def doomed(pods: Sequence[Pod], node: Node | None) -> list[Doomed]:
    """Say which Pods of one node, or of none, have nobody to clear them away.

    `node` is None if it does not exist; Pods without a node name have never been bound.
    """
    found = []
    abandoned = node is not None and is_out_of_service(node)
    for pod in pods:
        leaving = pod.metadata.deletionTimestamp is not None
        if not pod.spec.nodeName:
            if leaving:
                found.append(Doomed(pod, "deleted before it had a node"))
        elif node is None:
            found.append(Doomed(pod, f"node {pod.spec.nodeName} no longer exists", True))
        elif abandoned and leaving:
            found.append(Doomed(pod, f"node {pod.spec.nodeName} is out of service"))
    return found


def is_out_of_service(node: Node) -> bool:
    """Say whether somebody declared a node that is not ready to be off for good."""
    tainted = any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)
    return tainted and not is_true(node.status.conditions, "Ready")


def superfluous(pods: Sequence[Pod], threshold: int = THRESHOLD) -> list[Pod]:
    """Return the finished Pods beyond the threshold: evicted ones first, then the oldest."""
    finished = [pod for pod in pods if is_pod_terminal(pod)]
    finished.sort(
        key=lambda pod: (
            pod.status.reason != "Evicted",
            pod.metadata.creationTimestamp,
            pod.metadata.name,
        )
    )
    return finished[: max(len(finished) - threshold, 0)]


class PodGarbageCollector:
    """The loop: every 20 s, while there are Pods that nobody looks after."""

    component = "pod-garbage-collector-controller"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        *,
        threshold: int = THRESHOLD,
    ) -> None:
        self._sim = informers.sim
        self._client = client
        self._threshold = threshold
        self._nodes = informers.informer(Node)
        self._pods = informers.informer(Pod)
        self._suspects: dict[str, float | None] = {}  # nodes, and since when they are missing
        self._finished = 0
        self._started = self._sim.now
        self._news = Signal(self._sim, f"{self.component}: news")

    async def run(self) -> None:
        """Clear away for ever."""
        self._pods.add_index("node", lambda pod: (pod.spec.nodeName,))
        for informer in (self._nodes, self._pods):
            await informer.synced.wait()
        self._started = self._sim.now
        self._nodes.add_handler(self._on_node)
        self._pods.add_handler(self._on_pod)
        due = NEVER
        while True:
            wait = due - self._sim.now
            if wait > 0 and await self._news.wait(None if due == NEVER else wait):
                self._news = Signal(self._sim, f"{self.component}: news")
                due = min(due, self._next_period(self._sim.now))
                continue
            due = self._next_period(await self._collect())

    def _next_period(self, time: float) -> float:
        """Return the first moment from `time` on at which upstream would look, too."""
        if time == NEVER:
            return NEVER
        periods = math.ceil((time - self._started) / PERIOD - ROUNDING)
        return self._started + periods * PERIOD

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        node = new or old
        assert node is not None
        if new is None or is_out_of_service(new):
            self._suspect(node.metadata.name)

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        self._finished += (new is not None and is_pod_terminal(new)) - (
            old is not None and is_pod_terminal(old)
        )
        if new is None:
            return
        if doomed([new], self._nodes.by_key(new.spec.nodeName)):
            self._suspect(new.spec.nodeName)
        if self._finished > self._threshold:
            self._news.set()

    def _suspect(self, node: str) -> None:
        self._suspects.setdefault(node, None)
        self._news.set()

    # -- one look

    async def _collect(self) -> float:
        """Clear away what is due; return when the next look is worth it."""
        worth = NEVER
        try:
            for name in list(self._suspects):
                worth = min(worth, await self._look_at(name))
            if self._finished > self._threshold:
                for pod in superfluous(self._pods.all(), self._threshold):
                    await self._clear(Doomed(pod, f"more than {self._threshold} are finished"))
        except (ApiError, ConnectionFailed):
            return self._sim.now + PERIOD
        return worth

    async def _look_at(self, name: str) -> float:
        pods = self._pods.by_index("node", name)
        node = self._nodes.by_key(name)
        found = doomed(pods, node)
        if not found:
            del self._suspects[name]
            return NEVER
        if found[0].orphaned:
            since = self._suspects[name]
            if since is None:
                since = self._suspects[name] = self._sim.now
            if self._sim.now < since + QUARANTINE:
                return since + QUARANTINE
            if await self._exists(name):
                del self._suspects[name]
                return NEVER
        for one in found:
            await self._clear(one)
        return NEVER

    async def _exists(self, node: str) -> bool:
        """Ask the API server itself: the informer may be late."""
        try:
            await self._client.get(Node, node)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
            return False
        return True

    async def _clear(self, one: Doomed) -> None:
        pod, meta = one.pod, one.pod.metadata
        decide(self._sim, self.component, pod, f"delete: {one.why}")
        try:
            if not is_pod_terminal(pod):
                pod = await self._client.get(Pod, meta.name, meta.namespace)
                status = replace(pod.status, phase="Failed")
                if one.orphaned:
                    conditions = set_condition(status.conditions, self._disrupted())
                    status = replace(status, conditions=conditions)
                await self._client.update_status(replace(pod, status=status))
            now = DeleteOptions(gracePeriodSeconds=0)
            await self._client.delete(Pod, meta.name, meta.namespace, now)
        except ApiError as error:
            if error.reason != "NotFound":
                raise

    def _disrupted(self) -> PodCondition:
        return PodCondition(
            type="DisruptionTarget",
            status="True",
            reason="DeletionByPodGC",
            message="PodGC: node no longer exists",
            lastTransitionTime=timestamp(self._sim.now),
        )
