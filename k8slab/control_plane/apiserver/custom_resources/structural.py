"""What a schema does to the data of an object: unknown fields go, defaults come.

    pruned     {"spec": {"cron": "*", "colour": 1}}   ->  {"spec": {"cron": "*"}}, "spec.colour"
    defaulted  {"spec": {}}                           ->  {"spec": {"replicas": 1}}

A null where the schema allows none is taken for a field that was not given.

Rule of use: pure; both return frozen data. Pruning comes first, defaults before validation.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/{pruning,defaulting}
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from k8slab.api.apiextensions import JSONSchemaProps
from k8slab.api.custom import IDENTITY, Frozen, frozen


def pruned(
    value: Any, schema: JSONSchemaProps, path: str = "", *, is_resource: bool = True
) -> tuple[Any, list[str]]:
    """Return the value without fields that the schema does not have, and their paths.

    `is_resource` says that the value is an object with apiVersion, kind and metadata.
    """
    if isinstance(value, Mapping):
        kept: dict[str, Any] = {}
        unknown: list[str] = []
        for key, item in value.items():
            where = f"{path}.{key}" if path else key
            if is_resource and key in IDENTITY:
                kept[key] = frozen(item)
                continue
            inner = inner_schema(schema, key)
            if inner is None and not schema.preserve_unknown:
                unknown.append(where)
                continue
            kept[key], below = (
                (frozen(item), [])
                if inner is None
                else pruned(item, inner, where, is_resource=inner.embedded_resource)
            )
            unknown += below
        return Frozen(kept), unknown
    if isinstance(value, list | tuple) and schema.items is not None:
        inner = schema.items
        found = [
            pruned(item, inner, f"{path}[{index}]", is_resource=inner.embedded_resource)
            for index, item in enumerate(value)
        ]
        return tuple(item for item, _ in found), [name for _, names in found for name in names]
    return frozen(value), []


def inner_schema(schema: JSONSchemaProps, key: str) -> JSONSchemaProps | None:
    """Return the schema of a field or of a map's value; None if the schema has no such field."""
    if key in schema.properties:
        return schema.properties[key]
    if isinstance(schema.additionalProperties, JSONSchemaProps):
        return schema.additionalProperties
    return JSONSchemaProps(preserve_unknown=True) if schema.additionalProperties else None


def defaulted(value: Any, schema: JSONSchemaProps) -> Any:
    """Return the value with the schema's defaults where it is silent."""
    if isinstance(value, Mapping):
        return Frozen(_defaulted_fields(value, schema))
    if isinstance(value, list | tuple) and schema.items is not None:
        return tuple(defaulted(item, schema.items) for item in value)
    return value


def _defaulted_fields(
    value: Mapping[str, Any], schema: JSONSchemaProps
) -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        inner = inner_schema(schema, key)
        if inner is None:
            yield key, item
        elif item is not None or inner.nullable or inner.preserve_unknown:
            yield key, defaulted(item, inner)
        elif inner.default is not None and key in schema.properties:
            yield key, defaulted(frozen(inner.default), inner)
    for key, inner in schema.properties.items():
        if key not in value and inner.default is not None:
            yield key, defaulted(frozen(inner.default), inner)
