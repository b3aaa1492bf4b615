"""kubectl in front of an API server alone, and the manifests that the tests give it."""

from __future__ import annotations

from typing import Any

from k8slab.api import load_all
from k8slab.api.scheme import resource_for
from k8slab.client import ConnectionFailed, Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.gateway.gateway import Gateway
from k8slab.kubectl import Kubectl, Result
from k8slab.sim import Simulation

CALL = 0.004  # s, of one request


class Desk:
    """kubectl in front of an API server, with no cluster behind it."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        self.endpoint = Endpoint()
        self.endpoint.serve(Etcd(self.sim, Backend()))
        self.server = APIServer(self.sim, self.endpoint)
        self.server.start()
        self.files: dict[str, str] = {}
        self.failure: ConnectionFailed | None = None
        self.kubectl = Kubectl(
            self,
            lambda: self.sim.now,
            sleep=self.sim.sleep,
            read_file=self._read,
            http=Gateway(self.sim, self).fetch,
        )
        for manifest in ("Namespace", "ServiceAccount"):
            self.create(f"{{apiVersion: v1, kind: {manifest}, metadata: {{name: default}}}}")

    async def request(self, request: Request) -> Any:
        await self.sim.sleep(CALL)
        if self.failure is not None:
            raise self.failure
        return self.server.handle(request)

    def create(self, manifest: str) -> None:
        for obj in load_all(manifest):
            resource = resource_for(obj)
            self.server.handle(
                Request(
                    verb="create",
                    resource=resource.plural,
                    group=resource.group,
                    namespace="default" if resource.namespaced else "",
                    body=obj,
                )
            )

    def run(self, command: str, stdin: str = "", watch: float | None = None) -> Result:
        task = self.kubectl.run(command, stdin, watch_seconds=watch)
        result: Result = self.sim.complete(task, command, 1000)
        return result

    def _read(self, path: str) -> str:
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]


WEB = """\
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: web, image: "nginx:1.25", ports: [{containerPort: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{name: http, port: 80}]}
"""
POD = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: a, image: x}]}}"
