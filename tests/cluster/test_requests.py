from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.client import Client


def scale(cluster: Cluster, name: str, replicas: int, namespace: str = "default") -> None:
    client = Client(cluster.world.transport("you"), "kubernetes-admin")
    change = {"spec": {"replicas": replicas}}
    cluster.sim.complete(client.merge(Deployment, name, change, namespace), "scale", timeout=5)
    cluster.settle()


def test_a_request_goes_by_name_through_the_rules_to_a_pod(cluster: Cluster) -> None:
    answer = cluster.request("pod/client", "http://web")
    service = cluster.view.get("service", "web")
    assert answer.ok
    assert answer.lookup.addresses == (service.spec.clusterIP,)  # type: ignore[union-attr]
    pods = {p.status.podIP: p.metadata.name for p in cluster.view.list(Pod, labels="app=web")}
    ip = answer.endpoint.rpartition(":")[0]
    assert answer.served_by.startswith(f"default/{pods[ip]} on worker-")


def test_the_journey_names_the_rule_that_rewrote_the_destination(cluster: Cluster) -> None:
    answer = cluster.request("pod/client", "http://web")
    rule = answer.decisive_rule
    assert rule is not None
    assert rule.text.endswith(f"-j DNAT --to-destination {answer.endpoint}")
    changed = [hop for hop in answer.hops if hop.changed]
    assert changed[0].before.dst == answer.address.partition(":")[0]


def test_connections_are_spread_over_all_pods(cluster: Cluster) -> None:
    served = {cluster.request("pod/client", "http://web").served_by for _ in range(30)}
    assert len(served) == 3


def test_without_endpoints_the_name_resolves_and_the_connection_is_refused(
    cluster: Cluster,
) -> None:
    scale(cluster, "web", 0)
    answer = cluster.request("pod/client", "http://web")
    assert answer.outcome == "refused"
    assert answer.lookup.addresses  # type: ignore[union-attr]
    assert "has no endpoints" in answer.decisive_rule.text  # type: ignore[union-attr]
    assert "-j REJECT" in answer.decisive_rule.text  # type: ignore[union-attr]


def test_an_unknown_name_does_not_resolve(cluster: Cluster) -> None:
    answer = cluster.request("pod/client", "http://ghost")
    assert answer.outcome == "unresolved"
    assert answer.error == "curl: (6) Could not resolve host: ghost"


def test_a_port_that_the_service_has_not_got_is_nobodys(cluster: Cluster) -> None:
    answer = cluster.request("pod/client", "http://web:81", timeout=3)
    assert answer.outcome in ("refused", "timed out", "unreachable")
    assert answer.lookup.addresses  # type: ignore[union-attr]


def test_without_coredns_names_fail_and_addresses_work(cluster: Cluster) -> None:
    address = cluster.view.get("service", "web").spec.clusterIP  # type: ignore[union-attr]
    scale(cluster, "coredns", 0, "kube-system")
    assert cluster.request("pod/client", "http://web").outcome == "unresolved"
    assert cluster.request("pod/client", f"http://{address}").ok


def test_without_kube_proxy_the_rules_stay_and_go_stale(cluster: Cluster) -> None:
    cluster.stop("kube-proxy")
    cluster.settle()
    frozen = cluster.node("worker-1").shell("iptables-save -t nat")
    assert cluster.request("pod/client", "http://web").ok
    scale(cluster, "web", 1)
    assert cluster.node("worker-1").shell("iptables-save -t nat").count("KUBE-SEP-") == (
        frozen.count("KUBE-SEP-")
    )
    outcomes = {cluster.request("pod/client", "http://web", timeout=2).ok for _ in range(20)}
    assert outcomes == {True, False}


def test_a_request_needs_a_pod_that_exists(cluster: Cluster) -> None:
    with pytest.raises(LookupError, match="not found in namespace default; there are client"):
        cluster.request("pod/clint", "http://web")
    with pytest.raises(ValueError, match="expected a URL"):
        cluster.request("pod/client", "http://")
