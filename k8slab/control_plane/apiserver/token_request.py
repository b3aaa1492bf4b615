"""The subresource `token` of a ServiceAccount: make a token, for a time, for an object.

`kubectl create token web --duration=10m --bound-object-kind=Pod --bound-object-name=a`; a kubelet
asks in the same way for the Pods of its node.

Rule of use: listed in `subresources.SUBRESOURCES`; nothing is stored.

Upstream: pkg/registry/core/serviceaccount/storage/token.go
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from k8slab.api import codec, errors
from k8slab.api.authentication import TokenRequest, TokenRequestSpec, TokenRequestStatus
from k8slab.api.core import Node, Pod, ServiceAccount
from k8slab.api.meta import Object, timestamp
from k8slab.api.scheme import resource_for
from k8slab.client import Request
from k8slab.control_plane.apiserver.access.tokens import AUDIENCE, bound_kind
from k8slab.control_plane.apiserver.registry import Registry

if TYPE_CHECKING:
    from k8slab.control_plane.apiserver.server import APIServer

GROUP = "authentication.k8s.io"
HOUR = 3600  # s, when no duration is asked for
LEAST, MOST = 600, 2**32  # s


def create_token(server: APIServer, registry: Registry, request: Request) -> TokenRequest:
    """Return the request with a token in its status; raises ApiError."""
    asked = _asked(request)
    account: Any = registry.get(replace(request, resource_version=""))
    seconds = HOUR if asked.spec.expirationSeconds is None else asked.spec.expirationSeconds
    _check(asked, seconds)
    spec = TokenRequestSpec(
        audiences=asked.spec.audiences or (AUDIENCE,),
        expirationSeconds=seconds,
        boundObjectRef=asked.spec.boundObjectRef,
    )
    bound = _bound(server, spec, account)
    identifier = registry.new_uid()
    lifetime = (server.now, server.now + seconds)
    token = server.access.tokens.issue(account, spec.audiences, lifetime, bound, identifier)
    meta = replace(
        asked.metadata,
        name=request.name,
        namespace=request.namespace,
        creationTimestamp=timestamp(server.now),
    )
    status = TokenRequestStatus(token=token, expirationTimestamp=timestamp(server.now + seconds))
    return replace(asked, metadata=meta, spec=spec, status=status)


def _asked(request: Request) -> TokenRequest:
    body = request.body
    if isinstance(body, TokenRequest):
        return body
    try:
        asked = codec.convert(body or {}, TokenRequest)
    except codec.DecodeError as error:
        raise errors.bad_request(error.upstream) from None
    name = asked.metadata.name
    if name and name != request.name:
        text = "must match the service account name if specified"
        found = errors.invalid_value("metadata.name", name, text)
        raise errors.invalid(asked.kind, request.name, [found], GROUP)
    return asked


def _check(asked: TokenRequest, seconds: int) -> None:
    where = "spec.expirationSeconds"
    found = []
    if seconds < LEAST:
        text = "may not specify a duration less than 10 minutes"
        found.append(errors.invalid_value(where, seconds, text))
    if seconds > MOST:
        text = "may not specify a duration larger than 2^32 seconds"
        found.append(errors.invalid_value(where, seconds, text))
    if found:
        raise errors.invalid(asked.kind, "", found, GROUP)


def _bound(server: APIServer, spec: TokenRequestSpec, account: ServiceAccount) -> Object | None:
    reference = spec.boundObjectRef
    if reference is None:
        return None
    kind = bound_kind(reference)
    if kind is None:
        version = reference.apiVersion or "v1"
        raise errors.bad_request(
            f"cannot bind token to object of type /{version}, Kind={reference.kind}"
        )
    namespace, name = account.metadata.namespace, reference.name
    found = server.look_up(kind, name, "" if kind is Node else namespace)
    if found is None:
        raise errors.not_found(resource_for(kind), name)
    if isinstance(found, Pod) and found.spec.serviceAccountName != account.metadata.name:
        raise errors.bad_request(
            f'cannot bind token for serviceaccount "{account.metadata.name}" to pod running with '
            "different serviceaccount name."
        )
    if reference.uid and reference.uid != found.metadata.uid:
        why = (
            f"the UID in the bound object reference ({reference.uid}) does not match the UID in "
            "record. The object might have been deleted and then recreated"
        )
        message = f'Operation cannot be fulfilled on {reference.kind} "{name}": {why}'
        raise errors.api_error(message, "Conflict", 409)
    return found
