"""A learner's plan: the cluster runs on it, and whatever goes wrong is told in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Event, Pod
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.replica_set import Plan, adapt, plan
from tests.control_plane.controllers.test_replica_set import NOW, names, pod, rs

WEB = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27"}]}
"""


def cluster_on(function: Any) -> Cluster:
    cluster = Cluster(workers=1, seed=2, replace={"replica_set": function})
    cluster.apply(WEB)
    cluster.run(5)
    return cluster


def test_the_cluster_runs_on_a_learners_plan() -> None:
    one_too_many = lambda one, pods, **_: Plan(  # noqa: E731
        create=max(0, 1 + one.spec.replicas - len(pods))
    )
    cluster = cluster_on(one_too_many)
    assert len(cluster.view.list(Pod, "default")) == 4
    found = cluster.view.get(ReplicaSet, "web")
    assert found is not None
    assert found.status.replicas == 4  # a plan without `pods` still counts its own


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda one, pods, **_: pods[0], "IndexError: list index out of range at"),
        (lambda one, pods, **_: 3, "returned 3 (int), expected a Plan"),
        (lambda one, pods: Plan(), "could not be called"),
        (lambda one, pods, **_: Plan(create=-1), "create is -1, expected 0 to 500"),
        (lambda one, pods, **_: Plan(create=True), "expected a whole number"),
        (lambda one, pods, **_: Plan(delete="web"), "expected Pods, first to last"),  # type: ignore[arg-type]
        ("no function", "TypeError"),
    ],
)
def test_a_plan_that_fails_is_an_event_and_nothing_else(function: Any, words: str) -> None:
    cluster = cluster_on(function)
    events = [e for e in cluster.view.list(Event, "default") if e.reason == "FailedPlan"]
    assert events
    assert words in events[0].message
    assert not cluster.view.list(Pod, "default")
    assert any("FailedPlan" in record.detail for record in cluster.trace)


def test_what_a_plan_does_to_the_objects_reaches_nobody() -> None:
    mine = pod("a")

    def spoil(one: Any, pods: Any, **_: Any) -> Plan:
        pods[0].metadata.labels.clear()
        return Plan(delete=tuple(pods))

    result = adapt(spoil)(rs(0), [mine], now=NOW)
    assert result.delete == (mine,)
    assert mine.metadata.labels == {"app": "web"}


def test_a_plan_is_about_the_pods_that_it_was_given() -> None:
    with pytest.raises(ReplacementError, match="none of the Pods given"):
        adapt(lambda one, pods, **_: Plan(delete=(pod("b"),)))(rs(0), [pod("a")], now=NOW)
    with pytest.raises(ReplacementError, match="at once"):
        adapt(lambda one, pods, **_: Plan(create=1, delete=pods))(rs(0), [pod("a")], now=NOW)


def test_our_own_plan_in_its_own_place_decides_the_same() -> None:
    pods = [pod("a", ready=3), pod("b"), pod("c", owner=""), pod("d", labels={"app": "db"})]
    assert adapt(plan)(rs(2), pods, now=NOW) == plan(rs(2), pods, now=NOW)


def test_a_replica_set_of_no_owner_does_not_look_at_nodes() -> None:
    pods = [pod("a", node="n", ready=10), pod("b", node="m"), pod("c", node="m")]
    assert names(plan(rs(2), pods, now=NOW).delete) == ["a"]
    assert names(plan(rs(2), pods, now=NOW, related=pods).delete) != ["a"]
