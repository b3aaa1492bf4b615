"""How much disruption a set of Pods can bear.

Interface: ``PodDisruptionBudget``, ``Eviction``. Budgets bind evictions only: a plain delete does
not ask them.

Upstream: staging/src/k8s.io/api/policy/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.meta import Condition, DeleteOptions, LabelSelector, Object
from k8slab.api.struct import Part, Time, always, mapping


class PodDisruptionBudgetSpec(Part):
    """How many matching Pods must stay, or may be away."""

    maxUnavailable: int | str | None = None
    minAvailable: int | str | None = None
    selector: LabelSelector | None = None
    unhealthyPodEvictionPolicy: str | None = None


class PodDisruptionBudgetStatus(Part):
    """How many evictions are allowed just now."""

    conditions: tuple[Condition, ...] = ()
    currentHealthy: int = always(0)
    desiredHealthy: int = always(0)
    disruptedPods: Mapping[str, Time] = mapping()
    disruptionsAllowed: int = always(0)
    expectedPods: int = always(0)
    observedGeneration: int = 0


class PodDisruptionBudget(Object):
    """A lower bound on the healthy Pods of a set."""

    apiVersion: str = always("policy/v1")
    kind: str = always("PodDisruptionBudget")
    spec: PodDisruptionBudgetSpec = always(PodDisruptionBudgetSpec())
    status: PodDisruptionBudgetStatus = always(PodDisruptionBudgetStatus())


class Eviction(Object):
    """A request to delete a Pod, if its budgets allow."""

    apiVersion: str = always("policy/v1")
    kind: str = always("Eviction")
    deleteOptions: DeleteOptions | None = None
