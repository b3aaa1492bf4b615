"""How many Pods: the ratio of what they use to what is aimed at, times those that were measured.

    4 Pods use 90% of what they request, 50% is aimed at   ->  ceil(4 * 1.8) = 8
    within a tenth of the aim                              ->  as many as there are

Pods that are not ready or not measured are not asked; but before anything changes they are taken
to use nothing (when more are wanted) or all they request (when fewer are), so that a rollout or a
gap in the measurements never causes a jump.

Rule of use: `proposal` is pure; what stands in its way is a `MetricsError` in upstream's words.

Upstream: pkg/controller/podautoscaler/replica_calculator.go, metrics/utilization.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil

import msgspec

from k8slab.api.autoscaling import MetricTarget
from k8slab.api.conditions import get_condition
from k8slab.api.core import Pod
from k8slab.api.meta import seconds
from k8slab.api.metrics import PodMetrics
from k8slab.api.quantity import milli_value

CPU_INITIALIZATION_PERIOD = 300.0  # s, --horizontal-pod-autoscaler-cpu-initialization-period
INITIAL_READINESS_DELAY = 30.0  # s, --horizontal-pod-autoscaler-initial-readiness-delay
TOLERANCE = 0.1  # --horizontal-pod-autoscaler-tolerance


class MetricsError(Exception):
    """Why no number can be given."""


class PodMetric(msgspec.Struct, frozen=True):
    """What one Pod used, in thousandths, within a window that ended at a time."""

    value: int
    time: float  # virtual seconds
    window: float  # s


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """What is measured, of which container ("" for all), and how exactly it has to be met."""

    resource: str
    target: MetricTarget
    container: str = ""
    tolerance_up: float = TOLERANCE
    tolerance_down: float = TOLERANCE

    def is_met(self, ratio: float) -> bool:
        """Say whether use is near enough to the target."""
        return 1.0 - self.tolerance_down <= ratio <= 1.0 + self.tolerance_up


class Proposal(msgspec.Struct, frozen=True):
    """How many Pods, and what was found: per cent of requests (or None), thousandths a Pod."""

    replicas: int
    utilization: int | None
    average: int


class Groups(msgspec.Struct, frozen=True):
    """The Pods by what is known of them."""

    ready: int
    unready: tuple[str, ...]
    missing: tuple[str, ...]
    ignored: tuple[str, ...]


def proposal(
    current: int, aim: Aim, pods: Sequence[Pod], measured: Mapping[str, PodMetric], now: float
) -> Proposal:
    """Return how many Pods there should be; raises MetricsError. `now` in virtual seconds."""
    if not pods:
        raise MetricsError("no pods returned by selector while calculating replica count")
    groups = group_pods(pods, measured, aim.resource, now)
    left = (*groups.ignored, *groups.unready)
    metrics = {name: metric.value for name, metric in measured.items() if name not in left}
    if not metrics:
        raise MetricsError("did not receive metrics for targeted pods (pods might be unready)")
    percent = aim.target.averageUtilization
    if aim.target.averageValue is not None:
        requests = None
        goal = milli_value(aim.target.averageValue)
    else:
        assert percent is not None
        requests, goal = pod_requests(pods, aim.container, aim.resource), percent
    ratio, found = usage_ratio(metrics, requests, goal)
    result = Proposal(
        current,
        found if requests is not None else None,
        sum(metrics.values()) // len(metrics),
    )
    scale_up_with_unready = bool(groups.unready) and ratio > 1.0
    if not scale_up_with_unready and not groups.missing:
        if aim.is_met(ratio):
            return result
        return msgspec.structs.replace(result, replicas=ceil(ratio * groups.ready))
    metrics |= _assumed(groups, ratio, requests, goal)
    ratio_then, _ = usage_ratio(metrics, requests, goal)
    replicas = ceil(ratio_then * len(metrics))
    turned = (ratio < 1.0 < ratio_then) or (ratio > 1.0 > ratio_then)
    backwards = (ratio_then < 1.0 and replicas > current) or (
        ratio_then > 1.0 and replicas < current
    )
    if aim.is_met(ratio_then) or turned or backwards:
        return result
    return msgspec.structs.replace(result, replicas=replicas)


def _assumed(
    groups: Groups, ratio: float, requests: Mapping[str, int] | None, goal: int
) -> dict[str, int]:
    """Return what Pods are taken to use that could not be measured."""
    assumed: dict[str, int] = {}
    if ratio < 1.0:
        for name in groups.missing:
            share = requests[name] * max(100, goal) // 100 if requests is not None else goal
            assumed[name] = share
    elif ratio > 1.0:
        assumed |= dict.fromkeys((*groups.missing, *groups.unready), 0)
    return assumed


def usage_ratio(
    metrics: Mapping[str, int], requests: Mapping[str, int] | None, goal: int
) -> tuple[float, int]:
    """Return use as a ratio of the goal, and as per cent of requests or thousandths a Pod."""
    if requests is None:
        average = sum(metrics.values()) // len(metrics)
        return average / goal, average
    known = [name for name in metrics if name in requests]
    total = sum(requests[name] for name in known)
    if not total:
        raise MetricsError("no metrics returned matched known pods")
    percent = sum(metrics[name] for name in known) * 100 // total
    return percent / goal, percent


def group_pods(
    pods: Sequence[Pod], measured: Mapping[str, PodMetric], resource: str, now: float
) -> Groups:
    """Sort Pods by whether their measurement counts."""
    ready = 0
    unready: list[str] = []
    missing: list[str] = []
    ignored: list[str] = []
    for pod in pods:
        name, metric = pod.metadata.name, measured.get(pod.metadata.name)
        if pod.metadata.deletionTimestamp is not None or pod.status.phase == "Failed":
            ignored.append(name)
        elif pod.status.phase == "Pending":
            unready.append(name)
        elif metric is None:
            missing.append(name)
        elif resource == "cpu" and is_starting(pod, metric, now):
            unready.append(name)
        else:
            ready += 1
    return Groups(ready, tuple(unready), tuple(missing), tuple(ignored))


def is_starting(pod: Pod, metric: PodMetric, now: float) -> bool:
    """Say whether the CPU measured is that of a start, which says nothing of the load."""
    ready = get_condition(pod.status.conditions, "Ready")
    if ready is None or pod.status.startTime is None:
        return True
    started, since = seconds(pod.status.startTime), seconds(ready.lastTransitionTime or "")
    if started + CPU_INITIALIZATION_PERIOD > now:
        # one whole window since it became ready
        return ready.status == "False" or metric.time < since + metric.window
    return ready.status == "False" and started + INITIAL_READINESS_DELAY > since


def pod_requests(pods: Sequence[Pod], container: str, resource: str) -> dict[str, int]:
    """Return what each Pod requests, in thousandths; raises MetricsError if one says nothing."""
    requests: dict[str, int] = {}
    for pod in pods:
        whole = pod.spec.resources
        if not container and whole is not None and resource in whole.requests:
            requests[pod.metadata.name] = milli_value(whole.requests[resource])
            continue
        sidecars = [c for c in pod.spec.initContainers if c.restartPolicy == "Always"]
        total = 0
        for part in (*pod.spec.containers, *sidecars):
            if container and part.name != container:
                continue
            asked = part.resources.requests.get(resource)
            if asked is None:
                raise MetricsError(
                    f"missing request for {resource} in container {part.name} of Pod "
                    f"{pod.metadata.name}"
                )
            total += milli_value(asked)
        requests[pod.metadata.name] = total
    return requests


def resource_metrics(
    told: Sequence[PodMetrics], resource: str, container: str
) -> dict[str, PodMetric]:
    """Return what each Pod used of a resource; a Pod of which a part is unknown is left out."""
    found: dict[str, PodMetric] = {}
    for pod in told:
        meta = pod.metadata
        parts = [c for c in pod.containers if container in ("", c.name)]
        if container and not parts:
            raise MetricsError(
                f"failed to get container metrics: container {container} not present in metrics "
                f"for pod {meta.namespace}/{meta.name}"
            )
        if parts and all(resource in part.usage for part in parts):
            total = sum(milli_value(part.usage[resource]) for part in parts)
            window = _seconds(pod.window)
            found[meta.name] = PodMetric(total, seconds(pod.timestamp), window)
    return found


def _seconds(window: str) -> float:
    """Return the seconds in Go's text of a duration.

    >>> _seconds("1m15.5s")
    75.5
    """
    total, digits, units = 0.0, "", {"h": 3600.0, "m": 60.0, "s": 1.0}
    if window.endswith("ms"):
        return float(window[:-2]) / 1000
    for character in window:
        if character in units:
            total += float(digits) * units[character]
            digits = ""
        else:
            digits += character
    return total
