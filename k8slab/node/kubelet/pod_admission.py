"""Taking on the Pods that are new to this node, or turning them away.

    new Pod --node under pressure?--fits?--> its worker starts
                    |                 |no, and it is critical: others are ended first
                    +-----------------+--> Failed, with an Event that says why

Rule of use: `add` each Pod that the kubelet hears of for the first time.

Upstream: pkg/kubelet/kubelet.go (HandlePodAdditions, rejectPod), pkg/kubelet/lifecycle/predicate.go
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.core import Node, Pod, PodCondition, PodStatus
from k8slab.node.kubelet import preemption
from k8slab.node.kubelet import status as pod_status
from k8slab.node.kubelet.admission import Lacking, Rejection, admit
from k8slab.node.kubelet.allocation import Allocations
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.kubelet_pods import Eviction
from k8slab.node.kubelet.node_status_setters import allocatable
from k8slab.node.kubelet.pod_sync import FINAL
from k8slab.node.kubelet.pod_workers import PodWorkers
from k8slab.node.kubelet.status_manager import StatusManager
from k8slab.sim import Group

PREEMPTION_POLL = 1.0  # s, until the Pods that make room have ended
Pressure = Callable[[Pod], Rejection | None]


class PodAdmission:
    """The door of the node."""

    def __init__(
        self,
        deps: Dependencies,
        group: Group,
        *,
        allocations: Allocations,
        workers: PodWorkers,
        statuses: StatusManager,
        node: Callable[[], Node | None],
        pressure: Pressure,
    ) -> None:
        self._deps = deps
        self._group = group
        self._allocations = allocations
        self._workers = workers
        self._statuses = statuses
        self._node = node
        self._pressure = pressure

    def add(self, pod: Pod) -> None:
        """Take on a Pod, unless it cannot run here."""
        terminating = pod.metadata.deletionTimestamp is not None
        if pod.status.phase in FINAL and not terminating and not self._has_sandbox(pod):
            return  # turned away: nothing of it was ever here
        # A Pod with a start time was admitted by the kubelet that ran here before.
        if pod.status.phase in FINAL or terminating or pod.status.startTime is not None:
            self._workers.update(pod)
            return
        refusal = self._pressure(pod)
        if refusal is not None:
            self._reject(pod, refusal)
            return
        others = self._workers.others(pod.metadata.uid)
        reasons = admit(pod, others, allocatable(self._deps), self._node())
        if reasons and preemption.is_critical(pod):
            self._admit_critical(pod, reasons)
        elif reasons:
            self._reject(pod, reasons[0])
        else:
            self._take_on(pod)

    def _has_sandbox(self, pod: Pod) -> bool:
        uid = pod.metadata.uid
        return any(found.config.uid == uid for found in self._deps.runtime.sandboxes())

    def _take_on(self, pod: Pod) -> None:
        self._allocations.give(pod)
        self._workers.update(pod)

    def _admit_critical(self, pod: Pod, reasons: tuple[Rejection | Lacking, ...]) -> None:
        """A want of resources does not keep a critical Pod out: others are ended for it."""
        lacking = [reason for reason in reasons if isinstance(reason, Lacking)]
        if len(lacking) < len(reasons):
            self._reject(pod, next(r for r in reasons if not isinstance(r, Lacking)))
            return
        try:
            victims = preemption.pods_to_preempt(pod, self._workers.active(), lacking)
        except ValueError as error:
            text = f"Unexpected error while attempting to recover from admission failure: {error}"
            self._reject(pod, Rejection("UnexpectedAdmissionError", text))
            return
        for victim in victims:
            self._preempt(victim)
        coroutine = self._when_gone(pod, [victim.metadata.uid for victim in victims])
        self._deps.sim.spawn(coroutine, f"kubelet: room for {pod.metadata.name}", self._group)

    def _preempt(self, victim: Pod) -> None:
        self._deps.recorder.event(victim, "Warning", preemption.REASON, preemption.MESSAGE)
        condition = PodCondition(
            type="DisruptionTarget",
            status="True",
            reason="TerminationByKubelet",
            message=preemption.CONDITION_MESSAGE,
        )
        verdict = Eviction(preemption.REASON, preemption.MESSAGE, condition)
        self._workers.evict(victim.metadata.uid, verdict, None)

    async def _when_gone(self, pod: Pod, victims: list[str]) -> None:
        while any(self._workers.has_containers(uid) for uid in victims):
            await self._deps.sim.sleep(PREEMPTION_POLL, "kubelet: preemption")
        self._take_on(pod)

    def _reject(self, pod: Pod, rejection: Rejection | Lacking) -> None:
        self._deps.recorder.event(pod, "Warning", rejection.reason, rejection.message)
        status = PodStatus(
            phase=pod_status.FAILED,
            qosClass=pod.status.qosClass,
            reason=rejection.reason,
            message=f"Pod was rejected: {rejection.message}",
            observedGeneration=pod.metadata.generation,
        )
        self._statuses.set(pod.metadata.uid, pod.status, status, finished=True)
