"""The seven steps: each press goes on to the next, and its caption is bound to the trace."""

import pytest

from k8slab import Cluster
from k8slab.viz import steps
from k8slab.viz.conversation import SEVEN, STEPS
from k8slab.viz.widgets.step_captions import ACTORS, CAPTIONS
from tests.viz import legibility


@pytest.fixture
def live():
    cluster = Cluster(workers=2, seed=5)
    yield steps(cluster)
    cluster.run(1)  # what a step left about to start


def test_a_pod_takes_seven_steps_in_their_order(live) -> None:
    seen = []
    for _ in SEVEN:
        live.guess(who="you")
        seen.append(live.current)
    assert tuple(seen) == SEVEN
    assert live.guess(who="you").startswith("All seven steps are done")


def test_time_stops_when_a_step_has_begun(live) -> None:
    for _ in range(4):
        live.guess(who="you")
    pod = live.cluster.view.get("pods", "web")
    assert pod.spec.nodeName
    assert not pod.status.containerStatuses


def test_a_guess_is_judged_by_who_acts(live) -> None:
    assert live.guess(who="kubelet").startswith("Not kubelet: you. You hand a wish")
    assert live.guess(who="kube-apiserver").startswith("Right.")


def test_kubelet_and_runtime_both_count_for_the_runtimes_step(live) -> None:
    for _ in range(5):
        live.guess(who="you")
    assert live.guess(who="kubelet").startswith("Right. The kubelet asks the container runtime")


def test_a_deployment_has_controllers_in_between() -> None:
    live = steps(
        Cluster(workers=1, seed=5),
        command="create deployment web --image=nginx",
        what="deployment/web",
    )
    for _ in range(8):
        live.guess(who="you")
    assert live.begun[:4] == [1, 2, 0, 3]
    assert "+ Controllers write what follows from it" in live.text
    live.cluster.run(1)


def test_a_step_that_does_not_come_is_told() -> None:
    cluster = Cluster(workers=1, seed=5)
    cluster.stop("kube-scheduler")
    live = steps(cluster)
    live.guess(who="you")
    live.guess(who="you")
    said = live.guess(who="kube-scheduler")
    assert f"this did not come: {STEPS[3]}. Who should have acted" in said
    cluster.start("kube-scheduler")
    assert live.guess(who="kube-scheduler").startswith("Right.")
    cluster.run(1)


def test_a_command_that_is_refused_begins_nothing() -> None:
    live = steps(Cluster(workers=1, seed=5), command="run Web --image=nginx", what="pod/Web")
    assert "Invalid value" in live.guess(who="you")
    assert live.told == 0


def test_every_step_has_a_caption_and_an_actor() -> None:
    assert set(CAPTIONS) == set(STEPS)
    assert all(set(caption.who) <= set(ACTORS) for caption in CAPTIONS.values())


def test_the_words_give_each_step_its_time(live) -> None:
    for _ in SEVEN:
        live.guess(who="you")
    assert "4 The scheduler binds the Pod to it" in live.text
    assert "ms later)" in live.text


def test_the_widget_works_by_its_controls(live) -> None:
    assert live.box
    live._answers["who"].value = "you"
    live._go()
    assert "Right." in live._feedback.value
    assert "create Pod web" in live._live.value


def test_every_letter_can_be_read(live) -> None:
    assert legibility.faults(live.figure().drawing) == []
    for _ in SEVEN:
        live.guess(who="you")
    assert legibility.faults(live.figure().drawing) == []
