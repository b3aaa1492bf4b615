from __future__ import annotations

from typing import Any

from k8slab.api import load
from k8slab.control_plane.controllers.replica_set.replication import (
    as_replica_set,
    as_replication_controller,
)


def manifest(replicas: int = 2) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": "old"},
        "spec": {
            "replicas": replicas,
            "selector": {"app": "old"},
            "template": {
                "metadata": {"labels": {"app": "old"}},
                "spec": {"containers": [{"name": "c", "image": "nginx:1.25"}]},
            },
        },
    }


def test_translating_there_and_back_changes_nothing() -> None:
    rc = load(manifest())
    assert as_replication_controller(as_replica_set(rc)) == rc


def test_a_replication_controller_keeps_its_pods(lab: Any) -> None:
    lab.apply(manifest())
    lab.run(2)
    pods = lab.all("Pod")
    assert [pod.metadata.ownerReferences[0].kind for pod in pods] == ["ReplicationController"] * 2
    status = lab.get("ReplicationController", "old").status
    assert (status.replicas, status.readyReplicas, status.observedGeneration) == (2, 2, 1)
    lab.request("delete", "Pod", pods[0].metadata.name)
    lab.run(3)
    assert lab.get("ReplicationController", "old").status.availableReplicas == 2
    lab.patch("ReplicationController", "old", {"spec": {"replicas": 0}})
    lab.run(3)
    assert lab.all("Pod") == []
    assert len(lab.writes("replication-controller")) < 20


def test_its_events_come_from_the_replication_controller(lab: Any) -> None:
    lab.apply(manifest(1))
    lab.run(2)
    (created,) = [e for e in lab.all("Event") if e.reason == "SuccessfulCreate"]
    assert created.source.component == "replication-controller"
    assert created.involvedObject.kind == "ReplicationController"
