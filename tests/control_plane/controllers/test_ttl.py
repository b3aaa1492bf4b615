"""How long kubelets may keep ConfigMaps and Secrets, as a node's annotation says it."""

from __future__ import annotations

import pytest

from k8slab.control_plane.controllers.ttl import TTL_ANNOTATION, TTL_BOUNDARIES, next_step
from tests.control_plane.controllers.conftest import ControllerLab


def advice(lab: ControllerLab) -> set[str]:
    return {node.metadata.annotations.get(TTL_ANNOTATION, "none") for node in lab.all("Node")}


@pytest.mark.parametrize(
    ("before", "nodes", "seconds"),
    [
        (0, 1, 0),
        (0, 100, 0),
        (0, 101, 15),
        (0, 5000, 300),
        (1, 90, 15),
        (1, 89, 0),
        (2, 450, 30),
        (2, 449, 15),
        (3, 900, 60),
        (4, 1800, 300),
        (4, 1799, 60),
    ],
)
def test_the_advice_grows_with_the_cluster_and_falls_late(
    before: int, nodes: int, seconds: int
) -> None:
    assert TTL_BOUNDARIES[next_step(before, nodes)].ttl_seconds == seconds


def test_each_node_gets_the_annotation_and_keeps_it() -> None:
    lab = ControllerLab(nodes=2)
    lab.run(1)
    assert advice(lab) == {"0"}
    name = lab.all("Node")[0].metadata.name
    lab.patch("Node", name, {"metadata": {"annotations": {TTL_ANNOTATION: "7"}}})
    lab.run(1)
    assert advice(lab) == {"0"}


def test_one_node_more_than_a_hundred_changes_the_advice_of_all() -> None:
    lab = ControllerLab(nodes=100)
    lab.run(1)
    assert advice(lab) == {"0"}
    lab.add_node("one-more")
    for node in lab.all("Node"):  # each is looked at when it is written next
        lab.patch("Node", node.metadata.name, {"metadata": {"labels": {"seen": "yes"}}})
    lab.run(1)
    assert advice(lab) == {"15"}
