"""A request as an authorizer sees it: who, what verb, on what.

Rule of use: `of_request` for what came in, `of_review` for what a review asks about; `refusal` is
what the API server says when nobody allows it.

Upstream: staging/src/k8s.io/apiserver/pkg/authorization/authorizer/interfaces.go,
staging/src/k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go
"""

from __future__ import annotations

from msgspec import Struct

from k8slab.api import errors, fields
from k8slab.api.authentication import UserInfo
from k8slab.api.authorization import NonResourceAttributes, ResourceAttributes
from k8slab.api.meta import StatusDetails
from k8slab.client import Request


class Attributes(Struct, frozen=True, kw_only=True, gc=False):
    """What is to be allowed; with a `path` it is about no object."""

    user: UserInfo
    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""
    field_selector: str = ""

    @property
    def what(self) -> str:
        """The resource as rules name it: "pods", "pods/log"."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


def of_request(request: Request, user: UserInfo) -> Attributes:
    """Return what a request asks for."""
    if request.url:
        return Attributes(user=user, verb=request.verb, path=request.url)
    name = request.name
    if not name and request.field_selector:
        name = _one_name(request.field_selector)
    namespace = request.namespace
    if request.resource == "namespaces" and not request.group:
        namespace = request.name  # a Namespace is in itself, as its path says
    return Attributes(
        user=user,
        verb=request.verb,
        group=request.group,
        resource=request.resource,
        subresource=request.subresource,
        namespace=namespace,
        name=name,
        field_selector=request.field_selector,
    )


def of_review(
    user: UserInfo, what: ResourceAttributes | None, path: NonResourceAttributes | None
) -> Attributes:
    """Return what a review asks about."""
    if what is None:
        path = path or NonResourceAttributes()
        return Attributes(user=user, verb=path.verb, path=path.path or "/")
    return Attributes(
        user=user,
        verb=what.verb,
        group=what.group,
        resource=what.resource,
        subresource=what.subresource,
        namespace=what.namespace,
        name=what.name,
    )


def sentence(attributes: Attributes) -> str:
    """Say what a user cannot do.

    >>> sentence(Attributes(user=UserInfo(username="eve"), verb="get", path="/metrics"))
    'User "eve" cannot get path "/metrics"'
    """
    who = f"User {errors.go_value(attributes.user.username)} cannot {attributes.verb}"
    if attributes.path:
        return f"{who} path {errors.go_value(attributes.path)}"
    group = errors.go_value(attributes.group)
    what = f"{who} resource {errors.go_value(attributes.what)} in API group {group}"
    if attributes.namespace:
        return f"{what} in the namespace {errors.go_value(attributes.namespace)}"
    return f"{what} at the cluster scope"


def refusal(attributes: Attributes, reason: str) -> errors.ApiError:
    """Return the error for a request that nobody allows."""
    why = f"{sentence(attributes)}: {reason}" if reason else sentence(attributes)
    group, name = attributes.group, attributes.name
    kind = f"{attributes.resource}.{group}" if group else attributes.resource
    about = f"{kind} {errors.go_value(name)} is forbidden" if name else f"{kind} is forbidden"
    details = StatusDetails(name=name, group=group, kind=attributes.resource)
    return errors.api_error(
        f"{about if attributes.resource else 'forbidden'}: {why}", "Forbidden", 403, details
    )


def _one_name(selector: str) -> str:
    """Return the name to which a field selector narrows a list, "" if to none."""
    try:
        return fields.parse(selector).exact("metadata.name") or ""
    except ValueError:
        return ""
