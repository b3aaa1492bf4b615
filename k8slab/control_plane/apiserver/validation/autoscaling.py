"""Validation of HorizontalPodAutoscalers.

Upstream: pkg/apis/autoscaling/validation/validation.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api.autoscaling import (
    CrossVersionObjectReference,
    HorizontalPodAutoscaler,
    HPAScalingRules,
    MetricIdentifier,
    MetricSpec,
    MetricTarget,
)
from k8slab.api.errors import forbidden_field, invalid_value, not_supported, required
from k8slab.api.quantity import parse
from k8slab.control_plane.apiserver.validation.formats import Errors

SOURCES = ("object", "external", "pods", "resource", "containerResource")
TYPES = ("ContainerResource", "External", "Object", "Pods", "Resource")
TARGET_TYPES = ("Utilization", "Value", "AverageValue")
MAX_WINDOW = 3600  # s, MaxStabilizationWindowSeconds
MAX_PERIOD = 1800  # s, MaxPeriodSeconds


def horizontal_pod_autoscaler(obj: HorizontalPodAutoscaler) -> Errors:
    """Yield what is wrong with an autoscaler."""
    spec = obj.spec
    least, most = spec.minReplicas, spec.maxReplicas
    if least is not None and least < 1:
        yield invalid_value("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid_value("spec.maxReplicas", most, "must be greater than 0")
    if least is not None and most < least:
        text = "must be greater than or equal to `minReplicas`"
        yield invalid_value("spec.maxReplicas", most, text)
    yield from _reference("spec.scaleTargetRef", spec.scaleTargetRef)
    for index, metric in enumerate(spec.metrics):
        yield from _metric(f"spec.metrics[{index}]", metric)
    if spec.behavior is not None:
        yield from _rules("spec.behavior.scaleUp", spec.behavior.scaleUp)
        yield from _rules("spec.behavior.scaleDown", spec.behavior.scaleDown)


def _reference(path: str, reference: CrossVersionObjectReference) -> Errors:
    for field in ("kind", "name"):
        text = getattr(reference, field)
        if not text:
            yield required(f"{path}.{field}")
        elif text in (".", ".."):
            yield invalid_value(f"{path}.{field}", text, f"may not be '{text}'")
        for character in "/%":
            if character in text:
                yield invalid_value(f"{path}.{field}", text, f"may not contain '{character}'")


def _metric(path: str, metric: MetricSpec) -> Errors:
    if not metric.type:
        yield required(f"{path}.type", "must specify a metric source type")
    if metric.type not in TYPES:
        yield not_supported(f"{path}.type", metric.type, TYPES)
    present = [name for name in SOURCES if getattr(metric, name) is not None]
    if present:
        source = getattr(metric, present[0])
        yield from _source(f"{path}.{present[0]}", present[0], source)
    expected = metric.type[:1].lower() + metric.type[1:]
    if expected not in present:
        text = "must populate information for the given metric source"
        yield required(f"{path}.{expected}", text)
    if len(present) != 1:
        for name in present:
            if name != expected:
                text = "must populate the given metric source only"
                yield forbidden_field(f"{path}.{name}", text)


def _source(path: str, name: str, source: Any) -> Errors:
    target: MetricTarget = source.target
    if name in ("resource", "containerResource"):
        yield from _resource(path, source)
        return
    if name == "object":
        yield from _reference(f"{path}.describedObject", source.describedObject)
    yield from _identifier(f"{path}.metric", source.metric)
    yield from _target(f"{path}.target", target)
    if name == "pods":
        if target.averageValue is None or parse(target.averageValue)[0] <= 0:
            text = "must specify a positive target averageValue"
            yield required(f"{path}.target.averageValue", text)
        return
    if target.value is None and target.averageValue is None:
        text = (
            "must set either a target value or averageValue"
            if name == "object"
            else "must set either a target value for metric or a per-pod target"
        )
        yield required(f"{path}.target.averageValue", text)
    if name == "external" and target.value is not None and target.averageValue is not None:
        text = "may not set both a target value for metric and a per-pod target"
        yield forbidden_field(f"{path}.target.value", text)


def _resource(path: str, source: Any) -> Errors:
    target: MetricTarget = source.target
    if not source.name:
        yield required(f"{path}.name", "must specify a resource name")
    if getattr(source, "container", None) == "":
        yield required(f"{path}.container", "must specify a container")
    yield from _target(f"{path}.target", target)
    if target.averageUtilization is None and target.averageValue is None:
        text = "must set either a target raw value or a target utilization"
        yield required(f"{path}.target.averageUtilization", text)
    if target.averageUtilization is not None and target.averageValue is not None:
        text = "may not set both a target raw value and a target utilization"
        yield forbidden_field(f"{path}.target.averageValue", text)


def _identifier(path: str, metric: MetricIdentifier) -> Errors:
    if not metric.name:
        yield required(f"{path}.name", "must specify a metric name")


def _target(path: str, target: MetricTarget) -> Errors:
    if not target.type:
        yield required(f"{path}.type", "must specify a metric target type")
    if target.type not in TARGET_TYPES:
        text = "must be either Utilization, Value, or AverageValue"
        yield invalid_value(f"{path}.type", target.type, text)
    for field in ("value", "averageValue"):
        amount = getattr(target, field)
        if amount is not None and parse(amount)[0] <= 0:
            yield invalid_value(f"{path}.{field}", amount, "must be positive")
    percent = target.averageUtilization
    if percent is not None and percent < 1:
        yield invalid_value(f"{path}.averageUtilization", percent, "must be greater than 0")


def _rules(path: str, rules: HPAScalingRules | None) -> Errors:
    if rules is None:
        return
    window = rules.stabilizationWindowSeconds
    at = f"{path}.stabilizationWindowSeconds"
    if window is not None and window < 0:
        yield invalid_value(at, window, "must be greater than or equal to zero")
    if window is not None and window > MAX_WINDOW:
        yield invalid_value(at, window, f"must be less than or equal to {MAX_WINDOW}")
    select, supported = rules.selectPolicy, ("Disabled", "Max", "Min")
    if select is not None and select not in supported:
        yield not_supported(f"{path}.selectPolicy", select, supported)
    if not rules.policies:
        yield required(f"{path}.policies", "must specify at least one Policy")
    for index, policy in enumerate(rules.policies):
        where = f"{path}.policies[{index}]"
        if policy.type not in ("Percent", "Pods"):
            yield not_supported(f"{where}.type", policy.type, ("Percent", "Pods"))
        if policy.value <= 0:
            yield invalid_value(f"{where}.value", policy.value, "must be greater than zero")
        period, at = policy.periodSeconds, f"{where}.periodSeconds"
        if period <= 0:
            yield invalid_value(at, period, "must be greater than zero")
        if period > MAX_PERIOD:
            yield invalid_value(at, period, f"must be less than or equal to {MAX_PERIOD}")
    if rules.tolerance is not None and parse(rules.tolerance)[0] < 0:
        text = "must be greater than or equal to zero"
        yield invalid_value(f"{path}.tolerance", rules.tolerance, text)
