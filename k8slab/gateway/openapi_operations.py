"""The operations of OpenAPI v3: what can be asked of each path, with which parameters and bodies.

    /api/v1/namespaces/{namespace}/pods               get (list), post, delete (deletecollection)
    /api/v1/namespaces/{namespace}/pods/{name}        get, put, patch, delete
    /api/v1/namespaces/{namespace}/pods/{name}/status get, put, patch
    /api/v1/pods                                      get (list, of all namespaces)

Client libraries are generated from this, and testing tools make their requests after it.

Rule of use: `paths(resource, schemas)` gives path and item, and adds the schemas that are needed.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/installer.go
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from k8slab.api import scheme
from k8slab.api.meta import DeleteOptions, Status
from k8slab.api.openapi_schemas import META, collect, gvk, schema_name
from k8slab.api.scheme import Resource
from k8slab.client import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from k8slab.gateway.discovery import Subresource, subresources_of, verbs_of
from k8slab.gateway.encoding import RETURN_DELETED

PATCH = f"{META}.Patch"
ANSWERS = ("application/json", "application/yaml")
PATCHES = (APPLY_PATCH, JSON_PATCH, MERGE_PATCH)
WRITING = ("dryRun", "fieldManager", "fieldValidation")
DELETING = ("dryRun", "gracePeriodSeconds", "orphanDependents", "propagationPolicy")
LISTING = (
    *("continue", "fieldSelector", "labelSelector", "limit"),
    *("resourceVersion", "resourceVersionMatch", "sendInitialEvents", "timeoutSeconds"),
)
WATCHING = ("allowWatchBookmarks", "watch")
OF_SESSIONS = ("container", "stderr", "stdin", "stdout", "tty")
OF_SUBRESOURCES = {
    "attach": OF_SESSIONS,
    "exec": ("command", *OF_SESSIONS),
    "portforward": ("ports",),
    "proxy": ("path",),
    "log": (
        *("container", "follow", "limitBytes", "previous", "sinceSeconds", "stream"),
        *("tailLines", "timestamps"),
    ),
}
CONNECT = frozenset({"attach", "exec", "portforward", "proxy"})
CONNECTED_BY = {
    "get": "get",
    "create": "post",
    "update": "put",
    "patch": "patch",
    "delete": "delete",
}
INTEGERS = (
    *("gracePeriodSeconds", "limit", "limitBytes", "ports", "sinceSeconds"),
    *("tailLines", "timeoutSeconds"),
)
BOOLEANS = (
    *("allowWatchBookmarks", "follow", "force", "orphanDependents", "previous"),
    *("sendInitialEvents", "stderr", "stdin", "stdout", "timestamps", "tty", "watch"),
)


class Action(NamedTuple):
    """What a method does at a path."""

    verb: str  # of discovery, which says whether a kind has it
    method: str
    name: str  # what upstream calls it
    says: str  # the first word of its operationId
    parameters: tuple[str, ...]


LIST = Action("list", "get", "list", "list", (*LISTING, *WATCHING))
ON_COLLECTION = (
    LIST,
    Action("create", "post", "post", "create", WRITING),
    Action(
        "deletecollection",
        *("delete", "deletecollection", "delete"),
        tuple(sorted({*LISTING, *DELETING})),
    ),
)
ON_ONE = (
    Action("get", "get", "get", "read", ()),
    Action("update", "put", "put", "replace", WRITING),
    Action("patch", "patch", "patch", "patch", (*WRITING, "force")),
    Action("delete", "delete", "delete", "delete", DELETING),
)
ON_SUBRESOURCE = (*ON_ONE[:3], ON_COLLECTION[1])


def paths(resource: Resource, schemas: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the paths of a resource, each with what can be asked there."""
    root = f"/apis/{resource.api_version}" if resource.group else f"/api/{resource.version}"
    base = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
    collection, verbs = f"{base}/{resource.plural}", verbs_of(resource)
    scope = ("namespace",) if resource.namespaced else ()
    own = schema_name(resource.type)
    actions = {
        a.method: _action(resource, a, own, schemas) for a in ON_COLLECTION if a.verb in verbs
    }
    yield collection, _item(actions, scope)
    if resource.namespaced and "list" in verbs:
        found = _action(resource, LIST, own, schemas)
        found["operationId"] = f"list{_group(resource)}{resource.kind}ForAllNamespaces"
        yield f"{root}/{resource.plural}", _item({"get": found}, ())
    if "get" not in verbs:
        return
    scope = ("name", *scope)
    one = f"{collection}/{{name}}"
    actions = {a.method: _action(resource, a, own, schemas) for a in ON_ONE if a.verb in verbs}
    yield one, _item(actions, scope)
    for sub in subresources_of(resource):
        found = _of_subresource(resource, sub, schemas)
        yield f"{one}/{sub.name}", _item(found, scope)
        if sub.name == "proxy":  # and whatever the other server has
            found = {
                method: {**one_of, "operationId": f"{one_of['operationId']}WithPath"}
                for method, one_of in found.items()
            }
            yield f"{one}/{sub.name}/{{path}}", _item(found, (*scope, "path"))


def _item(operations: dict[str, Any], scope: tuple[str, ...]) -> dict[str, Any]:
    inside = [{**_parameter(name), "in": "path", "required": True} for name in scope]
    return {"parameters": [*inside, _parameter("pretty")], **operations}


def _of_subresource(
    resource: Resource, sub: Subresource, schemas: dict[str, Any]
) -> dict[str, Any]:
    if sub.name in CONNECT or sub.name == "log":
        return _of_streams(resource, sub)
    api_version = f"{sub.group}/{sub.version}" if sub.group else sub.version
    type_ = (scheme.lookup(api_version, sub.kind) if sub.kind else None) or resource.type
    collect(type_, schemas)
    found = {}
    for action in ON_SUBRESOURCE:
        if action.verb in sub.verbs:
            made = _action(resource, action, schema_name(type_), schemas)
            made["operationId"] += _title(sub.name)
            if sub.kind:
                kind = {"group": sub.group, "version": sub.version, "kind": sub.kind}
                made["x-kubernetes-group-version-kind"] = kind
            found[action.method] = made
    return found


def _of_streams(resource: Resource, sub: Subresource) -> dict[str, Any]:
    """Return the operations of a subresource that answers with text or becomes a websocket."""
    text = {"*/*" if sub.name in CONNECT else "text/plain": {"schema": {"type": "string"}}}
    parameters = [_parameter(name) for name in OF_SUBRESOURCES[sub.name]]
    kind = {"group": sub.group, "version": sub.version, "kind": sub.kind} if sub.kind else None
    found = {}
    for verb, method in CONNECTED_BY.items():
        if verb in sub.verbs:
            says = f"connect{_group(resource)}{method.title()}" if sub.kind else "read"
            own = "" if sub.kind else _group(resource)
            found[method] = {
                "operationId": f"{says}{own}{_scope(resource)}{resource.kind}{_title(sub.name)}",
                "parameters": parameters,
                "responses": {"200": {"description": "OK", "content": text}},
                "tags": [_tag(resource)],
                "x-kubernetes-action": "connect" if sub.kind else "get",
                "x-kubernetes-group-version-kind": kind or gvk(resource),
            }
    return found


def _action(
    resource: Resource, action: Action, schema: str, schemas: dict[str, Any]
) -> dict[str, Any]:
    says = f"{action.says}{_group(resource)}"
    if action.name == "deletecollection":
        says += "Collection"
    found: dict[str, Any] = {
        "operationId": f"{says}{_scope(resource)}{resource.kind}",
        "parameters": [_parameter(name) for name in action.parameters],
        "responses": _responses(action, _answered(resource, action, schema, schemas)),
        "tags": [_tag(resource)],
        "x-kubernetes-action": action.name,
        "x-kubernetes-group-version-kind": gvk(resource),
    }
    body = _body(resource, action, schema, schemas)
    return {**found, "requestBody": body} if body else found


def _answered(resource: Resource, action: Action, schema: str, schemas: dict[str, Any]) -> str:
    """Return the name of the schema of an answer: of deletions, most are a Status."""
    if action.name == "list":
        return f"{schema}List"
    if action.verb == "deletecollection" or (
        action.verb == "delete" and resource.builtin_kind not in RETURN_DELETED
    ):
        collect(Status, schemas)
        return schema_name(Status)
    return schema


def _responses(action: Action, schema: str) -> dict[str, Any]:
    content = {form: {"schema": _reference(schema)} for form in ANSWERS}
    codes = {"200": "OK"}
    if action.name in ("post", "put", "patch"):
        codes["201"] = "Created"
    if action.name in ("post", "delete"):
        codes["202"] = "Accepted"
    found: dict[str, Any] = {
        code: {"description": says, "content": content} for code, says in codes.items()
    }
    return {**found, "401": {"description": "Unauthorized"}}


def _body(
    resource: Resource, action: Action, schema: str, schemas: dict[str, Any]
) -> dict[str, Any] | None:
    """Return what is sent: an object, a patch in one of its forms, or how to delete."""
    if action.name in ("post", "put"):
        return {"content": {"*/*": {"schema": _reference(schema)}}, "required": True}
    if action.name == "patch":
        schemas[PATCH] = {"type": "object", "description": "A change to an object, in any form."}
        forms = PATCHES if resource.is_custom else (*PATCHES, STRATEGIC_PATCH)
        content = {form: {"schema": _reference(PATCH)} for form in sorted(forms)}
        return {"content": content, "required": True}
    if action.method == "delete":
        collect(DeleteOptions, schemas)
        return {"content": {"*/*": {"schema": _reference(schema_name(DeleteOptions))}}}
    return None


def _parameter(name: str) -> dict[str, Any]:
    type_ = "integer" if name in INTEGERS else "boolean" if name in BOOLEANS else "string"
    return {"name": name, "in": "query", "schema": {"type": type_, "uniqueItems": True}}


def _reference(schema: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{schema}"}


def _group(resource: Resource) -> str:
    """Return group and version as they stand in names.

    >>> _group(scheme.resource_for("ClusterRole"))
    'RbacAuthorizationV1'
    """
    group = (resource.group or "core").removesuffix(".k8s.io")
    return f"{_title(group)}{resource.version.title()}"


def _tag(resource: Resource) -> str:
    group = _title((resource.group or "core").removesuffix(".k8s.io"))
    return f"{group[:1].lower()}{group[1:]}_{resource.version}"


def _scope(resource: Resource) -> str:
    return "Namespaced" if resource.namespaced else ""


def _title(name: str) -> str:
    words = name.replace("-", ".").split(".")
    return "".join(word[:1].upper() + word[1:] for word in words)
