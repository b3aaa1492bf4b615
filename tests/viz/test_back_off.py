"""The staircase: waits are measured, back-offs are those that the kubelet wrote."""

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.viz import back_off_staircase
from k8slab.viz.back_off import MOST, read
from tests.viz import pretend
from tests.viz.legibility import faults

CRASH = """
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec:
  containers:
  - {name: main, image: busybox, command: [sh, -c, "sleep 2; exit 3"]}
  - {name: good, image: nginx}
"""


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=1, seed=7)
    made.apply(CRASH)
    made.run(3000)
    return made


def test_the_first_restart_is_at_once_and_then_the_back_off_doubles(cluster) -> None:
    _, lives = read(cluster, "crash", "default")
    assert [life.back_off for life in lives[:9]] == [0, 10, 20, 40, 80, 160, 300, 300, 300]
    assert all(0 <= life.waited - life.back_off < 2 for life in lives[:-1])


def test_the_staircase_says_when_each_run_began_and_how_it_ended(cluster) -> None:
    lines = back_off_staircase(cluster, "pod/crash").text.splitlines()
    assert lines[0] == "Restarts of container main in pod/crash:"
    assert "ended with Error, exit code 3; back-off 10 s, waited 10." in lines[2]


def test_a_staircase_can_be_read_from_its_first_step_to_its_plateau(cluster) -> None:
    whole = back_off_staircase(cluster, "crash")
    assert faults(whole.drawing, (1.0,)) == []
    assert "later run" in str(whole.drawing)
    late = back_off_staircase(cluster, "crash", since=1000)
    assert len(late.text.splitlines()) < len(whole.text.splitlines())
    assert len(read(cluster, "crash", "default")[1]) > MOST - 2


def test_a_container_that_has_not_ended_has_no_staircase(cluster) -> None:
    with pytest.raises(
        ValueError, match="no container of pod/crash in namespace default has ended"
    ):
        back_off_staircase(cluster, "crash", container="good")


def test_a_pod_of_the_same_name_begins_anew() -> None:
    made = pretend.Pretend()
    for run in range(2):
        made.write("you", pretend.pod("web"), "create")
        made.note("containerd/worker-1", "start", "Pod/default/web", "container main")
        made.run(1)
        made.note("containerd/worker-1", "exit", "Pod/default/web", "container main: Error")
        if not run:
            made.write("kubelet/worker-1", pretend.pod("web"), "remove")
    assert [life.started for life in read(made, "web", "default")[1]] == [1.0]
