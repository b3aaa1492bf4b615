from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.api.authentication import UserInfo
from k8slab.api.errors import ApiError
from k8slab.api.scheme import resource_for
from k8slab.client import Request
from k8slab.control_plane.apiserver import APIServer
from k8slab.control_plane.apiserver.access import NODE_AND_RBAC
from k8slab.control_plane.apiserver.bootstrap import USER, ensure_policy
from k8slab.control_plane.etcd import Backend, Endpoint, Etcd
from k8slab.sim import Simulation

RBAC = "rbac.authorization.k8s.io"


class Guarded:
    """An API server with RBAC, and short words for requests of anybody."""

    def __init__(self) -> None:
        self.sim = Simulation(seed=7)
        endpoint = Endpoint()
        endpoint.serve(Etcd(self.sim, Backend()))
        self.server = APIServer(self.sim, endpoint, authorization_mode=NODE_AND_RBAC)
        self.server.start()
        ensure_policy(self.server)
        for name in ("default", "kube-node-lease"):
            self.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        self.make({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}})

    def ask(self, user: str, verb: str, kind: str, name: str = "", **fields: Any) -> Any:
        resource = resource_for(kind)
        fields.setdefault("namespace", "default" if resource.namespaced else "")
        return self.server.handle(
            Request(
                verb=verb,
                resource=resource.plural,
                group=resource.group,
                name=name,
                user=user,
                **fields,
            )
        )

    def make(self, manifest: dict[str, Any], user: str = USER) -> Any:
        name = manifest["metadata"]["name"]
        return self.ask(user, "create", manifest["kind"], name, body=load(manifest))

    def refused(self, user: str, verb: str, kind: str, name: str = "", **fields: Any) -> str:
        with pytest.raises(ApiError) as found:
            self.ask(user, verb, kind, name, **fields)
        assert found.value.code == 403
        return found.value.message

    def path(self, user: str, path: str) -> Any:
        return self.server.handle(Request(verb="get", resource="", url=path, user=user))

    def role(self, name: str, *rules: dict[str, Any], kind: str = "Role", **fields: Any) -> Any:
        manifest = {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": {"name": name}, **fields}
        return self.make({**manifest, "rules": list(rules)})

    def bind(self, role: str, *subjects: dict[str, Any], kind: str = "RoleBinding") -> Any:
        ref_kind, _, name = role.partition("/")
        return self.make(
            {
                "apiVersion": f"{RBAC}/v1",
                "kind": kind,
                "metadata": {"name": f"{name}-to-{subjects[0]['name']}"},
                "roleRef": {"apiGroup": RBAC, "kind": ref_kind, "name": name},
                "subjects": list(subjects),
            }
        )


def rule(verbs: str, resources: str, group: str = "", **fields: Any) -> dict[str, Any]:
    known = {"verbs": verbs.split(), "apiGroups": [group], "resources": resources.split()}
    return {**known, **fields}


def user(name: str) -> dict[str, Any]:
    return {"kind": "User", "name": name, "apiGroup": RBAC}


def group(name: str) -> dict[str, Any]:
    return {"kind": "Group", "name": name, "apiGroup": RBAC}


def acting_as(name: str, *groups: str) -> UserInfo:
    return UserInfo(username=name, groups=groups)


@pytest.fixture
def guarded() -> Guarded:
    return Guarded()
