"""Behaviour 10: a node dies."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.core import Node
from tests.conformance.lab import (
    apply,
    condition,
    deployment,
    endpoints,
    exists,
    get,
    node,
    pods,
    ready,
    service,
)

UNREACHABLE = "node.kubernetes.io/unreachable"


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster of two workers with two web Pods, one on each."""
    lab = Cluster(workers=2, seed=1)
    apply(lab, deployment("web", 2), service("web", 80))
    ready(lab, "deployment/web")
    assert {p.spec.nodeName for p in pods(lab, "web")} == {"worker-1", "worker-2"}
    return lab


def on(cluster: Cluster, name: str) -> str:
    return next(p.metadata.name for p in pods(cluster, "web") if p.spec.nodeName == name)


def unknown(cluster: Cluster) -> bool:
    return bool(condition(node(cluster, "worker-1"), "Ready").status == "Unknown")


def test_a_dead_node_is_unknown_after_the_grace_period_and_tainted(cluster: Cluster) -> None:
    died = cluster.now
    cluster.break_node("worker-1")
    cluster.run_until(unknown)
    assert 40 <= cluster.now - died <= 56  # 50 s since the last heartbeat, looked at each 5 s
    cluster.run(6)
    found = condition(node(cluster, "worker-1"), "Ready")
    assert (found.reason, found.message) == (
        "NodeStatusUnknown",
        "Kubelet stopped posting node status.",
    )
    taints = {t.effect for t in node(cluster, "worker-1").spec.taints if t.key == UNREACHABLE}
    assert taints == {"NoSchedule", "NoExecute"}


def test_its_pods_are_not_ready_and_still_say_running(cluster: Cluster) -> None:
    victim = on(cluster, "worker-1")
    cluster.break_node("worker-1")
    cluster.run_until(unknown)
    cluster.run(2)
    assert get(cluster, victim).status.phase == "Running"
    assert condition(get(cluster, victim), "Ready").status == "False"
    serving = {e.targetRef.name: e.conditions.ready for e in endpoints(cluster, "web")}
    assert serving[victim] is False
    assert column_status(cluster, victim) == "Running"


def column_status(cluster: Cluster, name: str) -> str:
    return cluster.kubectl(f"get pod {name} --no-headers").split()[2]


def test_its_pods_are_deleted_after_the_toleration_and_replaced_and_stay(cluster: Cluster) -> None:
    victim = on(cluster, "worker-1")
    died = cluster.now
    cluster.break_node("worker-1")
    cluster.run_until(lambda c: get(c, victim).metadata.deletionTimestamp is not None)
    assert 340 <= cluster.now - died <= 362
    cluster.run_until("deployment/web available")
    assert {p.spec.nodeName for p in pods(cluster, "web")} == {"worker-2"}
    cluster.run(3600)
    assert exists(cluster, victim)
    assert column_status(cluster, victim) == "Terminating"


def test_pods_default_to_tolerate_a_dead_node_for_five_minutes(cluster: Cluster) -> None:
    tolerations = get(cluster, on(cluster, "worker-1")).spec.tolerations
    assert {(t.key.partition("/")[2], t.effect, t.tolerationSeconds) for t in tolerations} == {
        ("not-ready", "NoExecute", 300),
        ("unreachable", "NoExecute", 300),
    }


def test_a_node_that_returns_in_time_keeps_its_pods(cluster: Cluster) -> None:
    victim = on(cluster, "worker-1")
    uid = get(cluster, victim).metadata.uid
    cluster.partition("worker-1")
    cluster.run(120)
    assert unknown(cluster)
    cluster.heal("worker-1")
    cluster.run(30)
    assert not node(cluster, "worker-1").spec.taints
    assert condition(get(cluster, victim), "Ready").status == "True"
    assert get(cluster, victim).metadata.uid == uid
    assert get(cluster, victim).status.containerStatuses[0].restartCount == 0


def test_the_returning_node_confirms_what_was_deleted_meanwhile(cluster: Cluster) -> None:
    victim = on(cluster, "worker-1")
    cluster.partition("worker-1")
    cluster.run(400)
    assert exists(cluster, victim)
    cluster.heal("worker-1")
    cluster.run(60)
    assert not exists(cluster, victim)


def test_pods_of_a_deleted_node_are_collected(cluster: Cluster) -> None:
    victim = on(cluster, "worker-1")
    cluster.break_node("worker-1")
    cluster.kubectl("delete node worker-1")
    assert not exists(cluster, "worker-1", Node)
    cluster.run_until(f"pod/{victim} deleted", timeout=120)


def test_daemons_are_not_evicted(cluster: Cluster) -> None:
    cluster.break_node("worker-1")
    cluster.run(500)
    there = cluster.kubectl("get pods -n kube-system -o wide --no-headers").splitlines()
    proxies = [line for line in there if line.startswith("kube-proxy") and " worker-1 " in line]
    assert len(proxies) == 1
    assert "Terminating" not in proxies[0]
