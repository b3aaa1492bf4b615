"""The slice workbench: an endpoint is derived, then the real slice is opened beside it."""

import pytest

from k8slab import Cluster
from k8slab.viz import slice_workbench
from k8slab.viz.widgets.slice_workbench import ABSENT
from tests.viz import legibility

READY = {"ready": "true", "serving": "true", "terminating": "false", "port": "8080"}
LEAVING = {"ready": "false", "serving": "true", "terminating": "true", "port": "8080"}
NOWHERE = dict.fromkeys(READY, ABSENT)


@pytest.fixture
def bench():
    lab = Cluster(workers=2, seed=7)
    lab.kubectl("create deployment web --image=nginx --replicas=2")
    lab.kubectl("expose deployment web --port=80 --target-port=8080")
    lab.kubectl("run slow --image=busybox:1.37 --labels=app=web -- sleep 600")
    lab.kubectl("run stranger --image=busybox:1.37 -- sleep 600")
    lab.run(8)
    return slice_workbench(lab)


def derive(bench, pod: str, guesses: dict[str, str]) -> str:
    bench.turn(pod=pod)
    return bench.guess(**guesses)


def do(bench, command: str) -> None:
    bench.turn(command=command)
    bench.command()


def all_right(said: str) -> bool:
    return said.splitlines()[0].count("right") == 4


def test_a_ready_pod_is_listed_with_the_target_port(bench) -> None:
    assert all_right(derive(bench, "slow", READY))


def test_a_stranger_is_not_listed(bench) -> None:
    said = derive(bench, "stranger", NOWHERE)
    assert all_right(said)
    assert said.endswith("Its labels do not match the selector, and nothing else is asked.")


def test_a_pod_that_is_being_deleted_serves_and_is_not_ready(bench) -> None:
    do(bench, "delete pod slow --wait=false")
    said = derive(bench, "slow", LEAVING)
    assert all_right(said)
    assert "never ready" in said


def test_a_relabelled_pod_leaves(bench) -> None:
    do(bench, "label pod slow app=quarantine --overwrite")
    assert all_right(derive(bench, "slow", NOWHERE))


def test_a_wrong_field_is_told_alone(bench) -> None:
    said = derive(bench, "slow", {**READY, "port": "80"})
    assert "ready: right, true." in said
    assert "port: you said 80, it is 8080." in said


def test_what_was_opened_closes_with_a_change(bench) -> None:
    derive(bench, "slow", READY)
    assert "slow: matches" in bench.text
    assert "port 8080" in bench.text
    do(bench, "get pods")
    assert bench.opened == {}
    assert bench.text.count("not opened yet") == 4


def test_without_a_service_it_says_what_to_do() -> None:
    bench = slice_workbench(Cluster(workers=1, seed=5))
    assert "create both first" in bench.guess(**{**READY, "port": "80"})


def test_an_unknown_service_is_told(bench) -> None:
    with pytest.raises(ValueError, match="no Service 'wbe' here: there are web"):
        slice_workbench(bench.cluster, service="wbe")


def test_every_letter_can_be_read(bench) -> None:
    for pod in bench.dials["pod"].options:
        derive(bench, pod, READY)
    assert legibility.faults(bench.figure().drawing) == []
