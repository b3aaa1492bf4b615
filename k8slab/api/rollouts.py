"""How far a rollout may go, and whether it is over: what a Deployment's strategy and status say.

    maxSurge         Pods above the wanted number, a percentage rounded up
    maxUnavailable   Pods below it, a percentage rounded down; 1 if both are 0

Rule of use: pure functions, for the controller that rolls and for whoever shows it.

Upstream: pkg/controller/deployment/util/deployment_util.go,
staging/src/k8s.io/apimachinery/pkg/util/intstr/intstr.go (GetScaledValueFromIntOrPercent)
"""

from __future__ import annotations

from k8slab.api.apps import Deployment, DeploymentStatus, ReplicaSet


def scaled_value(value: int | str | None, total: int, *, round_up: bool) -> int:
    """Return a number, or a percentage such as "25%" of `total`.

    >>> scaled_value("25%", 10, round_up=True), scaled_value("25%", 10, round_up=False)
    (3, 2)
    """
    if value is None:
        return 0
    if isinstance(value, int):
        return value
    if not value.endswith("%"):
        raise ValueError(f"expected a number or a percentage such as 25%, got {value!r}")
    share = int(value[:-1]) * total
    return -(-share // 100) if round_up else share // 100


def resolve_fenceposts(
    max_surge: int | str | None, max_unavailable: int | str | None, desired: int
) -> tuple[int, int]:
    """Return how many Pods may be above and be missing below the desired number.

    Surge rounds up, unavailable down. Both 0 would let nothing move, so one may be unavailable.

    >>> resolve_fenceposts("25%", "25%", 10), resolve_fenceposts(0, "10%", 5)
    ((3, 2), (0, 1))
    """
    surge = scaled_value(max_surge, desired, round_up=True)
    unavailable = scaled_value(max_unavailable, desired, round_up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def is_rolling_update(deployment: Deployment) -> bool:
    """Say whether old and new Pods may run side by side; RollingUpdate is the default."""
    return deployment.spec.strategy.type != "Recreate"


def max_surge(deployment: Deployment) -> int:
    """Return how many Pods may be above the desired number."""
    return _fenceposts(deployment)[0]


def max_unavailable(deployment: Deployment) -> int:
    """Return how many of the desired Pods may be missing."""
    return min(_fenceposts(deployment)[1], desired(deployment))


def _fenceposts(deployment: Deployment) -> tuple[int, int]:
    if not is_rolling_update(deployment):
        return 0, 0
    rolling = deployment.spec.strategy.rollingUpdate
    surge = "25%" if rolling is None or rolling.maxSurge is None else rolling.maxSurge
    missing = "25%" if rolling is None or rolling.maxUnavailable is None else rolling.maxUnavailable
    return resolve_fenceposts(surge, missing, desired(deployment))


def desired(workload: Deployment | ReplicaSet) -> int:
    """Return the number of Pods asked for, 1 if nobody said."""
    return 1 if workload.spec.replicas is None else workload.spec.replicas


def deployment_complete(deployment: Deployment, status: DeploymentStatus) -> bool:
    """Say whether all Pods are of the new template, available, and no old one is left."""
    wanted = desired(deployment)
    return (
        status.updatedReplicas == wanted
        and status.replicas == wanted
        and status.availableReplicas == wanted
        and status.observedGeneration >= deployment.metadata.generation
    )
