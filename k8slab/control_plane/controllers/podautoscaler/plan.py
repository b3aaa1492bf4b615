"""What an autoscaler does in one look: the number of Pods, its status, what it tells.

The number is the largest that any of its metrics proposes. A metric that cannot be had does not
count; but then the number may only grow, and with no metric at all it stays.

Rule of use: `plan(hpa, scale, pods, told, history=..., now=...)`; `told` is the answer of the
metrics API, or the reason why there is none.

Upstream: pkg/controller/podautoscaler/horizontal.go
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.api.autoscaling import (
    ContainerResourceMetricStatus,
    HorizontalPodAutoscaler,
    HorizontalPodAutoscalerCondition,
    MetricSpec,
    MetricStatus,
    MetricValueStatus,
    ResourceMetricStatus,
    Scale,
)
from k8slab.api.conditions import set_condition
from k8slab.api.core import Pod
from k8slab.api.meta import timestamp
from k8slab.api.metrics import PodMetrics
from k8slab.api.quantity import canonical, parse
from k8slab.control_plane.controllers.podautoscaler.normalize import (
    History,
    least_of,
    normalize,
)
from k8slab.control_plane.controllers.podautoscaler.replica_calculator import (
    TOLERANCE,
    Aim,
    MetricsError,
    Proposal,
    proposal,
    resource_metrics,
)

NO_CUSTOM = "custom metrics API: no custom metrics API (custom.metrics.k8s.io) registered"
NO_EXTERNAL = "external metrics API: no external metrics API (external.metrics.k8s.io) registered"
Told = Sequence[PodMetrics] | str  # what the metrics API told, or why it did not


class AutoscalerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One look: `replicas` is the number to have, `reason` why it differs from the present one."""

    replicas: int
    reason: str = ""
    hpa: HorizontalPodAutoscaler  # with its new status
    events: tuple[tuple[str, str, str], ...] = ()  # type, reason, message
    history: History


def plan(
    hpa: HorizontalPodAutoscaler,
    scale: Scale,
    pods: Sequence[Pod],
    told: Told,
    *,
    history: History,
    now: float,
    rivals: Sequence[str] = (),
) -> AutoscalerPlan:
    """Return what to do; `rivals` are the keys of all autoscalers of these Pods, if several."""
    current = scale.spec.replicas
    words = ("SucceededGetScale", "the HPA controller was able to get the target's current scale")
    hpa = with_condition(hpa, "AbleToScale", "True", words, now)
    if not history.recommendations:
        history = history.recommended(now, current)
    reason, wanted = "", current
    if current == 0 and least_of(hpa) != 0:
        text = "scaling is disabled since the replica count of the target is zero"
        hpa = with_condition(hpa, "ScalingActive", "False", ("ScalingDisabled", text), now)
        return _settled(hpa, current, current, "", history)
    if current > hpa.spec.maxReplicas:
        reason = "Current number of replicas above Spec.MaxReplicas"
        return _settled(hpa, current, hpa.spec.maxReplicas, reason, history)
    if current < least_of(hpa):
        reason = "Current number of replicas below Spec.MinReplicas"
        return _settled(hpa, current, least_of(hpa), reason, history)
    look = _Look(hpa, scale, pods, told, now)
    proposed = look.replicas(rivals)
    hpa = look.hpa
    if proposed is None:
        status = replace(hpa.status, currentReplicas=current, currentMetrics=tuple(look.statuses))
        hpa = replace(hpa, status=status)
        return AutoscalerPlan(replicas=current, hpa=hpa, events=tuple(look.events), history=history)
    wanted, why = proposed
    if wanted > current:
        reason = f"{why} above target"
    elif wanted < current:
        reason = "All metrics below target"
    number = normalize(hpa, current, wanted, history, now)
    hpa = with_condition(hpa, "AbleToScale", "True", number.able, now)
    limited = "True" if number.limited else "False"
    hpa = with_condition(hpa, "ScalingLimited", limited, number.limit, now)
    return _settled(hpa, current, number.replicas, reason, number.history, look)


def _settled(
    hpa: HorizontalPodAutoscaler,
    current: int,
    wanted: int,
    reason: str,
    history: History,
    look: _Look | None = None,
) -> AutoscalerPlan:
    status = replace(
        hpa.status,
        currentReplicas=current,
        desiredReplicas=wanted,
        currentMetrics=tuple(look.statuses) if look is not None else None,
    )
    return AutoscalerPlan(
        replicas=wanted,
        reason=reason,
        hpa=replace(hpa, status=status),
        events=tuple(look.events) if look is not None else (),
        history=history,
    )


def with_condition(
    hpa: HorizontalPodAutoscaler, type_: str, status: str, words: tuple[str, str], now: float
) -> HorizontalPodAutoscaler:
    """Return the autoscaler with a condition of these words."""
    condition = HorizontalPodAutoscalerCondition(
        type=type_,
        status=status,
        lastTransitionTime=timestamp(now),
        reason=words[0],
        message=words[1],
    )
    conditions = set_condition(hpa.status.conditions, condition)
    return replace(hpa, status=replace(hpa.status, conditions=conditions))


class _Look:
    """One look at all metrics of an autoscaler."""

    def __init__(
        self,
        hpa: HorizontalPodAutoscaler,
        scale: Scale,
        pods: Sequence[Pod],
        told: Told,
        now: float,
    ) -> None:
        self.hpa = hpa
        self._scale = scale
        self._pods = pods
        self._told = told
        self._now = now
        self.events: list[tuple[str, str, str]] = []
        self.statuses: list[MetricStatus] = []

    def replicas(self, rivals: Sequence[str]) -> tuple[int, str] | None:
        """Return the largest number proposed and the name of its metric; None if there is none."""
        selector = self._scale.status.selector
        if not selector:
            missing = "the HPA target's scale is missing a selector"
            told = "selector is required"
            self._refuse("InvalidSelector", missing, "SelectorRequired", told)
            return None
        if len(rivals) > 1:
            listed = " ".join(rivals)
            text = f"pods by selector {selector} are controlled by multiple HPAs: [{listed}]"
            self._refuse("AmbiguousSelector", text, "AmbiguousSelector", text)
            return None
        best: tuple[int, str] | None = None
        faults: list[tuple[tuple[str, str], str]] = []
        for spec in self.hpa.spec.metrics:
            try:
                number, name, status = self._one(spec)
            except _UnableError as unable:
                faults.append((unable.words, str(unable)))
                self.events.append(("Warning", unable.words[0], unable.told))
                self.statuses.append(MetricStatus())
                continue
            self.statuses.append(status)
            if best is None or number > best[0]:
                best = number, name
        return self._judged(best, faults)

    def _judged(
        self, best: tuple[int, str] | None, faults: list[tuple[tuple[str, str], str]]
    ) -> tuple[int, str] | None:
        total = len(self.hpa.spec.metrics)
        too_few = best is None or (faults and best[0] < self._scale.spec.replicas)
        if faults and too_few:
            words, first = faults[0]
            self._set("ScalingActive", "False", words)
            text = (
                f"invalid metrics ({len(faults)} invalid out of {total}), first error is: {first}"
            )
            self.events.append(("Warning", "FailedComputeMetricsReplicas", text))
            return None
        if best is not None:
            text = f"the HPA was able to successfully calculate a replica count from {best[1]}"
            self._set("ScalingActive", "True", ("ValidMetricFound", text))
        return best

    def _refuse(self, reason: str, text: str, event: str, told: str) -> None:
        self._set("ScalingActive", "False", (reason, text))
        self.events.append(("Warning", event, told))
        self.events.append(("Warning", "FailedComputeMetricsReplicas", told))

    def _set(self, type_: str, status: str, words: tuple[str, str]) -> None:
        self.hpa = with_condition(self.hpa, type_, status, words, self._now)

    def _one(self, spec: MetricSpec) -> tuple[int, str, MetricStatus]:
        """Return the number that one metric proposes, its name and what was found."""
        if spec.resource is None and spec.containerResource is None:
            raise _not_to_be_had(spec)
        source: Any = spec.resource or spec.containerResource
        container = getattr(source, "container", "")
        kind = "ContainerResource" if container else "Resource"
        up, down = self._tolerances()
        aim = Aim(
            resource=source.name,
            target=source.target,
            container=container,
            tolerance_up=up,
            tolerance_down=down,
        )
        try:
            found = self._proposal(aim)
        except MetricsError as error:
            what = "usage" if source.target.averageValue is not None else "utilization"
            text = f"failed to get {source.name} {what}: {error}"
            label = f"{source.name} {'container ' if container else ''}resource metric value"
            raise _UnableError(f"FailedGet{kind}Metric", text, label) from None
        name = f"{source.name} {'container ' if container else ''}resource"
        if found.utilization is not None:
            name += " utilization (percentage of request)"
        return found.replicas, name, _status(spec, found)

    def _proposal(self, aim: Aim) -> Proposal:
        told = self._told
        if isinstance(told, str):
            text = f"unable to fetch metrics from resource metrics API: {told}"
            raise MetricsError(f"unable to get metrics for resource {aim.resource}: {text}")
        try:
            if not told:
                raise MetricsError("no metrics returned from resource metrics API")
            measured = resource_metrics(told, aim.resource, aim.container)
        except MetricsError as error:
            text = f"unable to get metrics for resource {aim.resource}: {error}"
            raise MetricsError(text) from None
        return proposal(self._scale.spec.replicas, aim, self._pods, measured, self._now)

    def _tolerances(self) -> tuple[float, float]:
        behavior = self.hpa.spec.behavior
        rules = (behavior.scaleUp, behavior.scaleDown) if behavior is not None else (None, None)
        up, down = (
            TOLERANCE if rule is None or rule.tolerance is None else float(parse(rule.tolerance)[0])
            for rule in rules
        )
        return up, down


class _UnableError(Exception):
    """One metric cannot be had: the condition's words, the Event's, and the error's."""

    def __init__(self, reason: str, told: str, label: str) -> None:
        super().__init__(f"failed to get {label}: {told}")
        self.told = told
        self.words = (reason, f"the HPA was unable to compute the replica count: {told}")


def _not_to_be_had(spec: MetricSpec) -> _UnableError:
    """Say that nobody serves a metric of Pods, of an object or from outside."""
    if spec.pods is not None:
        return _UnableError(
            "FailedGetPodsMetric", _nobody(spec.pods.metric.name), "pods metric value"
        )
    if spec.object is not None:
        text = _nobody(spec.object.metric.name)
        return _UnableError("FailedGetObjectMetric", text, "object metric value")
    name = spec.external.metric.name if spec.external is not None else ""
    text = f"unable to get external metric {name}: unable to fetch metrics from {NO_EXTERNAL}"
    return _UnableError("FailedGetExternalMetric", text, f"{name} external metric value")


def _nobody(metric: str) -> str:
    return f"unable to get metric {metric}: unable to fetch metrics from {NO_CUSTOM}"


def _status(spec: MetricSpec, found: Proposal) -> MetricStatus:
    current = MetricValueStatus(
        averageUtilization=found.utilization, averageValue=canonical(f"{found.average}m")
    )
    if spec.containerResource is not None:
        source = spec.containerResource
        status = ContainerResourceMetricStatus(
            name=source.name, container=source.container, current=current
        )
        return MetricStatus(type="ContainerResource", containerResource=status)
    assert spec.resource is not None
    return MetricStatus(
        type="Resource", resource=ResourceMetricStatus(name=spec.resource.name, current=current)
    )
