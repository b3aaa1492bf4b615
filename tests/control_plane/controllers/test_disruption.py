from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.errors import ApiError
from k8slab.control_plane.apiserver import eviction
from k8slab.control_plane.controllers.disruption import calculate_status, expected
from tests.control_plane.controllers.recorded import RECORDED, scenario


def budget(status: Any = None, **spec: Any) -> Any:
    return load(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "b", "namespace": "default", "generation": 1},
            "spec": {"selector": {"matchLabels": {"app": "web"}}, **spec},
            "status": {"observedGeneration": 1, **(status or {})},
        }
    )


def pod(name: str, *, ready: bool = True, phase: str = "Running", **metadata: Any) -> Any:
    status = "True" if ready else "False"
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": "web"}, **metadata},
            "status": {"phase": phase, "conditions": [{"type": "Ready", "status": status}]},
        }
    )


@pytest.mark.parametrize(
    ("spec", "pods", "scale", "healthy"),
    [
        ({"minAvailable": 2}, 3, 0, (3, 2)),
        ({"minAvailable": "50%"}, 3, 5, (5, 3)),
        ({"maxUnavailable": 1}, 3, 5, (5, 4)),
        ({"maxUnavailable": "30%"}, 3, 5, (5, 3)),
        ({"maxUnavailable": "100%"}, 3, 5, (5, 0)),
        ({"maxUnavailable": 9}, 3, 5, (5, 0)),
    ],
)
def test_how_many_must_stay(spec: Any, pods: int, scale: int, healthy: tuple[int, int]) -> None:
    found = expected(budget(**spec), pods, scale)
    assert (found.pods, found.healthy) == healthy


def test_only_ready_pods_that_stay_are_healthy() -> None:
    disrupted = {"disruptedPods": {"c": "2026-01-01T00:00:10Z"}}
    leaving = pod("d", deletionTimestamp="2026-01-01T00:00:10Z")
    pods = [pod("a"), pod("b", ready=False), pod("c"), leaving]
    of = budget(disrupted, minAvailable=1)
    soon = calculate_status(of, pods, 0, now=20.0)
    later = calculate_status(of, pods, 0, now=131.0)
    assert (soon.currentHealthy, soon.disruptionsAllowed, dict(soon.disruptedPods)) == (
        1,
        0,
        {"c": "2026-01-01T00:00:10Z"},
    )
    assert (later.currentHealthy, later.disruptionsAllowed, later.disruptedPods) == (2, 1, {})


NONE_LEFT = {"disruptionsAllowed": 0, "currentHealthy": 2, "desiredHealthy": 2}


@pytest.mark.parametrize(
    ("status", "spec", "of", "expected"),
    [
        (NONE_LEFT, {}, pod("a"), "refused"),
        ({"disruptionsAllowed": 1}, {}, pod("a"), "paid"),
        (NONE_LEFT, {}, pod("a", ready=False), "free"),
        ({**NONE_LEFT, "currentHealthy": 1}, {}, pod("a", ready=False), "refused"),
        (
            {**NONE_LEFT, "currentHealthy": 1},
            {"unhealthyPodEvictionPolicy": "AlwaysAllow"},
            pod("a", ready=False),
            "free",
        ),
        (NONE_LEFT, {}, pod("a", phase="Failed"), "free"),
        (NONE_LEFT, {}, pod("a", ready=False, phase="Pending"), "free"),
        ({"disruptionsAllowed": 1, "observedGeneration": 0}, {}, pod("a"), "refused"),
    ],
)
def test_who_may_be_evicted(status: Any, spec: Any, of: Any, expected: str) -> None:
    if expected == "refused":
        with pytest.raises(ApiError, match=eviction.REFUSAL) as refused:
            eviction.check(of, [budget(status, **spec)])
        assert refused.value.code == 429
    else:
        payer = eviction.check(of, [budget(status, **spec)])
        assert (payer is not None) == (expected == "paid")


def test_two_budgets_for_one_pod_are_an_error() -> None:
    with pytest.raises(ApiError, match="more than one PodDisruptionBudget"):
        eviction.check(pod("a"), [budget(), budget()])


def test_each_eviction_takes_one_off_the_budget() -> None:
    left = eviction.spend(budget({"disruptionsAllowed": 1}), "a", 5.0)
    assert left.status.disruptionsAllowed == 0
    assert dict(left.status.disruptedPods) == {"a": "2026-01-01T00:00:05Z"}
    with pytest.raises(ApiError):
        eviction.spend(left, "b", 5.0)


# -- on a running cluster without real nodes

BUDGET = {
    "apiVersion": "policy/v1",
    "kind": "PodDisruptionBudget",
    "metadata": {"name": "b"},
    "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}},
}


def evict(lab: Any, name: str) -> Any:
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return lab.request("create", "Pod", name, subresource="eviction", body=body)


def test_an_eviction_is_refused_then_allowed(lab: Any, web: Any) -> None:
    lab.apply(BUDGET)
    lab.apply(web(2))
    lab.run(2)
    name = lab.all("Pod")[0].metadata.name
    with pytest.raises(ApiError) as refused:
        evict(lab, name)
    (cause,) = refused.value.status.details.causes  # type: ignore[union-attr]
    text = "The disruption budget b needs 2 healthy pods and has 2 currently"
    assert (refused.value.code, cause.reason, cause.message) == (429, "DisruptionBudget", text)
    lab.patch("Deployment", "web", {"spec": {"replicas": 3}})
    lab.run(2)
    assert evict(lab, name).status == "Success"
    with pytest.raises(ApiError):  # at once: the budget was lowered with the eviction itself
        evict(lab, next(p.metadata.name for p in lab.all("Pod") if p.metadata.name != name))
    lab.run(3)
    assert len(lab.all("Pod")) == 3


@pytest.mark.skipif(not RECORDED.exists(), reason="no recordings here")
def test_the_budget_s_status_follows_as_recorded(lab: Any, web: Any) -> None:
    lab.apply(BUDGET)
    lab.run(0.1)
    lab.apply(web(2))
    lab.run(3)
    found = [
        w["fields"]["status"]
        for w in scenario("pdb")["writes"]
        if w["who"] == "disruption-controller" and w["code"] == 200 and w["t"] < 1.6
    ]
    status = lab.get("PodDisruptionBudget", "b").status
    assert {key: getattr(status, key) for key in found[-1]} == found[-1]
    told = {f"{e['reason']}: {e['message']}" for e in scenario("pdb")["events"] if "/b" in e["on"]}
    assert set(lab.events("b")) == told


def test_a_percentage_is_of_the_size_that_the_deployment_wants(lab: Any, web: Any) -> None:
    lab.apply({**BUDGET, "spec": {**BUDGET["spec"], "minAvailable": "50%"}})  # type: ignore[dict-item]
    lab.apply(web(5))
    lab.run(3)
    status = lab.get("PodDisruptionBudget", "b").status
    assert (status.expectedPods, status.desiredHealthy, status.disruptionsAllowed) == (5, 3, 2)


def test_a_budget_of_pods_whose_owner_has_no_size_allows_nothing_and_says_why(lab: Any) -> None:
    labels = {"app": "web"}
    template = {
        "metadata": {"labels": labels},
        "spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "busybox"}]},
    }
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}}
    lab.apply({**job, "spec": {"template": template}})
    lab.apply({**BUDGET, "spec": {"maxUnavailable": 1, "selector": {"matchLabels": labels}}})
    lab.run(3)
    status = lab.get("PodDisruptionBudget", "b").status
    (condition,) = status.conditions
    why = "jobs.batch does not implement the scale subresource"
    assert (status.disruptionsAllowed, condition.reason) == (0, "SyncFailed")
    assert condition.message == why
    text = (
        f"CalculateExpectedPodCountFailed: Failed to calculate the number of expected pods: {why}"
    )
    assert text in lab.events("b")
