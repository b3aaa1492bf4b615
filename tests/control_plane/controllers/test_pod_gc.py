from __future__ import annotations

from typing import Any

from k8slab.api import load
from k8slab.control_plane.controllers.pod_gc import superfluous


def finished(name: str, created: str, reason: str = "") -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "creationTimestamp": f"2026-01-01T00:00:{created}Z"},
            "status": {"phase": "Failed", "reason": reason},
        }
    )


def test_of_too_many_finished_pods_evicted_ones_and_old_ones_go() -> None:
    pods = [
        finished("new", "30"),
        finished("old", "10"),
        finished("evicted", "40", "Evicted"),
        finished("older", "05"),
    ]
    assert [p.metadata.name for p in superfluous(pods, 2)] == ["evicted", "older"]
    assert superfluous(pods, 4) == []


def test_pods_of_a_deleted_node_are_cleared_away_after_a_quarantine(lab: Any, web: Any) -> None:
    lab.apply(web(3))
    lab.run(3)
    (lost,) = [p for p in lab.all("Pod") if p.spec.nodeName == "worker-1"]
    lab.hands.dead.add("worker-1")
    lab.hands.nodes.remove("worker-1")
    lab.request("delete", "Node", "worker-1")
    deleted = lab.sim.now
    names = {lost.metadata.name}
    lab.until(lambda: not names & {p.metadata.name for p in lab.all("Pod")}, 90)
    assert 40 <= lab.sim.now - deleted <= 61
    lab.run(2)
    assert lab.get("Deployment", "web").status.availableReplicas == 3


def test_a_node_that_is_made_anew_in_time_keeps_its_pods(lab: Any, web: Any) -> None:
    lab.apply(web(3))
    lab.run(3)
    before = sorted(p.metadata.name for p in lab.all("Pod"))
    lab.request("delete", "Node", "worker-1")
    lab.run(10)
    lab.add_node("worker-1")
    lab.run(100)
    assert sorted(p.metadata.name for p in lab.all("Pod")) == before


def test_out_of_service_frees_pods_that_are_stuck_terminating(lab: Any, web: Any) -> None:
    lab.apply(web(3))
    lab.run(3)
    (lost,) = [p for p in lab.all("Pod") if p.spec.nodeName == "worker-1"]
    lab.heartbeats["worker-1"] = lab.sim.now
    lab.hands.dead.add("worker-1")
    lab.hands.nodes.remove("worker-1")
    lab.run(80)
    lab.request("delete", "Pod", lost.metadata.name)
    lab.run(60)
    assert lab.get("Pod", lost.metadata.name)
    taints = [
        *({"key": t.key, "effect": t.effect} for t in lab.get("Node", "worker-1").spec.taints),
        {"key": "node.kubernetes.io/out-of-service", "value": "off", "effect": "NoExecute"},
    ]
    lab.patch("Node", "worker-1", {"spec": {"taints": taints}})
    lab.run(30)
    assert lost.metadata.name not in [p.metadata.name for p in lab.all("Pod")]
