from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api import load
from k8slab.api.core import Taint, Toleration
from k8slab.api.meta import timestamp
from k8slab.control_plane.controllers.node_ipam import CidrSet
from k8slab.control_plane.controllers.node_lifecycle import (
    eviction_rate,
    judge,
    no_schedule_taints,
    zone_state,
)
from k8slab.control_plane.controllers.taint_eviction import NEVER, eviction_delay


def node(ready: str = "True", **spec: Any) -> Any:
    conditions = [{"type": "Ready", "status": ready}, {"type": "DiskPressure", "status": "False"}]
    return load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "n", "creationTimestamp": timestamp(0)},
            "spec": spec,
            "status": {"conditions": conditions if ready else []},
        }
    )


def test_silence_beyond_the_grace_period_makes_all_conditions_unknown() -> None:
    assert judge(node(), heard=100, now=149) == node().status.conditions
    late = {c.type: (c.status, c.reason) for c in judge(node(), heard=100, now=150)}
    assert late["Ready"] == ("Unknown", "NodeStatusUnknown")
    assert late["DiskPressure"] == ("Unknown", "NodeStatusUnknown")
    assert late["PIDPressure"] == ("Unknown", "NodeStatusNeverUpdated")


def test_a_node_that_never_reported_has_60_seconds() -> None:
    assert judge(node(ready=""), heard=0, now=59) == ()
    (first, *_) = judge(node(ready=""), heard=0, now=60)
    assert first.message == "Kubelet never posted node status."


@pytest.mark.parametrize(
    ("given", "keys"),
    [
        (node(), []),
        (node("False"), ["node.kubernetes.io/not-ready"]),
        (node("Unknown"), ["node.kubernetes.io/unreachable"]),
        (node(unschedulable=True), ["node.kubernetes.io/unschedulable"]),
        (node(taints=[{"key": "mine", "effect": "NoSchedule"}]), ["mine"]),
        (node(taints=[{"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}]), []),
    ],
)
def test_no_schedule_taints_follow_conditions(given: Any, keys: list[str]) -> None:
    assert [taint.key for taint in no_schedule_taints(given, 0)] == keys


def test_many_silent_nodes_slow_evictions_down() -> None:
    assert [zone_state(3, 0), zone_state(1, 2), zone_state(2, 3), zone_state(0, 1)] == [
        "Normal",
        "Normal",
        "PartialDisruption",
        "FullDisruption",
    ]
    assert eviction_rate("Normal", 5) == 0.1
    assert eviction_rate("PartialDisruption", 5) == 0
    assert eviction_rate("PartialDisruption", 51) == 0.01


GONE = Taint(key="node.kubernetes.io/unreachable", effect="NoExecute")
FIVE_MINUTES = Toleration(key=GONE.key, operator="Exists", tolerationSeconds=300)


@pytest.mark.parametrize(
    ("tolerations", "expected"),
    [
        ([], 0.0),
        ([Toleration(key="other", operator="Exists")], 0.0),
        ([Toleration(operator="Exists")], NEVER),
        ([FIVE_MINUTES], 300.0),
        ([Toleration(key=GONE.key, operator="Exists", tolerationSeconds=-5)], 0.0),
        ([Toleration(operator="Exists", tolerationSeconds=5), FIVE_MINUTES], 5.0),
        ([FIVE_MINUTES, Toleration(operator="Exists", tolerationSeconds=5)], 300.0),
        ([FIVE_MINUTES, Toleration(operator="Exists")], 300.0),
    ],
)
def test_how_long_a_pod_may_stay_on_a_tainted_node(tolerations: Any, expected: float) -> None:
    assert eviction_delay([GONE], tolerations) == expected


def test_of_several_taints_the_one_that_is_tolerated_for_the_shortest_time_counts() -> None:
    wet = Taint(key="wet", effect="NoExecute")
    umbrella = Toleration(key="wet", operator="Exists", tolerationSeconds=20)
    assert eviction_delay([GONE, wet], [FIVE_MINUTES, umbrella]) == 20.0
    assert eviction_delay([GONE, wet], [FIVE_MINUTES]) == 0.0


def test_ranges_are_handed_out_in_turn_and_run_out() -> None:
    ranges = CidrSet("10.0.0.0/22", 24)
    ranges.occupy("10.0.1.0/24")
    found = [ranges.allocate() for _ in range(4)]
    assert found == ["10.0.0.0/24", "10.0.2.0/24", "10.0.3.0/24", None]


def test_every_node_gets_its_range(lab: Any) -> None:
    assert [n.spec.podCIDR for n in lab.all("Node")] == [f"10.244.{i}.0/24" for i in range(3)]


def stop(lab: Any, name: str) -> float:
    lab.heartbeats[name] = lab.sim.now
    lab.hands.dead.add(name)
    lab.hands.nodes.remove(name)
    return float(lab.sim.now)


def start(lab: Any, name: str) -> None:
    del lab.heartbeats[name]
    lab.hands.dead.discard(name)
    found = lab.get("Node", name)
    ready = tuple(
        replace(c, status="True" if c.type == "Ready" else "False") for c in found.status.conditions
    )
    body = replace(found, status=replace(found.status, conditions=ready))
    lab.request("update", "Node", name, subresource="status", body=body)


def ready(lab: Any, name: str) -> str:
    return str(lab.get("Node", name).status.conditions[0].status)


def taints(lab: Any, name: str) -> list[str]:
    return [f"{t.key.split('/')[1]}:{t.effect}" for t in lab.get("Node", name).spec.taints]


def test_a_dead_node_is_unknown_after_50_s_and_its_pods_go_after_350(lab: Any, web: Any) -> None:
    lab.apply(web(3))
    lab.run(3)
    (lost,) = [p for p in lab.all("Pod") if p.spec.nodeName == "worker-1"]
    died = stop(lab, "worker-1")
    lab.until(lambda: ready(lab, "worker-1") == "Unknown")
    assert 50 <= lab.sim.now - died <= 56
    lab.run(0.1)
    assert taints(lab, "worker-1") == ["unreachable:NoSchedule", "unreachable:NoExecute"]
    lost = lab.get("Pod", lost.metadata.name)
    assert lost.status.phase == "Running"
    assert lost.status.conditions[0].status == "False"
    lab.until(lambda: lab.get("Pod", lost.metadata.name).metadata.deletionTimestamp, 400)
    assert 350 <= lab.sim.now - died <= 356
    lab.run(100)
    assert len(lab.all("Pod")) == 4  # the lost one stays Terminating, beside its replacement
    lost = lab.get("Pod", lost.metadata.name)
    assert lost.status.conditions[-1].reason == "DeletionByTaintManager"


def test_a_node_that_comes_back_in_time_keeps_its_pods(lab: Any, web: Any) -> None:
    lab.apply(web(3))
    lab.run(3)
    before = sorted(p.metadata.uid for p in lab.all("Pod"))
    stop(lab, "worker-1")
    lab.run(120)
    start(lab, "worker-1")
    lab.run(400)
    assert taints(lab, "worker-1") == []
    assert sorted(p.metadata.uid for p in lab.all("Pod")) == before


def test_when_all_nodes_fall_silent_nobody_is_evicted(lab: Any, web: Any) -> None:
    lab.apply(web(3))
    lab.run(3)
    for name in ("worker-1", "worker-2", "worker-3"):
        stop(lab, name)
    lab.run(500)
    assert not any(p.metadata.deletionTimestamp for p in lab.all("Pod"))
    assert taints(lab, "worker-1") == ["unreachable:NoSchedule"]


def test_a_cordoned_node_is_tainted_at_once(lab: Any) -> None:
    lab.patch("Node", "worker-1", {"spec": {"unschedulable": True}})
    lab.run(0.1)
    assert taints(lab, "worker-1") == ["unschedulable:NoSchedule"]
    lab.patch("Node", "worker-1", {"spec": {"unschedulable": None}})
    lab.run(0.1)
    assert taints(lab, "worker-1") == []


def test_an_idle_day_costs_a_few_looks(lab: Any) -> None:
    before = lab.sim.events
    lab.run(86400)
    assert lab.sim.events - before < 3000
