"""Services and EndpointSlices in one line each, as raw as they may be."""

from __future__ import annotations

from typing import Any

from k8slab.api import load
from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice

VIP = "10.96.1.2"
POD, OUTSIDE = "10.244.9.9", "192.0.2.7"


def service(name: str = "web", port: int = 80, **spec: Any) -> Service:
    status = spec.pop("status", {})
    ports = spec.pop("ports", None) or [{"port": port}]
    return load(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": name},
            "spec": {"clusterIP": VIP, "ports": ports, **spec},
            "status": status,
        }
    )


def endpoint(ip: str, node: str = "node-1", **fields: Any) -> dict[str, Any]:
    return {"addresses": [ip], "nodeName": node, **fields}


def endpoint_slice(*endpoints: dict[str, Any], **fields: Any) -> EndpointSlice:
    service_name = fields.pop("service", "web")
    return load(
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": fields.pop("name", f"{service_name}-abcde"),
                "labels": {"kubernetes.io/service-name": service_name},
            },
            "addressType": "IPv4",
            "endpoints": list(endpoints),
            "ports": fields.pop("ports", None) or [{"port": 8080}],
        }
    )
