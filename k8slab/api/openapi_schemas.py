"""OpenAPI schemas: what each Struct and each kind that somebody defined looks like, as JSON Schema.

A Struct's docstring is its description; a defined kind brings its own schema.

Rule of use: `collect(type_, schemas)` adds a type and all that it is made of, by name.

Upstream: k8s.io/kube-openapi/pkg/builder3,
staging/src/k8s.io/apiextensions-apiserver/pkg/controller/openapi/builder
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from functools import cache
from typing import Any, Union, get_args, get_origin

import msgspec

from k8slab.api import codec
from k8slab.api.apiextensions import JSONSchemaProps
from k8slab.api.custom import Custom
from k8slab.api.diagnosis import field_types
from k8slab.api.field_docs import sentence
from k8slab.api.field_rules import choices, required_fields
from k8slab.api.inner_structs import inner_struct
from k8slab.api.merge_keys import MERGE_KEYS, PORT_KEYS, RETAIN_KEYS
from k8slab.api.meta import Object
from k8slab.api.quantity import Quantity
from k8slab.api.scheme import KINDS, OTHER_VERSIONS, Resource, resource_for

META = "io.k8s.apimachinery.pkg.apis.meta.v1"
QUANTITY = "io.k8s.apimachinery.pkg.api.resource.Quantity"
INT_OR_STRING = "io.k8s.apimachinery.pkg.util.intstr.IntOrString"
SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string", "default": ""},
    bool: {"type": "boolean"},
    int: {"type": "integer", "format": "int64"},
    float: {"type": "number", "format": "double"},
    Any: {"type": "object"},
}


def schema_name(type_: type[msgspec.Struct]) -> str:
    """Return the name of a Struct's schema.

    >>> from k8slab.api.apps import Deployment
    >>> schema_name(Deployment)
    'io.k8s.api.apps.v1.Deployment'
    """
    if issubclass(type_, Custom):
        kind = type_.__definition__
        return ".".join((*reversed(kind.group.split(".")), kind.version, kind.names.kind))
    package, _, version = type_.__module__.split(".")[2].partition("_")
    if package == "meta":
        return f"{META}.{type_.__name__}"
    version = version or _versions().get(package, "v1")
    return f"io.k8s.api.{package}.{version}.{type_.__name__}"


@cache
def _versions() -> dict[str, str]:
    return {resource.type.__module__.split(".")[2]: resource.version for resource in KINDS}


def gvk(resource: Resource, suffix: str = "") -> dict[str, str]:
    """Return group, version and kind as schemas and operations carry them."""
    return {
        "group": resource.group,
        "version": resource.version,
        "kind": resource.kind + suffix,
    }


def collect(type_: type[msgspec.Struct], schemas: dict[str, Any]) -> None:
    """Add the schema of a Struct and of all that it is made of."""
    name = schema_name(type_)
    if name in schemas:
        return
    if issubclass(type_, Custom):
        schemas[name] = _custom(type_, schemas)
        return
    schema: dict[str, Any] = {"type": "object", "description": _sentence(type_)}
    schemas[name] = schema
    schema["properties"] = {
        field: _chosen(
            _described({**_property(expected, schemas), **_merging(field, expected)}, type_, field),
            name,
            field,
        )
        for field, expected in field_types(type_).items()
    }
    if required_fields(name):
        schema["required"] = list(required_fields(name))
    for resource in (*KINDS, *OTHER_VERSIONS):
        if resource.type is type_:
            schema["x-kubernetes-group-version-kind"] = [gvk(resource)]


def _custom(type_: type[Custom], schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a kind that was defined, with what all objects have."""
    schema: dict[str, Any] = codec.to_dict(type_.__definition__.schema)
    own = field_types(Object)
    inherited = {name: _described(_property(own[name], schemas), Object, name) for name in own}
    return {
        **schema,
        "type": "object",
        "properties": {**schema.get("properties", {}), **inherited},
        "x-kubernetes-group-version-kind": [gvk(resource_for(type_))],
    }


def list_schema(resource: Resource) -> dict[str, Any]:
    """Return the schema of a list of a kind."""
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
        "x-kubernetes-group-version-kind": [gvk(resource, "List")],
    }


def _described(schema: dict[str, Any], type_: type[msgspec.Struct], field: str) -> dict[str, Any]:
    """Return the schema of a field with what is said of it; else its type's description stays."""
    said = sentence(type_.__name__, field)
    return {**schema, "description": said} if said else schema


def _chosen(schema: dict[str, Any], name: str, field: str) -> dict[str, Any]:
    """Return the schema of a field with the words that it may have, if there is a list of them."""
    words, of_items = choices(name, field), choices(name, f"{field}[]")
    if of_items:
        return {**schema, "items": {**schema["items"], "enum": list(of_items)}}
    if not words:
        return schema
    said = [schema.get("description", ""), "", "Possible enum values:"]
    said += [f' - `"{word}"`' for word in words]
    return {**schema, "enum": list(words), "description": "\n".join(said).lstrip("\n")}


def _merging(field: str, expected: Any) -> dict[str, Any]:
    """Return how patches merge a field, where they do not replace it: `kubectl apply` asks."""
    strategies, found = [], {}
    struct = inner_struct(expected)
    known = field_types(struct) if struct is not None else ()
    keys = PORT_KEYS if field == "ports" else (MERGE_KEYS.get(field),)
    key = next((key for key in keys if key == "" or key in known), None)
    if get_origin(_without_none(expected)) is tuple and key is not None:
        strategies.append("merge")
        found = {"x-kubernetes-patch-merge-key": key} if key else {}
    if field in RETAIN_KEYS:
        strategies.append("retainKeys")
    strategy = ",".join(strategies)
    return {**found, "x-kubernetes-patch-strategy": strategy} if strategies else {}


def _property(expected: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    expected = _without_none(expected)
    origin = get_origin(expected)
    if origin is tuple:
        return {"type": "array", "items": _item(get_args(expected)[0], schemas)}
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {
            "type": "object",
            "additionalProperties": _item(get_args(expected)[1], schemas),
        }
    if JSONSchemaProps in get_args(expected):  # or a truth value
        return _property(JSONSchemaProps, schemas)
    if origin in (types.UnionType, Union):
        schemas[INT_OR_STRING] = {
            "format": "int-or-string",
            "oneOf": [{"type": "integer"}, {"type": "string"}],
        }
        return _reference(INT_OR_STRING, "")
    if expected is Quantity:
        schemas[QUANTITY] = {"oneOf": [{"type": "string"}, {"type": "number"}]}
        return _reference(QUANTITY, "")
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        collect(expected, schemas)
        return _reference(schema_name(expected), _sentence(expected))
    return dict(SCALARS.get(expected, {"type": "string"}))


def _item(expected: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a list's or a map's values; its description is the type's own."""
    schema = _property(expected, schemas)
    return {key: value for key, value in schema.items() if key != "description"}


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
