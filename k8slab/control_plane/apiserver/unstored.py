"""Two old kinds of which etcd has nothing: bindings, and the states of components.

A Binding that is sent to the collection does what one sent to its Pod does. A ComponentStatus is
asked for at the moment of the request: the server calls the component's health check.

Rule of use: `is_unstored(request)` says whether a request is about one of them, `answer` answers.

Upstream: pkg/registry/core/pod/storage (BindingREST), pkg/registry/core/componentstatus
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from k8slab.api import errors, scheme
from k8slab.api.core import Binding, ComponentCondition, ComponentStatus
from k8slab.api.meta import ObjectMeta
from k8slab.api.scheme import Resource
from k8slab.client import Listing, Request
from k8slab.client.http_call import HttpCall, Unreachable
from k8slab.control_plane.apiserver import subresources, tables, warnings
from k8slab.control_plane.apiserver.decoding import decode
from k8slab.control_plane.apiserver.selection import selected
from k8slab.control_plane.etcd import Unavailable

if TYPE_CHECKING:
    from k8slab.control_plane.apiserver.server import APIServer

SERVED = {(resource.group, resource.plural): resource for resource in scheme.UNSTORED}
ETCD = "etcd-0"
PORTS = {"scheduler": 10259, "controller-manager": 10257}
LOCAL = "127.0.0.1"


def is_unstored(request: Request) -> bool:
    """Say whether a request is about one of these kinds."""
    return (request.group, request.resource) in SERVED


def answer(server: APIServer, request: Request) -> Any:
    """Answer a request; raises ApiError."""
    resource = SERVED[request.group, request.resource]
    warnings.warn_of_kind(request)
    verb = request.verb if not request.subresource else ""
    if resource.type is ComponentStatus and verb in ("get", "list"):
        return _statuses(server, resource, request)
    if resource.type is Binding and verb == "create":
        binding: Any = decode(resource, request)
        pods = server.registries["", "pods"]
        own = replace(request, name=binding.metadata.name, body=binding)
        return subresources.bind(server, pods, own)
    raise errors.method_not_allowed()


async def _statuses(server: APIServer, resource: Resource, request: Request) -> Any:
    found = [await component_status(server, name) for name in (*PORTS, ETCD)]
    if request.verb == "get":
        found = [one for one in found if one.metadata.name == request.name]
        if not found:
            raise errors.not_found(resource, request.name)
    else:
        wanted = selected(resource, request)
        found = [one for one in found if wanted.matches(one)]
    if request.as_table:
        return tables.table(resource, found, now=server.now)
    return found[0] if request.verb == "get" else Listing(tuple(found), "")


async def component_status(server: APIServer, name: str) -> ComponentStatus:
    """Return what a component says, or why it says nothing."""
    healthy, message, error = True, "ok", ""
    if name == ETCD:
        try:
            _ = server.revision
        except Unavailable as down:
            healthy, message, error = False, "", str(down)
    else:
        url = f"https://{LOCAL}:{PORTS[name]}/healthz"
        try:
            said = await server.forward(LOCAL, PORTS[name], HttpCall("GET", "/healthz"))
            healthy, message = said.status == 200, said.body.decode("utf-8", "replace")
        except Unreachable as why:
            healthy, message = False, f'Get "{url}": {why}'
    condition = ComponentCondition(
        type="Healthy", status="True" if healthy else "False", message=message, error=error
    )
    return ComponentStatus(metadata=ObjectMeta(name=name), conditions=(condition,))
