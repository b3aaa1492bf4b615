from __future__ import annotations

from typing import Any

from k8slab.api import load
from k8slab.control_plane.scheduler import explain

FULL = "0/1 nodes are available: 1 Insufficient cpu."


def budget(allowed: int, **labels: str) -> Any:
    return load(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "pdb", "namespace": "default"},
            "spec": {"selector": {"matchLabels": labels}},
            "status": {"disruptionsAllowed": allowed},
        }
    )


def test_only_less_important_pods_are_victims(node: Any, pod: Any) -> None:
    running = [
        pod("equal", cpu="2", priority=5, nodeName="node-1"),
        pod("low", cpu="2", priority=1, nodeName="node-1"),
    ]
    answer = explain(pod(cpu="1", priority=5), [node(cpu="4")], running)
    assert (answer.nominated, answer.victims) == ("node-1", ("default/low",))
    assert answer.event == FULL


def test_the_most_important_pods_are_reprieved_first(node: Any, pod: Any) -> None:
    running = [pod(f"p-{i}", cpu="1", priority=i, nodeName="node-1") for i in range(4)]
    answer = explain(pod(cpu="2", priority=9), [node(cpu="4")], running)
    assert answer.victims == ("default/p-1", "default/p-0")


def test_among_equals_the_longest_running_stays(node: Any, pod: Any) -> None:
    running = [
        pod(
            f"p-{i}",
            cpu="1",
            nodeName="node-1",
            status={"startTime": f"2026-01-01T00:00:0{i}Z"},
        )
        for i in range(2)
    ]
    answer = explain(pod(cpu="1", priority=9), [node(cpu="2")], running)
    assert answer.victims == ("default/p-1",)


def test_a_budget_protects_before_priority_does(node: Any, pod: Any) -> None:
    running = [
        pod("guarded", cpu="1", priority=1, labels={"app": "a"}, nodeName="node-1"),
        pod("free", cpu="1", priority=2, nodeName="node-1"),
    ]
    asked = pod(cpu="1", priority=9)
    assert explain(asked, [node(cpu="2")], running).victims == ("default/guarded",)
    answer = explain(asked, [node(cpu="2")], running, pdbs=[budget(0, app="a")])
    assert answer.victims == ("default/free",)
    assert answer.candidates[0].violations == 0


def test_the_cheapest_node_is_nominated(node: Any, pod: Any) -> None:
    nodes = [node("node-1", cpu="1"), node("node-2", cpu="1"), node("node-3", cpu="1")]
    running = [
        pod("a", cpu="1", priority=5, nodeName="node-1"),
        pod("b", cpu="1", priority=2, nodeName="node-2"),
        pod("c1", cpu="500m", priority=2, nodeName="node-3"),
        pod("c2", cpu="500m", priority=1, nodeName="node-3"),
    ]
    answer = explain(pod(cpu="1", priority=9), nodes, running)
    assert answer.nominated == "node-2"
    assert {each.node for each in answer.candidates} == {"node-1", "node-2", "node-3"}


def test_who_may_not_preempt_says_so(node: Any, pod: Any) -> None:
    asked = pod(cpu="1", priority=9, preemptionPolicy="Never")
    answer = explain(asked, [node(cpu="1")], [pod("low", cpu="1", nodeName="node-1")])
    assert answer.event == f"{FULL} preemption: not eligible due to preemptionPolicy=Never."
    assert answer.victims == ()


def test_while_victims_leave_nobody_else_is_preempted(node: Any, pod: Any) -> None:
    leaving = pod(
        "low",
        cpu="1",
        nodeName="node-1",
        metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"},
        status={
            "conditions": [
                {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
            ]
        },
    )
    asked = pod(cpu="1", priority=9, status={"nominatedNodeName": "node-1"})
    text = "preemption: not eligible due to a terminating pod on the nominated node."
    assert explain(asked, [node(cpu="1")], [leaving]).event == f"{FULL} {text}"


def test_the_room_of_a_nominated_pod_is_not_given_away(node: Any, pod: Any) -> None:
    nominated = pod("first", cpu="1", priority=9, status={"nominatedNodeName": "node-1"})
    assert explain(pod(cpu="1", priority=1), [node(cpu="1")], [nominated]).best == ()
    assert explain(pod(cpu="1", priority=10), [node(cpu="1")], [nominated]).best == ("node-1",)


def test_preemption_also_clears_ports_and_anti_affinity(node: Any, pod: Any) -> None:
    port = [{"containerPort": 80, "hostPort": 80}]
    low = pod("low", ports=port, nodeName="node-1")
    assert explain(pod(ports=port, priority=9), [node()], [low]).victims == ("default/low",)
    term = {
        "topologyKey": "kubernetes.io/hostname",
        "labelSelector": {"matchLabels": {"app": "a"}},
    }
    apart = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [term]}}
    hated = pod("hated", labels={"app": "a"}, nodeName="node-1")
    answer = explain(pod(affinity=apart, priority=9), [node()], [hated])
    assert answer.victims == ("default/hated",)
