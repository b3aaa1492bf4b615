"""A cluster of IPv6 only: it comes up, and all that others do with IPv4 is done without it."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import EndpointSlice
from tests.cluster.conftest import WEB
from tests.cluster.test_dual_stack import CLOSED

MORE = """
apiVersion: v1
kind: Service
metadata: {name: ports, namespace: default}
spec: {type: NodePort, selector: {app: web}, ipFamilyPolicy: PreferDualStack, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: pods, namespace: default}
spec: {clusterIP: None, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty, namespace: default}
spec: {selector: {app: none}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: sick, namespace: default}
spec:
  containers:
  - name: main
    image: nginx:1.27
    readinessProbe: {httpGet: {path: /, port: 81}, periodSeconds: 1}
"""
BOTH = """
apiVersion: v1
kind: Service
metadata: {name: both, namespace: default}
spec: {selector: {app: web}, ipFamilyPolicy: RequireDualStack, ports: [{port: 80}]}
"""


@pytest.fixture(scope="module", params=["iptables", "nftables"])
def cluster(request: Any) -> Cluster:
    made = Cluster(workers=2, seed=7, ip_families=("IPv6",), proxy_mode=request.param)
    made.apply(WEB)
    made.apply(MORE)
    made.run_until("deployment/web available")
    made.run_until("pod/client ready")
    made.run(5)
    return made


def ip(cluster: Cluster, name: str) -> str:
    found = cluster.view.get(Service, name)
    assert found is not None
    return found.spec.clusterIP


def test_no_object_has_an_ipv4_address(cluster: Cluster) -> None:
    view = cluster.view
    found = [a.address for n in view.list(Node) for a in n.status.addresses if a.type != "Hostname"]
    found += [each.ip for pod in view.list(Pod) for each in pod.status.podIPs]
    found += [a for s in view.list(EndpointSlice) for e in s.endpoints for a in e.addresses]
    found += [a for s in view.list(Service) for a in s.spec.clusterIPs if a != "None"]
    found += [c for n in view.list(Node) for c in n.spec.podCIDRs]
    assert len(found) > 30
    assert [each for each in found if ":" not in each] == []


def test_machines_and_pods_have_no_ipv4_address_but_that_of_lo(cluster: Cluster) -> None:
    for shown in (cluster.node("worker-1").shell("ip -4 addr"), exec_(cluster, "ip -4 addr")):
        addresses = [line.split()[1] for line in shown.splitlines() if " inet " in line]
        assert addresses == ["127.0.0.1/8"]
    assert cluster.node("worker-1").shell("ip -4 route") == ""


def exec_(cluster: Cluster, command: str) -> str:
    return cluster.kubectl(f"exec client -- {command}")


def test_names_lead_to_services_from_pods_nodes_and_for_tools(cluster: Cluster) -> None:
    assert "nameserver fd00:10:96::a" in exec_(cluster, "cat /etc/resolv.conf")
    assert f"Address: {ip(cluster, 'web')}" in exec_(cluster, "nslookup web")
    assert "Address:\t[fd00:10:96::a]:53" in exec_(cluster, "nslookup web")
    assert exec_(cluster, "wget -qO- http://web").startswith("<!DOCTYPE")
    answers = [cluster.request("pod/client", "http://web") for _ in range(12)]
    assert all(answer.ok for answer in answers)
    assert len({answer.served_by for answer in answers}) == 3
    assert cluster.request("node/worker-1", f"http://[{ip(cluster, 'web')}]").ok
    assert cluster.resolve("web").addresses == (ip(cluster, "web"),)


def test_a_headless_name_stands_for_the_pods(cluster: Cluster) -> None:
    pods = [p for p in cluster.view.list(Pod, "default") if p.metadata.labels.get("app") == "web"]
    found = cluster.resolve("pods").addresses
    assert sorted(found) == sorted(pod.status.podIP for pod in pods)


def test_a_service_has_no_a_record(cluster: Cluster) -> None:
    types = {query.type: query.addresses for query in cluster.resolve("web").queries}
    assert types == {"A": (), "AAAA": (ip(cluster, "web"),)}


def test_node_ports_answer_at_every_node_but_not_at_the_loopback_address(cluster: Cluster) -> None:
    found = cluster.view.get(Service, "ports")
    assert found is not None
    port = found.spec.ports[0].nodePort
    for node in cluster.view.list(Node):
        address = node.status.addresses[0].address
        assert cluster.request("outside", f"http://[{address}]:{port}").ok
    assert cluster.request("node/worker-1", f"http://[::1]:{port}").outcome == "refused"


def test_a_service_may_prefer_both_families_and_not_require_them(cluster: Cluster) -> None:
    found = cluster.view.get(Service, "ports")
    assert found is not None
    assert found.spec.ipFamilies == ("IPv6",)
    assert "this cluster is not configured for dual-stack services" in cluster.apply(BOTH)


def test_who_does_not_answer_says_so_in_the_same_ways(cluster: Cluster) -> None:
    answer = cluster.request("pod/client", "http://empty")
    assert answer.outcome == "refused"
    assert "empty" in str(cluster.why(answer))
    shown = exec_(cluster, f"ping -c1 -W1 {ip(cluster, 'web')}")
    assert "100% packet loss" in shown or "Unreachable" in shown or "unreachable" in shown
    pod = cluster.view.get(Pod, "sick")
    assert pod is not None
    assert "1 packets received" in exec_(cluster, f"ping -c1 {pod.status.podIP}")


def test_a_probe_writes_the_address_in_brackets(cluster: Cluster) -> None:
    pod = cluster.view.get(Pod, "sick")
    assert pod is not None
    where = f"[{pod.status.podIP}]:81"
    text = f'Readiness probe failed: Get "http://{where}/": dial tcp {where}: connect: connection'
    assert text in cluster.kubectl("describe pod sick")


def test_a_network_policy_holds(cluster: Cluster) -> None:
    child = cluster.fork()
    child.apply(CLOSED)
    child.run(1)
    answer = child.request("pod/client", "http://web", timeout=1)
    assert answer.outcome == "timed out"
    assert "closed" in str(child.why(answer))


def test_the_api_server_is_reached_by_its_service(cluster: Cluster) -> None:
    assert "fc00:f853:ccd:e793::a" in cluster.kubectl("get endpointslices kubernetes")
    assert exec_(cluster, "nc -zv kubernetes 443").endswith("open\n")
    cluster.stop("kube-apiserver")
    assert "server [fc00:f853:ccd:e793::a]:6443 was refused" in cluster.kubectl("get nodes")
    cluster.start("kube-apiserver")


def test_it_is_saved_loaded_and_drawn(cluster: Cluster, tmp_path: Any) -> None:
    made = Cluster(workers=1, ip_families=("IPv6",))
    made.save(tmp_path / "run.k8slab")
    again = Cluster.load(tmp_path / "run.k8slab")
    assert again.kubectl("get nodes -o wide") == made.kubectl("get nodes -o wide")
    assert ip(cluster, "web") in str(cluster.map())
