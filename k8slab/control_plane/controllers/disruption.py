"""The disruption controller: how many Pods each PodDisruptionBudget can bear to lose just now.

`expected` and `calculate_status` are the decisions; `DisruptionController` is the loop. Evictions
read and lower what it writes (`disruptionsAllowed`); it counts anew at each change of a Pod.

Rule of use: only ready Pods count as healthy; one that an eviction is about to delete does not.

Upstream: pkg/controller/disruption/disruption.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.api.apps import Deployment, ReplicaSet, StatefulSet
from k8slab.api.conditions import set_condition
from k8slab.api.core import Pod, ReplicationController
from k8slab.api.labels import from_label_selector
from k8slab.api.meta import (
    Condition,
    Object,
    OwnerReference,
    controller_of,
    seconds,
    timestamp,
)
from k8slab.api.pods import is_pod_ready
from k8slab.api.policy import PodDisruptionBudget, PodDisruptionBudgetStatus
from k8slab.api.rollouts import scaled_value
from k8slab.api.scheme import lookup, resource_for
from k8slab.client import Client, EventRecorder, Informers, WorkQueue, key_of
from k8slab.control_plane.controllers.controller_utils import work

DELETION_TIMEOUT = 120.0  # s, after which an evicted Pod that is still there counts again
UNMANAGED = (
    "Pods selected by this PodDisruptionBudget (selector: {selector}) were found to be unmanaged. "
    "As a result, the status of the PDB cannot be calculated correctly, which may result in "
    'undefined behavior. To account for these pods please set ".spec.minAvailable" '
    "field of the PDB to an integer value."
)


class Expected(msgspec.Struct, frozen=True):
    """How many Pods there should be, and how many of them must stay healthy."""

    pods: int
    healthy: int


def needs_scale(budget: PodDisruptionBudget) -> bool:
    """Say whether the budget is reckoned from the size that the Pods' owners want."""
    spec = budget.spec
    return spec.maxUnavailable is not None or isinstance(spec.minAvailable, str)


def expected(budget: PodDisruptionBudget, pods: int, scale: int) -> Expected:
    """Return what the budget asks for; `scale` is what the owners of its Pods want together.

    >>> from k8slab.api.policy import PodDisruptionBudgetSpec as Spec
    >>> expected(PodDisruptionBudget(spec=Spec(minAvailable="50%")), 3, 5)
    Expected(pods=5, healthy=3)
    >>> expected(PodDisruptionBudget(spec=Spec(maxUnavailable=1)), 3, 5)
    Expected(pods=5, healthy=4)
    """
    spec = budget.spec
    if spec.maxUnavailable is not None:
        away = scaled_value(spec.maxUnavailable, scale, round_up=True)
        return Expected(scale, max(scale - away, 0))
    if isinstance(spec.minAvailable, str):
        return Expected(scale, scaled_value(spec.minAvailable, scale, round_up=True))
    return Expected(pods, spec.minAvailable or 0)


def disrupted_pods(
    budget: PodDisruptionBudget, pods: Sequence[Pod], now: float
) -> Mapping[str, str]:
    """Return the Pods that evictions are about to delete, and since when."""
    there = {pod.metadata.name: pod for pod in pods}
    return {
        name: since
        for name, since in budget.status.disruptedPods.items()
        if name in there
        and there[name].metadata.deletionTimestamp is None
        and seconds(since) + DELETION_TIMEOUT > now
    }


def calculate_status(
    budget: PodDisruptionBudget, pods: Sequence[Pod], scale: int, *, now: float
) -> PodDisruptionBudgetStatus:
    """Return the budget's status; `pods` are those that it selects, `now` is in virtual seconds."""
    want = expected(budget, len(pods), scale)
    disrupted = disrupted_pods(budget, pods, now)
    healthy = sum(
        is_pod_ready(pod)
        for pod in pods
        if pod.metadata.deletionTimestamp is None and pod.metadata.name not in disrupted
    )
    allowed = max(healthy - want.healthy, 0) if want.pods > 0 else 0
    generation = budget.metadata.generation
    condition = Condition(
        type="DisruptionAllowed",
        status="True" if allowed else "False",
        reason="SufficientPods" if allowed else "InsufficientPods",
        lastTransitionTime=timestamp(now),
        observedGeneration=generation,
    )
    return PodDisruptionBudgetStatus(
        currentHealthy=healthy,
        desiredHealthy=want.healthy,
        expectedPods=want.pods,
        disruptionsAllowed=allowed,
        disruptedPods=disrupted,
        observedGeneration=generation,
        conditions=set_condition(budget.status.conditions, condition),
    )


def failed(budget: PodDisruptionBudget, why: str, now: float) -> PodDisruptionBudgetStatus:
    """Return the status of a budget that cannot be reckoned: nothing may be disrupted."""
    condition = Condition(
        type="DisruptionAllowed",
        status="False",
        reason="SyncFailed",
        message=why,
        lastTransitionTime=timestamp(now),
        observedGeneration=budget.status.observedGeneration,
    )
    conditions = set_condition(budget.status.conditions, condition)
    return replace(budget.status, disruptionsAllowed=0, conditions=conditions)


class _NoScaleError(Exception):
    """The controller of a Pod has no size."""


def _why_no_scale(pod: Pod, reference: OwnerReference, scalable: bool) -> str:
    kind = lookup(reference.apiVersion, reference.kind)
    if scalable or kind is None:
        return f'found no controllers for pod "{pod.metadata.name}"'
    return f"{resource_for(kind).group_resource} does not implement the scale subresource"


class DisruptionController:
    """The loop: at each change of a budget or of a Pod that it selects, count."""

    component = "disruption-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._budgets = informers.informer(PodDisruptionBudget)
        self._pods = informers.informer(Pod)
        self._owners: dict[str, Any] = {
            kind.__name__: informers.informer(kind)
            for kind in (ReplicaSet, Deployment, StatefulSet, ReplicationController)
        }
        self._queue = WorkQueue(self._sim, self.component)

    async def run(self) -> None:
        """Keep the status of all budgets for ever."""
        self._budgets.add_index("namespace", lambda budget: (budget.metadata.namespace,))
        self._pods.add_index("namespace", lambda pod: (pod.metadata.namespace,))
        self._budgets.add_handler(self._on_budget)
        self._pods.add_handler(self._on_pod)
        for informer in (self._budgets, self._pods, *self._owners.values()):
            await informer.synced.wait()
        await work(self._sim, self._queue, self._sync, 1)

    def _on_budget(self, old: PodDisruptionBudget | None, new: PodDisruptionBudget | None) -> None:
        if new is not None:
            self._queue.add(key_of(new))

    def _on_pod(self, old: Pod | None, new: Pod | None) -> None:
        pod = new or old
        assert pod is not None
        for budget in self._budgets.by_index("namespace", pod.metadata.namespace):
            selector = from_label_selector(budget.spec.selector)
            if any(p is not None and selector.matches(p.metadata.labels) for p in (old, new)):
                self._queue.add(key_of(budget))

    async def _sync(self, key: str) -> None:
        budget = self._budgets.by_key(key)
        if budget is None:
            return
        now = self._sim.now
        selector = from_label_selector(budget.spec.selector)
        there = self._pods.by_index("namespace", budget.metadata.namespace)
        pods = [pod for pod in there if selector.matches(pod.metadata.labels)]
        if not pods:
            self._recorder.event(budget, "Normal", "NoPods", "No matching pods found")
        try:
            scale = self._scale(budget, pods) if needs_scale(budget) else 0
        except _NoScaleError as error:
            text = f"Failed to calculate the number of expected pods: {error}"
            self._recorder.event(budget, "Warning", "CalculateExpectedPodCountFailed", text)
            await self._write(budget, failed(budget, str(error), now))
            self._queue.add_rate_limited(key)
            return
        self._queue.forget(key)
        status = calculate_status(budget, pods, scale, now=now)
        self._tell_of_survivors(budget, pods)
        await self._write(budget, status)
        if status.disruptedPods:
            first = min(map(seconds, status.disruptedPods.values()))
            self._queue.add_after(key, first + DELETION_TIMEOUT - now)

    async def _write(self, budget: PodDisruptionBudget, status: PodDisruptionBudgetStatus) -> None:
        if status != budget.status:
            await self._client.update_status(replace(budget, status=status))

    def _tell_of_survivors(self, budget: PodDisruptionBudget, pods: Sequence[Pod]) -> None:
        for pod in pods:
            since = budget.status.disruptedPods.get(pod.metadata.name)
            late = since is not None and seconds(since) + DELETION_TIMEOUT <= self._sim.now
            if late and pod.metadata.deletionTimestamp is None:
                text = f"Pod was expected by PDB {key_of(budget)} to be deleted but it wasn't"
                self._recorder.event(pod, "Warning", "NotDeleted", text)

    def _scale(self, budget: PodDisruptionBudget, pods: Sequence[Pod]) -> int:
        """Return the sum of the sizes that the Pods' controllers want."""
        sizes: dict[str, int] = {}
        unmanaged = 0
        for pod in pods:
            owner = self._owner(pod)
            reference = controller_of(pod)
            if reference is None:
                unmanaged += 1
            elif owner is None:
                raise _NoScaleError(_why_no_scale(pod, reference, reference.kind in self._owners))
            else:
                replicas = owner.spec.replicas
                sizes[owner.metadata.uid] = 1 if replicas is None else replicas
        if unmanaged:
            text = UNMANAGED.format(selector=from_label_selector(budget.spec.selector))
            self._recorder.event(budget, "Warning", "UnmanagedPods", text)
        return sum(sizes.values())

    def _owner(self, obj: Object) -> Any:
        """Return the highest owner that has a size: of a Deployment's Pods the Deployment."""
        reference = controller_of(obj)
        informer = self._owners.get(reference.kind) if reference is not None else None
        if reference is None or informer is None:
            return None
        owner = informer.get(obj.metadata.namespace, reference.name)
        if owner is None or owner.metadata.uid != reference.uid:
            return None
        return self._owner(owner) or owner
