"""The scheduling board: the Pod is real, the verdict is the scheduler's own, chance is told."""

import pytest

from k8slab import Cluster
from k8slab.api import load
from k8slab.viz import scheduling_board
from k8slab.viz.widgets.scheduling_board import APART, NO_NODE, TOGETHER, ZONE
from tests.viz import legibility

MASTER = "the control plane's taint"


@pytest.fixture
def board():
    return scheduling_board(Cluster(workers=3, seed=7))


def where(board, pod: str) -> str:
    return board.cluster.view.get("pods", pod).spec.nodeName


def test_the_dials_are_a_manifest(board) -> None:
    board.turn(cpu="2", memory="", place=f"{ZONE}=zone-b", tolerates=MASTER, like=APART)
    spec = load(board.preview()).spec
    assert spec.containers[0].resources.requests == {"cpu": "2"}
    assert spec.nodeSelector == {ZONE: "zone-b"}
    assert spec.tolerations[0].operator == "Exists"
    assert spec.affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution


def test_the_pod_lands_where_the_verdict_says(board) -> None:
    board.guess(node="worker-1")
    assert where(board, "board-1") in board.verdict.best
    assert f"{where(board, 'board-1')} (best): " in board.text


def test_chance_is_told_as_chance(board) -> None:
    said = {board.guess(node=f"worker-{n}") for n in (1, 2, 3)}
    assert any("chance" in words for words in said)


def test_the_only_node_that_fits_is_not_scored(board) -> None:
    board.turn(place=f"{ZONE}=zone-b")
    assert board.guess(node="worker-2") == (
        "Right. It is on worker-2, the only node that fits: nothing was scored."
    )


def test_a_pod_that_fits_nowhere_has_the_event_told(board) -> None:
    board.turn(cpu="5")
    said = board.guess(node=NO_NODE)
    assert said.startswith("Right. No node fits: 0/4 nodes are available:")
    assert "3 Insufficient cpu" in said


def test_anti_affinity_fills_node_after_node(board) -> None:
    board.turn(like=APART)
    for _ in range(4):
        board.guess(node=NO_NODE)
    assert {where(board, f"board-{n}") for n in (1, 2, 3)} == {"worker-1", "worker-2", "worker-3"}
    assert board.said.startswith("Right. No node fits")


def test_affinity_keeps_them_on_one_node(board) -> None:
    board.turn(like=TOGETHER)
    for _ in range(3):
        board.guess(node="worker-1")
    assert len({where(board, f"board-{n}") for n in (1, 2, 3)}) == 1


def test_what_the_api_server_refuses_is_told(board) -> None:
    board.turn(cpu="many")
    assert "quantities must match the regular expression" in board.guess(node="worker-1")
    assert board.made == 0


def test_its_pods_can_be_deleted(board) -> None:
    board.guess(node="worker-1")
    board.clear()
    assert board.cluster.view.list("pods", "default") == []
    assert board.verdict is None


def test_the_widget_works_by_its_controls(board) -> None:
    assert board.box
    board._controls["cpu"].value = "3"
    assert "cpu: '3'" in board._shown.value.replace("&#x27;", "'")
    board._answers["node"].value = NO_NODE
    board._go()
    assert "You said no node" in board._feedback.value
    assert "board-1" in board._live.value


def test_every_letter_can_be_read(board) -> None:
    before = board.figure()
    board.guess(node="worker-1")
    for figure in (before, board.figure()):
        assert legibility.faults(figure.drawing) == []
