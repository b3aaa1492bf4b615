from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.scheduler import explain

ZONE = "topology.kubernetes.io/zone"
HOSTNAME = "kubernetes.io/hostname"
WEB = {"app": "web"}


def constraint(key: str = ZONE, skew: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "topologyKey": key,
        "maxSkew": skew,
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": WEB},
        **more,
    }


def term(key: str = HOSTNAME, labels: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    return {"topologyKey": key, "labelSelector": {"matchLabels": labels or WEB}, **more}


def near(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


def apart(*terms: dict[str, Any]) -> dict[str, Any]:
    return {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}}


@pytest.fixture
def zones(node: Any) -> list[Any]:
    return [node(f"n-{z}{i}", labels={ZONE: z}) for i in range(2) for z in "ab"]


# -- topology spread


def test_a_zone_does_not_get_ahead_by_more_than_the_skew(zones: Any, pod: Any) -> None:
    running = [pod(f"p-{i}", labels=WEB, nodeName="n-a0") for i in range(2)]
    running.append(pod("q", labels=WEB, nodeName="n-b0"))
    answer = explain(pod(labels=WEB, topologySpreadConstraints=[constraint()]), zones, running)
    assert answer.feasible == ("n-b0", "n-b1")
    reason = ("node(s) didn't match pod topology spread constraints",)
    assert answer.nodes["n-a1"].reasons == reason
    assert answer.nodes["n-a1"].code == "Unschedulable"


def test_a_node_without_the_label_is_out(zones: Any, node: Any, pod: Any) -> None:
    asked = pod(labels=WEB, topologySpreadConstraints=[constraint()])
    verdict = explain(asked, [*zones, node("nowhere")]).nodes["nowhere"]
    text = "node(s) didn't match pod topology spread constraints (missing required label)"
    assert (verdict.reasons, verdict.code) == ((text,), "UnschedulableAndUnresolvable")


def test_too_few_domains_count_as_an_empty_one(zones: Any, pod: Any) -> None:
    running = [pod("p", labels=WEB, nodeName="n-a0"), pod("q", labels=WEB, nodeName="n-b0")]
    for domains, fits in ((2, True), (3, False)):
        wanted = [constraint(minDomains=domains)]
        asked = pod(labels=WEB, topologySpreadConstraints=wanted)
        assert bool(explain(asked, zones, running).best) is fits


def test_leaving_pods_and_other_namespaces_do_not_count(zones: Any, pod: Any) -> None:
    leaving = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    running = [
        pod("p", labels=WEB, nodeName="n-a0", metadata=leaving),
        pod("q", labels=WEB, nodeName="n-a0", namespace="other"),
    ]
    asked = pod(labels=WEB, topologySpreadConstraints=[constraint()])
    assert len(explain(asked, zones, running).feasible) == 4


def test_domains_that_the_pod_cannot_go_to_are_counted_by_policy(zones: Any, pod: Any) -> None:
    running = [pod("p", labels=WEB, nodeName="n-a0")]
    for policy, fits in (("Honor", True), ("Ignore", False)):
        wanted = [constraint(nodeAffinityPolicy=policy)]
        asked = pod(labels=WEB, nodeSelector={ZONE: "a"}, topologySpreadConstraints=wanted)
        assert bool(explain(asked, zones, running).best) is fits


def test_only_pods_of_the_same_revision_count(zones: Any, pod: Any) -> None:
    running = [pod("p", labels={**WEB, "rev": "1"}, nodeName="n-a0")]
    wanted = [constraint(matchLabelKeys=["rev"])]
    asked = pod(labels={**WEB, "rev": "2"}, topologySpreadConstraints=wanted)
    assert len(explain(asked, zones, running).feasible) == 4


def test_a_null_selector_counts_nothing_and_an_empty_one_all(zones: Any, pod: Any) -> None:
    running = [pod("p", labels={"x": "y"}, nodeName="n-a0")]
    for selector, feasible in ((None, 4), ({}, 2)):
        wanted = [constraint(labelSelector=selector)]
        asked = pod(labels=WEB, topologySpreadConstraints=wanted)
        assert len(explain(asked, zones, running).feasible) == feasible


def test_a_service_spreads_its_pods_by_default(zones: Any, pod: Any) -> None:
    service: Any = load(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {"selector": WEB},
        }
    )
    running = [pod("p", labels=WEB, nodeName="n-a0")]
    asked = pod(labels=WEB)
    assert "PodTopologySpread" not in explain(asked, zones, running).weights
    answer = explain(asked, zones, running, services=[service], plugins=("PodTopologySpread",))
    # hostname: ln(4 + 2) a Pod + 2, zone: ln(2 + 2) a Pod + 4
    assert [answer.nodes[n.metadata.name].scores["PodTopologySpread"] for n in zones] == [
        66,
        100,
        88,
        100,
    ]


def test_a_replica_set_does_so_too(zones: Any, pod: Any) -> None:
    rs: Any = load(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "default"},
            "spec": {
                "selector": {"matchLabels": WEB},
                "template": {"metadata": {"labels": WEB}, "spec": {"containers": []}},
            },
        }
    )
    owner = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "name": "web",
        "uid": "1",
        "controller": True,
    }
    running = [pod("p", labels=WEB, nodeName="n-a0")]
    asked = pod(labels=WEB, metadata={"ownerReferences": [owner]})
    answer = explain(asked, zones, running, replica_sets=[rs])
    assert answer.best == ("n-b0", "n-b1")


# -- affinity between Pods


def test_a_pod_goes_where_its_neighbours_are(zones: Any, pod: Any) -> None:
    running = [pod("p", labels=WEB, nodeName="n-b0")]
    answer = explain(pod(affinity=near(term(ZONE))), zones, running)
    assert answer.feasible == ("n-b0", "n-b1")
    assert answer.nodes["n-a0"].reasons == ("node(s) didn't match pod affinity rules",)
    assert answer.nodes["n-a0"].code == "UnschedulableAndUnresolvable"


def test_the_first_of_its_kind_may_come_and_others_may_not(zones: Any, pod: Any) -> None:
    assert len(explain(pod(labels=WEB, affinity=near(term())), zones).feasible) == 4
    assert explain(pod(affinity=near(term())), zones).feasible == ()


def test_a_pod_keeps_away_from_whom_it_cannot_stand(zones: Any, pod: Any) -> None:
    running = [pod("p", labels=WEB, nodeName="n-b0")]
    answer = explain(pod(affinity=apart(term(ZONE))), zones, running)
    assert answer.feasible == ("n-a0", "n-a1")
    assert answer.nodes["n-b1"].reasons == ("node(s) didn't match pod anti-affinity rules",)


def test_those_who_are_there_keep_newcomers_out(zones: Any, pod: Any) -> None:
    running = [pod("p", affinity=apart(term(ZONE)), nodeName="n-a0")]
    answer = explain(pod(labels=WEB), zones, running)
    assert answer.feasible == ("n-b0", "n-b1")
    reason = ("node(s) didn't satisfy existing pods anti-affinity rules",)
    assert answer.nodes["n-a1"].reasons == reason


@pytest.mark.parametrize(
    ("more", "apart_from_it"),
    [
        ({}, False),
        ({"namespaces": ["other"]}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "b"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"team": "c"}}}, False),
        ({"namespaceSelector": {}}, True),
    ],
)
def test_a_term_means_its_own_namespace_unless_it_says_more(
    more: dict[str, Any], apart_from_it: bool, node: Any, pod: Any
) -> None:
    manifest = {"name": "other", "labels": {"team": "b"}}
    other: Any = load({"apiVersion": "v1", "kind": "Namespace", "metadata": manifest})
    running = [pod("p", labels=WEB, namespace="other", nodeName="node-1")]
    asked = pod(affinity=apart(term(**more)))
    answer = explain(asked, [node()], running, namespaces=[other])
    assert bool(answer.best) is not apart_from_it


def test_preferences_pull_and_push(zones: Any, pod: Any) -> None:
    running = [pod("p", labels=WEB, nodeName="n-b0")]
    for kind, expected in (
        ("podAffinity", [0, 100, 0, 100]),
        ("podAntiAffinity", [100, 0, 100, 0]),
    ):
        soft = [{"weight": 7, "podAffinityTerm": term(ZONE)}]
        affinity = {kind: {"preferredDuringSchedulingIgnoredDuringExecution": soft}}
        answer = explain(pod(affinity=affinity), zones, running)
        scores = [answer.nodes[n.metadata.name].scores["InterPodAffinity"] for n in zones]
        assert scores == expected


def test_who_needs_neighbours_attracts_them(zones: Any, pod: Any) -> None:
    running = [pod("p", affinity=near(term(ZONE)), nodeName="n-a0")]
    answer = explain(pod(labels=WEB), zones, running, plugins=("InterPodAffinity",))
    assert answer.best == ("n-a0", "n-a1")
    args = {"InterPodAffinity": {"hardPodAffinityWeight": 0}}
    assert "InterPodAffinity" not in explain(pod(labels=WEB), zones, running, args=args).weights
