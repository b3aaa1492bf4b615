from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.scheme import resource_for
from k8slab.client import Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.sim import Simulation


class Lab:
    """An API server on an etcd, and short words for requests to it."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        self.backend = Backend()
        self.endpoint = Endpoint()
        self.endpoint.serve(Etcd(self.sim, self.backend))
        self.server = APIServer(self.sim, self.endpoint)
        self.server.start()
        self.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}})
        self.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})

    def request(self, verb: str, kind: str, name: str = "", **fields: Any) -> Any:
        resource = resource_for(kind)
        namespace = fields.pop("namespace", "default" if resource.namespaced else "")
        return self.server.handle(
            Request(
                verb=verb,
                resource=resource.plural,
                group=resource.group,
                namespace=namespace,
                name=name,
                **fields,
            )
        )

    def create(self, manifest: dict[str, Any], **fields: Any) -> Any:
        return self.request("create", manifest["kind"], body=load(manifest), **fields)

    def get(self, kind: str, name: str) -> Any:
        return self.request("get", kind, name)

    def patch(self, kind: str, name: str, patch: Any, patch_type: str, **fields: Any) -> Any:
        return self.request("patch", kind, name, body=patch, patch_type=patch_type, **fields)


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def pod() -> Callable[..., dict[str, Any]]:
    def make(name: str = "web", **metadata: Any) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, **metadata},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        }

    return make
