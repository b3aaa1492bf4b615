"""Defaults of HorizontalPodAutoscalers: one Pod at least, 80% of the CPU that Pods request.

How fast to scale has defaults only where somebody says anything about it: growing, the larger of
4 Pods and 100% every 15 s; shrinking, all of it, after a look back that the controller chooses.

Rule of use: `defaults.apply` calls this.

Upstream: pkg/apis/autoscaling/v2/defaults.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api.autoscaling import (
    HPAScalingPolicy,
    HPAScalingRules,
    MetricSpec,
    MetricTarget,
    ResourceMetricSource,
)

PERCENT_100 = HPAScalingPolicy(type="Percent", value=100, periodSeconds=15)
SCALE_UP = HPAScalingRules(
    stabilizationWindowSeconds=0,
    selectPolicy="Max",
    policies=(HPAScalingPolicy(type="Pods", value=4, periodSeconds=15), PERCENT_100),
)
SCALE_DOWN = HPAScalingRules(selectPolicy="Max", policies=(PERCENT_100,))
CPU_80 = MetricSpec(
    type="Resource",
    resource=ResourceMetricSource(
        name="cpu", target=MetricTarget(type="Utilization", averageUtilization=80)
    ),
)


def horizontal_pod_autoscaler(obj: Any) -> Any:
    """Default an autoscaler."""
    spec = obj.spec
    if spec.minReplicas is None:
        spec = replace(spec, minReplicas=1)
    if not spec.metrics:
        spec = replace(spec, metrics=(CPU_80,))
    if spec.behavior is not None:
        behavior = replace(
            spec.behavior,
            scaleUp=filled(spec.behavior.scaleUp, SCALE_UP),
            scaleDown=filled(spec.behavior.scaleDown, SCALE_DOWN),
        )
        spec = replace(spec, behavior=behavior)
    return replace(obj, spec=spec)


def filled(rules: HPAScalingRules | None, default: HPAScalingRules) -> HPAScalingRules:
    """Return the rules with what they do not say taken from others."""
    if rules is None:
        return default
    window = rules.stabilizationWindowSeconds
    return replace(
        rules,
        stabilizationWindowSeconds=(
            default.stabilizationWindowSeconds if window is None else window
        ),
        selectPolicy=rules.selectPolicy or default.selectPolicy,
        policies=rules.policies or default.policies,
    )
