"""Upstream's page "Debug Services", rung by rung with the lab's tools, and what breaks them."""

from __future__ import annotations

import json

import pytest

from k8slab import Cluster
from tests.conformance.lab import apply, container, pod, ready

GO_TEMPLATE = '{{range .items}}{{.status.podIP}}{{"\\n"}}{{end}}'


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    lab = Cluster(workers=2, seed=5)
    lab.kubectl("create deployment hostnames --image=registry.k8s.io/serve_hostname")
    lab.kubectl("scale deployment hostnames --replicas=3")
    tools = container(image="busybox:1.28", command=["sleep", "86400"])  # the page's own image
    apply(lab, pod("client", tools))
    ready(lab, "deployment/hostnames", "client")
    lab.run(3)
    return lab


def in_pod(cluster: Cluster, command: str) -> str:
    return str(cluster.kubectl(f"exec client -- sh -c '{command}'"))


def pod_ips(cluster: Cluster) -> list[str]:
    output = f"-o go-template='{GO_TEMPLATE}'"
    return cluster.kubectl(f"get pods -l app=hostnames {output}").split()


def pod_names(cluster: Cluster) -> set[str]:
    names = cluster.kubectl("get pods -l app=hostnames -o name").split()
    return {name.removeprefix("pod/") for name in names}


def cluster_ip(cluster: Cluster) -> str:
    return str(cluster.kubectl("get svc hostnames -o jsonpath={.spec.clusterIP}"))


def test_the_pods_run_and_answer_at_their_own_addresses(cluster: Cluster) -> None:
    ips = pod_ips(cluster)
    assert len(ips) == 3
    addresses = " ".join(f"{ip}:9376" for ip in ips)
    answers = in_pod(cluster, f"for ep in {addresses}; do wget -qO- $ep; echo; done").split()
    assert set(answers) == pod_names(cluster)


def test_does_the_service_exist(cluster: Cluster) -> None:
    assert "bad address" in in_pod(cluster, "wget -O- hostnames")
    missing = 'Error from server (NotFound): services "hostnames" not found'
    assert missing in cluster.kubectl("get svc hostnames")
    exposed = cluster.kubectl("expose deployment hostnames --port=80 --target-port=9376")
    assert exposed.strip() == "service/hostnames exposed"
    assert "80/TCP" in cluster.kubectl("get svc hostnames")
    cluster.run(3)


def test_does_a_network_policy_stand_in_the_way(cluster: Cluster) -> None:
    assert "No resources found" in cluster.kubectl("get networkpolicy")


def test_does_the_service_work_by_its_dns_name(cluster: Cluster) -> None:
    ip = cluster_ip(cluster)
    full = "hostnames.default.svc.cluster.local"
    for name in ("hostnames", "hostnames.default", full):
        assert f"Address 1: {ip} {full}" in in_pod(cluster, f"nslookup {name}"), name
    resolv = in_pod(cluster, "cat /etc/resolv.conf")
    assert "search default.svc.cluster.local svc.cluster.local cluster.local" in resolv
    assert "options ndots:5" in resolv
    assert f"Address 1: {ip} {full}" in in_pod(cluster, f"nslookup {full} 10.96.0.10")


def test_does_any_service_work_by_its_dns_name(cluster: Cluster) -> None:
    assert in_pod(cluster, "nslookup kubernetes.default") == (
        "Server:    10.96.0.10\n"
        "Address 1: 10.96.0.10 kube-dns.kube-system.svc.cluster.local\n\n"
        "Name:      kubernetes.default\n"
        "Address 1: 10.96.0.1 kubernetes.default.svc.cluster.local\n"
    )
    assert "nslookup: can't resolve 'nobody'" in in_pod(cluster, "nslookup nobody")


def test_a_newer_busybox_finds_fewer_names_than_programs_do(cluster: Cluster) -> None:
    new = container(image="busybox:1.37", command=["sleep", "86400"])
    apply(cluster, pod("new", new))
    ready(cluster, "new")
    full = "kubernetes.default.svc.cluster.local"
    printed = cluster.kubectl("exec new -- nslookup kubernetes")
    assert printed.startswith("Server:\t\t10.96.0.10\nAddress:\t10.96.0.10:53\n\n")
    assert f"Name:\t{full}\nAddress: 10.96.0.1\n" in printed
    assert printed.count("** server can't find kubernetes.svc.cluster.local: NXDOMAIN") == 2
    missing = "** server can't find kubernetes.default: NXDOMAIN"
    assert missing in cluster.kubectl("exec new -- nslookup kubernetes.default")
    srv = cluster.kubectl(f"exec new -- nslookup -type=srv _https._tcp.{full}")
    assert f"_https._tcp.{full}\tservice = 0 100 443 {full}" in srv
    pointer = cluster.kubectl("exec new -- nslookup 10.96.0.1")
    assert f"1.0.96.10.in-addr.arpa\tname = {full}" in pointer


def test_does_the_service_work_by_its_address(cluster: Cluster) -> None:
    loop = f"for i in $(seq 1 3); do wget -qO- {cluster_ip(cluster)}:80; echo; done"
    assert set(in_pod(cluster, loop).split()) <= pod_names(cluster)


def test_is_the_service_defined_correctly(cluster: Cluster) -> None:
    spec = json.loads(cluster.kubectl("get service hostnames -o json"))["spec"]
    port = spec["ports"][0]
    assert (port["port"], port["targetPort"], port["protocol"]) == (80, 9376, "TCP")
    assert spec["selector"] == {"app": "hostnames"}


def test_does_the_service_have_endpoints(cluster: Cluster) -> None:
    listed = cluster.kubectl("get endpointslices -l kubernetes.io/service-name=hostnames")
    assert "IPv4" in listed
    assert "9376" in listed
    assert all(ip in listed for ip in pod_ips(cluster))


def test_a_wrong_selector_shows_as_a_slice_without_endpoints_and_a_refusal(
    cluster: Cluster,
) -> None:
    cluster.kubectl('patch svc hostnames -p \'{"spec":{"selector":{"app":"hostname"}}}\'')
    cluster.run(3)
    listed = cluster.kubectl("get endpointslices -l kubernetes.io/service-name=hostnames")
    assert "<unset>" in listed
    refused = in_pod(cluster, f"wget -qO- {cluster_ip(cluster)}:80")
    assert "Connection refused" in refused
    cluster.kubectl('patch svc hostnames -p \'{"spec":{"selector":{"app":"hostnames"}}}\'')
    cluster.run(3)


def test_is_kube_proxy_running(cluster: Cluster) -> None:
    node = cluster.node("worker-1")
    assert "kube-proxy" in node.shell("crictl ps")
    running = cluster.kubectl("get pods -n kube-system -l k8s-app=kube-proxy")
    assert running.count("Running") == 3
    assert "Using iptables Proxier" in cluster.kubectl("logs -n kube-system ds/kube-proxy")
    assert cluster.request("node/worker-1", "http://localhost:10249/proxyMode").body == "iptables"


def test_is_kube_proxy_writing_rules(cluster: Cluster) -> None:
    rules = cluster.node("worker-1").shell("iptables-save")
    ours = [line for line in rules.splitlines() if "hostnames" in line]
    ip = cluster_ip(cluster)
    assert sum("-j KUBE-SVC-" in line and f"-d {ip}/32" in line for line in ours) == 1
    assert sum("-j DNAT" in line for line in ours) == 3
    assert sum("-m statistic --mode random" in line for line in ours) == 2


def test_is_kube_proxy_proxying(cluster: Cluster) -> None:
    answer = cluster.request("node/worker-1", f"http://{cluster_ip(cluster)}:80")
    assert answer.ok
    assert answer.endpoint.endswith(":9376")


def test_a_pod_reaches_itself_by_its_service_because_its_port_is_a_hairpin(
    cluster: Cluster,
) -> None:
    (name, *_) = pod_names(cluster)
    answers = [cluster.request(f"pod/{name}", "http://hostnames") for _ in range(12)]
    assert all(answer.ok for answer in answers)
    own = cluster.kubectl(f"get pod {name} -o jsonpath={{.status.podIP}}")
    assert f"{own}:9376" in {answer.endpoint for answer in answers}
    node = cluster.kubectl(f"get pod {name} -o jsonpath={{.spec.nodeName}}")
    ports = cluster.node(node).shell("bridge -d link")
    assert ports.count("hairpin on") == ports.count("master cni0") >= 1
