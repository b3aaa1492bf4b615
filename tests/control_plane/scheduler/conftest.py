from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import to_builtins

from k8slab.api import load
from k8slab.api.core import Node, Pod
from k8slab.api.scheme import resource_for
from k8slab.client import Client, Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.control_plane.scheduler import Scheduler
from k8slab.sim import Group, Simulation

Make = Callable[..., Any]


class Lab:
    """A scheduler beside an API server, both on virtual time."""

    def __init__(self, **options: Any) -> None:
        self.sim = Simulation(seed=7)
        endpoint = Endpoint()
        endpoint.serve(Etcd(self.sim, Backend()))
        self.server = APIServer(self.sim, endpoint)
        self.server.start()
        self.refuse: Callable[[Request], Exception | None] = lambda request: None
        for kind in ("Namespace", "ServiceAccount"):
            self.create({"apiVersion": "v1", "kind": kind, "metadata": {"name": "default"}})
        self.start(**options)

    def start(self, **options: Any) -> None:
        """Run a scheduler as a process of its own."""
        self.scheduler = Scheduler(self.sim, Client(self, "system:kube-scheduler"), **options)
        self.process = Group("kube-scheduler")
        self.sim.spawn(self.scheduler.run(), "kube-scheduler", self.process)

    async def request(self, request: Request) -> Any:
        """Carry a request, as a transport does."""
        await self.sim.sleep(0.004)
        error = self.refuse(request)
        if error is not None:
            raise error
        return self.server.handle(request)

    def call(self, verb: str, kind: str, name: str = "", **fields: Any) -> Any:
        resource = resource_for(kind)
        namespace = "default" if resource.namespaced else ""
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

    def create(self, manifest: Any) -> Any:
        body = load(manifest) if isinstance(manifest, dict) else manifest
        stored = self.call("create", body.kind, body=body)
        if body.kind == "Node":  # what the node lifecycle controller does when the node is ready
            self.merge(
                "Node", body.metadata.name, {"spec": {"taints": to_builtins(body.spec.taints)}}
            )
        return stored

    def status(self, kind: str, name: str, status: dict[str, Any]) -> None:
        patch = {"status": status}
        patch_type = "application/merge-patch+json"
        self.call("patch", kind, name, body=patch, patch_type=patch_type, subresource="status")

    def merge(self, kind: str, name: str, patch: dict[str, Any]) -> None:
        self.call("patch", kind, name, body=patch, patch_type="application/merge-patch+json")

    def pod(self, name: str) -> Pod:
        found: Pod = self.call("get", "Pod", name)
        return found

    def run(self, seconds: float) -> None:
        self.sim.run(self.sim.now + seconds)

    def events(self, name: str) -> list[tuple[str, str]]:
        """The Events about a Pod, as (reason, message), in order."""
        found = self.call("list", "Event").items
        return [(e.reason, e.message) for e in found if e.involvedObject.name == name]


@pytest.fixture
def lab() -> Lab:
    return Lab()


@pytest.fixture
def make_lab() -> type[Lab]:
    return Lab


@pytest.fixture
def node() -> Make:
    def make(
        name: str = "node-1",
        *,
        cpu: str = "4",
        memory: str = "8Gi",
        pods: str = "110",
        labels: dict[str, str] | None = None,
        images: list[dict[str, Any]] | None = None,
        **spec: Any,
    ) -> Node:
        amounts = {"cpu": cpu, "memory": memory, "pods": pods}
        found: Node = load(
            {
                "apiVersion": "v1",
                "kind": "Node",
                "metadata": {
                    "name": name,
                    "labels": {"kubernetes.io/hostname": name, **(labels or {})},
                },
                "spec": spec,
                "status": {"allocatable": amounts, "capacity": amounts, "images": images or []},
            }
        )
        return found

    return make


@pytest.fixture
def pod() -> Make:
    def make(
        name: str = "web",
        *,
        cpu: str = "",
        memory: str = "",
        labels: dict[str, str] | None = None,
        namespace: str = "default",
        metadata: dict[str, Any] | None = None,
        status: dict[str, Any] | None = None,
        ports: list[dict[str, Any]] | None = None,
        **spec: Any,
    ) -> Pod:
        requests = {k: v for k, v in (("cpu", cpu), ("memory", memory)) if v}
        container = {
            "name": "c",
            "image": "nginx",
            "resources": {"requests": requests},
            "ports": ports or [],
        }
        found: Pod = load(
            {
                "apiVersion": "v1",
                "kind": "Pod",
                "metadata": {
                    "name": name,
                    "namespace": namespace,
                    "labels": labels or {},
                    **(metadata or {}),
                },
                "spec": {"containers": [container], **spec},
                "status": status or {},
            }
        )
        return found

    return make
