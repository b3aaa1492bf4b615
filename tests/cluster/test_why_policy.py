"""`why` names the NetworkPolicies that stopped a request, at either end and on the way to DNS."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.cluster.conftest import WEB

INGRESS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: closed}
spec: {podSelector: {matchLabels: {app: web}}}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: unrelated}
spec: {podSelector: {matchLabels: {app: other}}}
"""
SECOND = INGRESS.split("---")[0].replace("closed", "too") + "\n"
EGRESS = """
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: quiet}
spec: {podSelector: {}, policyTypes: [Egress]}
"""


@pytest.fixture(scope="module")
def run() -> Cluster:
    cluster = Cluster(workers=2, seed=7)
    cluster.apply(WEB)
    cluster.run_until("deployment/web available")
    cluster.run_until("pod/client ready")
    cluster.run(3)
    return cluster


def told(run: Cluster, url: str, *manifests: str) -> str:
    child = run.fork()
    for manifest in manifests:
        child.apply(manifest)
    child.run(1)
    return str(child.why(child.request("pod/client", url, timeout=4)))


def test_the_receivers_policy_is_named_and_leads_to_who_made_it(run: Cluster) -> None:
    text = told(run, "http://web", INGRESS)
    assert "is isolated: NetworkPolicy closed does not allow ingress from 10.244." in text
    assert "you created NetworkPolicy/default/closed" in text
    assert "kubectl describe networkpolicy closed -n default" in text
    assert "unrelated" not in text
    assert "Service web" in text


def test_every_policy_that_isolates_it_is_named(run: Cluster) -> None:
    assert "NetworkPolicies closed, too do not allow ingress" in told(
        run, "http://web", INGRESS, SECOND
    )


def test_the_senders_policy_stops_the_question_for_the_name_already(run: Cluster) -> None:
    text = told(run, "http://web", EGRESS)
    assert "no name server answered" in text
    assert "Pod default/client is isolated: NetworkPolicy quiet does not allow egress to" in text
    assert "(udp port 53)" in text


def test_the_senders_policy_stops_what_has_an_address_too(run: Cluster) -> None:
    assert "quiet does not allow egress to 192.0.2.1" in told(run, "http://192.0.2.1", EGRESS)


def test_another_rule_that_drops_is_shown_as_it_is(run: Cluster) -> None:
    child = run.fork()
    for node in ("worker-1", "worker-2"):
        rules = child.node(node).net.ruleset
        rules.ensure_rule("filter", "FORWARD", "-p tcp -m tcp --dport 80 -j DROP", prepend=True)
    text = str(child.why(child.request("pod/client", "http://web", timeout=4)))
    assert "dropped the packet: -A FORWARD -p tcp -m tcp --dport 80 -j DROP" in text
