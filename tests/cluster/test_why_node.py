"""Why a node is not ready: the judgement, the silence, and what the learner did to the machine."""

import pytest

from k8slab import Cluster
from k8slab.cluster.why_node import silencing_deed


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=2, seed=7)


def test_a_killed_node_leads_back_to_the_plug(cluster) -> None:
    cluster.run(20)
    cluster.break_node("worker-2")
    cluster.run(70)
    why = cluster.why("node/worker-2")
    assert why.text.splitlines()[0] == (
        "Node/worker-2: it is not Ready (Ready=Unknown, NodeStatusUnknown): "
        "Kubelet stopped posting node status"
    )
    assert "you pulled its plug: from then on it renewed no Lease" in why.text
    assert [record.verb for record in why.records] == ["update status", "decide", "break"]
    assert why.typed == "cluster.break_node('worker-2')"
    assert "def judge" in why.source


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda c: c.partition("worker-2"), "you cut it off the network"),
        (lambda c: c.stop("kubelet/worker-2"), "you stopped its kubelet"),
    ],
)
def test_other_ways_to_silence_a_node(cluster, break_it, words) -> None:
    break_it(cluster)
    cluster.run(70)
    assert words in cluster.why("node/worker-2").text


def test_a_node_that_came_back_has_nothing_wrong(cluster) -> None:
    cluster.break_node("worker-2")
    cluster.run(70)
    cluster.repair_node("worker-2")
    cluster.run(60)
    assert "not Ready" not in cluster.why("node/worker-2").text


def test_a_second_death_is_told_by_its_own_plug(cluster) -> None:
    cluster.partition("worker-2")
    cluster.run(70)
    cluster.heal("worker-2")
    cluster.run(60)
    cluster.break_node("worker-2")
    cluster.run(70)
    text = cluster.why("node/worker-2").text
    assert "you pulled its plug" in text
    assert "cut it off" not in text


def test_a_silence_that_is_not_judged_yet_is_none(cluster) -> None:
    cluster.break_node("worker-2")
    cluster.run(10)
    assert "not Ready" not in cluster.why("node/worker-2").text


def test_a_repair_that_has_not_worked_yet_hides_nothing(cluster) -> None:
    cluster.break_node("worker-2")
    cluster.run(70)
    cluster.repair_node("worker-2")
    assert "you pulled its plug" in cluster.why("node/worker-2").text
    cluster.run(5)


def test_a_silence_that_was_ended_silences_no_more(cluster) -> None:
    cluster.partition("worker-2")
    now = len(cluster.trace) + 1
    assert silencing_deed(cluster, "worker-2", now).verb == "cut off"
    cluster.heal("worker-2")
    assert silencing_deed(cluster, "worker-2", len(cluster.trace) + 1) is None
    assert silencing_deed(cluster, "worker-2", now).verb == "cut off"
