"""What upstream asks of sig-network beyond the forty-three behaviours: names, slices, Services."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api import load
from k8slab.api.core import Endpoints, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.errors import ApiError
from k8slab.api.meta import Object
from k8slab.api.networking import Ingress, IngressClass
from k8slab.client import MERGE_PATCH
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
    sleeper,
    slices,
)

AGNHOST = "registry.k8s.io/e2e-test-images/agnhost:2.53"
DIG = "registry.k8s.io/e2e-test-images/jessie-dnsutils:1.7"


def netexec(name: str, **labels: str) -> dict[str, Any]:
    """Return a Pod that answers with its name at 8080 by HTTP and at 8081 by UDP."""
    return pod(name, container(image=AGNHOST, args=["netexec"]), labels=labels or {"app": name})


@pytest.fixture(scope="module")
def shared() -> Cluster:
    lab = Cluster(workers=2, seed=3)
    tools = container(image=DIG, command=["sleep", "86400"])
    apply(lab, pod("client", sleeper()), pod("tools", tools))
    apply(lab, netexec("one", app="web"), netexec("two", app="web"))
    apply(lab, service("web", {"port": 80, "targetPort": 8080}))
    ready(lab, "client", "tools", "one", "two")
    lab.run(3)
    return lab


@pytest.fixture
def cluster(shared: Cluster) -> Iterator[Cluster]:
    """Return the module's cluster, and take away what a test leaves in it."""
    kept = {(o.kind, o.metadata.name) for o in objects(shared)}
    yield shared
    for obj in objects(shared):
        if (obj.kind, obj.metadata.name) not in kept:
            shared.kubectl(f"delete {obj.kind.lower()} {obj.metadata.name} --ignore-not-found")
    shared.run(5)


def objects(cluster: Cluster) -> list[Object]:
    kinds = ("Pod", "Service", "Endpoints", "Deployment", "Ingress", "EndpointSlice")
    return [obj for kind in kinds for obj in cluster.view.list(kind, "default")]


def ip_of(cluster: Cluster, name: str) -> str:
    return get(cluster, name).status.podIP


def execute(cluster: Cluster, command: str, name: str = "client") -> str:
    return str(cluster.kubectl(f"exec {name} -- sh -c '{command}'"))


def cluster_ip(cluster: Cluster, name: str) -> str:
    found = cluster.view.get(Service, name)
    assert found is not None
    return found.spec.clusterIP


def port_of(cluster: Cluster, name: str) -> int:
    found = cluster.view.get(Service, name)
    return node_port(found)


def answers(cluster: Cluster, url: str, count: int = 8, source: str = "pod/client") -> set[str]:
    found = [cluster.request(source, url, timeout=3) for _ in range(count)]
    return {_name(each.served_by) if each.ok else each.outcome for each in found}


def _name(served_by: str) -> str:
    """Return the Pod of "default/one on worker-1", or the node."""
    return served_by.partition(" on ")[0].removeprefix("default/")


# -- DNS


def test_names_of_the_cluster_resolve_over_udp_and_tcp(cluster: Cluster) -> None:
    for how in ("+notcp", "+tcp"):
        text = execute(cluster, f"dig {how} +short kubernetes.default.svc.cluster.local", "tools")
        assert text.strip() == "10.96.0.1"


def test_a_pod_finds_itself_and_its_aliases_in_etc_hosts(cluster: Cluster) -> None:
    aliases = [{"ip": "192.0.2.9", "hostnames": ["elsewhere"]}]
    apply(cluster, pod("named", sleeper(), hostAliases=aliases))
    ready(cluster, "named")
    hosts = execute(cluster, "cat /etc/hosts", "named")
    assert f"{ip_of(cluster, 'named')}\tnamed" in hosts
    assert "192.0.2.9\telsewhere" in hosts


def test_a_pod_may_say_which_name_servers_it_asks(cluster: Cluster) -> None:
    config = {"nameservers": ["10.96.0.10"], "searches": ["example.org"]}
    apply(cluster, pod("picky", sleeper(), dnsPolicy="None", dnsConfig=config))
    ready(cluster, "picky")
    text = execute(cluster, "cat /etc/resolv.conf", "picky")
    assert text.splitlines()[:2] == ["search example.org", "nameserver 10.96.0.10"] or (
        "nameserver 10.96.0.10" in text and "search example.org" in text
    )
    assert "svc.cluster.local" not in text


# -- EndpointSlices


def test_the_api_server_has_a_service_and_a_slice(cluster: Cluster) -> None:
    (one,) = slices(cluster, "kubernetes")
    assert (one.ports[0].name, one.ports[0].port) == ("https", 6443)
    assert answers(cluster, "tcp://kubernetes.default:443", 1) == {"node control-plane"}


def test_a_service_has_endpoints_in_both_forms_and_takes_them_along(cluster: Cluster) -> None:
    apply(cluster, service("both", 80, selector={"app": "web"}))
    cluster.run(3)
    listed = {e.addresses[0] for e in endpoints(cluster, "both")}
    assert listed == {ip_of(cluster, "one"), ip_of(cluster, "two")}
    old = call(cluster, "get", Endpoints, name="both")
    assert {a.ip for a in old.subsets[0].addresses} == listed
    cluster.kubectl("delete service both")
    cluster.run(5)
    assert slices(cluster, "both") == []
    with pytest.raises(ApiError, match="not found"):
        call(cluster, "get", Endpoints, name="both")


def test_two_ports_of_different_pods_stand_in_different_slices(cluster: Cluster) -> None:
    named = {"name": "api", "port": 80, "targetPort": "api"}
    for number in (8080, 8081):
        ports = [{"name": "api", "containerPort": number}]
        image = container(image=AGNHOST, args=["netexec", f"--http-port={number}"], ports=ports)
        apply(cluster, pod(f"port-{number}", image, labels={"app": "split"}))
    apply(cluster, service("split", named))
    ready(cluster, "port-8080", "port-8081")
    cluster.run(3)
    assert sorted(one.ports[0].port or 0 for one in slices(cluster, "split")) == [8080, 8081]
    assert answers(cluster, "http://split") == {"port-8080", "port-8081"}


@pytest.mark.parametrize("split", ["addresses", "ports"])
def test_slices_that_people_write_add_up(cluster: Cluster, split: str) -> None:
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    apply(cluster, service("manual", *ports, selector={}))
    one, two = ip_of(cluster, "one"), ip_of(cluster, "two")
    both = [{"name": "a", "port": 8080}, {"name": "b", "port": 8080}]
    parts = (
        [([one], both), ([two], both)]
        if split == "addresses"
        else [([one], both[:1]), ([two], both[1:])]
    )
    for number, (addresses, listed) in enumerate(parts):
        create(
            cluster,
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"manual-{number}",
                    "labels": {"kubernetes.io/service-name": "manual"},
                },
                "addressType": "IPv4",
                "endpoints": [{"addresses": [ip]} for ip in addresses],
                "ports": listed,
            },
        )
    cluster.run(3)
    wanted = {"one", "two"} if split == "addresses" else {"one"}
    assert answers(cluster, "http://manual:80") == wanted
    assert answers(cluster, "http://manual:81") == ({"two"} if split == "ports" else wanted)


def test_endpoints_that_people_write_are_copied_changed_and_deleted(cluster: Cluster) -> None:
    apply(cluster, service("copied", 80, selector={}))
    subset = {"addresses": [{"ip": ip_of(cluster, "one")}], "ports": [{"port": 8080}]}
    manifest = {"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "copied"}}
    create(cluster, {**manifest, "subsets": [subset]})
    cluster.run(3)
    assert answers(cluster, "http://copied") == {"one"}
    moved = [{**subset, "addresses": [{"ip": ip_of(cluster, "two")}]}]
    patch(cluster, "endpoints", "copied", {"subsets": moved})
    cluster.run(3)
    assert answers(cluster, "http://copied") == {"two"}
    cluster.kubectl("delete endpoints copied")
    cluster.run(3)
    assert answers(cluster, "http://copied", 1) == {"refused"}


# -- the API of each kind


MANIFESTS: dict[str, dict[str, Any]] = {
    "EndpointSlice": {
        "apiVersion": "discovery.k8s.io/v1",
        "addressType": "IPv4",
        "endpoints": [{"addresses": ["192.0.2.1"]}],
        "ports": [{"name": "http", "port": 80}],
    },
    "Ingress": {
        "apiVersion": "networking.k8s.io/v1",
        "spec": {"defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
    },
    "IngressClass": {
        "apiVersion": "networking.k8s.io/v1",
        "spec": {"controller": "example.com/controller"},
    },
    "Endpoints": {
        "apiVersion": "v1",
        "subsets": [{"addresses": [{"ip": "192.0.2.1"}], "ports": [{"port": 80}]}],
    },
    "Service": {"apiVersion": "v1", "spec": {"ports": [{"port": 80}]}},
}
KINDS = {
    "EndpointSlice": EndpointSlice,
    "Ingress": Ingress,
    "IngressClass": IngressClass,
    "Endpoints": Endpoints,
    "Service": Service,
}


@pytest.mark.parametrize("name", MANIFESTS)
def test_a_kind_is_created_read_listed_patched_replaced_and_deleted_as_a_collection(
    cluster: Cluster, name: str
) -> None:
    kind = KINDS[name]
    namespaced = {} if name != "IngressClass" else {"namespace": ""}
    for number in range(2):
        metadata = {"name": f"some-{number}", "labels": {"set": "some"}}
        body = load({**MANIFESTS[name], "kind": name, "metadata": metadata})
        call(cluster, "create", kind, body=body, **namespaced)
    found = call(cluster, "get", kind, name="some-0", **namespaced)
    assert found.metadata.uid
    listed = call(cluster, "list", kind, label_selector="set=some", **namespaced)
    assert [each.metadata.name for each in listed.items] == ["some-0", "some-1"]
    change = {"metadata": {"annotations": {"patched": "true"}}}
    patched = call(
        cluster, "patch", kind, name="some-0", body=change, patch_type=MERGE_PATCH, **namespaced
    )
    assert patched.metadata.annotations["patched"] == "true"
    updated = call(cluster, "update", kind, name="some-0", body=patched, **namespaced)
    assert updated.metadata.uid == found.metadata.uid
    call(cluster, "deletecollection", kind, label_selector="set=some", **namespaced)
    cluster.run(3)
    left = call(cluster, "list", kind, label_selector="set=some", **namespaced)
    assert list(left.items) == []


# -- Pods among one another


@pytest.mark.parametrize("protocol", ["http", "udp"])
def test_pods_reach_each_other_and_nodes_reach_pods(cluster: Cluster, protocol: str) -> None:
    target = ip_of(cluster, "two")
    port = 8080 if protocol == "http" else 8081
    query = f"request=hostname&protocol={protocol}&host={target}&port={port}&tries=1"
    url = f"http://{ip_of(cluster, 'one')}:8080/dial?{query}"
    assert json.loads(execute(cluster, f'wget -qO- "{url}"'))["responses"] == ["two"]
    if protocol == "http":
        for node in ("worker-1", "worker-2"):
            assert answers(cluster, f"http://{target}:8080", 1, f"node/{node}") == {"two"}
    else:
        assert execute(cluster, f"echo hostname | nc -u -w 1 {target} 8081") == "two"


def test_the_same_host_port_serves_pods_by_address_and_protocol(cluster: Cluster) -> None:
    node = get(cluster, "one").spec.nodeName
    host = next(ip for ip in cluster.node(node).net.local_addresses if ip.startswith("192.168."))
    for name, ip, protocol in (
        ("host-a", "127.0.0.1", "TCP"),
        ("host-b", host, "TCP"),
        ("host-c", host, "UDP"),
    ):
        number = 8080 if protocol == "TCP" else 8081
        port = {"containerPort": number, "hostPort": 54323, "protocol": protocol, "hostIP": ip}
        image = container(image=AGNHOST, args=["netexec"], ports=[port])
        apply(cluster, pod(name, image, nodeSelector={"kubernetes.io/hostname": node}))
        ready(cluster, name)
    assert answers(cluster, f"http://{host}:54323", 2) == {"host-b"}
    assert answers(cluster, "http://127.0.0.1:54323", 2, f"node/{node}") == {"host-a"}
    assert execute(cluster, f"echo hostname | nc -u -w 1 {host} 54323") == "host-c"


# -- Services


def test_endpoints_come_and_go_with_pods(cluster: Cluster) -> None:
    apply(cluster, service("basic", 80, selector={"app": "basic"}))
    cluster.run(3)
    assert endpoints(cluster, "basic") == []
    apply(cluster, netexec("basic-1", app="basic"))
    ready(cluster, "basic-1")
    cluster.run(3)
    assert [e.addresses[0] for e in endpoints(cluster, "basic")] == [ip_of(cluster, "basic-1")]
    cluster.kubectl("delete pod basic-1")
    cluster.run(3)
    assert endpoints(cluster, "basic") == []


def test_each_port_of_a_service_has_its_own_endpoints(cluster: Cluster) -> None:
    ports = [
        {"name": "web", "port": 80, "targetPort": 8080},
        {"name": "closed", "port": 81, "targetPort": 9999},
    ]
    apply(cluster, service("multi", *ports, selector={"app": "web"}))
    cluster.run(3)
    assert answers(cluster, "http://multi:80") == {"one", "two"}
    assert answers(cluster, "http://multi:81", 1) == {"refused"}


def test_one_number_serves_two_protocols(cluster: Cluster) -> None:
    ports = [
        {"name": "tcp", "port": 80, "targetPort": 8080, "protocol": "TCP"},
        {"name": "udp", "port": 80, "targetPort": 8081, "protocol": "UDP"},
    ]
    apply(cluster, service("same", *ports, selector={"app": "web"}))
    cluster.run(3)
    assert answers(cluster, "http://same:80") == {"one", "two"}
    asked = {execute(cluster, "echo hostname | nc -u -w 1 same 80") for _ in range(8)}
    assert asked == {"one", "two"}


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_a_service_changes_to_and_from_an_external_name(cluster: Cluster, kind: str) -> None:
    name = f"changing-{kind.lower()}"
    external = {"type": "ExternalName", "externalName": "web.default.svc.cluster.local"}
    apply(cluster, service(name, {"port": 80, "targetPort": 8080}, selector={"app": "web"}))
    patch(cluster, "svc", name, {"spec": {**external, "clusterIP": "", "clusterIPs": None}})
    cluster.run(3)
    assert cluster_ip(cluster, name) == ""
    assert answers(cluster, f"http://{name}") == {"one", "two"}  # by the other name
    patch(cluster, "svc", name, {"spec": {"type": kind, "externalName": None}})
    cluster.run(3)
    assert cluster_ip(cluster, name).startswith("10.")
    assert bool(port_of(cluster, name)) is (kind == "NodePort")
    assert answers(cluster, f"http://{name}") == {"one", "two"}


def test_a_node_port_answers_on_every_node(cluster: Cluster) -> None:
    port = {"port": 80, "targetPort": 8080}
    apply(cluster, service("ported", port, selector={"app": "web"}, type="NodePort"))
    cluster.run(3)
    for node in ("worker-1", "worker-2", "control-plane"):
        ips = cluster.node(node).net.local_addresses
        host = next(ip for ip in ips if ip.startswith("192.168."))
        assert answers(cluster, f"http://{host}:{port_of(cluster, 'ported')}") == {"one", "two"}


@pytest.mark.parametrize("kind", ["ClusterIP", "NodePort"])
def test_affinity_is_switched_on_and_off(cluster: Cluster, kind: str) -> None:
    name, port = f"sticky-{kind.lower()}", {"port": 80, "targetPort": 8080}
    apply(cluster, service(name, port, selector={"app": "web"}, type=kind))
    url = f"http://{name}"
    for affinity, pods_seen in (("ClientIP", 1), ("None", 2), ("ClientIP", 1)):
        patch(cluster, "svc", name, {"spec": {"sessionAffinity": affinity}})
        cluster.run(3)
        if kind == "NodePort":
            ips = cluster.node("worker-1").net.local_addresses
            host = next(ip for ip in ips if ip.startswith("192.168."))
            url = f"http://{host}:{port_of(cluster, name)}"
        assert len(answers(cluster, url, 12)) == pods_seen


def test_a_service_is_found_in_the_list_of_all_namespaces(cluster: Cluster) -> None:
    listed = cluster.kubectl("get services --all-namespaces")
    assert any(line.split()[:2] == ["default", "kubernetes"] for line in listed.splitlines())


def test_the_status_of_a_service_is_written_apart_from_the_rest(cluster: Cluster) -> None:
    apply(cluster, service("status", 80, type="LoadBalancer"))
    ingress = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.99"}]}}}
    fields = {"name": "status", "body": ingress, "patch_type": MERGE_PATCH}
    assert not call(cluster, "patch", Service, **fields).status.loadBalancer.ingress
    written = call(cluster, "patch", Service, subresource="status", **fields)
    assert written.status.loadBalancer.ingress[0].ip == "203.0.113.99"


def test_endpoints_follow_twenty_services_within_a_second_or_two(cluster: Cluster) -> None:
    apply(cluster, deployment("many", 1))
    ready(cluster, "deployment/many")
    (target,) = pods(cluster, "many")
    before = cluster.now
    apply(cluster, *(service(f"many-{n}", 80, selector={"app": "many"}) for n in range(20)))
    cluster.run_until(lambda lab: all(endpoints(lab, f"many-{n}") for n in range(20)))
    assert cluster.now - before < 2
    assert endpoints(cluster, "many-7")[0].addresses[0] == target.status.podIP
