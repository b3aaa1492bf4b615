from __future__ import annotations

from collections.abc import Callable

import pytest

from k8slab import Cluster
from k8slab.cluster.explanation import Explanation
from tests.cluster.conftest import WEB

EMPTY = """
apiVersion: v1
kind: Service
metadata: {name: wrong}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: v1
kind: Service
metadata: {name: headless}
spec: {clusterIP: None, selector: {app: nobody}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Service
metadata: {name: cart, namespace: shop}
spec: {selector: {app: cart}, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module")
def run() -> Cluster:
    cluster = Cluster(workers=2, seed=7)
    cluster.apply(WEB)
    cluster.apply(EMPTY)
    cluster.run_until("deployment/web available")
    cluster.run_until("pod/client ready")
    cluster.run(3)
    return cluster


def ask(
    cluster: Cluster, url: str, before: Callable[[Cluster], object] | None = None
) -> Explanation:
    """Return why a request comes out as it does in a fork, after something was done to it."""
    fork = cluster.fork()
    if before is not None:
        before(fork)
    return fork.why(fork.request("pod/client", url, timeout=3))


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://web", "Service web (10."),
        ("http://web:81", "Service web has no port 81: it has 80/TCP"),
        ("http://wrong", "no process listens on port 8080; its containers declare 80"),
        ("http://wbe", 'there is no Service "wbe" in namespace default; did you mean web?'),
        ("http://cart", "one is in shop: from elsewhere its name is cart.shop"),
        ("http://web.ghost", "there is no such namespace (default, "),
        ("http://headless", "it is headless, so its name stands for its ready Pods"),
        ("http://cart.shop", "Service cart: it has no endpoints: it selects app=cart"),
        ("http://10.244.9.9", "no Pod has the address 10.244.9.9"),
        ("http://web/ghost", "answered with 404"),
    ],
)
def test_the_way_of_a_request_is_traced_to_the_object_that_made_it_so(
    run: Cluster, url: str, told: str
) -> None:
    assert told in ask(run, url).text


def scale_down(cluster: Cluster) -> None:
    cluster.kubectl("scale deployment web --replicas=0")
    cluster.run(40)


def delete_service(cluster: Cluster) -> None:
    cluster.kubectl("delete service web")


def stop_dns(cluster: Cluster) -> None:
    cluster.stop("coredns")
    cluster.run(30)


def cut_nodes(cluster: Cluster) -> None:
    client = cluster.view.get("pod", "client").spec.nodeName  # type: ignore[attr-defined]
    cluster.partition("worker-1" if client == "worker-2" else "worker-2")
    cluster.run(60)
    for pod in cluster.view.list("pods", labels="app=web"):
        if pod.spec.nodeName == client:  # type: ignore[attr-defined]
            cluster.kubectl(f"delete pod {pod.metadata.name} --wait=false")


@pytest.mark.parametrize(
    ("before", "told", "typed"),
    [
        (scale_down, "no Pod has these labels", "kubectl scale deployment web --replicas=0"),
        (delete_service, "it was deleted", "kubectl delete service web"),
        (stop_dns, "Service kube-dns: it has no endpoints", "cluster.stop('coredns')"),
    ],
)
def test_the_chain_ends_at_what_you_did(
    run: Cluster, before: Callable[[Cluster], object], told: str, typed: str
) -> None:
    explanation = ask(run, "http://web", before)
    assert told in explanation.text
    assert f"because you ran: {typed}" in explanation.text
    assert explanation.next


def test_a_packet_for_a_node_that_is_away_is_lost(run: Cluster) -> None:
    fork = run.fork()
    client = fork.view.get("pod", "client").spec.nodeName  # type: ignore[attr-defined]
    pods = fork.view.list("pods", labels="app=web")
    other = next(p for p in pods if p.spec.nodeName != client)  # type: ignore[attr-defined]
    fork.partition(other.spec.nodeName)  # type: ignore[attr-defined]
    answer = fork.request("pod/client", f"http://{other.status.podIP}", timeout=2)  # type: ignore[attr-defined]
    assert "The control plane has not noticed anything yet" in fork.why(answer).text
    fork.run(60)
    answer = fork.request("pod/client", f"http://{other.status.podIP}", timeout=2)  # type: ignore[attr-defined]
    assert "is not Ready: nothing reaches it" in fork.why(answer).text


def test_the_source_of_the_decisions_is_that_which_ran(run: Cluster) -> None:
    explanation = ask(run, "http://cart.shop")
    assert "k8slab.control_plane.controllers.endpoint_slice" in explanation.source
    assert "def " in explanation.source
    assert explanation.objects[-1] == "Service/shop/cart"
