"""Behaviours 30-38: endpoints, kube-proxy's rules, and what clients see."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Node, Service
from k8slab.client import MERGE_PATCH
from k8slab.linux import netfilter
from tests.conformance.lab import (
    apply,
    call,
    container,
    create,
    deployment,
    endpoints,
    get,
    node_port,
    patch,
    pod,
    pods,
    ready,
    service,
    shell,
    sleeper,
    slices,
)

PORT = {"name": "http", "containerPort": 80}


@pytest.fixture
def cluster() -> Cluster:
    """Return a cluster with three web Pods, one on each worker, a Service and a client."""
    lab = Cluster(workers=3, seed=1)
    apply(lab, deployment("web", 3), service("web", 80), pod("client", sleeper()))
    ready(lab, "deployment/web", "client")
    lab.run(3)
    return lab


def outcomes(cluster: Cluster, url: str, count: int, source: str = "pod/client") -> Counter[str]:
    """Return how requests ended, each by who served it, or by what went wrong."""
    answers = (cluster.request(source, url, timeout=2) for _ in range(count))
    return Counter(a.served_by.partition(" ")[0] if a.ok else a.outcome for a in answers)


def address(cluster: Cluster, name: str) -> str:
    found = cluster.view.get("Service", name)
    assert found is not None
    ip: str = found.spec.clusterIP  # type: ignore[attr-defined]
    return ip


def internal_ip(cluster: Cluster, name: str) -> str:
    node = cluster.view.get(Node, name)
    assert node is not None
    return node.status.addresses[0].address


def nat(cluster: Cluster, node: str = "worker-1") -> str:
    return str(cluster.node(node).shell("iptables-save -t nat"))


def rules(cluster: Cluster, node: str = "worker-1") -> Any:
    return netfilter.parse(cluster.node(node).shell("iptables-save"))


# -- 30: endpoints


def test_a_service_knows_labels_and_nothing_of_deployments(cluster: Cluster) -> None:
    apply(cluster, pod("stranger", labels={"app": "web"}), pod("same-name", labels={"app": "b"}))
    ready(cluster, "stranger", "same-name")
    cluster.run(2)
    names = {e.targetRef.name for e in endpoints(cluster, "web")}
    assert "stranger" in names
    assert "same-name" not in names
    assert len(names) == 4


def test_a_service_does_not_reach_into_other_namespaces(cluster: Cluster) -> None:
    cluster.kubectl("create namespace shop")
    cluster.run(1)
    apply(cluster, pod("far", labels={"app": "web"}, namespace="shop"))
    cluster.run(10)
    assert len(endpoints(cluster, "web")) == 3


def test_a_pod_that_is_not_ready_stays_listed_as_not_ready(cluster: Cluster) -> None:
    probe = {"exec": {"command": ["false"]}, "periodSeconds": 1}
    apply(cluster, pod("lame", sleeper(readinessProbe=probe), labels={"app": "web"}))
    cluster.run(10)
    found = {e.targetRef.name: e.conditions for e in endpoints(cluster, "web")}
    lame = found["lame"]
    assert (lame.ready, lame.serving, lame.terminating) == (False, False, False)
    assert get(cluster, "lame").status.podIP not in nat(cluster)


def test_a_service_that_matches_nothing_has_one_empty_slice(cluster: Cluster) -> None:
    apply(cluster, service("nobody", 80))
    cluster.run(2)
    [found] = slices(cluster, "nobody")
    assert not found.endpoints


def test_a_slice_holds_a_hundred_endpoints() -> None:
    cluster = Cluster(workers=2, seed=1)
    apply(cluster, deployment("web", 105), service("web", 80))
    ready(cluster, "deployment/web")
    cluster.run(5)
    assert sorted(len(s.endpoints) for s in slices(cluster, "web")) == [5, 100]


def test_a_named_target_port_is_looked_up_in_each_pod_and_splits_slices(cluster: Cluster) -> None:
    old = container(ports=[{"name": "http", "containerPort": 80}])
    new = shell("httpd -f -p 8080", ports=[{"name": "http", "containerPort": 8080}])
    for name, server in (("old", old), ("new", new)):
        apply(cluster, pod(name, server, labels={"app": "api"}))
    apply(cluster, service("api", {"port": 80, "targetPort": "http"}))
    ready(cluster, "old", "new")
    cluster.run(3)
    assert sorted(s.ports[0].port for s in slices(cluster, "api")) == [80, 8080]
    answers = [cluster.request("pod/client", "http://api") for _ in range(20)]
    assert {answer.endpoint.rpartition(":")[2] for answer in answers} == {"80", "8080"}


# -- 31: who moves the packets


def test_without_kube_proxy_old_rules_work_and_new_endpoints_do_not_arrive(
    cluster: Cluster,
) -> None:
    cluster.stop("kube-proxy")
    cluster.run(5)
    assert cluster.request("pod/client", "http://web").ok
    cluster.kubectl("scale deployment web --replicas=5")
    cluster.run(15)
    assert len(endpoints(cluster, "web")) == 5
    assert nat(cluster).count("-j DNAT") == nat(cluster, "worker-2").count("-j DNAT")
    assert len(outcomes(cluster, "http://web", 60)) == 3
    cluster.start("kube-proxy")
    cluster.run(15)
    assert len(outcomes(cluster, "http://web", 80)) == 5


# -- 32: what a ClusterIP is


def test_a_cluster_ip_does_not_answer_ping_and_a_pod_does(cluster: Cluster) -> None:
    ip = address(cluster, "web")
    assert "100% packet loss" in cluster.kubectl(f"exec client -- ping -c 2 -W 1 {ip}")
    web = pods(cluster, "web")[0].status.podIP
    assert " 0% packet loss" in cluster.kubectl(f"exec client -- ping -c 2 -W 1 {web}")
    assert ip not in cluster.node("worker-1").shell("ip addr")


def test_balancing_is_random_per_connection_and_fair(cluster: Cluster) -> None:
    served = outcomes(cluster, "http://web", 300)
    assert len(served) == 3
    assert all(70 <= count <= 130 for count in served.values()), served
    in_turn = [cluster.request("pod/client", "http://web").served_by for _ in range(40)]
    assert any(a == b for a, b in zip(in_turn, in_turn[3:], strict=False))
    assert any(a != b for a, b in zip(in_turn, in_turn[3:], strict=False))


def test_the_dice_of_the_rules_are_loaded_so_that_all_are_equal(cluster: Cluster) -> None:
    mine = "\n".join(line for line in nat(cluster).splitlines() if "default/web" in line)
    found = re.findall(r"--probability ([0-9.]+)", mine)
    assert [float(p) for p in found] == pytest.approx([1 / 3, 1 / 2], abs=1e-6)
    traced = rules(cluster).trace(src="10.244.1.9", dst=address(cluster, "web"), dport=80)
    assert [d.probability for d in traced.destinations] == pytest.approx([1 / 3] * 3)


# -- 33: four symptoms, four causes


def test_no_endpoints_is_refused_by_the_filter_table(cluster: Cluster) -> None:
    cluster.kubectl("scale deployment web --replicas=0")
    cluster.run(10)
    answer = cluster.request("pod/client", "http://web")
    assert answer.outcome == "refused"
    filter_table = cluster.node("worker-1").shell("iptables-save -t filter")
    line = next(x for x in filter_table.splitlines() if "default/web has no endpoints" in x)
    assert line.endswith("-j REJECT --reject-with icmp-port-unreachable")


def test_none_local_under_a_local_policy_is_a_time_out(cluster: Cluster) -> None:
    only = pod("only", labels={"app": "local"}, nodeName="worker-2")
    apply(cluster, only, service("local", 80, internalTrafficPolicy="Local"))
    apply(cluster, *(pod(f"c-{n}", sleeper(), nodeName=f"worker-{n}") for n in (1, 2)))
    ready(cluster, "only", "c-1", "c-2")
    cluster.run(3)
    assert cluster.request("pod/c-1", "http://local", timeout=3).outcome == "timed out"
    assert cluster.request("pod/c-2", "http://local", timeout=3).ok


def test_an_unknown_name_does_not_resolve_and_a_wrong_port_is_refused_by_the_pod(
    cluster: Cluster,
) -> None:
    assert cluster.request("pod/client", "http://ghost").outcome == "unresolved"
    apply(cluster, service("wrong", {"port": 80, "targetPort": 81}, selector={"app": "web"}))
    cluster.run(3)
    answer = cluster.request("pod/client", "http://wrong")
    assert answer.outcome == "refused"
    assert answer.endpoint.endswith(":81")  # it got as far as the Pod


# -- 34, 35: addresses of clients, traffic policies


def seen_address(cluster: Cluster, source: str, url: str) -> str:
    """Return the client's address as the server sees it."""
    return cluster.request(source, url, timeout=3).body.rpartition(":")[0]


@pytest.fixture
def echo(cluster: Cluster) -> str:
    """Return the port on each node of a Service that tells its clients' addresses."""
    server = container(image="registry.k8s.io/e2e-test-images/agnhost:2.53", args=["netexec"])
    made = pod("echo", server, nodeName="worker-2")
    apply(cluster, made)
    created = create(cluster, service("echo", {"port": 80, "targetPort": 8080}, type="NodePort"))
    ready(cluster, "echo")
    cluster.run(3)
    return str(node_port(created))


def test_pod_to_cluster_ip_keeps_the_clients_address(cluster: Cluster, echo: str) -> None:
    ip = get(cluster, "client").status.podIP
    assert seen_address(cluster, "pod/client", "http://echo/clientip") == ip


def test_a_pod_that_reaches_itself_by_its_service_is_masqueraded(
    cluster: Cluster, echo: str
) -> None:
    own = get(cluster, "echo").status.podIP
    # the bare name would be the Pod's own: it is in its hosts file
    assert seen_address(cluster, "pod/echo", "http://echo.default/clientip") not in ("", own)


def test_node_port_traffic_is_masqueraded_under_cluster_and_not_under_local(
    cluster: Cluster, echo: str
) -> None:
    far, near = (internal_ip(cluster, f"worker-{n}") for n in (1, 2))
    through = seen_address(cluster, "outside", f"http://{far}:{echo}/clientip")
    assert through.startswith("10.244.1.") or through == far
    patch(cluster, "service", "echo", {"spec": {"externalTrafficPolicy": "Local"}})
    cluster.run(3)
    kept = seen_address(cluster, "outside", f"http://{near}:{echo}/clientip")
    assert kept not in ("", near, through)
    assert cluster.request("outside", f"http://{far}:{echo}/", timeout=3).outcome == "timed out"


def test_clients_inside_reach_all_endpoints_of_an_external_local_service(
    cluster: Cluster, echo: str
) -> None:
    patch(cluster, "service", "echo", {"spec": {"externalTrafficPolicy": "Local"}})
    apply(cluster, pod("near", sleeper(), nodeName="worker-1"))
    ready(cluster, "near")
    far = internal_ip(cluster, "worker-1")
    assert cluster.request("pod/near", f"http://{far}:{echo}/clientip", timeout=3).ok


def test_an_internal_policy_changes_nothing_for_node_ports(cluster: Cluster, echo: str) -> None:
    patch(cluster, "service", "echo", {"spec": {"internalTrafficPolicy": "Local"}})
    cluster.run(3)
    far = internal_ip(cluster, "worker-1")
    assert cluster.request("outside", f"http://{far}:{echo}/clientip", timeout=3).ok
    apply(cluster, pod("near", sleeper(), nodeName="worker-1"))
    ready(cluster, "near")
    assert cluster.request("pod/near", "http://echo/clientip", timeout=3).outcome == "timed out"


def balanced(cluster: Cluster, ranges: list[str]) -> None:
    """Make a load balancer's Service at 192.0.2.10."""
    spec = {"type": "LoadBalancer", "loadBalancerSourceRanges": ranges, "selector": {"app": "web"}}
    apply(cluster, service("lb", 80, **spec))
    ingress = {"loadBalancer": {"ingress": [{"ip": "192.0.2.10", "ipMode": "VIP"}]}}
    status = {"subresource": "status", "body": {"status": ingress}, "patch_type": MERGE_PATCH}
    call(cluster, "patch", Service, name="lb", **status)
    cluster.run(3)


def test_source_ranges_apply_to_load_balancer_addresses_only(cluster: Cluster) -> None:
    balanced(cluster, ["203.0.113.0/24"])
    found = cluster.view.get("Service", "lb")
    port = node_port(found)
    text = rules(cluster)
    friend, stranger, node = "203.0.113.9", "198.51.100.9", internal_ip(cluster, "worker-1")
    assert text.trace(src=friend, dst="192.0.2.10", dport=80).verdict == "ACCEPT"
    assert text.trace(src=stranger, dst="192.0.2.10", dport=80).verdict == "DROP"
    assert text.trace(src=stranger, dst=node, dport=port).verdict == "ACCEPT"


def test_terminating_endpoints_serve_only_when_nothing_else_is_ready(cluster: Cluster) -> None:
    hook = {"preStop": {"sleep": {"seconds": 60}}}
    for name in ("a", "b"):
        server = container(lifecycle=hook)
        apply(cluster, pod(name, server, labels={"app": "duo"}, terminationGracePeriodSeconds=90))
    apply(cluster, service("duo", 80))
    ready(cluster, "a", "b")
    cluster.run(3)
    cluster.kubectl("delete pod a --wait=false")
    cluster.run(3)
    assert outcomes(cluster, "http://duo", 20) == {"default/b": 20}
    cluster.kubectl("delete pod b --wait=false")
    cluster.run(3)
    assert set(outcomes(cluster, "http://duo", 30)) == {"default/a", "default/b"}


# -- 36: what the rules look like


def test_affinity_rules_come_first_and_endpoints_sort_as_text(cluster: Cluster) -> None:
    patch(cluster, "service", "web", {"spec": {"sessionAffinity": "ClientIP"}})
    cluster.run(3)
    chain = [x for x in nat(cluster).splitlines() if x.startswith("-A KUBE-SVC-")]
    lines = [x for x in chain if '"default/web -> ' in x]
    ips = [x.split("-> ")[1].split('"')[0] for x in lines]
    assert ["--rcheck" in x for x in lines] == [True] * 3 + [False] * 3
    assert ips[:3] == ips[3:] == sorted(ips[:3])
    assert len(outcomes(cluster, "http://web", 20)) == 1


def test_chain_names_are_a_hash_of_what_they_are_for(cluster: Cluster) -> None:
    def chain(prefix: str, text: str) -> str:
        digest = base64.b32encode(hashlib.sha256(text.encode()).digest()).decode()
        return f"{prefix}-{digest[:16]}"

    assert f":{chain('KUBE-SVC', 'default/webtcp')} - [0:0]" in nat(cluster)
    ip = pods(cluster, "web")[0].status.podIP
    assert f":{chain('KUBE-SEP', f'default/webtcp{ip}:80')} - [0:0]" in nat(cluster)


# -- 37: existing connections


def test_existing_connections_stay_on_their_pod_when_endpoints_change(cluster: Cluster) -> None:
    loop = 'while true; do echo "GET / HTTP/1.1"; echo "Host: web"; echo; sleep 5; done | nc web 80'
    apply(cluster, pod("keeper", shell(loop)))
    ready(cluster, "keeper")
    cluster.run(3)
    where = get(cluster, "keeper").spec.nodeName
    ip = get(cluster, "keeper").status.podIP

    def partner() -> list[str]:
        table = cluster.node(where).shell("conntrack -L").splitlines()
        mine = [x for x in table if f"src={ip} dst={address(cluster, 'web')} " in x]
        return [x.split("src=")[2].split()[0] for x in mine if "ESTABLISHED" in x]

    before = partner()
    assert len(before) == 1
    cluster.kubectl("scale deployment web --replicas=6")
    cluster.run(30)
    assert partner() == before


# -- 38: younger features


def test_prefer_same_zone_keeps_traffic_in_the_zone(cluster: Cluster) -> None:
    apply(cluster, pod("c", sleeper(), nodeName="worker-3"))
    ready(cluster, "c")
    patch(cluster, "service", "web", {"spec": {"trafficDistribution": "PreferSameZone"}})
    cluster.run(3)
    local = next(p.metadata.name for p in pods(cluster, "web") if p.spec.nodeName == "worker-3")
    assert outcomes(cluster, "http://web", 20, "pod/c") == {f"default/{local}": 20}
    cluster.kubectl(f"label pod {local} app=gone --overwrite")
    cluster.kubectl("scale deployment web --replicas=2")
    cluster.run(10)
    assert set(outcomes(cluster, "http://web", 20, "pod/c")) <= {
        f"default/{p.metadata.name}" for p in pods(cluster, "web")
    }


def test_the_endpoints_api_is_deprecated(cluster: Cluster) -> None:
    assert (
        "Warning: v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"
        in (cluster.kubectl("get endpoints"))
    )
