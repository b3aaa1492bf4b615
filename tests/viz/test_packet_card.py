"""The packet card: a real request, its hops there and back, what is rewritten and by what."""

import pytest

from k8slab import Cluster
from k8slab.viz import packet_card
from k8slab.viz.widgets.packet_card import NEVER, OTHER, OWN
from tests.viz import legibility


@pytest.fixture(scope="module")
def cluster():
    lab = Cluster(workers=2, seed=7)
    lab.kubectl("create deployment web --image=nginx --replicas=3")
    lab.kubectl("expose deployment web --port=80 --type=NodePort")
    lab.kubectl("create service clusterip ghost --tcp=80")
    lab.kubectl("run client --image=busybox:1.37 -- sleep 86400")
    lab.run(10)
    return lab


@pytest.fixture
def card(cluster):
    widget = packet_card(cluster)
    widget.turn(source="pod/client", url="http://web")
    return widget


def test_a_pod_is_seen_by_its_own_address(card) -> None:
    said = card.guess(outcome="answered", seen=OWN)
    assert said.startswith("Right: it is answered. The address that the server sees: the client's")
    assert said.endswith("1 rewrite on the way there, 1 on the way back.")


def test_a_client_outside_is_hidden_behind_a_node(card, cluster) -> None:
    port = cluster.view.get("services", "web").spec.ports[0].nodePort
    answers = []
    for node in ("192.168.10.11", "192.168.10.12"):
        card.turn(source="outside", url=f"http://{node}:{port}")
        answers.append(card.guess(outcome="answered", seen=OTHER))
    assert all("the server sees: another one, right. 2 rewrites" in said for said in answers)


@pytest.mark.parametrize(
    ("url", "outcome"), [("http://ghost", "refused"), ("http://x", "unresolved")]
)
def test_what_never_arrives_is_seen_by_nobody(card, url, outcome) -> None:
    card.turn(url=url)
    said = card.guess(outcome=outcome, seen=NEVER)
    assert said.startswith(f"Right: it is {outcome}. curl: (")
    assert "no server sees it, right" in said


def test_the_next_change_is_the_rule_and_then_its_undoing(card) -> None:
    card.guess(outcome="answered", seen=OWN)
    card.next_change()
    assert "-j DNAT --to-destination" in card.said
    assert "destination: 10." in card.text
    card.next_change()
    assert "by the conntrack entry of its connection" in card.said


def test_stepping_stops_at_both_ends(card) -> None:
    card.guess(outcome="answered", seen=OWN)
    card.hop_back()
    assert card.place == 0
    for _ in card.hops:
        card.next_hop()
    assert card.place == len(card.hops) - 1


def test_a_client_that_is_not_there_is_told(card) -> None:
    card.turn(url="")
    assert "expected a URL" in card.guess(outcome="answered", seen=OWN)
    card.next_hop()
    assert card.said.startswith("No packet is on its way.")


def test_a_client_comes_before_the_pods_of_services(cluster) -> None:
    first, second, *_ = packet_card(cluster).dials["source"].options
    assert first == "pod/client"
    assert second.startswith("pod/web-")


def test_the_first_service_of_ones_own_is_the_suggestion(cluster) -> None:
    assert packet_card(cluster).values["url"] == "http://ghost"
    assert packet_card(Cluster(workers=1, seed=5)).values["url"] == "https://kubernetes"


def test_the_widget_works_by_its_controls(card) -> None:
    assert card.box
    card._answers["outcome"].value = "answered"
    card._answers["seen"].value = OWN
    card._go()
    card.next_change()
    assert "PREROUTING" in card._live.value


def test_every_letter_can_be_read(card) -> None:
    figures = [card.figure()]
    card.guess(outcome="answered", seen=OWN)
    card.next_change()
    figures.append(card.figure())
    for figure in figures:
        assert legibility.faults(figure.drawing) == []
