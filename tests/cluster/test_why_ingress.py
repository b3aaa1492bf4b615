"""A request from outside that fails: which layer it was, along an Ingress and along a Gateway."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from tests.cluster.test_ingress import INGRESS, IP, ROUTE, lab

HOST = "shop.example"
MORE = """
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: lost, namespace: default}
spec: {ingressClassName: nonsense, rules: [{host: lost.example}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: classless, namespace: default}
spec: {rules: [{host: classless.example}]}
---
apiVersion: v1
kind: Service
metadata: {name: idle, namespace: default}
spec: {selector: {app: idle}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: shut, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 81}]}
"""
RULES = (
    'create ingress more --class=nginx --rule="more.example/idle*=idle:80" '
    '--rule="more.example/shut*=shut:80" --rule="more.example/port*=web:81"'
)
FOREIGN = """
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: foreign, namespace: kube-system}
spec:
  parentRefs: [{name: front, namespace: default}]
  hostnames: [foreign.example]
  rules: [{backendRefs: [{name: kube-dns, port: 53}]}]
"""
HOSTS = ("shop", "more", "lost", "classless", "none", "foreign")


@pytest.fixture(scope="module")
def ingress() -> Cluster:
    cluster = lab("ingress-nginx")
    cluster.kubectl(INGRESS)
    cluster.apply(MORE)
    cluster.kubectl(RULES)
    return named(cluster)


@pytest.fixture(scope="module")
def gateway() -> Cluster:
    cluster = lab("gateway-api", "nginx-gateway")
    cluster.apply(ROUTE)
    cluster.apply(FOREIGN)
    return named(cluster)


def named(cluster: Cluster) -> Cluster:
    for host in HOSTS:
        cluster.world.upstream.records[f"{host}.example"] = [IP]
    cluster.run(90)
    return cluster


def why(cluster: Cluster, where: str) -> str:
    return str(cluster.why(cluster.request("outside", f"http://{where}", timeout=3)))


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("shop.example/cart", "Ingress default/shop sends shop.example/cart to cart:80"),
        (
            "none.example/",
            "no Ingress is for the host none.example (there are more.example, shop.e",
        ),
        ("more.example/nope", "no path of host more.example fits /nope (there are /"),
        ("lost.example/", 'Ingress default/lost is for that host, and there is no IngressClass "n'),
        ("classless.example/", "and it names no class, so nobody acts on it (IngressClasses: ngi"),
        ("shop.example/gone", "there is no Service/default/nothing (there are cart, "),
        ("more.example/port", "Service web has no port 81: it has 80/TCP"),
        ("more.example/idle", "Service idle: it has no endpoints: "),
        ("more.example/shut", "are ready and refuse connections at port 81"),
    ],
)
def test_an_ingress_names_the_layer(ingress: Cluster, where: str, says: str) -> None:
    assert says in why(ingress, where)


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("shop.example/cart", "HTTPRoute default/shop sends shop.example/cart to cart:80"),
        ("none.example/", "no HTTPRoute is for the host none.example (there are shop.example)"),
        ("shop.example/gone", "there is no Service/default/nothing (there are cart, "),
        (
            "foreign.example/",
            "Gateway front does not carry HTTPRoute kube-system/foreign: NotAllowedByListeners",
        ),
    ],
)
def test_a_gateway_names_the_layer(gateway: Cluster, where: str, says: str) -> None:
    assert says in why(gateway, where)


def test_what_runs_can_be_read(ingress: Cluster) -> None:
    explanation = ingress.why(ingress.request("outside", "http://none.example"))
    assert "def rules(" in explanation.source


def test_before_the_proxy_the_service_is_named_by_each_of_its_addresses() -> None:
    cluster = lab("ingress-nginx")
    cluster.run(90)
    cluster.kubectl("scale deployment -n ingress-nginx ingress-nginx-controller --replicas=0")
    cluster.run(5)
    path = "{.spec.ports[0].nodePort}"
    service = "service -n ingress-nginx ingress-nginx-controller"
    port = cluster.kubectl(f"get {service} -o jsonpath={path}")
    for where in (IP, f"192.168.10.11:{port}"):
        assert "Service ingress-nginx-controller: it has no endpoints" in why(cluster, where)
