"""HorizontalPodAutoscalers: two versions of one object, defaults, what is refused, TARGETS."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api import load, to_dict
from k8slab.api.autoscaling_v1 import from_v2, to_v2
from k8slab.client import APPLY_PATCH, MERGE_PATCH, Request
from k8slab.control_plane.apiserver import defaults, validation
from k8slab.control_plane.apiserver.table_printers.workloads import autoscaler_cells

TARGET = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}


def hpa(**fields: Any) -> Any:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 5, **fields}
    return load(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": spec,
        }
    )


def metric(kind: str = "Resource", field: str = "resource", **source: Any) -> dict[str, Any]:
    return {"type": kind, field: source}


CPU_50 = metric(name="cpu", target={"type": "Utilization", "averageUtilization": 50})
MEMORY = metric(name="memory", target={"type": "AverageValue", "averageValue": "100Mi"})
REQUESTS = metric(
    "Pods",
    "pods",
    metric={"name": "requests", "selector": {"matchLabels": {"a": "b"}}},
    target={"type": "AverageValue", "averageValue": "10"},
)
INGRESS = metric(
    "Object",
    "object",
    metric={"name": "hits"},
    describedObject={"kind": "Ingress", "name": "i", "apiVersion": "networking.k8s.io/v1"},
    target={"type": "Value", "value": "2k"},
)


def test_without_metrics_it_aims_at_80_percent_of_the_cpu_requested() -> None:
    spec: Any = to_dict(defaults.apply(hpa()))["spec"]
    target = {"type": "Utilization", "averageUtilization": 80}
    assert list(spec["metrics"]) == [metric(name="cpu", target=target)]
    assert spec["minReplicas"] == 1
    assert "behavior" not in spec


def test_a_behavior_is_filled_in_only_where_there_is_one() -> None:
    found: Any = to_dict(defaults.apply(hpa(behavior={"scaleDown": {"selectPolicy": "Min"}})))
    up, down = (found["spec"]["behavior"][name] for name in ("scaleUp", "scaleDown"))
    assert [p["value"] for p in up["policies"]] == [4, 100]
    assert up["stabilizationWindowSeconds"] == 0
    assert down["selectPolicy"] == "Min"
    assert "stabilizationWindowSeconds" not in down


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"minReplicas": 0}, "spec.minReplicas: Invalid value: 0: must be greater than or equal"),
        ({"maxReplicas": 0}, "spec.maxReplicas: Invalid value: 0: must be greater than 0"),
        ({"minReplicas": 9}, "spec.maxReplicas: Invalid value: 5: must be greater than or equal"),
        ({"scaleTargetRef": {"kind": "a/b", "name": "w"}}, "scaleTargetRef.kind: Invalid value"),
        ({"scaleTargetRef": {"kind": "RC"}}, "spec.scaleTargetRef.name: Required value"),
        (
            {"metrics": [metric(name="cpu", target={"type": "Utilization"})]},
            "spec.metrics[0].resource.target.averageUtilization: Required value: must set either",
        ),
        ({"metrics": [{"type": "Pods"}]}, "spec.metrics[0].pods: Required value: must populate"),
        (
            {"metrics": [{**CPU_50, "pods": REQUESTS["pods"]}]},
            "spec.metrics[0].pods: Forbidden: must populate the given metric source only",
        ),
        (
            {"behavior": {"scaleUp": {"policies": [{"type": "Pods", "value": 0}]}}},
            "spec.behavior.scaleUp.policies[0].value: Invalid value: 0: must be greater than zero",
        ),
        (
            {"behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}},
            "must be less than or equal to 3600",
        ),
    ],
)
def test_what_is_refused(fields: dict[str, Any], expected: str) -> None:
    found = [str(error) for error in validation.validate(hpa(**fields))]
    assert any(expected in text for text in found), found


@pytest.mark.parametrize("metrics", [[CPU_50], [MEMORY, CPU_50], [REQUESTS, INGRESS], []])
def test_the_first_version_loses_nothing(metrics: list[dict[str, Any]]) -> None:
    before: Any = hpa(metrics=metrics, behavior={"scaleUp": {"selectPolicy": "Disabled"}})
    after: Any = to_v2(from_v2(before))
    assert sorted(after.spec.metrics, key=str) == sorted(before.spec.metrics, key=str)
    assert (after.spec.behavior, after.metadata) == (before.spec.behavior, before.metadata)


def test_what_the_first_version_has_no_field_for_travels_in_annotations() -> None:
    old = from_v2(hpa(metrics=[CPU_50, MEMORY]))
    assert old.spec.targetCPUUtilizationPercentage == 50
    text = old.metadata.annotations["autoscaling.alpha.kubernetes.io/metrics"]
    resource = '{"name":"memory","targetAverageValue":"100Mi"}'
    assert text == f'[{{"type":"Resource","resource":{resource}}}]'


def test_the_first_version_can_be_applied_and_patched_too(lab: Any) -> None:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 5, "targetCPUUtilizationPercentage": 60}
    body = {"apiVersion": "autoscaling/v1", "kind": "HorizontalPodAutoscaler", "spec": spec}
    request = Request(
        verb="patch",
        resource="horizontalpodautoscalers",
        group="autoscaling",
        version="v1",
        namespace="default",
        name="web",
        body={**body, "metadata": {"name": "web"}},
        patch_type=APPLY_PATCH,
        field_manager="me",
    )
    applied = lab.server.handle(request)
    assert (applied.apiVersion, applied.spec.targetCPUUtilizationPercentage) == (
        "autoscaling/v1",
        60,
    )
    less = {"spec": {"targetCPUUtilizationPercentage": 30}}
    lab.server.handle(replace(request, body=less, patch_type=MERGE_PATCH))
    stored = lab.server.handle(replace(request, verb="get", version="v2", body=None, patch_type=""))
    assert stored.spec.metrics[0].resource.target.averageUtilization == 30


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ([CPU_50], "cpu: <unknown>/50%"),
        ([CPU_50, MEMORY], "cpu: <unknown>/50%, memory: <unknown>/100Mi"),
        ([MEMORY, REQUESTS, INGRESS], "memory: <unknown>/100Mi, <unknown>/10 + 1 more..."),
        ([INGRESS], "<unknown>/2k"),
        ([], "<none>"),
    ],
)
def test_targets_are_what_was_found_and_what_is_aimed_at(metrics: Any, expected: str) -> None:
    assert autoscaler_cells(hpa(metrics=metrics), 0.0)[2] == expected
