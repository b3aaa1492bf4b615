"""The HorizontalPodAutoscaler controller: how many Pods, and why."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from k8slab.api import load, to_dict
from k8slab.api.autoscaling import Scale, ScaleSpec, ScaleStatus
from k8slab.api.meta import ObjectMeta, timestamp
from k8slab.api.metrics import ContainerMetrics, PodMetrics
from k8slab.control_plane.controllers.podautoscaler import History, plan
from k8slab.control_plane.controllers.podautoscaler.normalize import normalize

NOW = 1000.0


def hpa(**spec: Any) -> Any:
    cpu = {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 50}}
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    return load(
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "scaleTargetRef": target,
                "maxReplicas": 10,
                "metrics": [{"type": "Resource", "resource": cpu}],
                **spec,
            },
        }
    )


def pod(name: str, ready: bool = True, phase: str = "Running", **meta: Any) -> Any:
    """A Pod that requests a whole CPU and has been so for long."""
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": timestamp(10)}
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default", **meta},
            "spec": {
                "containers": [{"name": "c", "resources": {"requests": {"cpu": "1"}}}],
            },
            "status": {"phase": phase, "startTime": timestamp(0), "conditions": [condition]},
        }
    )


def used(name: str, cpu: str) -> PodMetrics:
    return PodMetrics(
        metadata=ObjectMeta(name=name, namespace="default"),
        timestamp=timestamp(NOW - 5),
        window="15s",
        containers=(ContainerMetrics(name="c", usage={"cpu": cpu}),),
    )


def scale(replicas: int) -> Scale:
    status = ScaleStatus(replicas=replicas, selector="app=web")
    return Scale(spec=ScaleSpec(replicas=replicas), status=status)


def look(use: list[str | None], autoscaler: Any = None, **changed: Any) -> Any:
    """One look at Pods that use so much; None is not measured."""
    pods = [pod(f"p{i}") for i in range(len(use))]
    told = [used(f"p{i}", cpu) for i, cpu in enumerate(use) if cpu is not None]
    history = History().recommended(NOW - 400, 1)  # too long ago to matter
    arguments = {"pods": pods, "told": told, "history": history, **changed}
    return plan(autoscaler or hpa(), scale(len(use)), now=NOW, **arguments)


@pytest.mark.parametrize(
    ("use", "expected"),
    [
        (["900m"] * 4, 8),  # 90% where 50% is aimed at: ceil(4 * 1.8), twice as many at most
        (["1200m"] * 4, 8),
        (["540m"] * 4, 4),  # within a tenth
        (["560m"] * 4, 5),
        (["100m"], 1),
        (["900m", None], 2),  # 45% if the other uses nothing: it would turn round
        (["700m", None, None], 3),  # 23% with the others at nothing: no reason to shrink
        (["2", None], 4),
        (["100m", "100m", "100m", None], 3),  # the missing one as if it used all it requests
    ],
)
def test_the_number_is_the_ratio_of_use_to_aim(use: list[str | None], expected: int) -> None:
    assert look(use).replicas == expected


def test_an_amount_for_each_pod_needs_no_requests() -> None:
    target = {"type": "AverageValue", "averageValue": "100Mi"}
    metric = {"type": "Resource", "resource": {"name": "memory", "target": target}}
    told = [
        replace(
            used(name, "0"), containers=(ContainerMetrics(name="c", usage={"memory": "150Mi"}),)
        )
        for name in ("p0", "p1")
    ]
    result = look(["0", "0"], hpa(metrics=[metric]), told=told)
    assert result.replicas == 3
    (status,) = result.hpa.status.currentMetrics
    assert status.resource.current.averageValue == "157286400"  # a decimal quantity


def test_one_container_of_each_pod_can_be_meant() -> None:
    source = {"name": "cpu", "container": "c", "target": {"type": "Utilization"}}
    source["target"] = {"type": "Utilization", "averageUtilization": 50}
    metric = {"type": "ContainerResource", "containerResource": source}
    sidecar = ContainerMetrics(name="proxy", usage={"cpu": "4"})
    told = [replace(used("p0", "1"), containers=(*used("p0", "1").containers, sidecar))]
    result = look(["1"], hpa(metrics=[metric]), told=told)
    assert (result.replicas, result.reason) == (
        2,
        "cpu container resource utilization (percentage of request) above target",
    )


def test_the_largest_proposal_counts_and_with_one_unknown_it_only_grows() -> None:
    cpu = hpa().spec.metrics[0]
    pods_metric = {
        "type": "Pods",
        "pods": {
            "metric": {"name": "hits"},
            "target": {"type": "AverageValue", "averageValue": "10"},
        },
    }
    both = [to_dict(cpu), pods_metric]
    up, down = (look([use] * 2, hpa(metrics=both)) for use in ("900m", "100m"))
    assert (up.replicas, down.replicas) == (4, 2)
    reasons = {condition.reason for condition in down.hpa.status.conditions}
    assert "FailedGetPodsMetric" in reasons
    assert down.events[-1][2].startswith("invalid metrics (1 invalid out of 2), first error is: ")


def test_shrinking_waits_until_no_recent_look_wanted_more() -> None:
    history = History().recommended(NOW - 299, 4)
    result = look(["100m"] * 4, history=history)
    assert result.replicas == 4
    words = {c.type: (c.status, c.reason) for c in result.hpa.status.conditions}
    assert words["AbleToScale"] == ("True", "ScaleDownStabilized")
    assert look(["100m"] * 4, history=History().recommended(NOW - 301, 4)).replicas == 1


def test_a_pod_that_is_starting_does_not_count() -> None:
    pods = [pod("p0"), pod("p1", ready=False, phase="Pending")]
    result = look(["900m", "900m"], pods=pods)
    assert result.replicas == 2  # with the second at nothing: 45%, the other way round


def test_a_pod_that_ends_is_ignored() -> None:
    going = pod("p1", deletionTimestamp=timestamp(NOW))
    assert look(["900m", "900m"], pods=[pod("p0"), going]).replicas == 2


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (
            "the server could not find the requested resource (get pods.metrics.k8s.io)",
            "unable to fetch metrics from resource metrics API: the server could not find the "
            "requested resource (get pods.metrics.k8s.io)",
        ),
        ([], "no metrics returned from resource metrics API"),
    ],
)
def test_without_measurements_nothing_changes_and_the_reason_is_told(
    told: Any, expected: str
) -> None:
    result = look(["1", "1"], told=told)
    why = f"failed to get cpu utilization: unable to get metrics for resource cpu: {expected}"
    whole = (
        "invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric "
        f"value: {why}"
    )
    assert result.replicas == 2
    assert result.events == (
        ("Warning", "FailedGetResourceMetric", why),
        ("Warning", "FailedComputeMetricsReplicas", whole),
    )
    condition = result.hpa.status.conditions[-1]
    assert (condition.type, condition.status) == ("ScalingActive", "False")
    assert condition.message == f"the HPA was unable to compute the replica count: {why}"


def test_a_container_without_a_request_is_named() -> None:
    naked = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p0", "namespace": "default"},
            "spec": {"containers": [{"name": "c"}]},
            "status": {"phase": "Running", "startTime": timestamp(0)},
        }
    )
    result = look(["1"], pods=[naked, pod("p1")], told=[used("p0", "1"), used("p1", "1")])
    text = "failed to get cpu utilization: missing request for cpu in container c of Pod p0"
    assert result.events[0][2] == text


@pytest.mark.parametrize(
    ("replicas", "expected", "reason"),
    [
        (12, 10, "Current number of replicas above Spec.MaxReplicas"),
        (1, 2, "Current number of replicas below Spec.MinReplicas"),
        (0, 0, ""),
    ],
)
def test_outside_its_bounds_measurements_are_not_asked(
    replicas: int, expected: int, reason: str
) -> None:
    result = look(["1"] * replicas, hpa(minReplicas=2))
    assert (result.replicas, result.reason) == (expected, reason)


def test_two_autoscalers_of_the_same_pods_do_nothing() -> None:
    result = look(["1"], rivals=["default/a", "default/b"])
    text = "pods by selector app=web are controlled by multiple HPAs: [default/a default/b]"
    assert result.replicas == 1
    assert result.events[0] == ("Warning", "AmbiguousSelector", text)


RULES: dict[str, Any] = {"stabilizationWindowSeconds": 0, "selectPolicy": "Max"}


@pytest.mark.parametrize(
    ("rules", "current", "proposed", "expected"),
    [
        ([("Pods", 2, 60)], 4, 9, 6),
        ([("Percent", 50, 60)], 4, 9, 6),
        ([("Pods", 1, 60), ("Percent", 100, 60)], 4, 9, 8),
        ([("Pods", 9, 60)], 4, 20, 10),  # maxReplicas
        ([("Pods", 1, 60)], 8, 2, 7),
        ([("Percent", 25, 60)], 8, 1, 6),
    ],
)
def test_policies_say_how_fast(
    rules: list[Any], current: int, proposed: int, expected: int
) -> None:
    policies = [{"type": t, "value": v, "periodSeconds": p} for t, v, p in rules]
    both = {name: {**RULES, "policies": policies} for name in ("scaleUp", "scaleDown")}
    found = normalize(hpa(behavior=both), current, proposed, History(), NOW)
    assert found.replicas == expected


def test_what_was_added_a_moment_ago_counts() -> None:
    policies = [{"type": "Pods", "value": 3, "periodSeconds": 60}]
    behavior = {"scaleUp": {**RULES, "policies": policies}, "scaleDown": RULES}
    before = History().scaled(NOW - 30, 4, 6)
    assert normalize(hpa(behavior=behavior), 6, 10, before, NOW).replicas == 7
    assert normalize(hpa(behavior=behavior), 6, 10, before, NOW + 31).replicas == 9


def test_a_disabled_direction_stays() -> None:
    policies = [{"type": "Pods", "value": 3, "periodSeconds": 60}]
    down = {**RULES, "selectPolicy": "Disabled", "policies": policies}
    behavior = {"scaleUp": {**RULES, "policies": policies}, "scaleDown": down}
    found = normalize(hpa(behavior=behavior), 6, 2, History(), NOW)
    assert (found.replicas, found.limit[0]) == (6, "ScaleDownLimit")


@settings(deadline=None)
@given(
    st.integers(1, 10),
    st.integers(0, 40),
    st.lists(st.tuples(st.floats(0, 600), st.integers(1, 40)), max_size=8),
)
def test_no_look_leaves_the_bounds_or_more_than_doubles(
    current: int, proposed: int, past: list[tuple[float, int]]
) -> None:
    history = History()
    for age, count in sorted(past, reverse=True):
        history = history.recommended(NOW - age, count)
    found = normalize(hpa(minReplicas=1), current, proposed, history, NOW)
    assert 1 <= found.replicas <= min(10, max(2 * current, 4))
    assert found.replicas >= min(proposed, 10, max(2 * current, 4))
