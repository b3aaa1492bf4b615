"""The Pod scope: the dials are a real manifest, and what becomes of the Pod is told."""

import pytest

from k8slab import Cluster
from k8slab.api import load
from k8slab.viz import pod_scope
from k8slab.viz.widgets.pod_dials import ASKS, FAILS, MISSING, STARTUP
from tests.viz import legibility

ALL_WELL = {"status": "Running", "ready": "ready", "restarts": "no"}


@pytest.fixture
def scope():
    return pod_scope(Cluster(workers=1, seed=5))


def test_the_dials_are_a_manifest(scope) -> None:
    scope.turn(start="20 s", end="after 10 s, exit code 1", liveness=ASKS, restart="Never")
    pod = load(scope.preview())
    (main,) = pod.spec.containers
    assert main.command == ("sh", "-c", "sleep 20; touch /tmp/ready; sleep 10; exit 1")
    assert main.livenessProbe.exec.command == ("cat", "/tmp/ready")
    assert (pod.metadata.name, pod.spec.restartPolicy) == ("scope-1", "Never")


@pytest.mark.parametrize(
    ("dials", "status", "ready", "restarts"),
    [
        ({}, "Running", "ready", "no"),
        ({"readiness": FAILS}, "Running", "not ready", "no"),
        (
            {"start": "60 s", "liveness": ASKS, "readiness": ASKS},
            *("Running", "not ready", "yes"),
        ),
        ({"start": "20 s", "liveness": ASKS, "startup": STARTUP[1]}, "Running", "ready", "no"),
        ({"image": MISSING}, "ImagePullBackOff", "not ready", "no"),
        ({"end": "at once, exit code 1"}, "CrashLoopBackOff", "not ready", "yes"),
        ({"end": "at once, exit code 1", "restart": "Never"}, "Error", "not ready", "no"),
        (
            {"end": "after 10 s, exit code 0", "restart": "OnFailure"},
            *("Completed", "not ready", "no"),
        ),
    ],
)
def test_what_becomes_of_a_pod(scope, dials, status, ready, restarts) -> None:
    scope.turn(**dials)
    said = scope.guess(status=status, ready=ready, restarts=restarts)
    assert said.startswith(f"STATUS: right, {status}. Ready: right, {ready}. restarted: right")


def test_a_wrong_guess_is_told_with_the_four_things(scope) -> None:
    scope.turn(end="at once, exit code 1")
    said = scope.guess(**ALL_WELL)
    assert "STATUS: you said Running, it is CrashLoopBackOff." in said
    assert "phase Running, Ready False, container waiting (CrashLoopBackOff)" in said
    assert "back-off 40s restarting failed container=main" in said


def test_the_next_try_is_another_pod_and_the_last_one_goes(scope) -> None:
    scope.guess(**ALL_WELL)
    scope.guess(**ALL_WELL)
    pods = scope.cluster.kubectl("get pods -o name").split()
    assert pods == ["pod/scope-2"]


def test_more_time_shows_more(scope) -> None:
    scope.turn(start="60 s", readiness=ASKS)
    scope.guess(**ALL_WELL)
    assert "Ready False" in scope.said
    scope.more()
    assert "Ready True" in scope.said


def test_no_pod_before_the_predictions(scope) -> None:
    assert scope.guess(status="Running").startswith("Predict first: Ready, restarted.")
    assert scope.tries == 0
    assert "No Pod yet" in scope.text


def test_the_widget_works_by_its_controls(scope) -> None:
    assert scope.box
    scope._controls["start"].value = "5 s"
    assert "sleep 5" in scope._shown.value
    for name, value in ALL_WELL.items():
        scope._answers[name].value = value
    scope._go()
    assert "STATUS: right" in scope._feedback.value
    assert "pod/scope-1" in scope._live.value


def test_every_letter_can_be_read(scope) -> None:
    empty = scope.figure()
    scope.turn(start="20 s", liveness=ASKS)
    scope.guess(**ALL_WELL)
    for figure in (empty, scope.figure()):
        assert legibility.faults(figure.drawing) == []
