"""The last mile from outside: a host and a path, a proxy's Pod, an endpoint."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.addons import manifests

APPS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: NAME, namespace: default}
spec:
  replicas: 2
  selector: {matchLabels: {app: NAME}}
  template:
    metadata: {labels: {app: NAME}}
    spec: {containers: [{name: NAME, image: "traefik/whoami:v1.11"}]}
---
apiVersion: v1
kind: Service
metadata: {name: NAME, namespace: default}
spec: {selector: {app: NAME}, ports: [{port: 80}]}
---
"""
CLIENT = """
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec: {containers: [{name: client, image: "busybox:1.37", command: [sleep, "86400"]}]}
"""
ROUTE = """
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front, namespace: default}
spec:
  gatewayClassName: nginx
  listeners: [{name: http, port: 80, protocol: HTTP}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop, namespace: default}
spec:
  parentRefs: [{name: front}]
  hostnames: [shop.example]
  rules:
  - backendRefs: [{name: web, port: 80, weight: 3}, {name: cart, port: 80, weight: 1}]
  - matches: [{path: {value: /cart}}]
    filters:
    - type: URLRewrite
      urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}
    backendRefs: [{name: cart, port: 80}]
  - matches: [{path: {value: /gone}}]
    backendRefs: [{name: nothing, port: 80}]
"""
INGRESS = (
    'create ingress shop --class=nginx --rule="shop.example/*=web:80" '
    '--rule="shop.example/cart*=cart:80" --rule="shop.example/gone*=nothing:80"'
)
IP = "203.0.113.1"


def lab(*addons: str, cloud: bool = True) -> Cluster:
    cluster = Cluster(workers=2, seed=7)
    for name in ("cloud-controller-manager", *addons) if cloud else addons:
        cluster.apply(manifests.text(name))
        cluster.run(2)
    cluster.apply(APPS.replace("NAME", "web") + APPS.replace("NAME", "cart") + CLIENT)
    return cluster


@pytest.fixture(scope="module")
def ingress() -> Cluster:
    cluster = lab("ingress-nginx")
    cluster.kubectl(INGRESS)
    cluster.run(90)
    return cluster


@pytest.fixture(scope="module")
def gateway() -> Cluster:
    cluster = lab("gateway-api", "nginx-gateway")
    cluster.apply(ROUTE)
    cluster.run(60)
    return cluster


def get(
    cluster: Cluster, path: str, *headers: str, ip: str = IP, host: str = "shop.example"
) -> str:
    words = " ".join(f"--header '{each}'" for each in (f"Host: {host}", *headers))
    return cluster.kubectl(f"exec client -- wget -qO- {words} http://{ip}{path}")


@pytest.mark.parametrize("name", ["ingress", "gateway"])
def test_host_and_path_say_which_pods_answer(name: str, request: pytest.FixtureRequest) -> None:
    cluster = request.getfixturevalue(name)
    assert "Hostname: cart-" in get(cluster, "/cart/x")
    assert "Hostname: web-" in get(cluster, "/other" if name == "ingress" else "/")
    assert "404 Not Found" in get(cluster, "/", host="other.example")
    assert "404 Not Found" in cluster.request("outside", f"http://{IP}/").body


def test_the_pod_sees_the_proxy_and_hears_of_the_client(ingress: Cluster) -> None:
    seen = get(ingress, "/", "X-Forwarded-For: 1.2.3.4")
    client = ingress.kubectl("get pod client -o jsonpath={.status.podIP}").strip()
    assert f"X-Forwarded-For: {client}\n" in seen
    assert "X-Original-Forwarded-For: 1.2.3.4" in seen
    assert f"RemoteAddr: {client}" not in seen


def test_a_client_from_outside_comes_by_name_and_keeps_its_address(ingress: Cluster) -> None:
    ingress.world.upstream.records["shop.example"] = [IP]
    answer = ingress.request("outside", "http://shop.example/cart")
    assert answer.served_by.startswith("ingress-nginx/ingress-nginx-controller-")
    assert "Hostname: cart-" in answer.body
    assert "X-Forwarded-For: 192.168.10.2\n" in answer.body


def test_an_ingress_with_a_certificate_sends_its_clients_to_https(ingress: Cluster) -> None:
    ingress.world.upstream.records["safe.example"] = [IP]
    ingress.kubectl('create ingress safe --class=nginx --rule="safe.example/*=web:80,tls=cert"')
    ingress.run(10)
    assert ingress.request("outside", "http://safe.example/x").status == 308
    assert "X-Forwarded-Proto: https" in ingress.request("outside", "https://safe.example/").body
    logs = ingress.kubectl("logs -n ingress-nginx deployment/ingress-nginx-controller")
    assert "local SSL certificate default/cert was not found. Using default certificate" in logs


def test_requests_take_turns_over_the_endpoints(ingress: Cluster) -> None:
    names = [get(ingress, "/").splitlines()[0] for _ in range(4)]
    assert names[:2] == names[2:]
    assert len(dict.fromkeys(names)) == 2


def test_a_service_without_endpoints_is_unavailable(ingress: Cluster) -> None:
    assert "503" in get(ingress, "/gone")


SILENT = """
apiVersion: v1
kind: Pod
metadata: {name: silent, namespace: default, labels: {app: silent}}
spec: {containers: [{name: silent, image: "busybox:1.37", command: [nc, -lk, -p, "8080"]}]}
---
apiVersion: v1
kind: Service
metadata: {name: silent, namespace: default}
spec:
  selector: {app: silent}
  ports: [{name: silent, port: 80, targetPort: 8080}, {name: closed, port: 81}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: silent
  namespace: default
  annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: "3"}
spec:
  ingressClassName: nginx
  rules:
  - host: bad.example
    http:
      paths:
      - path: /silent
        pathType: Prefix
        backend: {service: {name: silent, port: {name: silent}}}
      - path: /closed
        pathType: Prefix
        backend: {service: {name: silent, port: {name: closed}}}
"""


@pytest.mark.parametrize(("path", "status"), [("silent", 504), ("closed", 502)])
def test_endpoints_that_say_nothing_or_refuse_are_told_apart(
    ingress: Cluster, path: str, status: int
) -> None:
    ingress.world.upstream.records["bad.example"] = [IP]
    ingress.apply(SILENT)
    ingress.run_until("pod/silent ready")
    ingress.run(10)
    assert ingress.request("outside", f"http://bad.example/{path}").status == status


def test_the_address_is_published_and_told(ingress: Cluster) -> None:
    assert IP in ingress.kubectl("get ingress shop")
    assert "Scheduled for sync" in ingress.kubectl("describe ingress shop")
    line = ingress.kubectl("logs -n ingress-nginx deployment/ingress-nginx-controller")
    assert '"GET /cart/x HTTP/1.1" 200' in line or '"GET / HTTP/1.1"' in line


def test_without_a_cloud_the_node_port_leads_to_the_proxy() -> None:
    cluster = lab("ingress-nginx", cloud=False)
    cluster.kubectl(
        "patch svc -n ingress-nginx ingress-nginx-controller --type merge -p "
        '\'{"spec":{"externalTrafficPolicy":"Cluster"}}\''
    )
    cluster.kubectl(INGRESS)
    cluster.run(60)
    port = cluster.kubectl(
        "get svc -n ingress-nginx ingress-nginx-controller -o jsonpath={.spec.ports[0].nodePort}"
    ).strip()
    assert "Hostname: web-" in get(cluster, "/", ip=f"192.168.10.11:{port}")


def test_a_route_has_weights_and_changes_paths(gateway: Cluster) -> None:
    names = [get(gateway, "/").split()[1].partition("-")[0] for _ in range(40)]
    assert 20 <= names.count("web") < 40
    assert "GET /x HTTP/1.1" in get(gateway, "/cart/x")
    assert "500" in get(gateway, "/gone")
    assert "X-Forwarded-For: 1.2.3.4, 10.244." in get(gateway, "/", "X-Forwarded-For: 1.2.3.4")


def test_everybody_is_told_what_became_of_their_object(gateway: Cluster) -> None:
    path = "{.status.parents[0].conditions[*].reason}"
    found = gateway.kubectl(f"get httproute shop -o jsonpath={path}")
    assert found.split() == ["Accepted", "BackendNotFound"]
    listed = gateway.kubectl("get gateway front").splitlines()[1].split()
    assert listed[:4] == ["front", "nginx", IP, "True"]
    assert "True" in gateway.kubectl("get gatewayclass nginx")


def test_without_the_definitions_the_controller_waits_in_back_off() -> None:
    cluster = Cluster(workers=1, seed=7)
    cluster.apply(manifests.text("nginx-gateway").rpartition("---\n")[0])
    cluster.run(30)
    logs = cluster.kubectl("logs -n nginx-gateway deployment/nginx-gateway --previous")
    assert 'no matches for kind "GatewayClass"' in logs
    cluster.apply(manifests.text("gateway-api"))
    cluster.run(120)
    assert "1/1" in cluster.kubectl("get deployment -n nginx-gateway")
