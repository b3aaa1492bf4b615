from __future__ import annotations

from typing import Any

import pytest

from k8slab.addons.ingress.endpoints import targets
from k8slab.addons.ingress.ingress_rules import is_ours, rules, status_of
from k8slab.addons.ingress.routing import Asked, Backend, Table
from k8slab.api import load
from k8slab.api.networking import Ingress, IngressClass

CONTROLLER = "k8s.io/ingress-nginx"


def backend(name: str, port: Any = 80) -> dict[str, Any]:
    return {
        "service": {"name": name, "port": {"name" if isinstance(port, str) else "number": port}}
    }


def ingress(
    name: str = "one",
    paths: tuple[tuple[str, str, str], ...] = (),
    host: str = "shop.example",
    created: str = "2026-01-01T00:00:00Z",
    annotations: dict[str, str] | None = None,
    **spec: Any,
) -> Ingress:
    listed = [{"path": p, "pathType": kind, "backend": backend(to)} for p, kind, to in paths]
    return load(  # type: ignore[return-value]
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "Ingress",
            "metadata": {
                "name": name,
                "namespace": "default",
                "creationTimestamp": created,
                "annotations": annotations or {},
            },
            "spec": {"rules": [{"host": host, "http": {"paths": listed}}] if paths else [], **spec},
        }
    )


def goes_to(
    *ingresses: Ingress, host: str = "shop.example", path: str = "/", port: int = 80
) -> str:
    found = Table(rules(ingresses)).find(port, host, Asked(path=path))
    if found is None:
        return "404"
    return found.redirect.scheme if found.redirect else found.backends[0].service


SHOP = ingress(
    paths=(
        ("/", "Prefix", "root"),
        ("/cart", "Prefix", "cart"),
        ("/cart/old", "Prefix", "old"),
        ("/cart", "Exact", "exact"),
        ("/img", "ImplementationSpecific", "images"),
    )
)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/", "root"),
        ("/cart", "exact"),
        ("/cart/", "cart"),
        ("/cart/old/1", "old"),
        ("/carts", "root"),
        ("/imgs", "images"),
    ],
)
def test_exact_paths_go_first_then_the_longest(path: str, service: str) -> None:
    assert goes_to(SHOP, path=path) == service


def test_of_equal_paths_that_of_the_oldest_ingress_counts() -> None:
    young = ingress("a", (("/", "Prefix", "young"),), created="2026-01-02T00:00:00Z")
    assert goes_to(young, SHOP) == "root"


def test_a_default_backend_takes_what_no_path_takes() -> None:
    only = ingress(defaultBackend=backend("fallback"))
    assert goes_to(only, host="any.example", path="/x") == "fallback"
    both = ingress(paths=(("/a", "Prefix", "a"),), defaultBackend=backend("fallback"))
    assert goes_to(both, path="/b") == "fallback"
    assert goes_to(ingress(paths=(("/a", "Prefix", "a"),)), path="/b") == "404"


def test_with_a_certificate_plain_requests_are_sent_to_https() -> None:
    tls = [{"hosts": ["shop.example"], "secretName": "cert"}]
    secure = ingress(paths=(("/", "Prefix", "root"),), tls=tls)
    assert (goes_to(secure), goes_to(secure, port=443)) == ("https", "root")
    off = {"nginx.ingress.kubernetes.io/ssl-redirect": "false"}
    assert goes_to(ingress(paths=(("/", "Prefix", "root"),), tls=tls, annotations=off)) == "root"


def test_a_rewrite_target_makes_patterns_of_the_paths_of_its_host() -> None:
    annotations = {"nginx.ingress.kubernetes.io/rewrite-target": "/$1"}
    paths = (("/api/(.*)", "ImplementationSpecific", "api"),)
    assert goes_to(ingress(paths=paths, annotations=annotations), path="/api/x") == "api"


@pytest.mark.parametrize(
    ("class_name", "annotation", "expected"),
    [
        ("nginx", "", True),
        ("other", "", False),
        ("missing", "", False),
        (None, "", False),
        (None, "nginx", True),
        (None, "other", False),
    ],
)
def test_only_ingresses_of_its_class_are_its_own(
    class_name: str | None, annotation: str, expected: bool
) -> None:
    def made(name: str, controller: str) -> IngressClass:
        fields = {"metadata": {"name": name}, "spec": {"controller": controller}}
        return load({"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", **fields})  # type: ignore[return-value]

    classes = {"nginx": made("nginx", CONTROLLER), "other": made("other", "example.com/other")}
    annotations = {"kubernetes.io/ingress.class": annotation} if annotation else {}
    found = ingress(annotations=annotations, ingressClassName=class_name)
    assert is_ours(found, classes, CONTROLLER, "nginx") is expected


def service(**spec: Any) -> Any:
    ports = [{"name": "http", "port": 80}, {"name": "admin", "port": 81}]
    status = spec.pop("status", {})
    fields = {"metadata": {"name": "web", "namespace": "default"}, "status": status}
    return load({"apiVersion": "v1", "kind": "Service", "spec": {"ports": ports, **spec}, **fields})


def test_the_status_says_where_the_service_of_the_controller_is() -> None:
    given = {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}
    assert [at.ip for at in status_of(service(type="LoadBalancer", status=given))] == [
        "203.0.113.1"
    ]
    assert [at.ip for at in status_of(service(type="NodePort", clusterIP="10.96.1.1"))] == [
        "10.96.1.1"
    ]
    assert status_of(service(type="LoadBalancer")) == status_of(None) == ()


def test_requests_go_to_ready_endpoints_of_the_port_by_name_or_number() -> None:
    slice_ = load(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {"name": "web-1", "namespace": "default"},
            "addressType": "IPv4",
            "ports": [{"name": "http", "port": 8080}, {"name": "admin", "port": 8081}],
            "endpoints": [
                {"addresses": ["10.244.1.3"], "conditions": {"ready": True}},
                {"addresses": ["10.244.1.2"]},
                {"addresses": ["10.244.1.4"], "conditions": {"ready": False}},
            ],
        }
    )
    found = targets(service(), [slice_], Backend("default", "web", "http"))  # type: ignore[list-item]
    assert found == (("10.244.1.2", 8080), ("10.244.1.3", 8080))
    assert targets(service(), [slice_], Backend("default", "web", 80)) == found  # type: ignore[list-item]
    assert targets(service(), [slice_], Backend("default", "web", 99)) == ()  # type: ignore[list-item]
