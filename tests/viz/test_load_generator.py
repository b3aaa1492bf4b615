"""The load generator: real requests, shares that are fair on average only, failures by outcome."""

import pytest

from k8slab import Cluster
from k8slab.viz import load_generator
from k8slab.viz.widgets.load_generator import HALFWAY, ROUGH, served_by
from tests.viz import legibility


@pytest.fixture
def load():
    lab = Cluster(workers=2, seed=7)
    lab.kubectl("create deployment web --image=nginx --replicas=3")
    lab.kubectl("expose deployment web --port=80")
    lab.run(8)
    return load_generator(lab)


def test_three_pods_share_unequally(load) -> None:
    load.turn(number="100")
    said = load.guess(share=ROUGH, failed="none")
    assert said.startswith("Right: 100 answers")
    assert "0 requests failed: right." in said
    shares = served_by(load.answers)
    assert len(shares) == 3
    assert len(set(shares.values())) > 1
    assert all(20 <= number <= 50 for number in shares.values())


def test_new_pods_get_their_share_of_new_connections(load) -> None:
    load.turn(number="100", halfway=HALFWAY[3])
    load.guess(share=ROUGH, failed="none")
    assert len(served_by(load.answers)) == 6


def test_a_service_without_pods_refuses(load) -> None:
    load.turn(halfway=HALFWAY[4])
    said = load.guess(share=ROUGH, failed="about half")
    assert "requests failed: right." in said
    assert "refused" in said


def test_a_deleted_pod_is_replaced(load) -> None:
    load.turn(number="50", halfway=HALFWAY[1])
    load.guess(share=ROUGH, failed="none")
    assert len(served_by(load.answers)) == 4


def test_the_words_have_the_numbers_of_the_bars(load) -> None:
    load.guess(share=ROUGH, failed="none")
    lines = load.text.splitlines()
    assert lines[0] == "Load on service/web: 20 requests: 20 answered by 3 Pods, 0 failed"
    assert "a fair share of the 3 Pods of before is 6.7 each" in load.text


def test_a_cluster_without_services_says_what_to_do() -> None:
    load = load_generator(Cluster(workers=1, seed=5))
    assert "create a Deployment and expose it first" in load.guess(share=ROUGH, failed="none")


def test_an_unknown_service_is_told(load) -> None:
    with pytest.raises(ValueError, match="no Service 'wbe' here: there are web"):
        load_generator(load.cluster, service="wbe")


def test_the_widget_works_by_its_controls(load) -> None:
    assert load.box
    load._answers["share"].value = ROUGH
    load._answers["failed"].value = "none"
    load._go()
    assert "20 answers" in load._feedback.value
    assert "web-" in load._live.value


def test_every_letter_can_be_read(load) -> None:
    load.turn(halfway=HALFWAY[4])
    load.guess(share=ROUGH, failed="none")
    assert legibility.faults(load.figure().drawing) == []
