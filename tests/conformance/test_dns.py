"""Behaviours 39-43: names."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Service
from tests.conformance.lab import (
    apply,
    container,
    deployment,
    get,
    pod,
    pods,
    ready,
    service,
    sleeper,
)

DIG = "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7"


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with a web Pod, its Service, and a client with dig."""
    lab = Cluster(workers=1, seed=1)
    apply(lab, deployment("web", 1), service("web", {"port": 80, "name": "http"}))
    tools = container(image=DIG, command=["sleep", "86400"])
    apply(lab, pod("client", sleeper()), pod("tools", tools))
    ready(lab, "deployment/web", "client", "tools")
    lab.run(3)
    return lab


def dig(cluster: Cluster, name: str, kind: str = "A") -> tuple[str, list[str]]:
    """Return (response code, the data of the answers) for a full name."""
    text = cluster.kubectl(f"exec tools -- dig {name} {kind}")
    code = text.split("status: ")[1].split(",")[0]
    _, _, rest = text.partition(";; ANSWER SECTION:\n")
    lines = rest.partition("\n\n")[0].splitlines()
    return code, [line.split(None, 4)[4] for line in lines if line]


def cluster_ip(cluster: Cluster, name: str = "web") -> str:
    found = cluster.view.get(Service, name)
    assert found is not None
    return found.spec.clusterIP


def asked(cluster: Cluster, name: str, source: str = "pod/client", **options: Any) -> list[str]:
    """Return the A queries that a look-up of the name costs."""
    found = cluster.request(source, f"http://{name}", **options).lookup
    assert found is not None
    return [query.name for query in found.queries if query.type == "A"]


def headless(name: str, *ports: Any, **spec: Any) -> dict[str, Any]:
    return service(name, *ports, clusterIP="None", **spec)


# -- 39: what resolves


def test_a_cluster_ip_name_resolves_even_with_no_endpoints(cluster: Cluster) -> None:
    cluster.kubectl("scale deployment web --replicas=0")
    cluster.run(40)
    assert dig(cluster, "web.default.svc.cluster.local") == ("NOERROR", [cluster_ip(cluster)])


def test_a_headless_service_names_its_ready_pods_and_without_any_is_nxdomain(
    cluster: Cluster,
) -> None:
    apply(cluster, headless("peers", 80, selector={"app": "web"}), headless("nobody", 80))
    cluster.run(3)
    ips = [p.status.podIP for p in pods(cluster, "web")]
    assert dig(cluster, "peers.default.svc.cluster.local") == ("NOERROR", ips)
    assert dig(cluster, "nobody.default.svc.cluster.local") == ("NXDOMAIN", [])


def test_aaaa_of_an_ipv4_service_is_no_data(cluster: Cluster) -> None:
    assert dig(cluster, "web.default.svc.cluster.local", "AAAA") == ("NOERROR", [])
    assert dig(cluster, "ghost.default.svc.cluster.local", "AAAA") == ("NXDOMAIN", [])


# -- 40: search lists


def test_bare_names_work_in_the_same_namespace_only(cluster: Cluster) -> None:
    cluster.kubectl("create namespace shop")
    cluster.run(1)
    apply(cluster, pod("client", sleeper(), namespace="shop"))
    cluster.run(10)
    far = {"namespace": "shop"}
    assert cluster.request("pod/client", "http://web").ok
    assert cluster.request("pod/client", "http://web", **far).outcome == "unresolved"
    assert cluster.request("pod/client", "http://web.default", **far).ok


def test_five_ndots_make_a_full_name_cost_wasted_queries(cluster: Cluster) -> None:
    full = "web.default.svc.cluster.local"
    searches = ("default.svc.cluster.local", "svc.cluster.local", "cluster.local")
    assert asked(cluster, full) == [*(f"{full}.{s}" for s in searches), full]
    assert asked(cluster, f"{full}.") == [full]


def test_glibc_searches_where_musl_does_not(cluster: Cluster) -> None:
    config = {"options": [{"name": "ndots", "value": "1"}]}
    apply(cluster, pod("few", sleeper(), dnsConfig=config))
    ready(cluster, "few")
    glibc = asked(cluster, "web.default", "pod/few", libc="glibc")
    musl = asked(cluster, "web.default", "pod/few", libc="musl")
    assert glibc[0] == "web.default"
    assert glibc[-1] == "web.default.svc.cluster.local"
    assert musl == ["web.default"]


# -- 41: records


def test_pod_names_have_no_records_but_hostnames_under_a_subdomain_do(cluster: Cluster) -> None:
    member = pod("db-0", labels={"app": "db"}, hostname="first", subdomain="db")
    apply(cluster, headless("db", 80), member)
    ready(cluster, "db-0")
    cluster.run(3)
    ip = get(cluster, "db-0").status.podIP
    assert dig(cluster, "db-0.default.svc.cluster.local")[0] == "NXDOMAIN"
    assert dig(cluster, "db-0.db.default.svc.cluster.local")[0] == "NXDOMAIN"
    assert dig(cluster, "first.db.default.svc.cluster.local") == ("NOERROR", [ip])


def test_srv_needs_a_named_port(cluster: Cluster) -> None:
    apply(cluster, service("plain", 80))
    cluster.run(3)
    code, found = dig(cluster, "_http._tcp.web.default.svc.cluster.local", "SRV")
    assert (code, found) == ("NOERROR", ["0 100 80 web.default.svc.cluster.local."])
    assert dig(cluster, "_http._tcp.plain.default.svc.cluster.local", "SRV")[0] == "NXDOMAIN"


def test_an_external_name_is_a_cname_without_selector_or_address(cluster: Cluster) -> None:
    spec = {"type": "ExternalName", "externalName": "db.example.com"}
    apply(cluster, {**service("db"), "spec": spec})
    cluster.run(3)
    _, found = dig(cluster, "db.default.svc.cluster.local", "CNAME")
    assert found == ["db.example.com."]
    cluster.world.upstream.records["db.example.com"] = ["203.0.113.9"]
    printed = cluster.kubectl("exec client -- nslookup db")
    alias = "db.default.svc.cluster.local\tcanonical name = db.example.com\n"
    assert f"{alias}Name:\tdb.example.com\nAddress: 203.0.113.9" in printed
    assert not cluster_ip(cluster, "db")
    assert "default/db" not in cluster.node("worker-1").shell("iptables-save")


# -- 42: DNS policies


@pytest.mark.parametrize(
    ("spec", "cluster_names"),
    [
        ({}, True),
        ({"dnsPolicy": "ClusterFirst"}, True),
        ({"dnsPolicy": "Default"}, False),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirst"}, False),
        ({"hostNetwork": True, "dnsPolicy": "ClusterFirstWithHostNet"}, True),
    ],
)
def test_default_is_not_the_default_dns_policy(
    cluster: Cluster, spec: dict[str, Any], cluster_names: bool
) -> None:
    apply(cluster, pod("one", sleeper(), **spec))
    ready(cluster, "one")
    text = cluster.kubectl("exec one -- cat /etc/resolv.conf")
    assert ("nameserver 10.96.0.10\n" in text) == cluster_names
    assert ("options ndots:5" in text) == cluster_names
    assert get(cluster, "one").spec.dnsPolicy == spec.get("dnsPolicy", "ClusterFirst")


# -- 43: kube-dns is a Service like any other


def test_without_coredns_names_fail_and_addresses_work(cluster: Cluster) -> None:
    cluster.stop("coredns")
    cluster.run(15)
    assert cluster.request("pod/client", "http://web").outcome == "unresolved"
    assert cluster.request("pod/client", f"http://{cluster_ip(cluster)}").ok
    cluster.start("coredns")
    cluster.run(15)
    assert cluster.request("pod/client", "http://web").ok


def test_without_kube_proxy_names_work_until_coredns_moves(cluster: Cluster) -> None:
    cluster.stop("kube-proxy")
    cluster.run(5)
    assert cluster.request("pod/client", "http://web").ok
    cluster.kubectl("delete pods -n kube-system -l k8s-app=kube-dns --wait=false")
    cluster.run(30)
    assert cluster.request("pod/client", "http://web").outcome == "unresolved"
    web = pods(cluster, "web")[0].status.podIP
    assert cluster.request("pod/client", f"http://{web}").ok


def test_coredns_is_found_by_the_address_of_its_service(cluster: Cluster) -> None:
    dns = cluster.view.get(Service, "kube-dns", "kube-system")
    assert dns is not None
    assert dns.spec.clusterIP == "10.96.0.10"
    assert '"kube-system/kube-dns:dns cluster IP" -m udp' in cluster.node("worker-1").shell(
        "iptables-save -t nat"
    )
