"""The rules of a Service as a graph: jumps, chances that are fair, hits that approach them."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.viz import rule_chains
from k8slab.viz.rule_graph import columns, got, share_of
from k8slab.viz.rule_text import jumps_of, parse, read
from tests.viz.legibility import faults

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: nginx, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {type: NodePort, sessionAffinity: %s, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web-2}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""


def rules_of(affinity: str, requests: int = 0) -> str:
    made: Any = Cluster(workers=1, seed=7)
    made.apply(MANIFESTS % affinity)
    made.run(20)
    for _ in range(requests):
        made.request("node/worker-1", "http://" + made.view.get("service", "web").spec.clusterIP)
    return str(made.node("worker-1").shell("iptables-save -c"))


@pytest.fixture(scope="module")
def text() -> str:
    return rules_of("None", 12)


def test_endpoints_get_equal_shares_whatever_is_written(text) -> None:
    rules = read(text, "web")
    ends = [name for name, chain in rules.chains.items() if chain.destination]
    assert [share_of(rules, name) for name in ends] == [Fraction(1, 3)] * 3
    assert sum(got(rules, name) or 0 for name in ends) == 1


def test_the_graph_begins_where_connections_come_in_and_ends_at_endpoints(text) -> None:
    first, *_, last = columns(read(text, "web"))
    assert first == ["KUBE-SERVICES", "KUBE-NODEPORTS"]
    assert [name.rpartition("-")[0] for name in last] == ["KUBE-SEP"] * 3


def test_the_words_tell_chances_hits_and_destinations(text) -> None:
    figure = rule_chains(text, "web")
    assert "1/2 of the rest: 1/3 of all -> KUBE-SEP-" in figure.text
    assert ", 12 hits, marks for masquerade" in figure.text
    assert ": DNAT to 10.244.1." in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_a_service_without_endpoints_is_refused(text) -> None:
    figure = rule_chains(text, "web-2")
    assert "some packets meet REJECT" in figure.alt
    assert faults(figure.drawing, (1.0,)) == []


def test_without_counters_there_are_no_hits(text) -> None:
    bare = "\n".join(line.partition("] ")[2] or line for line in text.splitlines())
    assert "hit" not in rule_chains(bare, "web").text


def test_clients_that_were_seen_before_come_first() -> None:
    text = rules_of("ClientIP")
    jumps = [jump for jump in read(text, "web").jumps if jump.target.startswith("KUBE-SEP-")]
    assert [jump.share for jump in jumps] == [None] * 3 + [Fraction(1, 3)] * 3
    figure = rule_chains(text, "web")
    assert "a client seen before -> KUBE-SEP-" in figure.text
    assert faults(figure.drawing, (1.0,)) == []


def test_a_service_that_no_rule_is_about_is_named(text) -> None:
    with pytest.raises(ValueError, match=r"is about default/we$"):
        rule_chains(text, "we")


@given(st.integers(1, 40))
def test_every_endpoint_of_any_number_gets_the_same(number) -> None:
    lines = [
        f"-A KUBE-SVC-X -m statistic --mode random --probability {1 / (number - place):.11f} "
        f"-j KUBE-SEP-{place}"
        for place in range(number - 1)
    ]
    rules = [parse(line) for line in [*lines, "-A KUBE-SVC-X -j KUBE-SEP-LAST"]]
    shares = [jump.share for jump in jumps_of([rule for rule in rules if rule is not None])]
    assert shares == [Fraction(1, number)] * number
