from __future__ import annotations

import json
from typing import Any

import pytest

from k8slab.client import Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.gateway.gateway import Gateway
from k8slab.gateway.messages import HttpResponse, HttpStream, http_request
from k8slab.sim import Simulation


class Direct:
    """A transport without a wire."""

    def __init__(self, server: APIServer) -> None:
        self.server = server

    async def request(self, request: Request) -> Any:
        answer = self.server.handle(request)
        return await answer if hasattr(answer, "__await__") else answer


class Lab:
    """A gateway on an API server on an etcd, without sockets."""

    def __init__(self, **server: Any) -> None:
        self.sim = Simulation(seed=7)
        self.backend = Backend()
        self.endpoint = Endpoint()
        self.endpoint.serve(Etcd(self.sim, self.backend))
        self.server = APIServer(self.sim, self.endpoint, **server)
        self.server.start()
        self.gateway = Gateway(self.sim, Direct(self.server))
        self.prepare()

    def prepare(self) -> None:
        """Make what controllers make; without rights, nothing."""
        self.post("/api/v1/namespaces", {"metadata": {"name": "default"}})
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        self.post(accounts, {"metadata": {"name": "default"}})

    def send(self, method: str, url: str, body: Any = b"", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        http = http_request(method, url, headers=named, body=data)
        return self.sim.complete(self.gateway.handle(http), url, 60.0)

    def answer(self, method: str, url: str, body: Any = b"", **headers: str) -> tuple[int, Any]:
        answer = self.send(method, url, body, **headers)
        assert isinstance(answer, HttpResponse)
        return answer.status, json.loads(answer.body)

    def get(self, url: str, **headers: str) -> Any:
        return self.answer("GET", url, **headers)[1]

    def post(self, url: str, body: Any) -> Any:
        return self.answer("POST", url, body)[1]

    def config_map(self, name: str, **data: str) -> Any:
        return self.post(CONFIG_MAPS, {"metadata": {"name": name}, "data": data})

    def apply(self, name: str, manager: str, data: Any, query: str = "") -> tuple[int, Any]:
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
        url = f"{CONFIG_MAPS}/{name}?fieldManager={manager}{query}"
        return self.answer("PATCH", url, body, content_type="application/apply-patch+yaml")

    def watch(self, url: str, seconds: float = 1.0) -> list[Any]:
        """What a watch says in so many virtual seconds."""
        stream = self.send("GET", url)
        assert isinstance(stream, HttpStream)
        chunks: list[bytes] = []
        task = self.sim.spawn(stream.produce(chunks.append), url)  # type: ignore[arg-type]
        self.sim.run(self.sim.now + seconds)
        task.kill()
        self.sim.run(self.sim.now)
        return [json.loads(line) for line in b"".join(chunks).splitlines()]


CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def lab() -> Lab:
    return Lab()
