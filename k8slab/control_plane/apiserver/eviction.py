"""Evictions: deletes of Pods that respect PodDisruptionBudgets.

`check` says whether the budgets of a Pod let it go, `spend` takes one disruption off a budget, so
that two evictions in the same moment cannot both use the last one. The disruption controller
counts anew when the Pod is gone.

Rule of use: a Pod that has not started or has ended disrupts nothing, so no budget is asked.

Upstream: pkg/registry/core/pod/storage/eviction.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api import errors, labels
from k8slab.api.conditions import set_condition
from k8slab.api.core import Pod
from k8slab.api.meta import Condition, StatusCause, StatusDetails, timestamp
from k8slab.api.pods import is_pod_ready
from k8slab.api.policy import PodDisruptionBudget
from k8slab.api.scheme import resource_for

REFUSAL = "Cannot evict pod as it would violate the pod's disruption budget."
SEVERAL = (
    "This pod has more than one PodDisruptionBudget, which the eviction subresource does not "
    "support."
)
MAX_DISRUPTED_PODS = 2000  # MaxDisruptedPodSize
RETRY_AFTER = 10  # s


def budgets_of(pod: Pod, budgets: Sequence[PodDisruptionBudget]) -> list[PodDisruptionBudget]:
    """Return the budgets that select the Pod, of those of its namespace."""
    return [
        budget
        for budget in budgets
        if budget.spec.selector is not None
        and labels.from_label_selector(budget.spec.selector).matches(pod.metadata.labels)
    ]


def check(pod: Pod, budgets: Sequence[PodDisruptionBudget]) -> PodDisruptionBudget | None:
    """Return the budget that has to pay for the eviction, None if none has to.

    `budgets` are those of the Pod's namespace. Raises TooManyRequests if its budget has nothing
    left, and an error if several budgets select it.
    """
    ended = pod.status.phase in ("Pending", "Succeeded", "Failed")
    if ended or pod.metadata.deletionTimestamp is not None:
        return None
    mine = budgets_of(pod, budgets)
    if len(mine) > 1:
        raise errors.api_error(SEVERAL, "", 500)
    if not mine or _is_free(pod, mine[0]):
        return None
    _check_budget(mine[0])
    return mine[0]


def spend(budget: PodDisruptionBudget, pod: str, now: float) -> PodDisruptionBudget:
    """Return the budget after the Pod was evicted; raises as `check` does."""
    _check_budget(budget)
    status = budget.status
    allowed = status.disruptionsAllowed - 1
    conditions = status.conditions
    if allowed == 0:
        none_left = Condition(
            type="DisruptionAllowed",
            status="False",
            reason="InsufficientPods",
            lastTransitionTime=timestamp(now),
            observedGeneration=status.observedGeneration,
        )
        conditions = set_condition(conditions, none_left)
    status = replace(
        status,
        disruptionsAllowed=allowed,
        disruptedPods={**status.disruptedPods, pod: timestamp(now)},
        conditions=conditions,
    )
    return replace(budget, status=status)


def _is_free(pod: Pod, budget: PodDisruptionBudget) -> bool:
    """Say whether the Pod is not healthy anyway, and may go for nothing."""
    if is_pod_ready(pod):
        return False
    if budget.spec.unhealthyPodEvictionPolicy == "AlwaysAllow":
        return True
    status = budget.status
    return 0 < status.desiredHealthy <= status.currentHealthy


def _check_budget(budget: PodDisruptionBudget) -> None:
    name, status = budget.metadata.name, budget.status
    if status.observedGeneration < budget.metadata.generation:
        text = f"The disruption budget {name} is still being processed by the server."
        details = StatusDetails(causes=(_cause(text),), retryAfterSeconds=RETRY_AFTER)
        raise errors.api_error(REFUSAL, "TooManyRequests", 429, details)
    resource = resource_for(PodDisruptionBudget)
    if status.disruptionsAllowed < 0:
        raise errors.forbidden(resource, name, "pdb disruptions allowed is negative")
    if len(status.disruptedPods) > MAX_DISRUPTED_PODS:
        text = "DisruptedPods map too big - too many evictions not confirmed by PDB controller"
        raise errors.forbidden(resource, name, text)
    if status.disruptionsAllowed == 0:
        text = (
            f"The disruption budget {name} needs {status.desiredHealthy} healthy pods "
            f"and has {status.currentHealthy} currently"
        )
        raise errors.too_many_requests(REFUSAL, [_cause(text)])


def _cause(message: str) -> StatusCause:
    return StatusCause(reason="DisruptionBudget", message=message)
