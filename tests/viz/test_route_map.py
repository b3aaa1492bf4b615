"""The way of a request through machines: moves, rewrites, refusals."""

from itertools import pairwise
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.viz import journey_map
from k8slab.viz.ladder import first_exchange
from k8slab.viz.route_map import places_of, steps_of
from tests.viz.legibility import faults
from tests.viz.test_rule_chains import MANIFESTS


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=2, seed=7)
    made.apply(MANIFESTS % "None")
    made.run(20)
    return made


def node_port(cluster) -> int:
    return cluster.view.get("service", "web").spec.ports[0].nodePort


def requests(cluster) -> list[Any]:
    urls = (
        "http://web",
        "http://web-2",
        "http://web",
        f"http://192.168.10.11:{node_port(cluster)}",
    )
    return [cluster.request(who, url) for url in urls for who in ("deployment/web", "outside")
            if who != "outside" or "192" in url]  # fmt: skip


def test_each_step_begins_where_the_last_one_ended(cluster) -> None:
    for answer in requests(cluster):
        steps = steps_of(first_exchange(answer.hops))
        assert all(a.target == b.source for a, b in pairwise(steps))


def test_a_service_is_no_place(cluster) -> None:
    answer = cluster.request("deployment/web", "http://web")
    for place in places_of(answer.hops, cluster.view):
        assert place.is_pod or place.name.startswith("worker-")


def test_the_way_back_is_rewritten_by_the_conntrack_entry(cluster) -> None:
    text = journey_map(cluster, cluster.request("deployment/web", "http://web")).text
    assert "answered with 200; by way of worker-" in text
    assert "-j DNAT --to-destination 10.244." in text
    assert "by the conntrack entry of its connection" in text


def test_a_refusal_is_where_the_way_ends(cluster) -> None:
    figure = journey_map(cluster, cluster.request("deployment/web", "http://web-2"))
    assert "refused in worker-" in figure.text
    assert "-j REJECT" in figure.text


def test_every_way_can_be_read(cluster) -> None:
    for answer in requests(cluster):
        assert faults(journey_map(cluster, answer).drawing, (1.0,)) == []


def test_the_map_can_be_replayed_step_by_step(cluster) -> None:
    figure = journey_map(cluster, cluster.request("deployment/web", "http://web"))
    frames = figure.frames()
    assert [len(frame.figure.text) for frame in frames] == sorted(
        len(frame.figure.text) for frame in frames
    )
    assert frames[-1].figure.text.splitlines()[1:] == figure.text.splitlines()[1:]
    for frame in frames:
        assert faults(frame.figure.drawing, (1.0,)) == []
        assert frame.figure.drawing.height == figure.drawing.height


def test_what_was_never_sent_has_no_map(cluster) -> None:
    with pytest.raises(ValueError, match="no hops"):
        journey_map(cluster, cluster.request("deployment/web", "http://nobody"))
