"""StatefulSets as a user sees them: names, order, addresses of their own."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import PersistentVolumeClaim
from tests.conformance.lab import apply, every, get, patch, pods, ready, service, workload


@pytest.fixture
def cluster() -> Cluster:
    made = Cluster(workers=2, seed=1)
    apply(made, service("db", 80, clusterIP="None"))
    return made


def stateful_set(replicas: int, **fields: Any) -> dict[str, Any]:
    return workload("StatefulSet", "db", replicas, serviceName="db", **fields)


def names(cluster: Cluster) -> list[str]:
    return sorted(pod.metadata.name for pod in pods(cluster, "db"))


def test_pods_come_one_after_another_by_their_numbers(cluster: Cluster) -> None:
    apply(cluster, stateful_set(3))
    seen: list[list[str]] = []
    for _ in every(cluster, 0.5, 20):
        if not seen or names(cluster) != seen[-1]:
            seen.append(names(cluster))
    assert seen[-3:] == [["db-0"], ["db-0", "db-1"], ["db-0", "db-1", "db-2"]]


def test_a_parallel_set_starts_all_at_once(cluster: Cluster) -> None:
    apply(cluster, stateful_set(3, podManagementPolicy="Parallel"))
    cluster.run(0.2)
    assert names(cluster) == ["db-0", "db-1", "db-2"]


def test_each_pod_has_a_dns_name_that_survives_it(cluster: Cluster) -> None:
    apply(cluster, stateful_set(2))
    cluster.run(15)
    ready(cluster, "db-0", "db-1")
    cluster.kubectl("delete pod db-1")
    cluster.run(10)
    ready(cluster, "db-1")
    cluster.run(8)  # what DNS servers remember
    full = "db-1.db.default.svc.cluster.local"
    cluster.kubectl(f"run probe --image=busybox:1.37 --restart=Never -- nslookup {full}")
    cluster.run(8)
    assert get(cluster, "db-1").status.podIP in cluster.kubectl("logs probe")


def test_a_rollout_goes_from_the_highest_number_down_to_the_partition(cluster: Cluster) -> None:
    apply(cluster, stateful_set(3, updateStrategy={"rollingUpdate": {"partition": 1}}))
    cluster.run(20)
    cluster.kubectl("set image statefulset/db main=nginx:1.28")
    cluster.run(30)
    images = [get(cluster, name).spec.containers[0].image for name in names(cluster)]
    assert images == ["nginx:1.27", "nginx:1.28", "nginx:1.28"]


def test_scaling_down_takes_the_highest_number_first(cluster: Cluster) -> None:
    apply(cluster, stateful_set(3))
    cluster.run(20)
    patch(cluster, "statefulset", "db", {"spec": {"replicas": 1}})
    cluster.run(10)
    assert names(cluster) == ["db-0"]


def test_deleting_the_set_deletes_its_pods(cluster: Cluster) -> None:
    apply(cluster, stateful_set(2))
    cluster.run(15)
    cluster.kubectl("delete statefulset db")
    cluster.run(10)
    assert names(cluster) == []


CLAIM = {
    "metadata": {"name": "data"},
    "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
}


def claims(cluster: Cluster) -> list[str]:
    found = cluster.view.list(PersistentVolumeClaim, "default")
    return sorted(claim.metadata.name for claim in found)


@pytest.mark.parametrize(
    ("scaled", "deleted", "after"),
    [
        ("Retain", "Retain", [2, 2]),
        ("Delete", "Retain", [1, 1]),
        ("Retain", "Delete", [2, 0]),
        ("Delete", "Delete", [1, 0]),
    ],
)
def test_claims_go_or_stay_as_the_retention_policy_says(
    cluster: Cluster, scaled: str, deleted: str, after: list[int]
) -> None:
    policy = {"whenScaled": scaled, "whenDeleted": deleted}
    apply(
        cluster,
        stateful_set(
            2,
            volumeClaimTemplates=[CLAIM],
            persistentVolumeClaimRetentionPolicy=policy,
        ),
    )
    cluster.run(25)
    assert claims(cluster) == ["data-db-0", "data-db-1"]
    counts = []
    for command in ("scale statefulset db --replicas=1", "delete statefulset db"):
        cluster.kubectl(command)
        cluster.run(25)
        counts.append(len(claims(cluster)))
    assert counts == after
