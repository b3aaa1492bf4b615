"""Behaviours 26-29: ReplicaSets and Deployments."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Pod
from k8slab.api.meta import controller_of
from tests.conformance.lab import (
    STUBBORN,
    apply,
    condition,
    config_map,
    deployment,
    every,
    get,
    pod,
    pods,
    ready,
    replica_set,
    shell,
    sleeper,
    workload,
)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=2, seed=1)


def owner(obj: Any) -> str:
    found = controller_of(obj)
    return "" if found is None else found.name


def names(cluster: Cluster, app: str) -> list[str]:
    return [p.metadata.name for p in pods(cluster, app)]


def sizes(cluster: Cluster) -> dict[str, int]:
    """Return how many Pods each ReplicaSet wants, by image."""
    found = cluster.view.list(ReplicaSet, "default")
    return {rs.spec.template.spec.containers[0].image: rs.spec.replicas or 0 for rs in found}


# -- 26: owning


def test_matching_orphans_are_adopted(cluster: Cluster) -> None:
    apply(cluster, pod("orphan", labels={"app": "web"}))
    ready(cluster, "orphan")
    apply(cluster, replica_set("web", 2))
    cluster.run(5)
    assert owner(get(cluster, "orphan")) == "web"
    assert len(pods(cluster, "web")) == 2


def test_a_relabelled_pod_is_released_and_replaced_at_once(cluster: Cluster) -> None:
    apply(cluster, replica_set("web", 2))
    cluster.run(5)
    name = names(cluster, "web")[0]
    cluster.kubectl(f"label pod {name} app=debug --overwrite")
    cluster.run(1)
    assert owner(get(cluster, name)) == ""
    assert len(pods(cluster, "web")) == 2


def test_the_pods_of_another_controller_are_left_alone(cluster: Cluster) -> None:
    apply(cluster, replica_set("first", 2))
    cluster.run(5)
    second = replica_set("second", 2)
    second["spec"]["selector"]["matchLabels"] = {"app": "first"}
    second["spec"]["template"]["metadata"]["labels"] = {"app": "first"}
    apply(cluster, second)
    cluster.run(5)
    owners = sorted(owner(p) for p in pods(cluster, "first"))
    assert owners == ["first", "first", "second", "second"]


# -- 27: whom a smaller number costs


def victim(cluster: Cluster, replicas: int) -> set[str]:
    """Scale in and return the names of the Pods that went."""
    before = {*names(cluster, "web")}
    cluster.kubectl(f"scale rs web --replicas={replicas}")
    cluster.run(2)
    return before - {*names(cluster, "web")}


def test_a_pod_without_a_node_goes_first(cluster: Cluster) -> None:
    greedy = sleeper(resources={"requests": {"cpu": "2500m"}})
    apply(cluster, replica_set("web", 3, greedy))
    cluster.run(15)
    waits = {p.metadata.name for p in pods(cluster, "web") if not p.spec.nodeName}
    assert len(waits) == 1
    assert victim(cluster, 2) == waits


def test_then_a_pod_that_is_not_ready(cluster: Cluster) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/ok"]}, "periodSeconds": 1}
    apply(cluster, replica_set("web", 3, sleeper(readinessProbe=probe)))
    cluster.run(10)
    for name in names(cluster, "web")[1:]:
        cluster.kubectl(f"exec {name} -- touch /tmp/ok")
    cluster.run(5)
    lame = names(cluster, "web")[0]
    assert victim(cluster, 2) == {lame}


def test_then_the_one_with_the_lowest_deletion_cost(cluster: Cluster) -> None:
    apply(cluster, replica_set("web", 3))
    cluster.run(10)
    on = [p.spec.nodeName for p in pods(cluster, "web")]
    alone = min(on, key=on.count)  # nothing else speaks against this one
    cheap = next(p.metadata.name for p in pods(cluster, "web") if p.spec.nodeName == alone)
    cluster.kubectl(f"annotate pod {cheap} controller.kubernetes.io/pod-deletion-cost=-1")
    assert victim(cluster, 2) == {cheap}


def test_then_one_of_the_crowded_node(cluster: Cluster) -> None:
    apply(cluster, replica_set("web", 3))
    cluster.run(10)
    on = [p.spec.nodeName for p in pods(cluster, "web")]
    crowded = max(("worker-1", "worker-2"), key=on.count)
    [gone] = victim(cluster, 2)
    assert cluster.at(cluster.now - 2).get(Pod, gone).spec.nodeName == crowded  # type: ignore[union-attr]


def test_then_the_one_that_is_ready_for_less_time() -> None:
    cluster = Cluster(workers=1, seed=1)
    apply(cluster, replica_set("web", 2))
    cluster.run(600)
    cluster.kubectl("scale rs web --replicas=3")
    cluster.run(10)
    youngest = max(pods(cluster, "web"), key=lambda p: p.metadata.creationTimestamp or "")
    assert victim(cluster, 2) == {youngest.metadata.name}


# -- 28: replacing and creating


def test_a_terminating_pod_is_replaced_at_once(cluster: Cluster) -> None:
    stubborn = {"terminationGracePeriodSeconds": 60}
    apply(cluster, replica_set("web", 2, shell(STUBBORN), pod=stubborn))
    cluster.run(10)
    name = names(cluster, "web")[0]
    cluster.kubectl(f"delete pod {name} --wait=false")
    cluster.run(2)
    assert get(cluster, name).metadata.deletionTimestamp is not None
    assert len(pods(cluster, "web")) == 2
    rs = cluster.view.get(ReplicaSet, "web")
    assert rs is not None
    assert rs.status.terminatingReplicas == 1


def test_a_stateful_set_waits_until_its_pod_is_gone(cluster: Cluster) -> None:
    stubborn = {"terminationGracePeriodSeconds": 60}
    apply(cluster, workload("StatefulSet", "db", 1, shell(STUBBORN), pod=stubborn))
    ready(cluster, "db-0")
    uid = get(cluster, "db-0").metadata.uid
    cluster.kubectl("delete pod db-0 --wait=false")
    cluster.run(50)
    assert get(cluster, "db-0").metadata.uid == uid
    assert pods(cluster, "db") == []
    cluster.run(30)
    assert get(cluster, "db-0").metadata.uid != uid


def test_creation_that_is_refused_starts_with_one_attempt(cluster: Cluster) -> None:
    apply(cluster, replica_set("web", 10, pod={"serviceAccountName": "ghost"}))
    cluster.run(0.5)
    mine = [record for record in cluster.trace if "/web" in record.subject]
    passes = [r for r in mine if r.verb == "decide" and "create 10" in r.detail]
    refused = [r for r in mine if "FailedCreate" in r.detail]
    assert len(passes) > 2
    assert len(refused) == len(passes)  # one call each, not 10


# -- 29: rollouts


def test_max_surge_rounds_up_and_max_unavailable_down(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 5))  # 25%: at most 7 Pods, at least 4 available
    ready(cluster, "deployment/web")
    cluster.kubectl("set image deployment/web main=nginx:1.28")
    most, least = 0, 5
    for _ in every(cluster, 0.1, 30):
        most = max(most, sum(sizes(cluster).values()))
        found = cluster.view.get(Deployment, "web")
        assert found is not None
        least = min(least, found.status.availableReplicas)
    assert (most, least) == (7, 4)
    assert sizes(cluster) == {"nginx:1.27": 0, "nginx:1.28": 5}


def test_zero_and_zero_act_as_one_unavailable(cluster: Cluster) -> None:
    rolling = {"maxSurge": "10%", "maxUnavailable": "10%"}
    apply(cluster, deployment("web", 2, strategy={"rollingUpdate": {**rolling, "maxSurge": 0}}))
    ready(cluster, "deployment/web")
    cluster.kubectl("set image deployment/web main=nginx:1.28")
    cluster.run(60)
    assert sizes(cluster) == {"nginx:1.27": 0, "nginx:1.28": 2}
    refused = deployment("bad", 2, strategy={"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}})
    assert "may not be 0 when `maxSurge` is 0" in apply(cluster, refused)


def test_a_broken_new_replica_set_halts_the_rollout(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 4, progressDeadlineSeconds=60))
    ready(cluster, "deployment/web")
    cluster.world.registry.missing("nginx:1.99")
    cluster.kubectl("set image deployment/web main=nginx:1.99")
    cluster.run(300)
    assert sizes(cluster) == {"nginx:1.27": 3, "nginx:1.99": 2}
    found = condition(cluster.view.get(Deployment, "web"), "Progressing")
    assert (found.status, found.reason) == ("False", "ProgressDeadlineExceeded")
    assert cluster.kubectl("rollout status deployment/web").endswith(
        'error: deployment "web" exceeded its progress deadline\n'
    )
    assert condition(cluster.view.get(Deployment, "web"), "Available").status == "True"


def test_an_undo_brings_the_old_replica_set_back(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 2))
    ready(cluster, "deployment/web")
    first = {rs.metadata.name for rs in cluster.view.list(ReplicaSet, "default")}
    cluster.kubectl("set image deployment/web main=nginx:1.28")
    cluster.run(30)
    cluster.kubectl("rollout undo deployment/web")
    cluster.run(30)
    assert sizes(cluster) == {"nginx:1.27": 2, "nginx:1.28": 0}
    full = {r.metadata.name for r in cluster.view.list(ReplicaSet, "default") if r.spec.replicas}
    assert full == first


def test_scaling_in_the_middle_of_a_rollout_is_proportional(cluster: Cluster) -> None:
    rolling = {"rollingUpdate": {"maxSurge": 3, "maxUnavailable": 2}}
    apply(cluster, deployment("web", 10, strategy=rolling))
    ready(cluster, "deployment/web")
    cluster.world.registry.missing("nginx:1.99")
    cluster.kubectl("set image deployment/web main=nginx:1.99")
    cluster.run(20)
    assert sizes(cluster) == {"nginx:1.27": 8, "nginx:1.99": 5}
    cluster.kubectl("scale deployment web --replicas=15")
    cluster.run(5)
    assert sizes(cluster) == {"nginx:1.27": 11, "nginx:1.99": 7}


def test_recreate_ends_the_old_pods_before_it_starts_new_ones(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 2, strategy={"type": "Recreate"}))
    ready(cluster, "deployment/web")
    cluster.kubectl("set image deployment/web main=nginx:1.28")
    for _ in every(cluster, 0.1, 20):
        images = {p.spec.containers[0].image for p in cluster.view.list(Pod, "default")}
        assert len(images) <= 1
    assert sizes(cluster) == {"nginx:1.27": 0, "nginx:1.28": 2}


def test_a_config_map_change_rolls_nothing(cluster: Cluster) -> None:
    source = [{"configMapRef": {"name": "settings"}}]
    settings = {**config_map("settings"), "data": {"MODE": "old"}}
    apply(cluster, settings, deployment("web", 1, sleeper(envFrom=source)))
    ready(cluster, "deployment/web")
    [before] = names(cluster, "web")
    apply(cluster, {**settings, "data": {"MODE": "new"}})
    cluster.run(120)
    assert names(cluster, "web") == [before]
    assert "MODE=old" in cluster.kubectl(f"exec {before} -- env")
    cluster.kubectl("rollout restart deployment/web")
    cluster.run(30)
    [after] = names(cluster, "web")
    assert "MODE=new" in cluster.kubectl(f"exec {after} -- env")


def test_a_daemon_set_has_one_pod_on_each_node_and_follows_labels(cluster: Cluster) -> None:
    agent = {**replica_set("agent", 1), "kind": "DaemonSet"}
    del agent["spec"]["replicas"]
    agent["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    apply(cluster, agent)
    cluster.run(5)
    assert pods(cluster, "agent") == []
    cluster.kubectl("label node worker-2 disk=ssd")
    cluster.run(5)
    assert [p.spec.nodeName for p in pods(cluster, "agent")] == ["worker-2"]
    cluster.kubectl("label node worker-2 disk-")
    cluster.run(10)
    assert pods(cluster, "agent") == []
