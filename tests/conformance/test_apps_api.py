"""What every workload kind can do in the API: verbs, collections, status, scale."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api import load, to_dict
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions
from k8slab.client import MERGE_PATCH
from tests.conformance.lab import apply, call, create, sleeper, template, workload

POD = {"app": "web"}


def cron_job(name: str) -> dict[str, Any]:
    inner = {"template": {"spec": {"restartPolicy": "Never", "containers": [sleeper()]}}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": inner}},
    }


def job(name: str) -> dict[str, Any]:
    inner = {"spec": {"restartPolicy": "Never", "containers": [sleeper()]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"suspend": True, "template": inner},
    }


def replication_controller(name: str, replicas: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ReplicationController",
        "metadata": {"name": name},
        "spec": {"replicas": replicas, "template": template(name, sleeper())},
    }


def budget(name: str) -> dict[str, Any]:
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {"name": name},
        "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": name}}},
    }


def stateful_set(name: str) -> dict[str, Any]:
    return workload("StatefulSet", name, 1, sleeper(), serviceName=name)


def daemon_set(name: str) -> dict[str, Any]:
    made = workload("DaemonSet", name, 1, sleeper())
    del made["spec"]["replicas"]
    return made


MAKERS = {
    "Deployment": lambda name: workload("Deployment", name, 1, sleeper()),
    "ReplicaSet": lambda name: workload("ReplicaSet", name, 1, sleeper()),
    "ReplicationController": replication_controller,
    "StatefulSet": stateful_set,
    "DaemonSet": daemon_set,
    "Job": job,
    "CronJob": cron_job,
    "PodDisruptionBudget": budget,
}
SCALABLE = ("Deployment", "ReplicaSet", "ReplicationController", "StatefulSet")
# A number or a text in the status that no controller of an idle object writes.
STATUS_FIELDS: dict[str, dict[str, Any]] = {
    "CronJob": {"lastScheduleTime": "2026-01-01T00:00:00Z"},
    "Job": {"conditions": [{"type": "Odd", "status": "True"}]},
    "PodDisruptionBudget": {"conditions": [{"type": "Odd", "status": "True"}]},
}
ODD = {"conditions": [{"type": "Odd", "status": "True"}]}


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster(workers=2, seed=1)


def labelled(kind: str, name: str) -> dict[str, Any]:
    made: dict[str, Any] = MAKERS[kind](name)  # type: ignore[no-untyped-call]
    made["metadata"]["labels"] = {"suite": name}
    return made


@pytest.mark.parametrize("kind", MAKERS)
def test_a_workload_is_created_read_patched_replaced_and_deleted_as_a_collection(
    cluster: Cluster, kind: str
) -> None:
    name = f"verbs-{kind.lower()}"
    type_ = type(create(cluster, labelled(kind, name)))
    cluster.run(3)
    labels = {"metadata": {"labels": {"patched": "yes"}}}
    patched = call(cluster, "patch", type_, name=name, body=labels, patch_type=MERGE_PATCH)
    assert patched.metadata.labels == {"suite": name, "patched": "yes"}
    cluster.run(3)
    newest = to_dict(call(cluster, "get", type_, name=name))
    newest["metadata"]["annotations"] = {"replaced": "yes"}
    replaced = call(cluster, "update", type_, name=name, body=load(newest))
    assert replaced.metadata.annotations["replaced"] == "yes"
    listed = call(cluster, "list", type_, namespace="", label_selector=f"suite={name}")
    assert [obj.metadata.name for obj in listed.items] == [name]
    options = DeleteOptions(propagationPolicy="Background")
    call(cluster, "deletecollection", type_, label_selector=f"suite={name}", body=options)
    cluster.run(5)
    with pytest.raises(ApiError, match="not found"):
        call(cluster, "get", type_, name=name)


@pytest.mark.parametrize("kind", MAKERS)
def test_the_status_is_read_and_written_apart_from_the_rest(cluster: Cluster, kind: str) -> None:
    name = f"status-{kind.lower()}"
    type_ = type(create(cluster, labelled(kind, name)))
    cluster.run(3)
    before = call(cluster, "get", type_, name=name, subresource="status")
    change = {"spec": {"paused": True}, "status": STATUS_FIELDS.get(kind, ODD)}
    if kind != "Deployment":
        del change["spec"]
    after = call(
        cluster,
        "patch",
        type_,
        name=name,
        subresource="status",
        body=change,
        patch_type=MERGE_PATCH,
    )
    assert (after.spec, after.metadata.generation) == (before.spec, before.metadata.generation)
    told = to_dict(call(cluster, "get", type_, name=name, subresource="status"))["status"]
    if kind == "CronJob":
        assert told["lastScheduleTime"] == "2026-01-01T00:00:00Z"
    else:
        assert "Odd" in [condition["type"] for condition in told["conditions"]]


@pytest.mark.parametrize("kind", SCALABLE)
def test_the_scale_is_read_replaced_and_patched_on_its_own(cluster: Cluster, kind: str) -> None:
    name = f"scale-{kind.lower()}"
    type_ = type(create(cluster, labelled(kind, name)))
    cluster.run(3)
    scale = call(cluster, "get", type_, name=name, subresource="scale")
    assert (scale.kind, scale.spec.replicas) == ("Scale", 1)
    assert scale.status.selector == f"app={name}"
    two = {**to_dict(scale), "spec": {"replicas": 2}}
    call(cluster, "update", type_, name=name, subresource="scale", body=two)
    assert call(cluster, "get", type_, name=name).spec.replicas == 2
    four = {"spec": {"replicas": 4}}
    call(cluster, "patch", type_, name=name, subresource="scale", body=four, patch_type=MERGE_PATCH)
    assert call(cluster, "get", type_, name=name).spec.replicas == 4


def test_a_daemon_set_has_no_scale(cluster: Cluster) -> None:
    type_ = type(create(cluster, labelled("DaemonSet", "unscaled")))
    with pytest.raises(ApiError, match="could not find the requested resource"):
        call(cluster, "get", type_, name="unscaled", subresource="scale")
    apply(cluster, labelled("DaemonSet", "unscaled"))
