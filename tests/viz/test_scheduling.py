"""Where Pods go and why: verdicts by plugin, and bars of what was requested."""

from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.scheduler import explain
from k8slab.viz import bin_packing, scheduling_heat_map
from k8slab.viz.packing import OURS, SYSTEMS, read, shown
from k8slab.viz.style import contrast
from tests.viz import pretend
from tests.viz.legibility import faults

TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}


def node(name: str, cpu: str = "4", memory: str = "8Gi", **spec: Any) -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name}},
            "spec": spec,
            "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": "110"}},
        }
    )


def pod(name: str, on: str = "", cpu: str = "500m", phase: str = "Running") -> Any:
    asks = {"requests": {"cpu": cpu, "memory": "256Mi"}}
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "namespace": "default"},
            "spec": {
                "nodeName": on,
                "containers": [{"name": "c", "image": "nginx", "resources": asks}],
            },
            "status": {"phase": phase},
        }
    )


NODES = [node("control-plane", taints=[TAINT]), node("w1"), node("w2"), node("small", "1")]
PODS = [pod("a", "w1", "2"), pod("b", "w2", "3500m"), pod("c", "small", "800m")]


def test_a_node_that_was_refused_shows_by_whom_and_why() -> None:
    text = scheduling_heat_map(explain(pod("new"), NODES, PODS)).text
    assert "control-plane: refused by TaintToleration: node(s) had untolerated taint(s)" in text
    assert "small: refused by NodeResourcesFit: Insufficient cpu" in text


def test_totals_are_the_weighted_scores() -> None:
    for line in scheduling_heat_map(explain(pod("new"), NODES, PODS)).text.splitlines():
        total, _, parts = line.partition(": ")[2].partition(" = ")
        if parts:
            words = [part.rsplit(" ", 3) for part in parts.split(" + ")]
            assert int(total) == sum(int(score) * int(weight) for _, score, _, weight in words)


@pytest.mark.parametrize(("cpu", "fit"), [("500m", 2), ("1900m", 1), ("38", 0)])
def test_the_heat_map_can_be_read_whether_many_fit_or_none(cpu, fit) -> None:
    figure = scheduling_heat_map(explain(pod("new", cpu=cpu), NODES, PODS))
    assert f"{fit} of 4 nodes fit" in figure.alt
    assert faults(figure.drawing, (1.0,)) == []


def test_a_tie_is_called_one_and_many_nodes_are_counted() -> None:
    figure = scheduling_heat_map(explain(pod("new"), [node(f"n{i:02d}") for i in range(30)]))
    assert "30 are equally good, and one is taken at random" in figure.alt
    assert "14 nodes more" in str(figure.drawing)
    assert faults(figure.drawing, (1.0,)) == []


def test_a_decision_about_no_nodes_is_refused() -> None:
    with pytest.raises(ValueError, match="no nodes"):
        scheduling_heat_map(explain(pod("new"), []))


def test_a_plugin_that_failed_is_told_where_there_is_nothing_to_draw() -> None:
    class Broken:
        def score(self, pod: Any, node: Any) -> int:
            raise RuntimeError

    decision = explain(pod("web"), [node("a"), node("b")], plugins=[..., Broken])
    with pytest.raises(ValueError, match="your score raised RuntimeError"):
        scheduling_heat_map(decision)


@pytest.fixture(scope="module")
def cluster() -> pretend.Pretend:
    made = pretend.Pretend()
    for each in (*NODES, *PODS, pod("done", "w1", "1", "Succeeded"), pod("new", cpu="2")):
        made.write("you", each)
    return made


def test_requests_are_added_up_on_each_node_and_ended_pods_are_not(cluster) -> None:
    bars = {bar.node: bar for bar in read(cluster.view, "cpu", {})}
    assert bars["w1"].requested == (("default", "a", 2000),)
    assert {name: bar.free for name, bar in bars.items()} == {
        "control-plane": 4000, "w1": 2000, "w2": 500, "small": 200,
    }  # fmt: skip


def test_what_is_free_in_all_may_be_free_nowhere(cluster) -> None:
    figure = bin_packing(cluster, pod="pod/new")
    assert "cpu 6.3 of 13 requested (48%), 6.7 free, at most 4 on one node" in figure.text
    assert "w1: 2 of 4 free; a 2; fits" in figure.text
    assert "w2: 500m of 4 free; b 3.5; does not fit" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_use_is_told_beside_requests(cluster) -> None:
    figure = bin_packing(cluster, usage={"w1": {"cpu": "300m"}}, resources=("cpu",))
    assert "w1: 2 of 4 free; a 2; uses 300m" in figure.text


def test_a_pod_that_is_not_there_has_no_place(cluster) -> None:
    with pytest.raises(ValueError, match="no pod/nobody in namespace default"):
        bin_packing(cluster, pod="pod/nobody")


def test_pods_of_the_system_differ_in_grey_as_well() -> None:
    assert contrast(OURS.fill, SYSTEMS.fill) > 2


def test_many_nodes_and_many_pods_can_be_read() -> None:
    made = pretend.Pretend()
    for number in range(20):
        made.write("you", node(f"worker-with-a-long-name-{number:02d}", str(1 + number)))
        for place in range(number):
            made.write("you", pod(f"p-{number}-{place}", f"worker-with-a-long-name-{number:02d}"))
    assert faults(bin_packing(made).drawing, (1.0,)) == []


def test_amounts_are_written_short() -> None:
    assert [shown("cpu", n) for n in (0, 999, 1000, 2500)] == ["0m", "999m", "1", "2.5"]
    assert shown("memory", 100 << 20) == "100Mi"
