from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.cluster.conftest import WEB

LOOKS = (
    "get pods -A -o wide",
    "get deployments,services",
    "describe pod client",
    "get pods -l app=web -o yaml",
    "get events",
)


@pytest.fixture(scope="module")
def story() -> tuple[Cluster, float, dict[str, str]]:
    """Return a cluster, a moment of its past, and what kubectl printed then."""
    cluster = Cluster(workers=2, seed=3)
    cluster.apply(WEB)
    cluster.run(3.1)
    printed = {}
    for command in LOOKS:
        printed[command] = cluster.kubectl(command)
    moment = cluster.now
    printed["iptables"] = cluster.node("worker-1").shell("iptables-save -t nat")
    cluster.run(30)
    cluster.kubectl("delete deployment,service web")
    cluster.run(30)
    return cluster, moment, printed


@pytest.mark.parametrize("command", LOOKS)
def test_kubectl_prints_what_it_printed_then(
    story: tuple[Cluster, float, dict[str, str]], command: str
) -> None:
    cluster, moment, printed = story
    assert cluster.at(moment).kubectl(command) == printed[command]
    assert cluster.kubectl(command) != printed[command]


def test_rules_are_as_they_were(story: tuple[Cluster, float, dict[str, str]]) -> None:
    cluster, moment, printed = story
    was = cluster.at(moment).rules("worker-1")
    assert was.splitlines()[1:-1] == printed["iptables"].splitlines()[1:-1]
    assert "default/web" in cluster.at(moment + 20).rules("worker-1")
    assert "default/web" not in cluster.node("worker-1").shell("iptables-save -t nat")


def test_the_past_cannot_be_changed(story: tuple[Cluster, float, dict[str, str]]) -> None:
    cluster, moment, _ = story
    before = cluster.trace.digest()
    assert "the past cannot be changed" in cluster.at(moment).kubectl("delete pod client")
    assert "no log of processes" in cluster.at(moment).kubectl("logs client")
    assert cluster.at(moment).kubectl("get pods -w").startswith("NAME")
    assert cluster.trace.digest() == before


def test_before_the_api_server_there_was_nothing() -> None:
    assert Cluster(workers=1).at(0.1).kubectl("get pods") == (
        "No resources found in default namespace.\n"
    )


def test_the_timeline_tells_what_was_done_and_finds_moments(
    story: tuple[Cluster, float, dict[str, str]],
) -> None:
    cluster, moment, _ = story
    timeline = cluster.timeline
    assert [each.do for each in timeline.inputs][:3] == ["boot", "kubectl", "kubectl"]
    assert "kubectl delete deployment,service web" in timeline.text
    assert timeline.scrub(-5).time == 0
    assert timeline.scrub(10**9).time == cluster.now == timeline.end
    later = timeline.after(moment)
    assert moment < later
    assert timeline.before(later) <= moment
    assert timeline.after(timeline.end) == timeline.end
    assert timeline.before(0) == 0
