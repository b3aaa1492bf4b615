"""What upstream asks of sig-scheduling beyond the forty-three behaviours."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import LimitRange
from k8slab.api.errors import ApiError
from k8slab.api.scheduling import PriorityClass
from tests.conformance.lab import (
    apply,
    call,
    condition,
    container,
    events,
    get,
    patch,
    pod,
    priority_class,
    ready,
    replica_set,
    sleeper,
)


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with two workers of 4 CPUs."""
    return Cluster(workers=2, seed=2)


def asks(name: str, cpu: str, **spec: Any) -> dict[str, Any]:
    return pod(name, sleeper(resources={"requests": {"cpu": cpu}}), **spec)


def on(node: str, name: str, **port: Any) -> dict[str, Any]:
    """Return a Pod for one node with a port of the node."""
    ports = [{"containerPort": 80, "hostPort": 8080, **port}]
    return pod(name, container(ports=ports), nodeSelector={"kubernetes.io/hostname": node})


def test_a_full_cluster_takes_no_more_requests_until_a_pod_goes(cluster: Cluster) -> None:
    apply(cluster, asks("a", "3"), asks("b", "3"))
    ready(cluster, "a", "b")
    apply(cluster, asks("c", "2"))
    cluster.run(5)
    assert "2 Insufficient cpu" in events(cluster, "c", "FailedScheduling")[0]
    home = get(cluster, "a").spec.nodeName
    cluster.kubectl("delete pod a")
    ready(cluster, "c")
    assert get(cluster, "c").spec.nodeName == home


def test_a_node_selector_waits_for_a_node_with_the_label(cluster: Cluster) -> None:
    apply(cluster, pod("web", nodeSelector={"disk": "fast"}))
    cluster.run(5)
    assert not get(cluster, "web").spec.nodeName
    cluster.kubectl("label node worker-2 disk=fast")
    ready(cluster, "web")
    assert get(cluster, "web").spec.nodeName == "worker-2"


def test_the_same_host_port_is_free_for_another_address_and_protocol(cluster: Cluster) -> None:
    apply(cluster, on("worker-1", "a", hostIP="127.0.0.1"))
    apply(cluster, on("worker-1", "b", hostIP="127.0.0.2"))
    apply(cluster, on("worker-1", "c", hostIP="127.0.0.2", protocol="UDP"))
    ready(cluster, "a", "b", "c")


def test_a_host_port_on_all_addresses_conflicts_with_any(cluster: Cluster) -> None:
    apply(cluster, on("worker-1", "a"))
    ready(cluster, "a")
    apply(cluster, on("worker-1", "b", hostIP="127.0.0.1"))
    cluster.run(5)
    text = events(cluster, "b", "FailedScheduling")[0]
    assert "1 node(s) didn't have free ports for the requested pod ports" in text


def test_the_least_important_pod_makes_room(cluster: Cluster) -> None:
    apply(cluster, priority_class("low", 1), priority_class("middle", 100))
    apply(cluster, priority_class("high", 1000))
    apply(cluster, asks("low", "3", priorityClassName="low"))
    apply(cluster, asks("middle", "3", priorityClassName="middle"))
    ready(cluster, "low", "middle")
    apply(cluster, asks("high", "3", priorityClassName="high"))
    ready(cluster, "high")
    assert "low" not in cluster.kubectl("get pods -o name")
    assert get(cluster, "middle").metadata.deletionTimestamp is None


def test_a_critical_pod_preempts(cluster: Cluster) -> None:
    apply(cluster, asks("a", "3"), asks("b", "3"))
    ready(cluster, "a", "b")
    critical = asks(
        "critical", "3", namespace="kube-system", priorityClassName="system-cluster-critical"
    )
    apply(cluster, critical)
    cluster.run(20)
    answer = cluster.kubectl("get pod critical -n kube-system -o jsonpath={.status.phase}")
    assert answer == "Running"
    assert len(cluster.kubectl("get pods -o name").split()) == 1


def test_a_victim_has_the_condition_of_a_disruption(cluster: Cluster) -> None:
    apply(cluster, priority_class("high", 1000))
    victim = asks("victim", "3", finalizers=["example.com/look"])
    apply(cluster, victim, asks("other", "3", priorityClassName="high"))
    ready(cluster, "victim", "other")
    apply(cluster, asks("high", "3", priorityClassName="high"))
    cluster.run(10)
    found = condition(get(cluster, "victim"), "DisruptionTarget")
    assert (found.status, found.reason) == ("True", "PreemptionByScheduler")
    patch(cluster, "pod", "victim", {"metadata": {"finalizers": None}})
    ready(cluster, "high")


def test_the_pods_of_replica_sets_are_preempted_and_wait_again(cluster: Cluster) -> None:
    cluster.kubectl("cordon worker-2")
    classes = [priority_class(f"p{i}", i) for i in (1, 2, 3)]
    apply(cluster, *classes)
    wanted = {"resources": {"requests": {"cpu": "1"}}}
    for rank, replicas in ((1, 2), (2, 1)):
        made = replica_set(
            f"rs{rank}", replicas, sleeper(**wanted), pod={"priorityClassName": f"p{rank}"}
        )
        apply(cluster, made)
    cluster.run(10)
    apply(cluster, asks("top", "2500m", priorityClassName="p3"))
    ready(cluster, "top")
    sets = [call(cluster, "get", ReplicaSet, name=name) for name in ("rs1", "rs2")]
    assert [(s.status.replicas, s.status.readyReplicas) for s in sets] == [(2, 0), (1, 1)]


def test_a_priority_class_keeps_its_value(cluster: Cluster) -> None:
    apply(cluster, priority_class("p", 5))
    change = {"description": "five", "value": 5}
    merge = {"patch_type": "application/merge-patch+json", "namespace": ""}
    answer = call(cluster, "patch", PriorityClass, name="p", body=change, **merge)
    assert (answer.value, answer.description) == (5, "five")
    with pytest.raises(ApiError, match="may not be changed in an update"):
        call(cluster, "patch", PriorityClass, name="p", body={"value": 6}, **merge)


def test_a_limit_range_gives_pods_its_defaults(cluster: Cluster) -> None:
    limit = {
        "type": "Container",
        "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "100m"},
        "max": {"cpu": "1"},
    }
    manifest = {"apiVersion": "v1", "kind": "LimitRange", "metadata": {"name": "limits"}}
    apply(cluster, {**manifest, "spec": {"limits": [limit]}})
    apply(cluster, pod("plain"))
    resources = get(cluster, "plain").spec.containers[0].resources
    assert (resources.requests, resources.limits) == ({"cpu": "100m"}, {"cpu": "500m"})
    refused = apply(cluster, asks("big", "2"))
    assert "maximum cpu usage per Container is 1" in refused
    change = {"spec": {"limits": [{**limit, "defaultRequest": {"cpu": "200m"}}]}}
    patch(cluster, "limitrange", "limits", change)
    apply(cluster, pod("later"))
    assert get(cluster, "later").spec.containers[0].resources.requests == {"cpu": "200m"}
    call(cluster, "deletecollection", LimitRange)
    assert call(cluster, "list", LimitRange).items == ()
