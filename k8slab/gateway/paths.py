"""From a URL to a call: which verb, on which resource, with which options.

    GET    /api/v1/namespaces/default/pods?limit=500        list pods
    GET    /apis/apps/v1/deployments?watch=true             watch deployments everywhere
    PATCH  /apis/apps/v1/namespaces/x/deployments/web/scale patch one subresource
    GET    /api/v1/watch/namespaces/x/pods/web              the old way to watch one object

`rows` are the kinds that the server serves.

Rule of use: `parse(http, rows)` gives everything of the `Request` but its body; ApiError if the URL
is none of ours, or its options make no sense.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/request/requestinfo.go
"""

from __future__ import annotations

import msgspec

from k8slab.api import errors
from k8slab.api.scheme import Resource
from k8slab.client import Request
from k8slab.gateway import credentials
from k8slab.gateway.discovery import BUILT_IN, Rows, verbs_of
from k8slab.gateway.messages import HttpRequest, method_not_allowed

NAMED = {
    "GET": "get",
    "HEAD": "get",
    "POST": "create",
    "PUT": "update",
    "PATCH": "patch",
    "DELETE": "delete",
}
COLLECTION = {"GET": "list", "HEAD": "list", "POST": "create", "DELETE": "deletecollection"}
CONNECT = frozenset({"log", "exec", "attach", "portforward"})  # a GET is not a read there
PROXY = "proxy"  # behind it begins another server's path
OF_NAMESPACES = frozenset({"status", "finalize"})
MAX_MANAGER = 128  # characters of a field manager's name
TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
FALSE = frozenset({"", "0", "f", "F", "false", "FALSE", "False"})


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What a path leads to."""

    resource: Resource
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    is_watch: bool = False  # by the deprecated prefix /watch/


def target(path: str, rows: Rows = BUILT_IN) -> Target | None:
    """Return what the path leads to; None if it is not one of resources.

    >>> found = target("/apis/apps/v1/namespaces/default/deployments/web/scale")
    >>> (found.resource.kind, found.namespace, found.name, found.subresource)
    ('Deployment', 'default', 'web', 'scale')
    """
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    is_watch = rest[0] == "watch"
    rest = rest[1:] if is_watch else rest
    namespace = ""
    if len(rest) > 2 and rest[0] == "namespaces" and rest[2] not in OF_NAMESPACES:
        namespace, rest = rest[1], rest[2:]
    elif not rest:
        return None
    resource = _resource(rows, group, version, rest[0])
    name, subresource = (*rest[1:], "", "")[:2]
    is_too_long = len(rest) > 3 and subresource != PROXY
    if resource is None or is_too_long or (namespace and not resource.namespaced):
        return None
    if name and resource.namespaced and not namespace:
        return None
    return Target(
        resource=resource,
        namespace=namespace,
        name=name,
        subresource=subresource,
        is_watch=is_watch,
    )


def parse(http: HttpRequest, rows: Rows = BUILT_IN) -> tuple[Resource, Request]:
    """Return the resource and the call that the request means, but for its body."""
    found = target(http.path, rows)
    if found is None:
        raise errors.no_such_path()
    request = Request(
        verb=_verb(http, found),
        resource=found.resource.plural,
        group=found.resource.group,
        version=found.resource.version,
        namespace=found.namespace,
        name=found.name,
        subresource=found.subresource,
        label_selector=http.parameter("labelSelector"),
        field_selector=_field_selector(http, found),
        resource_version=http.parameter("resourceVersion"),
        limit=_number(http, "limit"),
        continue_token=http.parameter("continue"),
        dry_run=http.parameter("dryRun") == "All",
        field_manager=http.parameter("fieldManager") or _program(http),
        field_validation=http.parameter("fieldValidation") or "Warn",
        force=flag(http.parameter("force")),
        options=http.query,
        **credentials.of(http),
    )
    return found.resource, request


def flag(text: str) -> bool:
    """Return a truth value as URLs spell it; ApiError if it is none."""
    if text not in TRUE | FALSE:
        raise errors.bad_request(f'strconv.ParseBool: parsing "{text}": invalid syntax')
    return text in TRUE


def _verb(http: HttpRequest, found: Target) -> str:
    if found.name:
        if found.is_watch:
            return "watch"
        verb = NAMED.get(http.method)
        if verb == "create" and not found.subresource:
            verb = None
        if found.subresource in CONNECT:
            verb = "get"
    else:
        verb = COLLECTION.get(http.method)
        if verb == "list" and (found.is_watch or flag(http.parameter("watch"))):
            verb = "watch"
        if verb == "create" and found.resource.namespaced and not found.namespace:
            verb = None
    if verb == "deletecollection" and verb not in verbs_of(found.resource):
        verb = None
    if verb is None or (found.is_watch and http.method != "GET"):
        raise method_not_allowed()
    return verb


def _program(http: HttpRequest) -> str:
    """Return what a client that writes calls itself: the first word of its User-Agent."""
    writes = http.method in ("POST", "PUT", "PATCH") and "apply-patch" not in http.header(
        "content-type"
    )
    return http.header("user-agent").partition("/")[0][:MAX_MANAGER] if writes else ""


def _field_selector(http: HttpRequest, found: Target) -> str:
    given = http.parameter("fieldSelector")
    if not (found.is_watch and found.name):
        return given
    return ",".join(part for part in (given, f"metadata.name={found.name}") if part)


def _number(http: HttpRequest, name: str) -> int:
    text = http.parameter(name)
    if not text:
        return 0
    try:
        return int(text)
    except ValueError:
        raise errors.bad_request(f'strconv.ParseInt: parsing "{text}": invalid syntax') from None


def _resource(rows: Rows, group: str, version: str, plural: str) -> Resource | None:
    for resource in rows:
        if (resource.group, resource.version, resource.plural) == (group, version, plural):
            return resource
    return None
