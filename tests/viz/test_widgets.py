"""Widgets: moved by their methods as by mouse and keys, and what they say about it."""

import base64
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.viz import explorer, label_magnet, time_bar
from k8slab.viz.membership_facts import read
from k8slab.viz.widgets.label_moves import (
    DELETES,
    GAINS,
    LOSES,
    MAKES,
    NOTHING,
    SAME,
    judge,
    outcome,
    right_answers,
)
from k8slab.viz.widgets.widget import VIEW
from tests.viz import pretend

LABELS = {"app": "web", "pod-template-hash": "abc"}
RS = "web-abc"


def three_pods() -> pretend.Pretend:
    made = pretend.Pretend()
    made.write("you", pretend.service("web", {"app": "web"}))
    made.write("you", pretend.replica_set(RS, 2, LABELS))
    for number in (1, 2):
        made.write(
            "replicaset-controller",
            pretend.pod(f"{RS}-{number}", "worker-1", labels=LABELS, owner=RS),
        )
    made.write(
        "endpointslice-controller",
        pretend.slice_of("web", {f"{RS}-{n}": (f"10.244.1.{n}", True) for n in (1, 2)}),
    )
    made.run(5)
    return made


class Magnetic:
    """The part of a cluster that answers to `kubectl label`, as its controllers would."""

    def __init__(self) -> None:
        self.made = three_pods()
        self.commands: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.made, name)

    def kubectl(self, command: str, stdin: str = "") -> str:
        self.commands.append(command)
        if "wrong" in command:
            return 'Error from server (NotFound): pods "wrong" not found\n'
        moved = pretend.pod(f"{RS}-1", "worker-1", labels={**LABELS, "app": "quarantine"})
        self.made.write("you", moved, "patch")
        self.made.write(
            "replicaset-controller", pretend.pod(f"{RS}-3", "worker-1", labels=LABELS, owner=RS)
        )
        backends = {f"{RS}-{n}": (f"10.244.1.{n}", True) for n in (2, 3)}
        self.made.write("endpointslice-controller", pretend.slice_of("web", backends), "update")
        return f"pod/{RS}-1 labeled\n"


# -- the label magnet


def test_moving_a_label_really_relabels_the_pod() -> None:
    cluster = Magnetic()
    label_magnet(cluster).move(f"{RS}-1", "app", "quarantine", LOSES, MAKES)
    assert cluster.commands == [f"label pod {RS}-1 app=quarantine --overwrite"]


def test_a_right_prediction_is_explained_too() -> None:
    said = label_magnet(Magnetic()).move(f"{RS}-1", "app", "quarantine", LOSES, MAKES)
    assert said.splitlines() == [
        f"Service: right. web lost {RS}-1: its labels no longer match the selector.",
        f"ReplicaSet: right. {RS} let {RS}-1 go and made {RS}-3. "
        "The Pod runs on, without an owner.",
    ]


def test_a_wrong_prediction_is_told_apart() -> None:
    said = label_magnet(Magnetic()).move(f"{RS}-1", "app", "quarantine", SAME, NOTHING)
    assert 'Service: you said "nothing changes".' in said
    assert 'ReplicaSet: you said "does nothing".' in said


def test_an_error_of_kubectl_is_shown_as_it_is() -> None:
    said = label_magnet(Magnetic()).move("wrong", "app", "x", SAME, NOTHING)
    assert said == 'Error from server (NotFound): pods "wrong" not found'


def test_a_pod_that_was_let_go_stays_in_the_picture() -> None:
    magnet = label_magnet(Magnetic(), services=("web",))
    magnet.move(f"{RS}-1", "app", "quarantine", LOSES, MAKES)
    assert f"without a ReplicaSet: {RS}-1" in magnet.text


def test_labels_of_selectors_come_first_and_can_be_taken_away() -> None:
    magnet = label_magnet(Magnetic())
    assert magnet.keys() == ["app", "pod-template-hash"]
    assert magnet.values(f"{RS}-1", "app") == ["quarantine", "(no such label)"]
    assert magnet.command("p", "app", "(no such label)") == "label pod p app-"


def test_nothing_moves_before_both_predictions() -> None:
    cluster = Magnetic()
    magnet = label_magnet(cluster)
    assert magnet.box
    magnet._service.value = LOSES
    magnet._on_move()
    assert cluster.commands == []
    assert "Predict both first" in magnet._feedback.value
    magnet._set.value = MAKES
    magnet._on_move()
    assert len(cluster.commands) == 1
    assert f"{RS}-3" in magnet._live.value


def test_an_adopted_pod_that_is_one_too_many() -> None:
    made = three_pods()
    before = read(made.view, "default")
    made.write("you", pretend.pod("bare", "worker-1", labels=LABELS, owner=RS))
    made.write(
        "you",
        pretend.pod(f"{RS}-2", "worker-1", labels=LABELS, owner=RS, state="Terminating"),
        "delete",
    )
    result = outcome(before, read(made.view, "default"), "bare")
    assert (result.adopted, result.deleted) == ((RS,), (f"{RS}-2",))
    assert DELETES in right_answers(result)[1]
    assert "was one too many" in judge(GAINS, DELETES, result)


def test_a_label_that_no_selector_asks_for_changes_nothing() -> None:
    facts = read(three_pods().view, "default")
    assert right_answers(outcome(facts, facts, f"{RS}-1")) == ((SAME,), (NOTHING,))


# -- the time bar


@pytest.fixture
def timed() -> Any:
    made = three_pods()
    made.sim.after(
        2.0, lambda: made.note("kube-scheduler", "decide", "Pod/default/late"), "a late decision"
    )
    return made


def test_a_step_goes_on_to_the_next_record(timed) -> None:
    bar = time_bar(timed)
    bar.step()
    assert timed.now == 7.0
    assert "7.000  kube-scheduler decide Pod/default/late" in bar.text


def test_what_comes_next_is_named(timed) -> None:
    assert "next, at 7.000 s: a late decision" in time_bar(timed).text


def test_looking_back_moves_nothing(timed) -> None:
    bar = explorer(timed)
    before = len(timed.trace)
    bar.back()
    bar.scrub(2)
    assert (timed.now, len(timed.trace)) == (5.0, before)
    assert bar.clockwork.past == 2
    bar.present()
    assert bar.clockwork.past is None


def test_back_at_the_beginning_stays_there(timed) -> None:
    bar = time_bar(timed)
    for _ in range(20):
        bar.back()
    assert bar.clockwork.record == 1


def test_a_guess_is_judged_and_explained(timed) -> None:
    said = time_bar(timed).guess("kubelet")
    assert said.startswith("Not kubelet. At 7.000 s kube-scheduler did: decide Pod/default/late.")
    assert "Nobody asked for it" in said


def test_a_guess_when_all_is_well_says_so() -> None:
    assert "everything is as it should be" in time_bar(three_pods()).guess("kubelet")


def test_the_controls_move_the_time(timed) -> None:
    live = explorer(timed)
    assert live.box
    live._slider.value = 2
    assert live.clockwork.past == 2
    live._play.value = 1
    assert timed.now == 5.25
    live._on_guess()
    assert "First choose" in live._feedback.value
    live._actor.value = "kube-scheduler"
    live._on_guess()
    assert "Right." in live._feedback.value
    assert live._slider.value == len(timed.trace)


def test_the_messages_of_a_whole_play_are_counted_and_a_new_play_begins_anew(timed) -> None:
    live = explorer(timed)
    assert live.box
    start = len(timed.trace)
    for piece in range(1, 12):
        live._play.value = piece
    assert len(timed.trace) > start
    assert live.clockwork.since == start
    live._play.value = 0
    live._play.value = 1
    assert live.clockwork.since == len(timed.trace)


def test_a_cluster_in_which_nothing_happened_yet_can_be_shown() -> None:
    empty: Any = pretend.Pretend()
    bar = explorer(empty)
    assert bar.box
    bar.back()
    bar.step()
    assert "0 nodes" in bar.text


def test_the_speed_is_that_of_the_pieces(timed) -> None:
    live = time_bar(timed)
    assert live.box
    live._speed.value = "5"
    live._play.value = 1
    assert timed.now == 10.0


def test_a_fork_stands_at_the_moment_that_is_seen() -> None:
    cluster = Cluster(workers=1, seed=5)
    cluster.kubectl("run web --image=nginx")
    bar = time_bar(cluster)
    bar.scrub(len(cluster.trace) - 20)
    said = bar.fork()
    assert said.endswith("forks[0] of this widget. Here nothing has changed.")
    assert bar.forks[0].now == bar.clockwork.time < cluster.now
    bar.present()
    bar.fork()
    assert bar.forks[1].trace.digest() == cluster.trace.digest()
    for run in (cluster, *bar.forks):
        run.run(1)


def test_a_run_that_cannot_be_forked_says_why(timed) -> None:
    live = time_bar(timed)
    assert live.box
    live._on_fork()
    assert "No fork:" in live._feedback.value


def test_a_magnet_without_pods_says_what_to_do() -> None:
    magnet = label_magnet(pretend.Pretend())
    assert magnet.box
    magnet._on_move()
    assert "create one first" in magnet._feedback.value


def test_a_service_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(ValueError, match="no Service 'wbe' in namespace default: there are web"):
        label_magnet(Magnetic(), services=("wbe",))


# -- every widget


@pytest.mark.parametrize("make", [time_bar, explorer, label_magnet])
def test_the_output_holds_live_view_picture_and_words(make) -> None:
    data, _ = make(Magnetic())._repr_mimebundle_()
    assert set(data) == {"image/png", "text/plain", VIEW}
    assert data["image/png"].startswith(b"\x89PNG")
    assert base64.b64encode(data["image/png"])
    assert len(data["text/plain"]) > 40


@pytest.mark.parametrize("make", [time_bar, explorer, label_magnet])
def test_the_words_do_not_depend_on_the_run(make) -> None:
    assert make(Magnetic()).text == make(Magnetic()).text


@pytest.mark.parametrize("make", [time_bar, explorer, label_magnet])
def test_every_control_says_what_it_is(make) -> None:
    import ipywidgets

    controls, found = [make(Magnetic()).box], []
    while controls:
        control = controls.pop()
        controls += getattr(control, "children", ())
        assert not isinstance(control, ipywidgets.Output)
        if not isinstance(control, ipywidgets.Box | ipywidgets.HTML):
            found.append(control.description or control.tooltip)
    assert all(found)
    assert len(found) >= 5
