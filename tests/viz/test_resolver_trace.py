"""The resolver trace: real queries in the order of search list and ndots, and why in that order."""

import pytest

from k8slab import Cluster
from k8slab.viz import resolver_trace
from k8slab.viz.widgets.resolver_trace import DOT, FOUND, SILENT, UNKNOWN, why_this_order
from tests.viz import legibility


@pytest.fixture(scope="module")
def cluster():
    return Cluster(workers=1, seed=5)


@pytest.fixture
def live(cluster):
    return resolver_trace(cluster)


def names(widget) -> list[str]:
    return [each.name for each in widget.asked]


def test_the_resolv_conf_is_shown_before_the_guess(live) -> None:
    live.turn(namespace="kube-system", ndots="2")
    assert live.preview().splitlines() == [
        "search kube-system.svc.cluster.local svc.cluster.local cluster.local",
        "nameserver 10.96.0.10",
        "options ndots:2",
    ]


@pytest.mark.parametrize(
    ("dials", "asked", "end"),
    [
        ({}, ["kubernetes.default.svc.cluster.local"], FOUND),
        ({"dot": DOT}, ["kubernetes"], UNKNOWN),
        (
            {"name": "kubernetes.default", "namespace": "kube-system"},
            [
                "kubernetes.default.kube-system.svc.cluster.local",
                "kubernetes.default.svc.cluster.local",
            ],
            FOUND,
        ),
        ({"name": "example.com", "ndots": "1", "libc": "musl"}, ["example.com"], UNKNOWN),
        ({"name": "kubernetes.default.svc.cluster.local."}, None, FOUND),
    ],
)
def test_the_queries_follow_the_dials(live, dials, asked, end) -> None:
    live.turn(**dials)
    said = live.guess(names="1", end=end)
    if asked is not None:
        assert names(live) == asked
    assert f"It ends with {end}: right." in said


def test_four_dots_cost_three_names_more(live) -> None:
    live.turn(name="kubernetes.default.svc.cluster.local")
    assert live.guess(names="4", end=FOUND).startswith("Right: 4 names.")


def test_a_dead_dns_server_is_no_answer() -> None:
    lab = Cluster(workers=1, seed=5)
    lab.kubectl("scale deployment coredns -n kube-system --replicas=0")
    lab.run(40)
    live = resolver_trace(lab)
    assert f"It ends with {SILENT}: right." in live.guess(names="1", end=SILENT)


def test_both_answers_are_told(live) -> None:
    live.guess(names="1", end=FOUND)
    assert "A 10.96.0.1 AAAA NODATA" in live.text


@pytest.mark.parametrize(
    ("name", "ndots", "libc", "words"),
    [
        ("web.", 5, "glibc", "the search list is not used"),
        ("web", 5, "glibc", "0 dots, fewer than ndots:5"),
        ("a.b", 1, "glibc", "the search list only if that fails"),
        ("a.b", 1, "musl", "and nothing else"),
    ],
)
def test_the_order_is_explained(name, ndots, libc, words) -> None:
    assert words in why_this_order(name, ndots, libc)


def test_an_empty_name_is_told(live) -> None:
    live.turn(name=" ")
    assert "no name to resolve" in live.guess(names="1", end=FOUND)


def test_every_letter_can_be_read(live) -> None:
    before = live.figure()
    live.turn(name="kubernetes.default.svc.cluster.local")
    live.guess(names="4", end=FOUND)
    for figure in (before, live.figure()):
        assert legibility.faults(figure.drawing) == []


def test_the_widget_works_by_its_controls(live) -> None:
    assert live.box
    live._controls["dot"].value = DOT
    live._answers["names"].value = "1"
    live._go()
    assert "Predict first: It ends with." in live._feedback.value
    live._answers["end"].value = UNKNOWN
    live._go()
    assert "Right: 1 name." in live._feedback.value
    assert "NXDOMAIN" in live._live.value
