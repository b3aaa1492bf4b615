"""Every figure of a cluster: its words say what is there, and all of it can be read."""

from itertools import pairwise

import pytest

from k8slab.sim import Record
from k8slab.viz import (
    architecture_map,
    churn_plot,
    event_lane,
    membership,
    replica_lane,
    why_graph,
)
from k8slab.viz.churn import outages, rates
from k8slab.viz.pod_lanes import places
from tests.viz import pretend
from tests.viz.legibility import faults

POD = "web-6f7d8c9b4-x00kp"
SAMPLES = {
    "10.244.1.2:80": [(20 + n / 2, n < 40 or n > 60) for n in range(100)],
    "http://web": [(20 + n / 2, n not in (40, 41)) for n in range(100)],
}
EVENTS = [(40.0, "Pod deleted"), (40.4, "new Pod created"), (41.0, "new Pod ready")]


@pytest.fixture(scope="module")
def cluster() -> pretend.Pretend:
    return pretend.cluster(3, 6)


@pytest.fixture(scope="module")
def figures(cluster) -> dict:
    return {
        "map": architecture_map(cluster),
        "lit": architecture_map(cluster, highlight=("kube-scheduler", "kubelet/worker-1", POD)),
        "lanes": event_lane(cluster, f"pod/{POD}"),
        "membership": membership(cluster),
        "replicas": replica_lane(cluster, "replicaset/web-6f7d8c9b4"),
        "churn": churn_plot(SAMPLES, events=EVENTS),
        "why": why_graph(cluster.trace.about(f"Pod/default/{POD}")),
    }


NAMES = ("map", "lit", "lanes", "membership", "replicas", "churn", "why")


@pytest.mark.parametrize("name", NAMES)
def test_no_text_is_clipped_or_lies_on_another(figures, name) -> None:
    assert faults(figures[name].drawing) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_figure_has_one_sentence_for_screen_readers(figures, name) -> None:
    assert 20 < len(figures[name].alt) < 400


@pytest.mark.parametrize(("workers", "pods"), [(0, 3), (1, 1), (2, 40), (3, 40), (6, 90), (14, 10)])
def test_the_map_can_be_read_at_every_size(workers, pods) -> None:
    drawing = architecture_map(pretend.cluster(workers, pods)).drawing
    assert drawing.width == 900
    assert faults(drawing, (1.0,)) == []


def test_the_map_says_in_words_what_it_shows() -> None:
    assert architecture_map(pretend.cluster(1, 2), since=8).text == (
        "The cluster at 11.500 s: 2 nodes, 2 Pods, 1 Service.\n"
        "  control-plane Ready: no Pods\n"
        "  worker-1 Ready: web-6f7d8c9b4-x00kp Running, web-6f7d8c9b4-x01kp Running\n"
        "  Service default/web 10.96.7.20:80: 2 of 2 endpoints ready\n"
        "  messages since record 8:\n"
        "    kube-apiserver -> etcd: 11 (write)\n"
        "    kube-controller-manager -> kube-apiserver: 3 (write)\n"
        "    kube-apiserver -> kube-scheduler: 2 (news)\n"
        "    kube-apiserver -> kubelet/worker-1: 2 (news)\n"
        "    kube-scheduler -> kube-apiserver: 2 (write)\n"
        "    kubelet/control-plane -> kube-apiserver: 2 (write)\n"
        "    kubelet/worker-1 -> containerd/worker-1: 2 (order)\n"
        "    kubelet/worker-1 -> kube-apiserver: 2 (write)\n"
        "    you -> kube-apiserver: 2 (write)\n"
        "    kube-apiserver -> kube-controller-manager: 1 (news)"
    )


def test_the_map_of_the_past_shows_the_past(cluster) -> None:
    assert "0 Pods" in architecture_map(cluster, at=cluster.at(10.1)).text


def test_a_broken_node_and_a_missing_component_are_named() -> None:
    made = pretend.cluster(1, 1)
    made.write("kube-controller-manager", pretend.node("worker-1", ready=False), "update status")
    text = architecture_map(made).text
    assert "worker-1 NotReady" in text
    assert "not well: kubelet Unknown, containerd Unknown" in text


def test_a_pod_without_a_node_is_on_the_map() -> None:
    made = pretend.cluster(1, 1)
    made.write("you", pretend.pod("homeless", state="Pending"))
    figure = architecture_map(made)
    assert "on no node yet: homeless" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_the_lanes_tell_who_did_what(cluster) -> None:
    assert event_lane(cluster, POD).text == (
        f"What happened to pod/{POD}:\n"
        "     10.250  replicaset-controller: created it\n"
        "             -> STATUS ContainerCreating, phase Pending, Ready False, "
        "waiting: ContainerCreating\n"
        "     10.250  kube-scheduler: bound it to worker-1\n"
        "     10.250  containerd/worker-1: started container web\n"
        "     10.750  kubelet/worker-1: wrote its status: Running, ready\n"
        "             -> STATUS Running, phase Running, Ready True, running"
    )


def test_lanes_of_an_unknown_pod_say_so(cluster) -> None:
    with pytest.raises(ValueError, match="nothing in the trace is about pod/nobody"):
        event_lane(cluster, "pod/nobody")


def test_deeds_keep_their_order_and_distance() -> None:
    xs = places([0, 0, 0.001, 5, 5.001, 300], 0, 700)
    gaps = [b - a for a, b in pairwise(xs)]
    assert min(gaps) >= 22
    assert xs[-1] == pytest.approx(700)


def test_membership_tells_the_service_from_the_owner(cluster) -> None:
    text = membership(cluster).text
    assert "Service web selects app=web" in text
    assert "ReplicaSet web-6f7d8c9b4 selects app=web,pod-template-hash=6f7d8c9b4, wants 6" in text
    assert "web-6f7d8c9b4-x02kp (not ready)" in text


def test_a_pod_that_nobody_owns_is_named() -> None:
    made = pretend.cluster(1, 1)
    made.write("you", pretend.pod("bare", "worker-1", labels={"app": "web"}))
    assert "without a ReplicaSet: bare" in membership(made).text


def test_failures_in_a_row_are_one_outage() -> None:
    assert outages(SAMPLES["10.244.1.2:80"]) == [(40.0, 50.0, 21)]


def test_an_answer_between_failures_ends_the_outage() -> None:
    assert outages([(1, False), (2, True), (3, False)]) == [(1, 1, 1), (3, 3, 1)]


def test_services_that_share_pods_do_not_lie_on_one_another() -> None:
    made = pretend.cluster(1, 20)
    for name in ("api", "blue", "canary", "door"):
        made.write("you", pretend.service(name, {"app": "web"}))
        made.write(
            "you",
            pretend.slice_of(
                name, {f"web-6f7d8c9b4-x{n:02d}kp": (f"10.1.1.{n}", True) for n in range(9)}
            ),
        )
    figure = membership(made)
    assert faults(figure.drawing, (1.0,)) == []
    assert "20 Pods" in figure.alt


def test_error_rates_are_shares_of_what_was_asked() -> None:
    assert rates([(0, True), (0.1, False), (10, True)], 0, 10)[0][2] == 0.5


def test_the_churn_plot_counts_failures() -> None:
    assert churn_plot(SAMPLES).text.splitlines()[1:3] == [
        "  10.244.1.2:80: 21 of 100 failed (21%)",
        "    from 40.000 s to 50.000 s: 21 in a row",
    ]


def test_causes_come_before_their_effects() -> None:
    chain = [
        Record(3, 2.0, "kube-scheduler", "bind", "Pod/web", 1),
        Record(1, 1.0, "you", "create", "Pod/web", 0),
    ]
    figure = why_graph(chain)
    assert figure.text.splitlines()[1].startswith("  1: at 1.000 s you create")
    assert faults(figure.drawing) == []


def test_nothing_to_explain_is_said() -> None:
    with pytest.raises(ValueError, match="no record"):
        why_graph([])
