"""The loop stepper: the difference opens with a command and closes with the loop's decision."""

import pytest

from k8slab import Cluster
from k8slab.viz import reconcile_stepper
from k8slab.viz.widgets.reconcile_stepper import CLAIM, CREATE, DELETE, MAKE, NOTHING
from tests.viz import legibility

USHERS = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: ushers}
spec:
  replicas: 3
  selector: {matchLabels: {team: ushers}}
  template:
    metadata: {labels: {team: ushers}}
    spec: {containers: [{name: usher, image: nginx}]}
"""


@pytest.fixture
def live():
    cluster = Cluster(workers=2, seed=5)
    cluster.apply(USHERS)
    cluster.run(10)
    yield reconcile_stepper(cluster)
    cluster.run(1)  # what a turn left about to start


def do(live, command: str) -> None:
    live.turn(command=command)
    live.command()


def test_a_wish_opens_a_difference_before_the_loop_has_acted(live) -> None:
    do(live, "scale rs ushers --replicas=5")
    assert "desired 5, observed 3, difference 2" in live.text
    assert live.guess(action=CREATE).endswith("it saw 3 of 5 replicas: create 2.")


@pytest.mark.parametrize(
    ("command", "action"),
    [
        ("scale rs ushers --replicas=1", DELETE),
        ("delete pods -l team=ushers --wait=false", CREATE),
        ("label pods -l team=ushers team=bar --overwrite", CLAIM),
        ("annotate rs ushers note=hello", NOTHING),
    ],
)
def test_what_the_loop_does(live, command, action) -> None:
    do(live, command)
    assert live.guess(action=action).startswith("Right")


def test_a_closed_difference_means_nothing_to_do(live) -> None:
    said = live.guess(action=DELETE)
    assert said.startswith("It does not delete Pods: 10 virtual seconds without a decision")
    assert "observed is what is desired" in said


def test_a_loop_that_does_not_run_is_suspected(live) -> None:
    live.cluster.stop("kube-controller-manager")
    do(live, "scale rs ushers --replicas=5")
    said = live.guess(action=NOTHING)
    assert "yet 3 of 5 are there: does the loop run?" in said


def test_an_empty_cluster_begins_with_a_deployment() -> None:
    live = reconcile_stepper(Cluster(workers=1, seed=5))
    assert "run a command first" in live.guess(action=CREATE)
    assert live.values["command"] == MAKE
    live.command()
    assert "create 3" in live.guess(action=CREATE)
    live.cluster.run(1)


def test_an_unknown_replica_set_is_told(live) -> None:
    with pytest.raises(ValueError, match="no ReplicaSet 'usher' in namespace default: there are"):
        reconcile_stepper(live.cluster, replica_set="usher")


def test_the_widget_works_by_its_controls(live) -> None:
    assert live.box
    live._controls["command"].value = "scale rs ushers --replicas=4"
    live.command()
    live._answers["action"].value = CREATE
    live._go()
    assert "Right: at" in live._feedback.value
    assert "create 1" in live._live.value


def test_every_letter_can_be_read(live) -> None:
    assert legibility.faults(live.figure().drawing) == []
    do(live, "scale rs ushers --replicas=5")
    live.guess(action=CREATE)
    assert legibility.faults(live.figure().drawing) == []
