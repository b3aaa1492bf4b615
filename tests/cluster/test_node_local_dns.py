"""The DNS cache of every node: where packets go, and what goes on without the cluster's CoreDNS."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from k8slab import Cluster
from k8slab.addons import manifests

POD = """
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  nodeName: worker-1
  containers: [{name: client, image: "busybox:1.37", command: [sleep, "86400"]}]
"""
NAME = "kubernetes.default.svc.cluster.local"
FOUND = f"Name:\t{NAME}\nAddress: 10.96.0.1"
LOCAL, SERVER = "169.254.20.10", "10.96.0.10"


def cluster_with(manifest: str, **made: object) -> Cluster:
    cluster = Cluster(workers=1, seed=7, **made)  # type: ignore[arg-type]
    cluster.apply(POD)
    cluster.apply(manifest)
    cluster.run_until("pod/client ready")
    cluster.run(20)
    return cluster


@pytest.fixture(scope="module")
def served() -> Cluster:
    return cluster_with(manifests.node_local_dns())


@pytest.fixture
def cluster(served: Cluster) -> Iterator[Cluster]:
    yield served
    served.start("coredns")
    served.run(60)


def found(cluster: Cluster, name: str = NAME, server: str = "") -> str:
    return cluster.kubectl(f"exec client -- nslookup {name}. {server}")


def logs(cluster: Cluster) -> str:
    cluster.run(1)
    pods = cluster.kubectl(
        "get pods -n kube-system -l k8s-app=node-local-dns "
        "--field-selector spec.nodeName=worker-1 -o name"
    )
    return cluster.kubectl(f"logs -n kube-system {pods.strip()}")


def test_the_node_owns_the_address_of_the_service(cluster: Cluster) -> None:
    shell = cluster.node("worker-1").shell
    device = shell("ip addr show nodelocaldns")
    assert f"inet {LOCAL}/32" in device
    assert f"inet {SERVER}/32" in device
    assert f"-A PREROUTING -d {SERVER}/32 -p udp -m udp --dport 53 -j CT --notrack" in shell(
        "iptables-save -t raw"
    )


def test_a_question_of_a_pod_ends_on_its_node_and_leaves_no_connection(cluster: Cluster) -> None:
    assert FOUND in found(cluster)
    entries = cluster.node("worker-1").shell("conntrack -L")
    assert "dport=53" in entries  # what the cache itself asked
    assert not [line for line in entries.splitlines() if f"dst={SERVER} " in line]
    assert not [line for line in entries.splitlines() if line.startswith("udp")]


def test_the_local_address_answers_as_well(cluster: Cluster) -> None:
    assert FOUND in found(cluster, server=LOCAL)


def test_what_is_known_goes_on_without_the_clusters_coredns(cluster: Cluster) -> None:
    found(cluster)
    cluster.stop("coredns")
    cluster.run(20)
    assert FOUND in found(cluster)
    other = found(cluster, "other.default.svc.cluster.local")
    assert "** server can't find other.default.svc.cluster.local.: SERVFAIL" in other
    assert "connection refused" in logs(cluster)
    cluster.run(40)
    assert FOUND not in found(cluster)


def test_names_outside_are_asked_by_the_node_itself(cluster: Cluster) -> None:
    cluster.world.upstream.records["example.com"] = ["203.0.113.7"]
    cluster.stop("coredns")
    cluster.run(20)
    assert "203.0.113.7" in found(cluster, "example.com")


def test_the_answer_says_how_long_it_is_good_for(cluster: Cluster) -> None:
    cluster.kubectl(
        "run tool --image=nicolaka/netshoot:v0.13 --restart=Never "
        '--overrides \'{"spec": {"nodeName": "worker-1"}}\' -- sleep 3600'
    )
    cluster.run_until("pod/tool ready")
    cluster.run(31)
    answers = []
    for _ in range(2):
        answers.append(cluster.kubectl(f"exec tool -- dig +noall +answer {NAME}."))
        cluster.run(10)
    assert [text.split("\n")[-2].split()[1] for text in answers] == ["30", "20"]


def test_rules_that_somebody_took_away_are_added_back(cluster: Cluster) -> None:
    rules = cluster.world.machines["worker-1"].net.ruleset.rules
    before = rules("raw", "PREROUTING")
    cluster.world.machines["worker-1"].net.iptables_restore("*raw\nCOMMIT\n")
    assert rules("raw", "PREROUTING") == ()
    cluster.run(61)
    assert rules("raw", "PREROUTING") == before


def test_a_corefile_that_changes_arrives() -> None:
    cluster = cluster_with(manifests.node_local_dns())
    path = "jsonpath={.data.Corefile}"
    text = cluster.kubectl(f"get configmap -n kube-system node-local-dns -o {path}")
    text = text.replace("denial 9984 5", "serve_stale 1h verify")
    patch = json.dumps({"data": {"Corefile": text}})
    cluster.kubectl(f"patch configmap -n kube-system node-local-dns -p '{patch}'")
    cluster.run(150)
    found(cluster)
    cluster.stop("coredns")
    cluster.run(120)
    assert FOUND in found(cluster)  # old, but better than nothing


def test_stub_domains_of_the_kube_dns_configmap_are_asked_at_their_own_servers() -> None:
    config = """
apiVersion: v1
kind: ConfigMap
metadata: {name: kube-dns, namespace: kube-system}
data:
  stubDomains: '{"corp.example": ["203.0.113.53"]}'
---
"""
    cluster = cluster_with(config + manifests.node_local_dns())
    assert "corp.example:53 {" in logs(cluster)
    assert "corp.example.:53 on 169.254.20.10" in logs(cluster)


def test_who_leaves_in_order_gives_the_address_back_to_kube_proxy() -> None:
    cluster = cluster_with(manifests.node_local_dns())
    cluster.kubectl("delete daemonset -n kube-system node-local-dns")
    cluster.run(60)
    shell = cluster.node("worker-1").shell
    assert "nodelocaldns" not in shell("ip addr")
    assert "notrack" not in shell("iptables-save -t raw")
    assert FOUND in found(cluster)


def test_who_is_killed_leaves_the_node_without_answers_until_it_is_back() -> None:
    cluster = cluster_with(manifests.node_local_dns())
    cluster.kill("node-cache/worker-1")
    cluster.run(0.2)
    assert SERVER in cluster.node("worker-1").shell("ip addr show nodelocaldns")
    cluster.run(60)
    assert FOUND in found(cluster)


@pytest.mark.parametrize("mode", ["iptables", "nftables"])
def test_pods_can_be_given_the_local_address_by_their_kubelets(mode: str) -> None:
    manifest = manifests.node_local_dns(server="")
    cluster = cluster_with(manifest, cluster_dns=(LOCAL,), proxy_mode=mode)
    assert f"nameserver {LOCAL}" in cluster.kubectl("exec client -- cat /etc/resolv.conf")
    assert FOUND in found(cluster)
    assert SERVER not in cluster.node("worker-1").shell("ip addr show nodelocaldns")
    assert cluster.resolve("kubernetes").queries[0].server == LOCAL
    assert cluster.fork().world.kubelet_config.cluster_dns == (LOCAL,)
