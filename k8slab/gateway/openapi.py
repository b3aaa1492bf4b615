"""OpenAPI v3: what `kubectl explain` reads, and by which kubectl sees what the server can do.

One document for each group and version, made from the Structs: a schema for each, with its
sentence, and for each resource the operations that a client looks for.

Rule of use: `document(path)` for /openapi/v3 and what it lists; None for other paths.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/openapi
"""

from __future__ import annotations

import hashlib
import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec

from k8slab.api.diagnosis import field_types
from k8slab.api.quantity import Quantity
from k8slab.api.scheme import KINDS, OTHER_VERSIONS, Resource
from k8slab.gateway.discovery import group_versions, resources_of

ROOT = "/openapi/v3"
META = "io.k8s.apimachinery.pkg.apis.meta.v1"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
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
SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string", "default": ""},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number", "format": "double"},
    Any: {"type": "object"},
}


def document(path: str) -> dict[str, Any] | None:
    """Return the document at a path, None if there is none."""
    if path == ROOT:
        return {
            "paths": {_where(name): {"serverRelativeURL": _url(name)} for name in group_versions()}
        }
    wanted = path.removeprefix(f"{ROOT}/")
    for group_version in group_versions():
        if _where(group_version) == wanted:
            return of_group_version(group_version)
    return None


@cache
def of_group_version(group_version: str) -> dict[str, Any]:
    """Return the document of one group and version."""
    resources = resources_of(group_version)
    schemas: dict[str, Any] = {}
    for resource in resources:
        _collect(resource.type, schemas)
        schemas[f"{schema_name(resource.type)}List"] = _list_schema(resource)
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.37.0"},
        "paths": {path: item for resource in resources for path, item in _paths(resource)},
        "components": {"schemas": dict(sorted(schemas.items()))},
    }


def schema_name(type_: type[msgspec.Struct]) -> str:
    """Return the name of a Struct's schema.

    >>> from k8slab.api.apps import Deployment
    >>> schema_name(Deployment)
    'io.k8s.api.apps.v1.Deployment'
    """
    package, _, version = type_.__module__.split(".")[2].partition("_")
    if package == "meta":
        return f"{META}.{type_.__name__}"
    version = version or _versions().get(package, "v1")
    return f"io.k8s.api.{package}.{version}.{type_.__name__}"


@cache
def _versions() -> dict[str, str]:
    return {resource.type.__module__.split(".")[2]: resource.version for resource in KINDS}


def _where(group_version: str) -> str:
    return f"apis/{group_version}" if "/" in group_version else f"api/{group_version}"


def _url(group_version: str) -> str:
    encoded = msgspec.json.encode(of_group_version(group_version))
    return f"{ROOT}/{_where(group_version)}?hash={hashlib.sha512(encoded).hexdigest().upper()}"


def _gvk(resource: Resource, suffix: str = "") -> dict[str, str]:
    return {
        "group": resource.group,
        "version": resource.version,
        "kind": resource.kind + suffix,
    }


# -- schemas


def _collect(type_: type[msgspec.Struct], schemas: dict[str, Any]) -> None:
    """Add the schema of a Struct and of all that it is made of."""
    name = schema_name(type_)
    if name in schemas:
        return
    schema: dict[str, Any] = {"type": "object", "description": _sentence(type_)}
    schemas[name] = schema
    schema["properties"] = {
        field: _property(expected, schemas) for field, expected in field_types(type_).items()
    }
    for resource in (*KINDS, *OTHER_VERSIONS):
        if resource.type is type_:
            schema["x-kubernetes-group-version-kind"] = [_gvk(resource)]


def _list_schema(resource: Resource) -> dict[str, Any]:
    items = {"type": "array", "items": _reference(schema_name(resource.type), "")}
    text = {"type": "string"}
    return {
        "type": "object",
        "description": f"A list of {resource.plural}.",
        "properties": {
            "apiVersion": text,
            "kind": text,
            "metadata": {"type": "object"},
            "items": items,
        },
        "x-kubernetes-group-version-kind": [_gvk(resource, "List")],
    }


def _property(expected: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    expected = _without_none(expected)
    origin = get_origin(expected)
    if origin is tuple:
        return {"type": "array", "items": _property(get_args(expected)[0], schemas)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {
            "type": "object",
            "additionalProperties": _property(get_args(expected)[1], schemas),
        }
    if origin in (types.UnionType, Union):
        schemas[INT_OR_STRING] = {"type": "string", "format": "int-or-string"}
        return _reference(INT_OR_STRING, "")
    if expected is Quantity:
        schemas[QUANTITY] = {"oneOf": [{"type": "string"}, {"type": "number"}]}
        return _reference(QUANTITY, "")
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        _collect(expected, schemas)
        return _reference(schema_name(expected), _sentence(expected))
    return dict(SCALARS.get(expected, {"type": "string"}))


def _reference(name: str, sentence: str) -> dict[str, Any]:
    reference: dict[str, Any] = {"allOf": [{"$ref": f"#/components/schemas/{name}"}]}
    return {**reference, "description": sentence} if sentence else reference


def _sentence(type_: type[msgspec.Struct]) -> str:
    return " ".join((type_.__doc__ or "").split())


def _without_none(expected: Any) -> Any:
    if get_origin(expected) not in (types.UnionType, Union):
        return expected
    rest = [kind for kind in get_args(expected) if kind is not type(None)]
    return rest[0] if len(rest) == 1 else expected


# -- operations


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
        "x-kubernetes-group-version-kind": _gvk(resource),
    }
