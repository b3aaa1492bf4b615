"""A Service of SCTP: address, node port, host port and policy, in both modes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod, Service

MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: bell}
spec:
  replicas: 2
  selector: {matchLabels: {app: bell}}
  template:
    metadata: {labels: {app: bell}}
    spec:
      containers:
      - name: main
        image: registry.k8s.io/e2e-test-images/agnhost:2.53
        args: [netexec, --sctp-port=9000]
        ports: [{containerPort: 9000, protocol: SCTP, hostPort: 9999}]
---
apiVersion: v1
kind: Service
metadata: {name: bell}
spec: {type: NodePort, selector: {app: bell}, ports: [{port: 90, targetPort: 9000, protocol: SCTP}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody}
spec: {selector: {app: none}, ports: [{port: 90, protocol: SCTP}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  containers: [{name: main, image: "registry.k8s.io/e2e-test-images/agnhost:2.53", args: [netexec]}]
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: only-sctp}
spec: {podSelector: {matchLabels: {app: bell}}, ingress: [{ports: [{port: 9000, protocol: SCTP}]}]}
"""


@pytest.fixture(
    scope="module", params=[("iptables", "IPv4"), ("nftables", "IPv4"), ("iptables", "IPv6")]
)
def cluster(request: Any) -> Cluster:
    mode, family = request.param
    made = Cluster(workers=2, seed=7, proxy_mode=mode, ip_families=(family,))
    made.apply(MANIFESTS)
    made.run_until("deployment/bell available")
    made.run_until("pod/client ready")
    made.run(3)
    return made


def node_address(cluster: Cluster, name: str) -> str:
    ip = next(ip for ip in cluster.node(name).net.local_addresses if ip[:3] in ("192", "fc0"))
    return f"[{ip}]" if ":" in ip else ip


def connect(cluster: Cluster, target: str, protocol: str = "sctp") -> str:
    command = f"/agnhost connect --protocol={protocol} --timeout=5s {target}"
    return str(cluster.kubectl(f"exec client -- {command}")).strip()


def test_the_name_of_a_service_leads_to_its_pods(cluster: Cluster) -> None:
    assert connect(cluster, "bell:90") == ""
    url = "http://localhost:8080/dial?protocol=sctp&host=bell&port=90&request=hostname&tries=16"
    answer = cluster.request("pod/client", url)
    names = [pod.metadata.name for pod in cluster.view.list(Pod) if "bell" in pod.metadata.name]
    said = json.loads(answer.body)["responses"]
    assert (len(said), sorted(set(said))) == (16, sorted(names))


def test_node_ports_and_host_ports_lead_to_them_too(cluster: Cluster) -> None:
    found = cluster.view.get(Service, "bell")
    assert found is not None
    for node in ("worker-1", "worker-2"):
        for port in (found.spec.ports[0].nodePort, 9999):
            assert connect(cluster, f"{node_address(cluster, node)}:{port}") == ""
    entries = cluster.node("worker-1").shell("conntrack -L") + cluster.node("worker-2").shell(
        "conntrack -L"
    )
    assert "sctp     132" in entries


def test_without_endpoints_an_init_is_rejected_and_sent_again(cluster: Cluster) -> None:
    assert connect(cluster, "nobody:90").startswith("TIMEOUT")


def test_a_port_on_which_nobody_listens_is_told_at_once(cluster: Cluster) -> None:
    before = cluster.now
    assert connect(cluster, "localhost:91").startswith("OTHER: ")
    assert cluster.now - before < 1


def test_a_policy_tells_protocols_apart(cluster: Cluster) -> None:
    pod = cluster.kubectl("get pods -l app=bell -o jsonpath={.items[0].status.podIP}")
    target = f"[{pod}]" if ":" in pod else pod
    assert connect(cluster, f"{target}:9000") == ""
    assert connect(cluster, f"{target}:8080", "tcp").startswith("TIMEOUT")
