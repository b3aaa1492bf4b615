"""`kubectl describe` of HorizontalPodAutoscalers: each metric as it is and as it should be.

Rule of use: the present value of a metric stands at the same place in the status as its wish in the
spec.

Upstream: describeHorizontalPodAutoscalerV2 in staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from itertools import zip_longest
from typing import Any

from k8slab.api.autoscaling import HorizontalPodAutoscaler, HPAScalingRules, MetricSpec
from k8slab.kubectl.describe.writer import UNSET, Writer, time_text
from k8slab.kubectl.invocation import Invocation

UNKNOWN = "<unknown>"


async def describe_autoscaler(
    call: Invocation, writer: Writer, hpa: HorizontalPodAutoscaler
) -> None:
    """Write a HorizontalPodAutoscaler."""
    spec, status = hpa.spec, hpa.status
    target = spec.scaleTargetRef
    writer.heading(hpa)
    writer.field("CreationTimestamp", time_text(hpa.metadata.creationTimestamp))
    writer.field("Reference", f"{target.kind}/{target.name}")
    writer.line("Metrics:\t( current / target )")
    for metric, now in zip_longest(spec.metrics, status.currentMetrics or ()):
        if metric is not None:
            writer.line(metric_text(metric, now), 1)
    writer.field("Min replicas", UNSET if spec.minReplicas is None else spec.minReplicas)
    writer.field("Max replicas", spec.maxReplicas)
    if spec.behavior is not None:
        writer.line("Behavior:")
        _rules(writer, "Scale Up", spec.behavior.scaleUp)
        _rules(writer, "Scale Down", spec.behavior.scaleDown)
    writer.field(
        f"{target.kind} pods",
        f"{status.currentReplicas or 0} current / {status.desiredReplicas or 0} desired",
    )
    rows = [(c.type, c.status, c.reason, c.message) for c in status.conditions or ()]
    if rows:
        writer.table("Conditions:", ("Type", "Status", "Reason", "Message"), rows)


def metric_text(metric: MetricSpec, now: Any) -> str:
    """Write one metric: what it is, a tab, and its value as it is and as it should be."""
    if metric.resource is not None:
        start = f"resource {metric.resource.name} on pods"
        return start + _resource(metric.resource.target, _current(now, "resource"))
    if metric.containerResource is not None:
        source = metric.containerResource
        start = f'resource {source.name} of container "{source.container}" on pods'
        return start + _resource(source.target, _current(now, "containerResource"))
    if metric.pods is not None:
        current = _value(_current(now, "pods"), "averageValue")
        return (
            f'"{metric.pods.metric.name}" on pods:\t{current} / {metric.pods.target.averageValue}'
        )
    other = metric.object or metric.external
    if other is None:
        return f'<unknown metric type "{metric.type}">'
    start = f'"{other.metric.name}"'
    if metric.object is not None:
        start += f" on {metric.object.describedObject.kind}/{metric.object.describedObject.name}"
    now = _current(now, "object" if metric.object is not None else "external")
    if other.target.averageValue is not None:
        current = _value(now, "averageValue")
        return f"{start} (target average value):\t{current} / {other.target.averageValue}"
    return f"{start} (target value):\t{_value(now, 'value')} / {other.target.value}"


def _resource(target: Any, now: Any) -> str:
    if target.averageValue is not None:
        return f":\t{_value(now, 'averageValue')} / {target.averageValue}"
    current = UNKNOWN
    if now is not None and now.averageUtilization is not None:
        current = f"{now.averageUtilization}% ({now.averageValue})"
    percent = target.averageUtilization
    wanted = "<auto>" if percent is None else f"{percent}%"
    return f"  (as a percentage of request):\t{current} / {wanted}"


def _current(now: Any, kind: str) -> Any:
    found = getattr(now, kind, None)
    return getattr(found, "current", None)


def _value(now: Any, field: str) -> Any:
    value = getattr(now, field, None)
    return UNKNOWN if value is None else value


def _rules(writer: Writer, title: str, rules: HPAScalingRules | None) -> None:
    if rules is None:
        return
    writer.line(f"{title}:", 1)
    if rules.stabilizationWindowSeconds is not None:
        writer.line(f"Stabilization Window: {rules.stabilizationWindowSeconds} seconds", 2)
    if not rules.policies:
        return
    writer.line(f"Select Policy: {rules.selectPolicy or 'Max'}", 2)
    writer.line("Policies:", 2)
    for each in rules.policies:
        text = f"- Type: {each.type}\tValue: {each.value}\tPeriod: {each.periodSeconds} seconds"
        writer.line(text, 3)
