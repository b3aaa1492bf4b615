from __future__ import annotations

from typing import Any

import pytest

from k8slab.client import Client, Request
from k8slab.control_plane.apiserver.custom_resources.controller import CustomResourceController
from tests.control_plane.apiserver.conftest import Lab

GROUP = "stable.example.com"


class Loopback:
    """The way from the API server to itself."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    async def request(self, request: Request) -> Any:
        return self._lab.server.handle(request)


class CrdLab(Lab):
    """An API server with the loop that looks after definitions."""

    def __init__(self) -> None:
        super().__init__()
        client = Client(Loopback(self), "system:apiserver")
        self.sim.spawn(CustomResourceController(self.sim, client).run(), "definitions")
        self.settle()

    def settle(self, seconds: float = 1.0) -> None:
        self.sim.run(self.sim.now + seconds)

    def define(self, *versions: dict[str, Any], **spec: Any) -> Any:
        created = self.create(definition(*versions, **spec))
        self.settle()
        return self.get("CustomResourceDefinition", created.metadata.name)

    def redefine(self, *versions: dict[str, Any], **spec: Any) -> Any:
        body = definition(*versions, **spec)
        name = body["metadata"]["name"]
        changed = self.request("update", "CustomResourceDefinition", name, body=body)
        self.settle()
        return changed

    def ask(self, verb: str, name: str = "", *, plural: str = "crontabs", **fields: Any) -> Any:
        fields.setdefault("namespace", "default")
        fields.setdefault("group", GROUP)
        return self.server.handle(Request(verb=verb, resource=plural, name=name, **fields))

    def cron_tab(self, name: str = "mine", *, version: str = "v1", **spec: Any) -> Any:
        body = {
            "apiVersion": f"{GROUP}/{version}",
            "kind": "CronTab",
            "metadata": {"name": name},
            "spec": spec,
        }
        return self.ask("create", body=body, version=version)


def schema(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": {"spec": {"type": "object", **spec}, **more}}


def version(name: str = "v1", spec: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    shape = spec if spec is not None else {"x-kubernetes-preserve-unknown-fields": True}
    schema_ = more.pop("schema", schema(shape, status={"type": "object"}))
    made = {"name": name, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema_}}
    return {**made, **more}


def definition(*versions: dict[str, Any], **spec: Any) -> dict[str, Any]:
    names = {"plural": "crontabs", "kind": "CronTab", **spec.pop("names", {})}
    group = spec.pop("group", GROUP)
    annotations = spec.pop("annotations", {})
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{names['plural']}.{group}", "annotations": annotations},
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": names,
            "versions": list(versions or (version(),)),
            **spec,
        },
    }


@pytest.fixture
def crds() -> CrdLab:
    return CrdLab()
