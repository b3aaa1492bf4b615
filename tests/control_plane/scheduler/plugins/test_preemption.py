from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.scheduler import explain
from k8slab.control_plane.scheduler.framework.types import PodInfo
from k8slab.control_plane.scheduler.plugins.default_preemption import split_by_budget

FULL = "0/1 nodes are available: 1 Insufficient cpu."


def budget(allowed: int, namespace: str = "default", gone: str = "", **labels: str) -> Any:
    disrupted = {gone: "2026-01-01T00:00:00Z"} if gone else {}
    return load(
        {
            "apiVersion": "policy/v1",
            "kind": "PodDisruptionBudget",
            "metadata": {"name": "pdb", "namespace": namespace},
            "spec": {"selector": {"matchLabels": labels}},
            "status": {"disruptionsAllowed": allowed, "disruptedPods": disrupted},
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


def victims(pod: Any, node: str, *sizes: str, priority: int = 0, second: int = 0) -> list[Any]:
    """Pods of these sizes that all have to go, the first of one priority, started in a second."""
    start = f"2026-01-01T00:00:{second:02}Z"
    return [
        pod(
            f"{node}-{n}",
            cpu=size,
            priority=priority if n == 0 else 0,
            labels={"on": node},
            nodeName=node,
            status={"startTime": start},
        )
        for n, size in enumerate(sizes)
    ]


@pytest.mark.parametrize(
    ("cheap", "dear", "pdbs"),
    [
        # Budgets before all: even two victims that matter more are better than one broken budget.
        ({"sizes": ("500m", "500m"), "priority": 5}, {"sizes": ("1",)}, [budget(0, on="dear")]),
        # Then the most important victim, whatever their number.
        ({"sizes": ("250m",) * 4, "priority": 1}, {"sizes": ("1",), "priority": 2}, []),
        # Then the sum of all priorities; fewer victims have the smaller sum.
        ({"sizes": ("1",), "priority": 3}, {"sizes": ("500m", "500m"), "priority": 3}, []),
        # At last those that have run for the shortest time.
        ({"sizes": ("1",), "second": 30}, {"sizes": ("1",), "second": 10}, []),
    ],
    ids=["budgets", "highest-priority", "sum-and-number", "start"],
)
def test_each_criterion_decides_where_those_before_it_do_not(
    cheap: dict[str, Any], dear: dict[str, Any], pdbs: list[Any], node: Any, pod: Any
) -> None:
    nodes = [node("dear", cpu="1"), node("cheap", cpu="1")]
    running: list[Any] = []
    for name, given in (("cheap", cheap), ("dear", dear)):
        more = {key: value for key, value in given.items() if key != "sizes"}
        running += victims(pod, name, *given["sizes"], **more)
    answer = explain(pod(cpu="1", priority=9), nodes, running, pdbs=pdbs)
    assert answer.nominated == "cheap"
    assert {each.node for each in answer.candidates} == {"cheap", "dear"}


@pytest.mark.parametrize(
    ("pdbs", "protected"),
    [
        ([], ""),
        ([budget(0, app="a")], "abc"),
        ([budget(1, app="a")], "bc"),  # the most important one may go within the budget
        ([budget(0, app="b")], ""),
        ([budget(0, "other", app="a")], ""),
        ([budget(0)], ""),  # an empty selector protects nobody here
        ([budget(1, gone="a", app="a")], "c"),  # a is counted as gone already
        ([budget(1, app="a"), budget(2, app="a")], "bc"),
    ],
)
def test_what_a_budget_protects(pdbs: list[Any], protected: str, pod: Any) -> None:
    infos = [PodInfo(pod(name, labels={"app": "a"})) for name in "abc"]
    held, free = split_by_budget(infos, pdbs)
    assert "".join(each.pod.metadata.name for each in held) == protected
    assert len(held) + len(free) == 3


def test_among_equals_nobody_is_preempted(node: Any, pod: Any) -> None:
    running = [pod("equal", cpu="1", priority=9, nodeName="node-1")]
    answer = explain(pod(cpu="1", priority=9), [node(cpu="1")], running)
    assert answer.event == (
        f"{FULL} preemption: 0/1 nodes are available: "
        "1 No preemption victims found for incoming pod."
    )


def test_why_each_node_cannot_be_helped_is_counted(node: Any, pod: Any) -> None:
    nodes = [
        node("full", cpu="1"),
        node("small", cpu="500m"),
        node("cordoned", cpu="4", unschedulable=True),
        node("busy", cpu="2"),
        node("taken", cpu="2"),
    ]
    port = [{"containerPort": 80, "hostPort": 80}]
    running = [
        pod("a", cpu="1", priority=9, nodeName="full"),
        pod("b", cpu="1500m", priority=9, nodeName="busy"),
        pod("c", ports=port, priority=9, nodeName="taken"),
        pod("d", cpu="1500m", priority=1, nodeName="taken"),
    ]
    answer = explain(pod(cpu="1", ports=port, priority=5), nodes, running)
    assert answer.event == (
        "0/5 nodes are available: 1 node(s) didn't have free ports for the requested pod ports, "
        "1 node(s) were unschedulable, 3 Insufficient cpu. preemption: 0/5 nodes are available: "
        "1 node(s) didn't have free ports for the requested pod ports, "
        "2 No preemption victims found for incoming pod, "
        "2 Preemption is not helpful for scheduling."
    )
