"""A journey is gone step by step, each guessed before it is shown."""

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.viz import journey_map, journey_steps
from k8slab.viz.widgets.journey_steps import MOVES, RECEIVER, SENDER, STOPS, kind_of
from tests.viz.legibility import faults
from tests.viz.test_rule_chains import MANIFESTS


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=2, seed=7)
    made.apply(MANIFESTS % "None")
    made.run(20)
    return made


def outside(cluster: Any) -> Any:
    port = cluster.view.get("service", "web").spec.ports[0].nodePort
    return cluster.request("outside", f"http://192.168.10.11:{port}")


def test_nothing_is_shown_before_it_is_guessed(cluster: Any) -> None:
    walk = journey_steps(cluster, cluster.request("deployment/web", "http://web"))
    assert "  1." not in walk.text
    assert walk.guess().startswith("Predict first")
    assert "  1." not in walk.text
    walk.guess(next=MOVES)
    assert "  1." in walk.text


def test_a_masqueraded_call_changes_receiver_and_sender_and_back(cluster: Any) -> None:
    walk = journey_steps(cluster, outside(cluster))
    kinds = [kind_of(step) for step in walk.steps]
    assert [kind for kind in kinds if kind != MOVES] == [RECEIVER, SENDER, RECEIVER, SENDER]
    said = [walk.guess(next=kind) for kind in kinds]
    assert all(words.startswith("Right.") for words in said)
    assert said[-1].endswith(f"You foresaw {len(kinds)} of {len(kinds)} steps.")
    assert walk.guess(next=MOVES).startswith("This is the end: answered with 200.")


def test_a_wrong_guess_hears_what_happened_and_why(cluster: Any) -> None:
    walk = journey_steps(cluster, outside(cluster))
    walk.guess(next=MOVES)
    said = walk.guess(next=STOPS)
    assert said.startswith(f"No: {RECEIVER}. rewritten in worker-1: ")
    assert "-j DNAT" in said
    walk.begin()
    assert (walk.seen, walk.hits) == (0, 0)


def test_every_step_can_be_read(cluster: Any) -> None:
    walk = journey_steps(cluster, outside(cluster))
    for _ in [None, *walk.steps]:
        assert faults(walk.draw().drawing) == []
        walk.guess(next=MOVES)


def test_without_hairpin_the_map_says_where_the_packet_was_dropped() -> None:
    cluster = Cluster(workers=1, seed=7)
    cluster.apply(MANIFESTS % "None")
    cluster.run(20)
    node = cluster.node("worker-1")
    for port in node.shell("bridge link").splitlines():
        node.shell(f"bridge link set dev {port.split()[1].partition('@')[0]} hairpin off")
    tried = cluster.request("deployment/web", "http://web", timeout=1)
    while tried.ok:
        tried = cluster.request("deployment/web", "http://web", timeout=1)
    lines = journey_map(cluster, tried).text.splitlines()
    assert "dropped in worker-1" in lines[-2]
    assert "dropped: hairpin is off on veth" in lines[-1]
    assert kind_of(journey_steps(cluster, tried).steps[-1]) == STOPS


def test_a_journey_without_hops_says_so(cluster: Any) -> None:
    with pytest.raises(ValueError, match="no hops"):
        journey_steps(cluster, cluster.request("deployment/web", "http://nobody"))
