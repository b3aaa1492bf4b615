"""The light-up map: a command is run, and who acted because of it is told from the trace."""

import pytest

from k8slab import Cluster
from k8slab.viz import light_up
from k8slab.viz.widgets.light_up import NOBODY

GUESS = {"first": "kube-controller-manager", "dark": "coredns"}


@pytest.fixture(scope="module")
def live():
    return light_up(Cluster(workers=2, seed=5), namespace="default")


def run(live, command: str) -> str:
    live.turn(command=command)
    return live.guess(**GUESS)


def test_a_deployment_lights_its_way_down_to_the_runtime(live) -> None:
    said = run(live, "create deployment web --image=nginx")
    assert said.startswith("Right. kube-controller-manager acted first")
    assert "kube-controller-manager, kube-scheduler, kubelet, containerd." in said
    assert "kubectl said: deployment.apps/web created" in said


def test_a_service_lights_no_scheduler_and_no_kubelet(live) -> None:
    said = run(live, "kubectl expose deployment web --port=80")
    assert "lit were, in this order, kube-controller-manager, kube-proxy." in said


def test_a_write_that_concerns_nobody(live) -> None:
    said = run(live, "label deployment web tier=front")
    assert "First: not kube-controller-manager." in said
    assert "You did patch Deployment/default/web; nobody found anything to do." in said


def test_reading_lights_nothing(live) -> None:
    live.turn(command="get pods")
    assert live.guess(first=NOBODY, dark="kubelet").startswith("Right. Nothing was written")


def test_a_runtime_that_stops_containers_is_lit(live) -> None:
    said = run(live, "delete deployment web")
    assert "kube-controller-manager, kubelet, containerd, kube-proxy." in said


def test_a_component_that_acts_is_not_dark(live) -> None:
    live.turn(command="create deployment two --image=nginx")
    assert "kubelet does act: dark stayed" in live.guess(first="kubelet", dark="kubelet")


def test_the_map_counts_from_the_command_on(live) -> None:
    before = len(live.cluster.trace)
    run(live, "create configmap settings --from-literal=a=b")
    assert f"messages since record {before}" in live.text
    assert "you -> kube-apiserver: 1 (write)" in live.text


def test_the_widget_works_by_its_controls(live) -> None:
    assert live.box
    live._controls["command"].value = "create service clusterip db --tcp=80"
    for name, value in GUESS.items():
        live._answers[name].value = value
    live._go()
    assert "service/db created" in live._feedback.value
    assert "db" in live._live.value
