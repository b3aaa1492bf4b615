"""The first version of HorizontalPodAutoscaler, which knows CPU alone, and its conversion.

``to_v2`` and ``from_v2`` lose nothing: what the first version has no fields for travels in
annotations (``autoscaling.alpha.kubernetes.io/metrics``, ``behavior``, ...).

Rule: the API server stores the second version; nothing else should meet the first.

Upstream: staging/src/k8s.io/api/autoscaling/v1/types.go, pkg/apis/autoscaling/v1/conversion.go
"""

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from k8slab.api import autoscaling as v2
from k8slab.api.meta import Object
from k8slab.api.struct import Part, Time, always

ANNOTATION = "autoscaling.alpha.kubernetes.io/"
CPU = "cpu"


class HorizontalPodAutoscalerSpec(Part):
    """Bounds, and the CPU use to aim at."""

    scaleTargetRef: v2.CrossVersionObjectReference = always(v2.CrossVersionObjectReference())
    minReplicas: int | None = None
    maxReplicas: int = always(0)
    targetCPUUtilizationPercentage: int | None = None


class HorizontalPodAutoscalerStatus(Part):
    """The number there is and the number wanted."""

    observedGeneration: int | None = None
    lastScaleTime: Time | None = None
    currentReplicas: int = always(0)
    desiredReplicas: int = always(0)
    currentCPUUtilizationPercentage: int | None = None


class HorizontalPodAutoscaler(Object):
    """Keeps the CPU use of Pods near a target by changing their number."""

    apiVersion: str = always("autoscaling/v1")
    kind: str = always("HorizontalPodAutoscaler")
    spec: HorizontalPodAutoscalerSpec = always(HorizontalPodAutoscalerSpec())
    status: HorizontalPodAutoscalerStatus = always(HorizontalPodAutoscalerStatus())


def to_v2(old: HorizontalPodAutoscaler) -> v2.HorizontalPodAutoscaler:
    """Return the autoscaler in its second version."""
    meta, spec, status = old.metadata, old.spec, old.status
    kept = {k: t for k, t in meta.annotations.items() if not k.startswith(ANNOTATION)}
    told = {
        name: json.loads(meta.annotations[ANNOTATION + name])
        for name in ("metrics", "current-metrics", "conditions", "behavior")
        if ANNOTATION + name in meta.annotations
    }
    metrics = [_metric_to_v2(m, "target") for m in told.get("metrics", ())]
    if spec.targetCPUUtilizationPercentage is not None:
        target = {
            "type": "Utilization",
            "averageUtilization": spec.targetCPUUtilizationPercentage,
        }
        metrics.append({"type": "Resource", "resource": {"name": CPU, "target": target}})
    current = [_metric_to_v2(m, "current") for m in told.get("current-metrics", ())]
    plain = {
        "spec": {
            "scaleTargetRef": msgspec.to_builtins(spec.scaleTargetRef),
            "minReplicas": spec.minReplicas,
            "maxReplicas": spec.maxReplicas,
            "metrics": metrics,
            "behavior": told.get("behavior"),
        },
        "status": {
            "observedGeneration": status.observedGeneration,
            "lastScaleTime": status.lastScaleTime,
            "currentReplicas": status.currentReplicas,
            "desiredReplicas": status.desiredReplicas,
            "currentMetrics": current or None,
            "conditions": told.get("conditions", ()),
        },
    }
    found = msgspec.convert(plain, v2.HorizontalPodAutoscaler)
    return replace(found, metadata=replace(meta, annotations=kept))


def from_v2(new: v2.HorizontalPodAutoscaler) -> HorizontalPodAutoscaler:
    """Return the autoscaler in its first version."""
    meta, spec, status = new.metadata, new.spec, new.status
    aim = next((m for m in spec.metrics if _is_cpu_use(m)), None)
    found = next((m for m in status.currentMetrics or () if _is_cpu_use(m)), None)
    told = {
        "metrics": _metrics_to_v1((m for m in spec.metrics if m is not aim), "target"),
        "current-metrics": _metrics_to_v1(status.currentMetrics or (), "current"),
        "conditions": msgspec.to_builtins(status.conditions),
        "behavior": msgspec.to_builtins(spec.behavior),
    }
    texts = {ANNOTATION + k: json.dumps(v, separators=(",", ":")) for k, v in told.items() if v}
    resource, current = aim.resource if aim else None, found.resource if found else None
    return HorizontalPodAutoscaler(
        metadata=replace(meta, annotations={**meta.annotations, **texts}),
        spec=HorizontalPodAutoscalerSpec(
            scaleTargetRef=spec.scaleTargetRef,
            minReplicas=spec.minReplicas,
            maxReplicas=spec.maxReplicas,
            targetCPUUtilizationPercentage=(
                resource.target.averageUtilization if resource is not None else None
            ),
        ),
        status=HorizontalPodAutoscalerStatus(
            observedGeneration=status.observedGeneration,
            lastScaleTime=status.lastScaleTime,
            currentReplicas=status.currentReplicas,
            desiredReplicas=status.desiredReplicas,
            currentCPUUtilizationPercentage=(
                current.current.averageUtilization if current is not None else None
            ),
        ),
    )


def _is_cpu_use(metric: v2.MetricSpec | v2.MetricStatus) -> bool:
    """Say whether this is what the first version has a field for."""
    resource: Any = metric.resource
    if resource is None or resource.name != CPU:
        return False
    amount = resource.target if isinstance(metric, v2.MetricSpec) else resource.current
    return amount.averageUtilization is not None


# In annotations the amounts stand beside the name: targetAverageUtilization, currentValue, ...
_AMOUNTS = ("value", "averageValue", "averageUtilization")
_TYPES = {
    "value": "Value",
    "averageValue": "AverageValue",
    "averageUtilization": "Utilization",
}
_SOURCES = ("object", "pods", "resource", "containerResource", "external")


def _metrics_to_v1(metrics: Iterable[Part], prefix: str) -> list[dict[str, Any]]:
    return [_metric_to_v1(msgspec.to_builtins(metric), prefix) for metric in metrics]


def _metric_to_v1(metric: dict[str, Any], prefix: str) -> dict[str, Any]:
    source = next((name for name in _SOURCES if name in metric), "")
    if not source:
        return metric
    flat = dict(metric[source])
    amounts = flat.pop(prefix, {})
    identifier = flat.pop("metric", None)
    described = flat.pop("describedObject", None)
    for name in _AMOUNTS:
        if name in amounts:
            flat[_flat_name(name, source, prefix)] = amounts[name]
    if identifier is not None:
        flat["metricName"] = identifier["name"]
        if "selector" in identifier:
            flat["metricSelector" if source == "external" else "selector"] = identifier["selector"]
    if described is not None:
        flat["target"] = described
    return {"type": metric["type"], source: flat}


def _metric_to_v2(metric: dict[str, Any], prefix: str) -> dict[str, Any]:
    source = next((name for name in _SOURCES if name in metric), "")
    if not source:
        return metric
    flat = dict(metric[source])
    amounts: dict[str, Any] = {}
    for name in _AMOUNTS:
        written = _flat_name(name, source, prefix)
        if written in flat:
            amounts[name] = flat.pop(written)
    if prefix == "target" and amounts:
        amounts["type"] = _TYPES[next(iter(amounts))]
    deep: dict[str, Any] = {prefix: amounts}
    if "metricName" in flat:
        selector = flat.pop("metricSelector", flat.pop("selector", None))
        deep["metric"] = {"name": flat.pop("metricName"), "selector": selector}
    if source == "object" and "target" in flat:
        deep["describedObject"] = flat.pop("target")
    return {"type": metric["type"], source: {**flat, **deep}}


def _flat_name(name: str, source: str, prefix: str) -> str:
    if source == "object" and name == "averageValue":
        return name  # the only one that never had a prefix
    return prefix + name[0].upper() + name[1:]
