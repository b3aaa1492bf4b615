"""A small cluster, as raw objects: every kind of Service that has names."""

from __future__ import annotations

from typing import Any

from k8slab.addons.coredns import Answer, answer
from k8slab.api import load


def service(name: str, namespace: str = "default", **spec: Any) -> Any:
    metadata = {"name": name, "namespace": namespace}
    return load({"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec})


def slice_of(name: str, endpoints: list[dict[str, Any]], ports: list[dict[str, Any]]) -> Any:
    metadata = {
        "name": f"{name}-abcde",
        "namespace": "default",
        "labels": {"kubernetes.io/service-name": name},
    }
    return load(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": metadata,
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": ports,
        }
    )


HTTP = {"name": "http", "port": 80}
DNS = {"name": "dns", "port": 53, "protocol": "UDP"}
SERVICES = [
    service("web", clusterIP="10.96.1.2", ports=[HTTP, DNS]),
    service("db", clusterIP="None", ports=[{"name": "sql", "port": 5432}]),
    service("empty", clusterIP="None", ports=[HTTP]),
    service("peers", clusterIP="None"),
    service("dual", clusterIP="10.96.1.3", clusterIPs=["10.96.1.3", "fd00::3"], ports=[HTTP]),
    service("out", type="ExternalName", externalName="Example.COM"),
    service("alias", type="ExternalName", externalName="web.default.svc.cluster.local"),
    service("number", type="ExternalName", externalName="192.0.2.1"),
    service("loop", type="ExternalName", externalName="loop.default.svc.cluster.local"),
]
SLICES = [
    slice_of("web", [{"addresses": ["10.244.1.9"]}], [{"name": "http", "port": 8080}]),
    slice_of(
        "db",
        [
            {"addresses": ["10.244.1.5"], "hostname": "db-0"},
            {"addresses": ["10.244.1.6"]},
            {"addresses": ["10.244.1.7"], "conditions": {"ready": False}},
        ],
        [{"name": "sql", "port": 5432}],
    ),
    slice_of("empty", [{"addresses": ["10.244.1.8"], "conditions": {"ready": False}}], [HTTP]),
    slice_of("peers", [{"addresses": ["10.244.2.5"]}], []),
]


def ask(name: str, qtype: str = "A", **options: Any) -> Answer:
    return answer(name, qtype, services=SERVICES, endpoint_slices=SLICES, **options)


def data(found: Answer) -> list[str]:
    return [record.data for record in found.answers]
