"""OpenAPI v3: what `kubectl explain` reads, and by which kubectl sees what the server can do.

One document for each group and version: the schemas of its kinds (`openapi_schemas`), and for each
resource the operations that a client looks for.

Rule of use: `document(path, rows)` for /openapi/v3 and what it lists; None for other paths.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/openapi
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

import msgspec

from k8slab.api.openapi_schemas import collect, gvk, list_schema, schema_name
from k8slab.api.scheme import Resource
from k8slab.gateway.discovery import BUILT_IN, Rows, group_versions, resources_of, subresources_of

ROOT = "/openapi/v3"
WRITE_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")
BY_METHOD = {
    "get": ("get", ()),
    "put": ("put", WRITE_PARAMETERS),
    "patch": ("patch", (*WRITE_PARAMETERS, "force")),
    "delete": ("delete", ("dryRun", "gracePeriodSeconds", "propagationPolicy")),
}
LIST_PARAMETERS = (
    "continue",
    "fieldSelector",
    "labelSelector",
    "limit",
    "resourceVersion",
    "watch",
)


def document(path: str, rows: Rows = BUILT_IN) -> dict[str, Any] | None:
    """Return the document at a path, None if there is none."""
    if path == ROOT:
        return {
            "paths": {
                _where(name): {"serverRelativeURL": _url(name, rows)}
                for name in group_versions(rows)
            }
        }
    wanted = path.removeprefix(f"{ROOT}/")
    for group_version in group_versions(rows):
        if _where(group_version) == wanted:
            return of_rows(group_version, rows)
    return None


@cache
def of_group_version(group_version: str) -> dict[str, Any]:
    """Return the document of one group and version that each cluster has."""
    return _made_of(resources_of(group_version))


def of_rows(group_version: str, rows: Rows) -> dict[str, Any]:
    """Return the document of one group and version, of what a server serves."""
    resources = resources_of(group_version, rows)
    is_custom = any(resource.is_custom for resource in resources)
    return _made_of(resources) if is_custom else of_group_version(group_version)


def _made_of(resources: Sequence[Resource]) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for resource in resources:
        collect(resource.type, schemas)
        schemas[f"{schema_name(resource.type)}List"] = list_schema(resource)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.0"},
        "paths": {path: item for resource in resources for path, item in _paths(resource)},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def _where(group_version: str) -> str:
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def _url(group_version: str, rows: Rows) -> str:
    encoded = msgspec.json.encode(of_rows(group_version, rows))
    return f"{ROOT}/{_where(group_version)}?hash={hashlib.sha512(encoded).hexdigest().upper()}"


def _paths(resource: Resource) -> Iterator[tuple[str, dict[str, Any]]]:
    root = f"/{_where(resource.api_version)}"
    base = f"{root}/namespaces/{{namespace}}" if resource.namespaced else root
    collection = f"{base}/{resource.plural}"
    yield (
        collection,
        {
            "get": _operation(resource, "list", LIST_PARAMETERS),
            "post": _operation(resource, "post", WRITE_PARAMETERS),
            "delete": _operation(resource, "deletecollection", LIST_PARAMETERS),
        },
    )
    item = {
        method: _operation(resource, action, parameters)
        for method, (action, parameters) in BY_METHOD.items()
    }
    yield f"{collection}/{{name}}", item
    for sub in subresources_of(resource):
        if sub.name in ("status", "scale"):
            yield f"{collection}/{{name}}/{sub.name}", {m: item[m] for m in ("get", "put", "patch")}


def _operation(resource: Resource, action: str, parameters: tuple[str, ...]) -> dict[str, Any]:
    name = f"{schema_name(resource.type)}{'List' if action == 'list' else ''}"
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    return {
        "operationId": f"{action}{resource.kind}",
        "parameters": [
            {"name": parameter, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
            for parameter in parameters
        ],
        "responses": {"200": {"description": "OK", "content": content}},
        "x-kubernetes-action": action,
        "x-kubernetes-group-version-kind": gvk(resource),
    }
