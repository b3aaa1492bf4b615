"""Behaviours 19-25: where Pods go, and why."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api import load
from k8slab.control_plane.scheduler import explain
from tests.conformance.lab import (
    apply,
    column,
    condition,
    container,
    deployment,
    events,
    get,
    pod,
    pods,
    priority_class,
    ready,
    service,
    sleeper,
)

ZONE = "topology.kubernetes.io/zone"
WORKERS = {"worker-1", "worker-2", "worker-3"}


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with three workers of 4 CPUs and about 8 GiB in three zones."""
    return Cluster(workers=3, seed=1)


def asks(name: str, cpu: str, **spec: Any) -> dict[str, Any]:
    return pod(name, sleeper(resources={"requests": {"cpu": cpu}}), **spec)


def node_of(cluster: Cluster, name: str) -> str:
    cluster.run(3)
    return get(cluster, name).spec.nodeName


def refusal(cluster: Cluster, name: str) -> str:
    """Return the text of the first FailedScheduling Event."""
    cluster.run(3)
    assert not get(cluster, name).spec.nodeName
    return events(cluster, name, "FailedScheduling")[0]


def affinity(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a required node affinity of ORed terms, each a list of ANDed expressions."""
    listed = [{"matchExpressions": term} if term else {} for term in terms]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": listed}}
    return {"nodeAffinity": required}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    found: dict[str, Any] = {"key": key, "operator": operator}
    return {**found, "values": list(values)} if values else found


# -- 19, 20: verdicts and their text


def test_the_event_counts_reasons_and_says_that_preemption_cannot_help(cluster: Cluster) -> None:
    apply(cluster, asks("big", "100"))
    assert refusal(cluster, "big") == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. "
        "preemption: 0/4 nodes are available: 4 Preemption is not helpful for scheduling."
    )
    found = condition(get(cluster, "big"), "PodScheduled")
    assert (found.status, found.reason) == ("False", "Unschedulable")


def test_where_the_room_is_taken_there_are_no_victims_for_an_equal(cluster: Cluster) -> None:
    apply(cluster, *(asks(f"full-{i}", "3") for i in range(3)))
    cluster.run(5)
    apply(cluster, asks("late", "2"))
    assert refusal(cluster, "late") == (
        "0/4 nodes are available: 1 node(s) had untolerated taint(s), 3 Insufficient cpu. "
        "preemption: 0/4 nodes are available: 1 Preemption is not helpful for scheduling, "
        "3 No preemption victims found for incoming pod."
    )


def test_a_node_stops_at_its_first_failing_plugin(cluster: Cluster) -> None:
    cluster.kubectl("taint node worker-1 team=a:NoSchedule")
    cluster.kubectl("cordon worker-2")
    apply(cluster, asks("big", "100"))
    assert refusal(cluster, "big").startswith(
        "0/4 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable, "
        "2 node(s) had untolerated taint(s). "
    )


def test_one_node_may_report_several_lacking_resources(cluster: Cluster) -> None:
    requests = {"requests": {"cpu": "100", "memory": "100Gi"}}
    apply(cluster, pod("big", sleeper(resources=requests)))
    assert "3 Insufficient cpu, 3 Insufficient memory" in refusal(cluster, "big")


def test_reasons_sort_as_text() -> None:
    nodes = [make_node(f"n-{i}", cpu="1") for i in range(10)]
    nodes += [make_node(f"t-{i}", taints=[{"key": "a", "effect": "NoSchedule"}]) for i in range(2)]
    answer = explain(load(asks("big", "2")), [load(n) for n in nodes])  # type: ignore[arg-type]
    assert answer.event.startswith(
        "0/12 nodes are available: 10 Insufficient cpu, 2 node(s) had untolerated taint(s). "
    )


def make_node(name: str, cpu: str = "4", **spec: Any) -> dict[str, Any]:
    allocatable = {"cpu": cpu, "memory": "8Gi", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
        "spec": spec,
        "status": {"allocatable": allocatable, "capacity": allocatable},
    }


# -- 21: requests


def test_requests_count_and_usage_does_not(cluster: Cluster) -> None:
    on = {"nodeName": "worker-1"}
    burner = pod(
        "burner", container(image="polinux/stress", command=["stress", "--cpu", "4"]), **on
    )
    apply(cluster, burner)
    cluster.run(10)
    apply(cluster, asks("web", "3900m", nodeSelector={"kubernetes.io/hostname": "worker-1"}))
    assert node_of(cluster, "web") == "worker-1"


def test_sidecars_add_up_and_init_containers_take_the_maximum(cluster: Cluster) -> None:
    def cpu(amount: str) -> dict[str, Any]:
        return {"requests": {"cpu": amount}}

    init = [
        sleeper("sidecar", resources=cpu("1"), restartPolicy="Always"),
        container("setup", resources=cpu("2")),
    ]
    wanted = [sleeper("a", resources=cpu("1500m")), sleeper("b", resources=cpu("1"))]
    apply(cluster, pod("fits", *wanted, initContainers=init))  # max(1 + 2.5, 1 + 2) = 3.5
    assert node_of(cluster, "fits")
    init[0]["resources"] = cpu("2")  # 2 + 2.5
    apply(cluster, pod("too-big", *wanted, initContainers=init))
    assert "3 Insufficient cpu" in refusal(cluster, "too-big")


def test_a_pod_without_requests_fits_on_a_full_node(cluster: Cluster) -> None:
    apply(cluster, *(asks(f"full-{i}", "3900m") for i in range(3)))
    cluster.run(5)
    apply(cluster, pod("web"))
    assert node_of(cluster, "web")


# -- 22: scoring


def test_of_equal_nodes_another_seed_takes_another() -> None:
    chosen = set()
    for seed in range(8):
        lab = Cluster(workers=3, seed=seed)
        apply(lab, pod("web"))
        chosen.add(node_of(lab, "web"))
    assert len(chosen) > 1


def test_the_emptier_node_wins(cluster: Cluster) -> None:
    apply(cluster, asks("a", "2", nodeName="worker-1"), asks("b", "1", nodeName="worker-2"))
    cluster.run(3)
    apply(cluster, asks("web", "1"))
    assert node_of(cluster, "web") == "worker-3"


# -- 23: selectors


@pytest.mark.parametrize(
    ("terms", "where"),
    [
        ([[expression(ZONE, "In", "zone-a")], [expression(ZONE, "In", "zone-x")]], {"worker-1"}),
        (
            [[expression(ZONE, "Exists"), expression(ZONE, "NotIn", "zone-a", "zone-b")]],
            {"worker-3"},
        ),
        ([[]], set()),
        ([[], [expression(ZONE, "In", "zone-b")]], {"worker-2"}),
        ([[expression("disk", "NotIn", "hdd")]], WORKERS),
        ([[expression("cores", "Gt", "8")]], {"worker-2"}),
    ],
)
def test_terms_are_ored_and_their_expressions_anded(
    cluster: Cluster, terms: list[Any], where: set[str]
) -> None:
    cluster.kubectl("label node worker-2 cores=16")
    cluster.kubectl("label node worker-1 cores=8")
    apply(cluster, *(pod(f"web-{i}", affinity=affinity(*terms)) for i in range(6)))
    cluster.run(5)
    assert {get(cluster, f"web-{i}").spec.nodeName for i in range(6)} - {""} <= where
    if where:
        assert get(cluster, "web-0").spec.nodeName in where


def test_no_label_selector_matches_nothing_and_an_empty_one_everything(cluster: Cluster) -> None:
    def avoids(name: str, **term: Any) -> dict[str, Any]:
        term["topologyKey"] = ZONE
        rules = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        return pod(name, affinity={"podAntiAffinity": rules})

    apply(cluster, *(pod(f"old-{i}", nodeName=f"worker-{i}") for i in (1, 2, 3)))
    cluster.run(3)
    apply(cluster, avoids("nobody"), avoids("everybody", labelSelector={}))
    assert node_of(cluster, "nobody")
    assert "3 node(s) didn't match pod anti-affinity rules" in refusal(cluster, "everybody")


# -- 24: taints and affinity between Pods


def test_prefer_no_schedule_never_filters(cluster: Cluster) -> None:
    for name in ("worker-1", "worker-2"):
        cluster.kubectl(f"taint node {name} team=a:PreferNoSchedule")
    apply(cluster, pod("first"))
    assert node_of(cluster, "first") == "worker-3"
    cluster.kubectl("cordon worker-3")
    apply(cluster, pod("second"))
    assert node_of(cluster, "second") in ("worker-1", "worker-2")


def test_the_anti_affinity_of_who_is_there_rejects_newcomers(cluster: Cluster) -> None:
    term = {"labelSelector": {"matchLabels": {"tier": "web"}}, "topologyKey": "kubernetes.io/os"}
    rules = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    apply(cluster, pod("jealous", affinity={"podAntiAffinity": rules}))
    assert node_of(cluster, "jealous")
    apply(cluster, pod("web", labels={"tier": "web"}))
    assert "3 node(s) didn't satisfy existing pods anti-affinity rules" in refusal(cluster, "web")


def test_the_first_pod_may_satisfy_its_own_affinity(cluster: Cluster) -> None:
    def together(name: str, app: str) -> dict[str, Any]:
        term = {"labelSelector": {"matchLabels": {"app": app}}, "topologyKey": ZONE}
        rules = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
        return pod(name, labels={"app": name.partition("-")[0]}, affinity={"podAffinity": rules})

    apply(cluster, together("web-0", "web"), together("db-0", "cache"))
    first = node_of(cluster, "web-0")
    assert first
    assert "3 node(s) didn't match pod affinity rules" in refusal(cluster, "db-0")
    apply(cluster, together("web-1", "web"))
    assert node_of(cluster, "web-1") == first


# -- 25: spreading and preemption


def test_a_workloads_pods_spread_over_the_nodes_by_default(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 6), service("web", 80))
    ready(cluster, "deployment/web")
    used = [p.spec.nodeName for p in pods(cluster, "web")]
    assert {name: used.count(name) for name in used} == dict.fromkeys(
        ("worker-1", "worker-2", "worker-3"), 2
    )


def test_preemption_spares_the_more_important_of_the_possible_victims(cluster: Cluster) -> None:
    for name in ("worker-2", "worker-3"):
        cluster.kubectl(f"cordon {name}")
    apply(cluster, priority_class("high", 1000), priority_class("middle", 100))
    apply(cluster, asks("low-pod", "2"), asks("middle-pod", "1500m", priorityClassName="middle"))
    ready(cluster, "low-pod", "middle-pod")
    apply(cluster, asks("high-pod", "2", priorityClassName="high"))
    cluster.run(20)
    assert get(cluster, "high-pod").spec.nodeName == "worker-1"
    assert get(cluster, "middle-pod").status.phase == "Running"
    assert "low-pod" not in cluster.kubectl("get pods")
    assert column(cluster, "pod", "high-pod", "STATUS") == "Running"


def test_a_victim_is_told_who_preempted_it(cluster: Cluster) -> None:
    apply(cluster, priority_class("high", 1000))
    apply(cluster, *(asks(f"low-{i}", "3") for i in range(3)))
    ready(cluster, "low-0", "low-1", "low-2")
    apply(cluster, asks("high", "3", priorityClassName="high"))
    cluster.run(20)
    told = [m for i in range(3) for m in events(cluster, f"low-{i}", "Preempted")]
    uid = get(cluster, "high").metadata.uid
    assert told == [f"Preempted by pod {uid} on node {get(cluster, 'high').spec.nodeName}"]


def test_a_gated_pod_waits_without_being_looked_at(cluster: Cluster) -> None:
    apply(cluster, pod("web", schedulingGates=[{"name": "example.com/quota"}]))
    cluster.run(30)
    assert column(cluster, "pod", "web", "STATUS") == "SchedulingGated"
    assert condition(get(cluster, "web"), "PodScheduled").reason == "SchedulingGated"
    assert events(cluster, "web") == []
