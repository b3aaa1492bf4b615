"""/proxy: the API server passes requests on to Pods, Services and nodes."""

from __future__ import annotations

import pytest

from k8slab import Cluster
from k8slab.client.http_call import HttpAnswer
from k8slab.gateway import proxying
from k8slab.gateway.messages import http_request

WEB = """
apiVersion: v1
kind: Pod
metadata: {name: web, labels: {app: web}}
spec:
  containers:
  - name: main
    image: registry.k8s.io/e2e-test-images/agnhost:2.53
    args: [netexec, --http-port=8080, --udp-port=-1]
    ports: [{name: http, containerPort: 8080}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: front, port: 80, targetPort: http}]}
---
apiVersion: v1
kind: Service
metadata: {name: empty}
spec: {selector: {app: nobody}, ports: [{port: 80}]}
"""
ROOT = "/api/v1/namespaces/default"


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    """A Pod that listens on 8080, behind a Service."""
    cluster = Cluster(workers=1, seed=4)
    cluster.apply(WEB)
    cluster.settle(5)
    return cluster


def raw(cluster: Cluster, path: str) -> str:
    """What `kubectl get --raw` prints."""
    return str(cluster.kubectl(f"get --raw {path}")).strip()


@pytest.mark.parametrize(
    "place",
    [
        "pods/web/proxy",  # the first port that is declared
        "pods/web:8080/proxy",
        "pods/http:web:8080/proxy",
        "services/web:80/proxy",
        "services/web:front/proxy",
        "services/http:web:front/proxy",
    ],
)
def test_a_request_is_passed_on(cluster: Cluster, place: str) -> None:
    assert raw(cluster, f"{ROOT}/{place}/echo?msg=hello%20you") == "hello you"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("services/web:81/proxy/", 'no service port 81 found for service "web"'),
        ("services/web:back/proxy/", 'no endpoints available for service "web:back"'),
        ("services/web/proxy/", 'no endpoints available for service "web"'),  # its port has a name
        ("services/empty/proxy/", 'no endpoints available for service "empty"'),
        ("services/gone/proxy/", 'services "gone" not found'),
        ("pods/gopher:web:70/proxy/", 'invalid pod request "gopher:web:70"'),
    ],
)
def test_a_place_that_is_none_is_told(cluster: Cluster, place: str, said: str) -> None:
    assert said in raw(cluster, f"{ROOT}/{place}")


def test_a_pod_that_does_not_listen_refuses(cluster: Cluster) -> None:
    said = raw(cluster, f"{ROOT}/pods/web:81/proxy/")
    address = str(cluster.kubectl("get pod web -o jsonpath={.status.podIP}"))
    assert said == (
        "Error from server (ServiceUnavailable): error trying to reach service: "
        f"dial tcp {address}:81: connect: connection refused"
    )


def test_a_kubelet_tells_of_its_node(cluster: Cluster) -> None:
    assert raw(cluster, "/api/v1/nodes/worker-1/proxy/healthz") == "ok"
    assert '"name":"web"' in raw(cluster, "/api/v1/nodes/worker-1/proxy/pods")
    assert 'pod="web"' in raw(cluster, "/api/v1/nodes/worker-1/proxy/metrics/resource")


def test_the_rules_of_the_network_hold_for_the_api_server() -> None:
    cluster = Cluster(workers=1, seed=4)
    cluster.apply(WEB)
    cluster.settle(5)
    address = str(cluster.kubectl("get pod web -o jsonpath={.status.podIP}"))
    rule = f"iptables -I OUTPUT -d {address} -p tcp -j REJECT --reject-with icmp-host-unreachable"
    cluster.node("control-plane").shell(rule)
    said = raw(cluster, f"{ROOT}/services/web:80/proxy/")
    assert said.endswith(f"dial tcp {address}:8080: connect: no route to host")


def test_who_may_not_is_refused() -> None:
    cluster = Cluster(workers=1, seed=4, rbac=True)
    said = cluster.kubectl(f"get --raw {ROOT}/services/web:80/proxy/ --as=ann")
    assert 'User "ann" cannot get resource "services/proxy" in API group ""' in said


def test_a_path_without_a_slash_is_sent_to_the_one_that_has_it() -> None:
    moved = proxying.redirect(http_request("GET", f"{ROOT}/services/web/proxy?id=7"))
    assert moved is not None
    assert (moved.status, moved.headers) == (
        301,
        (("Location", f"{ROOT}/services/web/proxy/?id=7"),),
    )


def test_what_is_for_the_api_server_alone_is_not_passed_on() -> None:
    given = {"authorization": "Bearer x", "accept": "text/html", "host": "127.0.0.1:8001"}
    call = proxying.call_of(http_request("GET", f"{ROOT}/services/web/proxy/a%20b", headers=given))
    assert call.target == "/a%20b"
    assert "Authorization" not in call.headers
    assert call.headers["Accept"] == "text/html"
    assert call.headers["X-Forwarded-Uri"] == f"{ROOT}/services/web/proxy/a%20b"


def test_links_of_pages_and_redirects_stay_behind_the_proxy() -> None:
    http = http_request("GET", f"{ROOT}/services/web/proxy/", headers={"host": "127.0.0.1:8001"})
    page = b"<a class=x href='/cart?id=7'>/cart</a> <img src=\"https://example.org/x.png\" alt=''>"
    answer = proxying.response(http, HttpAnswer(200, {"Content-Type": "text/html"}, page))
    assert answer.body == page.replace(b"'/cart", f"'{ROOT}/services/web/proxy/cart".encode())
    moved = proxying.response(http, HttpAnswer(302, {"Location": "/login"}))
    assert dict(moved.headers)["Location"] == f"{ROOT}/services/web/proxy/login"
