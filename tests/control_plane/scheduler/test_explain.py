"""BEHAVIOURS of scheduling, asked of the pure function."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.control_plane.scheduler import explain


def tainted(key: str = "example.com/a", effect: str = "NoSchedule") -> list[dict[str, str]]:
    return [{"key": key, "effect": effect}]


def test_a_node_stops_at_its_first_failing_plugin(node: Any, pod: Any) -> None:
    full = node("node-1", cpu="1", unschedulable=True, taints=tainted())
    verdict = explain(pod(cpu="2"), [full]).nodes["node-1"]
    assert verdict.plugin == "NodeUnschedulable"
    assert verdict.reasons == ("node(s) were unschedulable",)
    assert verdict.code == "UnschedulableAndUnresolvable"


def test_a_node_may_lack_several_things_at_once(node: Any, pod: Any) -> None:
    answer = explain(pod(cpu="2", memory="4Gi"), [node(cpu="1", memory="1Gi", pods="0")])
    assert answer.nodes["node-1"].reasons == (
        "Too many pods",
        "Insufficient cpu",
        "Insufficient memory",
    )
    assert answer.event.startswith(
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods. "
    )


def test_the_text_is_upstreams_with_preemption(node: Any, pod: Any) -> None:
    nodes = [node(f"node-{i}", cpu="1") for i in range(2)]
    nodes += [node(f"tainted-{i}", taints=tainted()) for i in range(3)]
    running = [pod(f"p-{i}", cpu="1", nodeName=f"node-{i}") for i in range(2)]
    assert explain(pod(cpu="1"), nodes, running).event == (
        "0/5 nodes are available: 2 Insufficient cpu, 3 node(s) had untolerated taint(s). "
        "preemption: 0/5 nodes are available: 2 No preemption victims found for incoming pod, "
        "3 Preemption is not helpful for scheduling."
    )


def test_reasons_sort_as_text(node: Any, pod: Any) -> None:
    nodes = [node(f"n-{i}", unschedulable=True) for i in range(10)]
    nodes += [node(f"m-{i}", taints=tainted()) for i in range(2)]
    assert explain(pod(), nodes).event.startswith(
        "0/12 nodes are available: 10 node(s) were unschedulable, 2 node(s) had untolerated "
        "taint(s). preemption:"
    )


def test_what_no_node_could_ever_give_preemption_cannot_help(node: Any, pod: Any) -> None:
    answer = explain(pod(cpu="64", priority=9), [node()], [pod("low", cpu="1", nodeName="node-1")])
    assert answer.nodes["node-1"].code == "UnschedulableAndUnresolvable"
    assert answer.event.endswith("1 Preemption is not helpful for scheduling.")


def test_requests_count_and_usage_does_not(node: Any, pod: Any) -> None:
    others = [pod(f"p-{i}", cpu="1", nodeName="node-1") for i in range(3)]
    assert explain(pod(cpu="1"), [node(cpu="4")], others).best == ("node-1",)
    assert explain(pod(cpu="1001m"), [node(cpu="4")], others).best == ()


def test_a_pod_without_requests_fits_until_the_pods_are_too_many(node: Any, pod: Any) -> None:
    others = [pod(f"p-{i}", cpu="1", nodeName="node-1") for i in range(2)]
    assert explain(pod(), [node(cpu="2", pods="3")], others).best == ("node-1",)
    refused = explain(pod(), [node(cpu="2", pods="2")], others).nodes["node-1"]
    assert refused.reasons == ("Too many pods",)


def test_with_one_node_left_nothing_is_scored(node: Any, pod: Any) -> None:
    answer = explain(pod(), [node("node-1"), node("node-2", unschedulable=True)])
    assert (answer.best, dict(answer.weights)) == (("node-1",), {})
    assert answer.event == "Successfully assigned default/web to node-1"


def test_equal_nodes_tie(node: Any, pod: Any) -> None:
    answer = explain(pod(cpu="1"), [node("node-1"), node("node-2")])
    assert answer.best == ("node-1", "node-2")


def test_the_scores_are_normalised_and_then_weighted(node: Any, pod: Any) -> None:
    soft = tainted(effect="PreferNoSchedule")
    answer = explain(pod(cpu="1", memory="2Gi"), [node("node-1"), node("node-2", taints=soft)])
    assert answer.best == ("node-1",)
    assert dict(answer.nodes["node-1"].scores) == {
        "TaintToleration": 100,
        "NodeResourcesFit": 75,
        "NodeResourcesBalancedAllocation": 75,
        "ImageLocality": 0,
    }
    assert answer.nodes["node-1"].total == 3 * 100 + 75 + 75
    assert answer.nodes["node-2"].total == 150


def test_one_plugin_can_be_asked_alone(node: Any, pod: Any) -> None:
    cordoned = node(unschedulable=True, taints=tainted(), labels={"disk": "ssd"})
    wants = pod(cpu="99", nodeSelector={"disk": "ssd"})
    assert explain(wants, [cordoned], plugins=("NodeAffinity",)).best == ("node-1",)


def test_a_plugin_that_does_not_exist_is_named_with_those_that_do(node: Any, pod: Any) -> None:
    with pytest.raises(ValueError, match="no plugin NodeAfinity; there are SchedulingGates, "):
        explain(pod(), [node()], plugins=("NodeAfinity",))


def test_a_gated_pod_is_refused_before_any_node(node: Any, pod: Any) -> None:
    answer = explain(pod(schedulingGates=[{"name": "a"}, {"name": "b"}]), [node()])
    assert answer.event == "waiting for scheduling gates: [a b]"


def test_a_learners_plugin_filters_and_scores(node: Any, pod: Any) -> None:
    class Alphabet:
        name = "Alphabet"
        weight = 5

        def filter(self, pod: Any, node: Any) -> str | None:
            return "node(s) named z" if node.metadata.name == "z" else None

        def score(self, pod: Any, node: Any) -> int:
            return 100 if node.metadata.name == "b" else 0

    answer = explain(pod(), [node("a"), node("b"), node("z")], plugins=[..., Alphabet()])
    assert answer.best == ("b",)
    assert answer.nodes["z"].reasons == ("node(s) named z",)
    assert answer.nodes["b"].total - answer.nodes["a"].total == 500


def test_a_learners_score_out_of_range_is_upstreams_error(node: Any, pod: Any) -> None:
    class Loud:
        name = "Loud"

        def score(self, pod: Any, node: Any) -> int:
            return 250

    event = explain(pod(), [node("a"), node("b")], plugins=[..., Loud()]).event
    assert event.endswith(
        'plugin "Loud" returns an invalid score 250, it should in the range of [0, 100] '
        "after normalizing"
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (object(), "plugin object does nothing: give it filter"),
        (type("Idle", (), {"filter": None}), "plugin Idle does nothing"),
        (type("Odd", (), {"filter": print, "name": 3}), "expected a plugin with a name"),
        (type("Weightless", (), {"score": print, "weight": 0}), "a weight is a whole number"),
    ],
)
def test_what_is_no_plugin_is_said_to_be_none(wrong: Any, said: str, node: Any, pod: Any) -> None:
    with pytest.raises(TypeError, match=said):
        explain(pod(), [node()], plugins=[..., wrong])


def test_a_learners_plugin_may_ask_for_the_pods_of_the_node(node: Any, pod: Any) -> None:
    class Alone:
        weight = 100

        def filter(self, pod: Any, node: Any, pods: Any) -> bool:
            return all(each.metadata.name != "guest" for each in pods)

        def score(self, pod: Any, node: Any, *, pods: Any) -> int:
            return 100 - len(pods)

    there = [pod("guest", nodeName="a"), pod("one", nodeName="b")]
    answer = explain(pod(), [node("a"), node("b"), node("c")], there, plugins=[..., Alone])
    assert answer.nodes["a"].reasons == ("node(s) didn't pass plugin Alone",)
    assert answer.best == ("c",)


def test_a_learners_plugin_spoils_nothing(node: Any, pod: Any) -> None:
    class Vandal:
        def score(self, pod: Any, node: Any, pods: Any) -> int:
            for one in (pod, node, *pods):
                one.metadata.labels["spoiled"] = "yes"
            return 1

    things = [node("a"), node("b")], [pod("there", nodeName="a")], pod()
    explain(things[2], things[0], things[1], plugins=[..., Vandal])
    assert all("spoiled" not in one.metadata.labels for one in (*things[0], *things[1], things[2]))


def test_a_learners_plugin_is_not_asked_about_the_clusters_own_pods(node: Any, pod: Any) -> None:
    class Never:
        def filter(self, pod: Any, node: Any) -> bool:
            raise RuntimeError

        def score(self, pod: Any, node: Any) -> int:
            raise RuntimeError

    system = pod("dns", namespace="kube-system")
    assert explain(system, [node("a"), node("b")], plugins=[..., Never]).best == ("a", "b")


def test_a_daemon_pod_has_only_its_own_node_looked_at(node: Any, pod: Any) -> None:
    field = {"key": "metadata.name", "operator": "In", "values": ["node-1"]}
    terms = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}
    nodes = [node("node-1", cpu="1"), node("node-2"), node("node-3")]
    busy = [pod("busy", cpu="1", nodeName="node-1")]
    answer = explain(pod(cpu="1", affinity=affinity), nodes, busy)
    assert answer.event == (
        "0/3 nodes are available: 1 Insufficient cpu, 2 node(s) didn't satisfy plugin(s) "
        "[NodeAffinity]. preemption: 0/3 nodes are available: 1 No preemption victims found for "
        "incoming pod, 2 Preemption is not helpful for scheduling."
    )


def test_no_nodes_no_node(pod: Any) -> None:
    assert explain(pod(), []).event == "no nodes available to schedule pods"


def test_an_explanation_prints_as_a_table(node: Any, pod: Any) -> None:
    text = str(explain(pod(), [node("node-1"), node("node-22", unschedulable=True)]))
    assert text.splitlines() == [
        "Successfully assigned default/web to node-1",
        "* node-1   the only node that fits",
        "x node-22  NodeUnschedulable: node(s) were unschedulable",
    ]


sizes = st.lists(st.integers(100, 4000), min_size=1, max_size=6)


@given(free=sizes, asked=st.integers(0, 4000))
def test_exactly_the_nodes_with_room_are_feasible(free: list[int], asked: int) -> None:
    nodes = [
        load(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {"name": f"n{index}"},
                "status": {"allocatable": {"cpu": f"{cpu}m", "memory": "1Gi", "pods": "9"}},
            }
        )
        for index, cpu in enumerate(free)
    ]
    waiting: Any = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": "default"},
            "spec": {
                "containers": [{"name": "c", "resources": {"requests": {"cpu": f"{asked}m"}}}]
            },
        }
    )
    answer = explain(waiting, nodes)  # type: ignore[arg-type]
    assert answer.feasible == tuple(f"n{i}" for i, cpu in enumerate(free) if cpu >= asked)
    assert set(answer.best) <= set(answer.feasible)
    for verdict in answer.nodes.values():
        assert all(0 <= score <= 100 for score in verdict.scores.values())
