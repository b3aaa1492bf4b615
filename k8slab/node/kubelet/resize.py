"""Resizing a Pod in place: whether the node can give what its spec now wants, and what is told.

    spec changed --fits?--> given: PodResizeInProgress --containers changed--> done, no condition
                    |no
                    +--> PodResizePending: Infeasible (never on this node) or Deferred (not now)

A deferred resize is tried again when another Pod has ended or was resized: those that ask for no
more first, then by priority, by QoS class, and by how long they have waited.

Rule of use: `consider` each Pod whose spec has changed; `settle` after each look at its containers.

Upstream: pkg/kubelet/allocation/{allocation_manager,handlers}.go, pkg/kubelet/events/event.go
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.api.codec import to_dict
from k8slab.api.core import Pod, PodCondition
from k8slab.api.meta import timestamp
from k8slab.node.interfaces import RUNNING
from k8slab.node.kubelet.admission import Rejection, lacking_resources, pod_requests
from k8slab.node.kubelet.allocation import Allocations, container_resources
from k8slab.node.kubelet.container import PodRuntimeStatus, is_restartable_init
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.node_status_setters import allocatable
from k8slab.node.kubelet.pod_manager import PodManager

PENDING, IN_PROGRESS = "PodResizePending", "PodResizeInProgress"
INFEASIBLE, DEFERRED, ERROR = "Infeasible", "Deferred", "Error"
RESIZABLE = ("cpu", "memory")
Usage = Callable[[str], Mapping[str, int]]  # what all Pods but the one with this uid have


def judge(pod: Pod, used: Mapping[str, int], available: Mapping[str, str]) -> Rejection | None:
    """Return why the Pod cannot have what its spec wants, None if it can.

    `used` is what the other Pods of the node have, `available` the node's allocatable.
    """
    wanted = pod_requests(pod)
    too_much = {lack.resource: lack for lack in lacking_resources(wanted, {}, available)}
    for resource in ("memory", "cpu"):
        lack = too_much.get(resource)
        if lack is not None:
            text = f"{resource}, requested: {lack.requested}, capacity: {lack.capacity}"
            return Rejection(INFEASIBLE, f"Node didn't have enough capacity: {text}")
    lacking = lacking_resources(wanted, used, available)
    return Rejection(DEFERRED, lacking[0].message) if lacking else None


def summary(pod: Pod, error: str = "") -> str:
    """Return what the Pod's containers want, as the Events of a resize show it."""

    def listed(containers: Any) -> list[dict[str, Any]]:
        return [{"name": c.name, "resources": _sorted(to_dict(c.resources))} for c in containers]

    shown: dict[str, Any] = {}
    sidecars = [c for c in pod.spec.initContainers if is_restartable_init(c)]
    if sidecars:
        shown["initContainers"] = listed(sidecars)
    shown["containers"] = listed(pod.spec.containers)
    shown["generation"] = pod.metadata.generation
    if error:
        shown["error"] = error
    return json.dumps(shown, separators=(",", ":"))


def _sorted(amounts: dict[str, Any]) -> dict[str, Any]:
    return {
        kind: dict(sorted(amounts[kind].items()))
        for kind in ("limits", "requests")
        if kind in amounts
    }


def is_increase(pod: Pod, given: Pod) -> bool:
    """Say whether the Pod wants more cpu or memory than it was given."""
    wanted, has = pod_requests(pod), pod_requests(given)
    return any(wanted.get(resource, 0) > has.get(resource, 0) for resource in RESIZABLE)


class ResizeManager:
    """The resizes of one node's Pods, and the two conditions that tell of them."""

    def __init__(
        self,
        deps: Dependencies,
        pods: PodManager,
        allocations: Allocations,
        used: Usage,
        *,
        on_given: Callable[[Pod], None],
        on_told: Callable[[str], None],
    ) -> None:
        self._deps = deps
        self._pods = pods
        self._allocations = allocations
        self._used = used
        self._on_given = on_given  # the Pod may have what it wants; somebody has to do it
        self._on_told = on_told  # hears uids: the Pod's status has to be told
        self._pending: dict[str, None] = {}  # uids
        self._conditions: dict[str, dict[str, PodCondition]] = {}

    def conditions(self, uid: str) -> tuple[PodCondition, ...]:
        """Return the Pod's conditions: of a resize that waits, and of one under way."""
        found = self._conditions.get(uid, {})
        return tuple(found[type_] for type_ in (PENDING, IN_PROGRESS) if type_ in found)

    def consider(self, pod: Pod) -> None:
        """Look at a Pod whose spec has changed."""
        uid = pod.metadata.uid
        if self._allocations.of(pod) is not pod:
            self._pending[uid] = None
            self.retry()
        else:
            self._pending.pop(uid, None)
            self._clear(uid, PENDING)

    def retry(self) -> None:
        """Try all resizes that wait: the node's room has changed, or one more has come."""
        found = [self._pods.get(uid) for uid in self._pending]
        for pod in sorted((pod for pod in found if pod is not None), key=self._rank):
            self._try(pod)

    def _rank(self, pod: Pod) -> tuple[bool, int, bool, str]:
        waiting = self._conditions.get(pod.metadata.uid, {}).get(PENDING)
        return (
            is_increase(pod, self._allocations.of(pod)),
            -(pod.spec.priority or 0),
            pod.status.qosClass != "Guaranteed",
            (waiting and waiting.lastTransitionTime) or "~",  # who has not waited yet is last
        )

    def _try(self, pod: Pod) -> None:
        uid, generation = pod.metadata.uid, pod.metadata.generation
        refusal = judge(pod, self._used(uid), allocatable(self._deps))
        if refusal is None:
            del self._pending[uid]
            self._allocations.give(pod)
            self._clear(uid, PENDING)
            self._clear(uid, IN_PROGRESS)
            self._set(uid, IN_PROGRESS, "", "", generation)
            self._tell(pod, "Normal", "ResizeStarted", f"Pod resize started: {summary(pod)}")
            self._on_given(pod)
            return
        if refusal.reason == INFEASIBLE:
            del self._pending[uid]
        if self._set(uid, PENDING, refusal.reason, refusal.message, generation):
            text = f"Pod resize {refusal.reason}: {summary(pod, refusal.message)}"
            self._tell(pod, "Warning", f"Resize{refusal.reason}", text)
            self._on_told(uid)

    def settle(self, pod: Pod, runtime: PodRuntimeStatus) -> None:
        """Say that a resize is under way, until the containers have what they were given."""
        uid = pod.metadata.uid
        known = IN_PROGRESS in self._conditions.get(uid, {})
        if is_in_progress(pod, runtime):
            if not known:  # this kubelet has not begun it
                self._set(uid, IN_PROGRESS, "", "", pod.metadata.generation)
        elif known:
            self._clear(uid, IN_PROGRESS)
            self._tell(pod, "Normal", "ResizeCompleted", f"Pod resize completed: {summary(pod)}")

    def failed(self, pod: Pod, message: str) -> None:
        """Tell that a container could not be given what its Pod was."""
        if self._set(pod.metadata.uid, IN_PROGRESS, ERROR, message, pod.metadata.generation):
            text = f"Pod resize error: {summary(pod, message)}"
            self._tell(pod, "Warning", "ResizeError", text)

    def forget(self, uid: str) -> None:
        """Drop a Pod that runs no more."""
        self._pending.pop(uid, None)
        self._conditions.pop(uid, None)

    def _set(self, uid: str, type_: str, reason: str, message: str, generation: int) -> bool:
        """Note a condition; False if it was just so."""
        before, now = self._conditions.get(uid, {}).get(type_), timestamp(self._deps.sim.now)
        same = before is not None and before.reason == reason
        condition = PodCondition(
            type=type_,
            status="True",
            reason=reason,
            message=message,
            observedGeneration=generation,
            lastProbeTime=now,
            lastTransitionTime=before.lastTransitionTime if same and before is not None else now,
        )
        if before is not None and condition == replace(before, lastProbeTime=now):
            return False
        self._conditions.setdefault(uid, {})[type_] = condition
        return True

    def _clear(self, uid: str, type_: str) -> None:
        self._conditions.get(uid, {}).pop(type_, None)

    def _tell(self, pod: Pod, type_: str, reason: str, message: str) -> None:
        self._deps.recorder.event(pod, type_, reason, message)


def is_in_progress(pod: Pod, runtime: PodRuntimeStatus) -> bool:
    """Say whether a running container has other resources than the Pod was given."""
    for container in (*pod.spec.initContainers, *pod.spec.containers):
        found = runtime.find(container.name)
        if found is None or found.state != RUNNING:
            continue
        if found.config.resources != container_resources(container):
            return True
    return False
