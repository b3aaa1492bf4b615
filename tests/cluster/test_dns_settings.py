"""What people change about a cluster's DNS, and what comes of it."""

from __future__ import annotations

import json

import pytest

from k8slab import Cluster
from k8slab.addons import manifests

STUB = """
apiVersion: v1
kind: ConfigMap
metadata: {name: corp-dns, namespace: default}
data:
  Corefile: |
    corp.example {
        hosts {
            10.1.2.3 intra.corp.example
        }
    }
---
apiVersion: v1
kind: Pod
metadata: {name: corp-dns, namespace: default, labels: {app: corp-dns}}
spec:
  containers:
  - name: coredns
    image: registry.k8s.io/coredns/coredns:v1.14.6
    args: ["-conf", "/etc/coredns/Corefile"]
    volumeMounts: [{name: config, mountPath: /etc/coredns}]
  volumes: [{name: config, configMap: {name: corp-dns}}]
---
apiVersion: v1
kind: Service
metadata: {name: corp-dns, namespace: default}
spec:
  clusterIP: 10.96.7.7
  selector: {app: corp-dns}
  ports: [{name: dns, port: 53, protocol: UDP}]
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec: {containers: [{name: client, image: "busybox:1.37", command: [sleep, "86400"]}]}
"""


@pytest.fixture
def cluster() -> Cluster:
    lab = Cluster(workers=1, seed=7)
    lab.apply(STUB)
    lab.run_until("pod/client ready")
    return lab


def corefile(cluster: Cluster, change: tuple[str, str], more: str = "") -> None:
    """Change the Corefile as `kubectl edit` would, and wait until it has arrived and is read."""
    path = "jsonpath={.data.Corefile}"
    text = cluster.kubectl(f"get configmap -n kube-system coredns -o {path}")
    patch = json.dumps({"data": {"Corefile": text.replace(*change) + more}})
    cluster.kubectl(f"patch configmap -n kube-system coredns -p '{patch}'")
    cluster.run(150)


def found(cluster: Cluster, name: str) -> str:
    return cluster.kubectl(f"exec client -- nslookup {name}")


def test_a_stub_domain_is_asked_at_its_own_server(cluster: Cluster) -> None:
    assert "NXDOMAIN" in found(cluster, "intra.corp.example")
    corefile(cluster, ("", ""), "\ncorp.example:53 {\n    errors\n    forward . 10.96.7.7\n}\n")
    assert "Address: 10.1.2.3" in found(cluster, "intra.corp.example")


def test_autopath_spares_the_client_most_of_its_questions(cluster: Cluster) -> None:
    cluster.world.upstream.records["example.com"] = ["203.0.113.7"]
    cluster.kubectl("delete pod corp-dns --now")

    def questions() -> int:
        lookup = cluster.request("pod/client", "http://example.com", timeout=1).lookup
        assert lookup is not None
        assert lookup.addresses == ("203.0.113.7",)
        return len(lookup.queries)

    before = questions()
    corefile(cluster, ("pods insecure", "pods verified"))
    corefile(cluster, ("errors", "errors\n    autopath @kubernetes"))
    assert (before, questions()) == (8, 2)
    alias = "example.com.default.svc.cluster.local\tcanonical name = example.com\n"
    assert alias in found(cluster, "example.com.default.svc.cluster.local")


def test_a_rewritten_name_leads_into_the_cluster(cluster: Cluster) -> None:
    line = "errors\n    rewrite name shop.example corp-dns.default.svc.cluster.local"
    corefile(cluster, ("errors", line))
    assert "Address: 10.96.7.7" in found(cluster, "shop.example")


def test_a_loopback_resolver_of_the_machine_ends_the_server_again_and_again() -> None:
    cluster = Cluster(workers=1, seed=7)
    for name in ("control-plane", "worker-1"):
        cluster.node(name).machine.disk.write("/etc/resolv.conf", "nameserver 127.0.0.53\n")
    cluster.kubectl("delete pod -n kube-system -l k8s-app=kube-dns --now")
    cluster.run(60)
    assert "CrashLoopBackOff" in cluster.kubectl("get pods -n kube-system -l k8s-app=kube-dns")
    logs = cluster.kubectl("logs -n kube-system deployment/coredns --previous")
    assert "[FATAL] plugin/loop: Loop (127.0.0.1:" in logs


def test_a_word_that_coredns_does_not_know_ends_it_with_the_line() -> None:
    cluster = Cluster(workers=1, seed=7)
    cluster.apply(manifests.text("coredns").replace("    ready\n", "    raedy\n"))
    cluster.kubectl("delete pod -n kube-system -l k8s-app=kube-dns --now")
    cluster.run(60)
    logs = cluster.kubectl("logs -n kube-system deployment/coredns --previous")
    assert "/etc/coredns/Corefile:6 - Error during parsing: Unknown directive 'raedy'" in logs


def events(cluster: Cluster, reason: str) -> list[str]:
    fields = 'jsonpath={range .items[*]}{.count} {.involvedObject.kind} {.message}{"\\n"}{end}'
    return cluster.kubectl(
        f"get events --field-selector reason={reason} -o '{fields}'"
    ).splitlines()


def test_what_does_not_fit_into_a_resolv_conf_is_told_by_events(cluster: Cluster) -> None:
    cluster.apply(
        """
apiVersion: v1
kind: Pod
metadata: {name: greedy}
spec:
  dnsConfig: {nameservers: [1.1.1.1, 2.2.2.2, 3.3.3.3]}
  containers: [{name: c, image: "busybox:1.37", command: [sleep, "86400"]}]
"""
    )
    cluster.run_until("pod/greedy ready")
    kept = "10.96.0.10 1.1.1.1 2.2.2.2"
    assert events(cluster, "DNSConfigForming") == [
        "1 Pod Nameserver limits were exceeded, some nameservers have been omitted, "
        f"the applied nameserver line is: {kept}"
    ]
    written = cluster.kubectl("exec greedy -- cat /etc/resolv.conf")
    assert written.count("nameserver ") == 3


def test_a_node_with_too_many_endings_is_told_of_until_it_has_fewer(cluster: Cluster) -> None:
    disk = cluster.node("worker-1").machine.disk
    disk.write("etc/resolv.conf", f"nameserver 192.168.10.1\nsearch {'a.example ' * 30}\n")
    cluster.run(61)
    (event,) = events(cluster, "CheckLimitsForResolvConf")
    assert event == (
        "3 Node Resolv.conf file '/etc/resolv.conf' contains search line consisting of more than "
        "29 domains!"
    )
    disk.write("etc/resolv.conf", "nameserver 192.168.10.1\n")
    cluster.run(61)
    assert events(cluster, "CheckLimitsForResolvConf") == [event]
