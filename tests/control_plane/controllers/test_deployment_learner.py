"""A learner's sizes: a cluster rolls out with them, and what goes wrong is told in a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Event
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.deployment import adapt, plan
from tests.control_plane.controllers.test_deployment import deployment, rs

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27"}]}
"""


def at_once(owner: Any, new: Any, old: Any) -> dict[str, int]:
    """Replace all, whoever is ready."""
    return {new.metadata.name: owner.spec.replicas, **{one.metadata.name: 0 for one in old}}


def cluster_on(function: Any) -> Cluster:
    cluster = Cluster(workers=1, seed=2, replace={"deployment": function})
    cluster.apply(WEB)
    cluster.run(10)
    return cluster


def test_a_cluster_rolls_out_with_a_learners_sizes() -> None:
    cluster = cluster_on(at_once)
    cluster.kubectl("set image deployment/web web=nginx:1.28")
    cluster.run(1)
    assert sorted(one.spec.replicas for one in cluster.view.list(ReplicaSet, "default")) == [0, 3]
    found = cluster.view.get(Deployment, "web")
    assert found is not None
    assert found.status.availableReplicas == 0  # nobody waited
    cluster.run(10)
    status = cluster.kubectl("rollout status deployment/web --timeout=1s")
    assert "successfully rolled out" in status


def test_the_new_replica_set_starts_empty_and_its_size_is_asked_for() -> None:
    asked = []

    def sizes(owner: Any, new: Any, old: Any) -> dict[str, int]:
        asked.append((new.spec.replicas, [one.spec.replicas for one in old]))
        return {new.metadata.name: 2}

    found = plan(deployment(), [rs("old", 4)], now=0.0, sizes=adapt(sizes))
    assert asked == [(0, [4])]
    assert found.create is not None
    assert found.create.spec.replicas == 2
    assert [text.partition(" from ")[2] for text in found.events] == ["0 to 2"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda owner, new, old: old[0], "IndexError: list index out of range at"),
        (lambda owner, new, old: 3, "returned 3 (int), expected a dict of sizes"),
        (lambda owner, new: {}, "could not be called as sizes(deployment, new, old)"),
        (lambda owner, new, old: {"db": 1}, "your sizes name 'db' (str), and there are web-"),
        (lambda owner, new, old: {new.metadata.name: -1}, "expected a number from 0 to 500"),
        (lambda owner, new, old: {new.metadata.name: True}, "expected a number from 0 to 500"),
    ],
)
def test_sizes_that_are_of_no_use_are_an_event_and_nothing_else(function: Any, words: str) -> None:
    cluster = cluster_on(function)
    events = [e for e in cluster.view.list(Event, "default") if e.reason == "FailedRollout"]
    assert events
    assert words in events[0].message
    (one,) = cluster.view.list(ReplicaSet, "default")
    assert one.spec.replicas == 0
    found = cluster.view.get(Deployment, "web")
    assert found is not None
    assert found.status.observedGeneration == 1  # the status is kept all the same


def test_what_sizes_do_to_the_objects_reaches_nobody() -> None:
    mine = rs("old", 4)

    def spoil(owner: Any, new: Any, old: Any) -> dict[str, int]:
        old[0].metadata.annotations.clear()
        owner.metadata.annotations["spoiled"] = "yes"
        return {}

    found = plan(deployment(), [mine], now=0.0, sizes=adapt(spoil))
    assert "spoiled" not in found.deployment.metadata.annotations


def test_sizes_may_be_named_for_replica_sets_that_exist_only() -> None:
    with pytest.raises(ReplacementError, match="and there are new, old"):
        adapt(lambda *_: {"other": 1})(deployment(), rs("new", 1), [rs("old", 1)])
