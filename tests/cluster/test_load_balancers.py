"""A Service of type LoadBalancer, from its order to a request from outside."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.addons import manifests
from k8slab.api.core import Service
from k8slab.linux.addresses import url_host
from tests.cluster.conftest import WEB

MANIFEST = manifests.text("cloud-controller-manager")
URL = "http://203.0.113.1"
LOCAL = 'patch svc front -p \'{"spec":{"externalTrafficPolicy":"Local"}}\''


def expose(cluster: Cluster, mode: str = "VIP") -> None:
    cluster.apply(MANIFEST.replace("=VIP", f"={mode}"))
    cluster.kubectl("expose deployment web --name front --port 80 --type LoadBalancer")
    cluster.run(20)


@pytest.mark.parametrize("mode", ["VIP", "Proxy"])
def test_a_client_from_outside_reaches_the_pods(cluster: Cluster, mode: str) -> None:
    assert cluster.request("outside", URL).outcome == "timed out"
    expose(cluster, mode)
    answers = [cluster.request("outside", URL) for _ in range(12)]
    assert all(answer.ok for answer in answers)
    assert len({answer.served_by for answer in answers}) == 3
    through_router = {h.namespace == "router" for h in answers[0].hops if h.direction == "reply"}
    assert through_router == ({False} if mode == "VIP" else {True, False})


def test_a_pod_goes_straight_to_the_endpoints_unless_the_load_balancer_rewrites(
    cluster: Cluster,
) -> None:
    expose(cluster)
    answer = cluster.request("pod/client", URL)
    assert answer.ok
    assert "router" not in {hop.namespace for hop in answer.hops}


def test_under_the_policy_local_only_nodes_with_endpoints_are_sent_to(cluster: Cluster) -> None:
    expose(cluster)
    cluster.kubectl(LOCAL)
    cluster.kubectl("scale deployment web --replicas=1")
    cluster.run(60)
    answers = [cluster.request("outside", URL) for _ in range(4)]
    assert all(answer.ok for answer in answers)
    (node,) = {answer.served_by.split()[-1] for answer in answers}
    assert [each.name for each in cluster.world.load_balancers.healthy("default/front")] == [node]
    health = cluster.view.get(Service, "front").spec.healthCheckNodePort  # type: ignore[union-attr]
    found = {n: cluster.request("outside", f"http://{ip}:{health}/healthz") for n, ip in nodes()}
    assert {name for name, answer in found.items() if answer.status == 200} == {node}


def nodes() -> list[tuple[str, str]]:
    return [(f"worker-{number}", f"192.168.10.{10 + number}") for number in (1, 2, 3)]


def test_the_load_balancer_outlives_its_controller_and_a_dead_node(cluster: Cluster) -> None:
    expose(cluster)
    cluster.kubectl("delete deployment cloud-controller-manager -n kube-system")
    cluster.run(40)
    (route,) = [route for route in cluster.world.router.routes if route.protocol == "static"]
    (name,) = [name for name, ip in nodes() if ip == route.gateway]
    cluster.break_node(name)
    cluster.run(90)
    assert {cluster.request("outside", URL).outcome for _ in range(4)} == {"answered"}


def test_a_deleted_service_goes_after_its_load_balancer(cluster: Cluster) -> None:
    expose(cluster)
    cluster.kubectl("delete service front")
    cluster.run(5)
    assert cluster.view.get(Service, "front") is None
    assert cluster.request("outside", URL).outcome == "timed out"
    assert "DeletedLoadBalancer" in cluster.kubectl("get events")


def test_kubectl_tells_the_address_and_what_was_done(cluster: Cluster) -> None:
    cluster.kubectl("expose deployment web --name front --port 80 --type LoadBalancer")
    assert "<pending>" in cluster.kubectl("get service front")
    expose(cluster)
    described = cluster.kubectl("describe service front")
    assert "LoadBalancer Ingress:     203.0.113.1 (VIP)" in described
    assert "Ensured load balancer" in described


FRONT = """
apiVersion: v1
kind: Service
metadata: {name: front, namespace: default}
spec:
  type: LoadBalancer
  ipFamilyPolicy: PreferDualStack
  selector: {app: web}
  ports: [{port: 80}]
  loadBalancerSourceRanges: [192.168.10.0/24, "fc00:f853:ccd:e793::/64"]
"""


@pytest.mark.parametrize("mode", ["VIP", "Proxy"])
@pytest.mark.parametrize("families", [("IPv4", "IPv6"), ("IPv6",)])
def test_each_family_has_an_address_and_a_way_in(families: tuple[str, ...], mode: str) -> None:
    made = Cluster(workers=2, seed=7, ip_families=families)
    made.apply(WEB)
    made.apply(MANIFEST.replace("=VIP", f"={mode}"))
    made.apply(FRONT)
    made.run_until("deployment/web available")
    made.run(20)
    ingress = made.view.get(Service, "front").status.loadBalancer.ingress  # type: ignore[union-attr]
    wanted = {"IPv4": "203.0.113.1", "IPv6": "2001:db8:113::1"}
    assert [(each.ip, each.ipMode) for each in ingress] == [(wanted[f], mode) for f in families]
    for url in (f"http://{url_host(each.ip)}" for each in ingress):
        answers = [made.request("outside", url) for _ in range(12)]
        assert all(answer.ok for answer in answers)
        assert len({answer.served_by for answer in answers}) > 1
        assert made.request("pod/client", url).ok == (mode == "Proxy")  # no Pod is in the ranges
