"""Questions to the name server: in their order, on the clock, and most of them in vain."""

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.linux.resolver import Lookup, Query
from k8slab.viz import dns_waterfall
from k8slab.viz.waterfall import outcome, told
from tests.viz.legibility import faults

MANIFESTS = """
apiVersion: v1
kind: Pod
metadata: {name: client}
spec: {containers: [{name: c, image: busybox, command: [sleep, "10000"]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: lost}
spec:
  dnsPolicy: None
  dnsConfig: {nameservers: [203.0.113.9]}
  containers: [{name: c, image: busybox, command: [sleep, "10000"]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
SERVER = "10.96.0.10"
CASES = [
    (Query("web", "A", SERVER, "NOERROR", ("10.1.1.1",)), "answered", "10.1.1.1"),
    (Query("web", "AAAA", SERVER, "NOERROR"), "NODATA", "NODATA"),
    (Query("web", "A", SERVER, "NXDOMAIN"), "NXDOMAIN", "NXDOMAIN"),
    (Query("web", "A", SERVER, "TIMEOUT"), "TIMEOUT", "no answer"),
    (Query("web", "A", SERVER, "SERVFAIL"), "error", "SERVFAIL"),
]


@pytest.fixture(scope="module")
def cluster() -> Any:
    made = Cluster(workers=1, seed=7)
    made.apply(MANIFESTS)
    made.run(15)
    return made


@pytest.mark.parametrize(("query", "kind", "words"), CASES, ids=[case[1] for case in CASES])
def test_what_came_back_is_one_of_five(query, kind, words) -> None:
    assert (outcome(query), told(query)) == (kind, words)


def test_all_five_can_be_told_apart_in_the_picture() -> None:
    lookup = Lookup("web", ("10.1.1.1",), tuple(case[0] for case in CASES))
    assert faults(dns_waterfall(lookup).drawing, (1.0,)) == []


def test_questions_stand_in_the_order_in_which_they_were_asked(cluster) -> None:
    answer = cluster.request("pod/client", "http://web.default.svc.cluster.local")
    lines = dns_waterfall(answer).text.splitlines()[2:]
    suffixes = [line.split()[2].removeprefix("web.default.svc.cluster.local.") for line in lines]
    assert suffixes[::2] == suffixes[1::2]  # A and AAAA
    assert suffixes[::2] == [
        "default.svc.cluster.local.",
        "svc.cluster.local.",
        "cluster.local.",
        "",
    ]
    times = [query.asked for query in answer.lookup.queries]
    assert times == sorted(times)
    assert all(query.answered > query.asked for query in answer.lookup.queries)


def test_a_final_dot_saves_six_questions(cluster) -> None:
    name = "http://web.default.svc.cluster.local"
    figure = dns_waterfall(*(cluster.request("pod/client", name + dot) for dot in ("", ".")))
    assert "10 questions, 8 without an address" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_a_server_that_is_silent_takes_seconds(cluster) -> None:
    answer = cluster.request("pod/lost", "http://web")
    assert answer.lookup.queries[0].answered - answer.lookup.queries[0].asked == pytest.approx(5)
    figure = dns_waterfall(answer)
    assert "no answer after 5000.0 ms" in figure.text
    assert "10 s" in str(figure.drawing)


def test_an_address_needs_no_question(cluster) -> None:
    with pytest.raises(ValueError, match="no name server was asked"):
        dns_waterfall(cluster.request("pod/client", "http://10.96.0.1"))
