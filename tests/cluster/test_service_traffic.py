"""Services as their users meet them, with either kind of rules: affinity, node ports, UDP."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod
from k8slab.api.discovery import EndpointSlice
from k8slab.node import http
from tests.cluster.conftest import WEB


@pytest.fixture(scope="module", params=["iptables", "nftables"])
def cluster(request: Any) -> Cluster:
    made = Cluster(workers=2, seed=7, proxy_mode=request.param)
    made.apply(WEB)
    made.run_until("deployment/web available")
    made.run_until("pod/client ready")
    return made


def served_by(cluster: Cluster, url: str, times: int = 8) -> list[str]:
    answers = [cluster.request("pod/client", url) for _ in range(times)]
    assert all(answer.ok for answer in answers)
    return [answer.served_by for answer in answers]


def test_a_client_sticks_to_a_pod_until_its_time_is_over(cluster: Cluster) -> None:
    affinity = "sessionAffinity: ClientIP, sessionAffinityConfig: {clientIP: {timeoutSeconds: 30}}"
    cluster.apply(
        "{apiVersion: v1, kind: Service, metadata: {name: sticky}, spec: {selector: {app: web}, "
        f"ports: [{{port: 80}}], {affinity}}}}}"
    )
    cluster.run(3)
    for _ in range(6):  # each answer begins the 30 s anew
        assert len(set(served_by(cluster, "http://sticky", 2))) == 1
        cluster.run(20)
    pods = []
    for _ in range(8):
        pods += served_by(cluster, "http://sticky", 1)
        cluster.run(40)
    assert len(set(pods)) > 1


def test_node_ports_are_at_the_nodes_address_and_with_iptables_at_its_localhost(
    cluster: Cluster,
) -> None:
    cluster.kubectl("expose deployment web --name ported --port 80 --type NodePort")
    cluster.run(3)
    svc = cluster.kubectl("get svc ported -o jsonpath={.spec.ports[0].nodePort}")
    node = cluster.node("worker-1")
    assert cluster.request("outside", f"http://{node.net.source_for('192.168.10.1')}:{svc}").ok
    local = cluster.request("node/worker-1", f"http://127.0.0.1:{svc}")
    assert local.ok is ("kube-proxy" not in node.shell("nft list tables"))


def test_kube_proxy_says_that_it_keeps_up_until_the_node_is_to_go(cluster: Cluster) -> None:
    def ask(path: str) -> http.Response:
        net = cluster.node("worker-1").net
        asked = http.request(net, "127.0.0.1", 10256, http.Request(target=path))
        return cluster.sim.complete(asked, "ask", 10)

    assert ask("/healthz").status == ask("/livez").status == 200
    cluster.kubectl("taint node worker-1 ToBeDeletedByClusterAutoscaler=1:NoSchedule")
    cluster.run(2)
    assert (ask("/healthz").status, ask("/livez").status) == (503, 200)
    assert b'"nodeEligible":false' in ask("/healthz").body


AUTO = "service.kubernetes.io/topology-mode"


def zones_of(cluster: Cluster) -> list[str]:
    """Return for each endpoint of web its zone, and that of its hint."""
    return sorted(
        f"{each.zone}>{each.hints.forZones[0].name if each.hints else '-'}"[5:]
        for one in cluster.view.list(EndpointSlice, "default")
        if one.metadata.name.startswith("web-")
        for each in one.endpoints
    )


def test_hints_follow_the_cpus_of_the_zones_while_there_are_enough_endpoints() -> None:
    made = Cluster(workers=3, seed=7)
    made.apply(WEB)
    made.kubectl("scale deployment web --replicas=6")
    made.kubectl(f"annotate service web {AUTO}=Auto")
    made.run_until("deployment/web available")
    made.run(5)
    each = ["a>zone-a", "b>zone-b", "c>zone-c"]
    assert zones_of(made) == sorted(each * 2)
    assert "Topology Aware Hints has been enabled, addressType: IPv4" in made.kubectl("get events")
    client = made.view.get(Pod, "client")
    assert client is not None
    answers = {made.request("pod/client", "http://web").served_by for _ in range(12)}
    assert {answer.split()[-1] for answer in answers} == {client.spec.nodeName}
    made.kubectl("scale deployment web --replicas=2")
    made.run(10)
    assert all(hint.endswith(">-") for hint in zones_of(made))
    events = made.kubectl("get events")
    assert "Insufficient number of endpoints (2 endpoints, 3 zones), addressType: IPv4" in events
    made.kubectl("scale deployment web --replicas=6")
    made.run(15)
    assert not any(hint.endswith(">-") for hint in zones_of(made))
    made.kubectl(f"annotate service web {AUTO}-")
    made.run(5)
    assert all(hint.endswith(">-") for hint in zones_of(made))
    assert "Topology Aware Hints has been disabled, addressType: IPv4" in made.kubectl("get events")
