"""Which schemas a definition may have: structural ones.

A schema is structural when the type of each field is said outside of all logic: `anyOf` and its
like may narrow values, never add fields. Only so can the server prune, default and merge.

Rule of use: `schema_errors(schema, path, has_status=...)`; pure.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/schema/validation.go,
pkg/apis/apiextensions/validation/validation.go
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.apiextensions import JSONSchemaProps
from k8slab.api.errors import FieldError
from k8slab.control_plane.apiserver.custom_resources.rules import rule_errors
from k8slab.control_plane.apiserver.custom_resources.structural import pruned
from k8slab.control_plane.apiserver.custom_resources.values import violations

Errors = Iterator[FieldError]
TYPES = ("array", "boolean", "integer", "number", "object", "string")
MISSING_TYPE = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}
INT_OR_STRING = (JSONSchemaProps(type="integer"), JSONSchemaProps(type="string"))
# What may be said at the root of a schema whose status is written on its own.
AT_ROOT = (
    *("description", "type", "format", "title", "maximum", "exclusiveMaximum", "minimum"),
    *("exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems"),
    *("uniqueItems", "multipleOf", "required", "items", "properties", "externalDocs", "example"),
    *("preserve_unknown", "validations"),
)
GO_NAMES = {"preserve_unknown": "XPreserveUnknownFields", "validations": "XValidations"}
# What may not be said within allOf, anyOf, oneOf and not: field, its name, what it must be.
NOT_NESTED = (
    ("type", "type", "must be empty to be structural"),
    ("additionalProperties", "additionalProperties", "must be undefined to be structural"),
    ("default", "default", "must be undefined to be structural"),
    ("title", "title", "must be empty to be structural"),
    ("description", "description", "must be empty to be structural"),
    ("nullable", "nullable", "must be false to be structural"),
    ("preserve_unknown", "x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("embedded_resource", "x-kubernetes-embedded-resource", "must be false to be structural"),
    ("int_or_string", "x-kubernetes-int-or-string", "must be false to be structural"),
    ("list_map_keys", "x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("list_type", "x-kubernetes-list-type", "must be undefined to be structural"),
    ("map_type", "x-kubernetes-map-type", "must be undefined to be structural"),
    ("validations", "x-kubernetes-validations", "must be empty to be structural"),
)


def schema_errors(schema: JSONSchemaProps, path: str, *, has_status: bool) -> list[FieldError]:
    """Return what is wrong with the schema of a version."""
    found = list(_root(schema, path)) if has_status else []
    if schema.nullable:
        found.append(
            errors.forbidden_field(f"{path}.nullable", "nullable cannot be true at the root")
        )
    found += _everywhere(schema, path)
    found += sorted(_structural(schema, path, "root"), key=str)
    return found if found else list(_defaults(schema, path, is_root=True))


def _root(schema: JSONSchemaProps, path: str) -> Errors:
    """Check that nothing is said at the root that a status would not hear."""
    empty = JSONSchemaProps()
    if schema.type not in ("", "object"):
        why = (
            'only "object" is allowed as the type at the root of the schema if the status '
            "subresource is enabled"
        )
        yield errors.invalid_value(f"{path}.type", schema.type, why)
    for name in schema.__struct_fields__:
        if name not in AT_ROOT and getattr(schema, name) != getattr(empty, name):
            known = " ".join(GO_NAMES.get(name) or name[0].upper() + name[1:] for name in AT_ROOT)
            why = (
                f"only [{known}] fields are allowed at the root of the schema if the status "
                "subresource is enabled"
            )
            yield errors.invalid_value(path, schema, why)
            return


def _parts(schema: JSONSchemaProps, path: str) -> Iterator[tuple[JSONSchemaProps, str]]:
    """Yield the schemas within a schema."""
    for name, inner in schema.properties.items():
        yield inner, f"{path}.properties[{name}]"
    if isinstance(schema.additionalProperties, JSONSchemaProps):
        yield schema.additionalProperties, f"{path}.additionalProperties"
    if schema.items is not None:
        yield schema.items, f"{path}.items"
    yield from _logic(schema, path)


def _logic(schema: JSONSchemaProps, path: str) -> Iterator[tuple[JSONSchemaProps, str]]:
    for name in ("allOf", "anyOf", "oneOf"):
        for index, inner in enumerate(getattr(schema, name)):
            yield inner, f"{path}.{name}[{index}]"
    if schema.not_ is not None:
        yield schema.not_, f"{path}.not"


def _everywhere(schema: JSONSchemaProps, path: str) -> Errors:
    """Check what holds of a schema wherever it stands, and of all within it."""
    if schema.type == "null":
        why = "type cannot be set to null, use nullable as an alternative"
        yield errors.forbidden_field(f"{path}.type", why)
    elif schema.type and schema.type not in TYPES:
        yield errors.not_supported(f"{path}.type", schema.type, TYPES)
    for field, name in (("ref", "$ref"), ("definitions", "definitions")):
        if getattr(schema, field):
            yield errors.forbidden_field(f"{path}.{name}", f"{name} is not supported")
    for field in ("dependencies", "patternProperties", "additionalItems", "id"):
        if getattr(schema, field):
            yield errors.forbidden_field(f"{path}.{field}", f"{field} is not supported")
    if schema.uniqueItems:
        why = "uniqueItems cannot be set to true since the runtime complexity becomes quadratic"
        yield errors.forbidden_field(f"{path}.uniqueItems", why)
    if schema.properties and schema.additionalProperties not in (None, True):
        why = "additionalProperties and properties are mutual exclusive"
        yield errors.forbidden_field(f"{path}.additionalProperties", why)
    if schema.preserve_unknown is False:
        where = f"{path}.x-kubernetes-preserve-unknown-fields"
        yield errors.invalid_value(where, False, "must be true or undefined")
    yield from _merging(schema, path)
    yield from rule_errors(schema.validations, f"{path}.x-kubernetes-validations")
    for inner, where in _parts(schema, path):
        yield from _everywhere(inner, where)


def _merging(schema: JSONSchemaProps, path: str) -> Errors:
    """Check how lists and maps are said to be merged."""
    keys_path, list_path = f"{path}.x-kubernetes-list-map-keys", f"{path}.x-kubernetes-list-type"
    if schema.map_type is not None:
        yield from _must_be(schema, path, "object", "x-kubernetes-map-type")
        if schema.map_type not in ("atomic", "granular"):
            where = f"{path}.x-kubernetes-map-type"
            yield errors.not_supported(where, schema.map_type, ("atomic", "granular"))
    if schema.list_type is not None:
        yield from _must_be(schema, path, "array", "x-kubernetes-list-type")
        if schema.list_type not in ("atomic", "set", "map"):
            yield errors.not_supported(list_path, schema.list_type, ("atomic", "set", "map"))
    if schema.list_map_keys and schema.list_type != "map":
        why = "must be map if x-kubernetes-list-map-keys is non-empty"
        if schema.list_type is None:
            yield errors.required(list_path, why)
        else:
            yield errors.invalid_value(list_path, schema.list_type, why)
    if schema.list_type != "map":
        return
    if not schema.list_map_keys:
        yield errors.required(keys_path, "must not be empty if x-kubernetes-list-type is map")
    items = schema.items
    if items is not None and items.type != "object":
        why = "must be object if parent array's x-kubernetes-list-type is map"
        yield errors.invalid_value(f"{path}.items.type", items.type, why)
    for index, key in enumerate(schema.list_map_keys):
        if items is not None and key not in items.properties:
            why = "entries must all be names of item properties"
            yield errors.invalid_value(f"{keys_path}[{index}]", key, why)


def _must_be(schema: JSONSchemaProps, path: str, type: str, because: str) -> Errors:
    why = f"must be {type} if {because} is specified"
    if not schema.type:
        yield errors.required(f"{path}.type", why)
    elif schema.type != type:
        yield errors.invalid_value(f"{path}.type", schema.type, why)


def _structural(schema: JSONSchemaProps, path: str, level: str) -> Errors:
    """Check the part of a schema that says which fields there are."""
    if schema.type == "array" and schema.items is None:
        yield errors.required(f"{path}.items", "must be specified")
    if schema.items is not None:
        yield from _structural(schema.items, f"{path}.items", "item")
    for name, inner in schema.properties.items():
        if level == "root" and name == "metadata":
            yield from _metadata(inner, f"{path}.properties[metadata]")
        else:
            yield from _structural(inner, f"{path}.properties[{name}]", "field")
    more = schema.additionalProperties
    if more is not None and level == "root":
        yield errors.forbidden_field(f"{path}.additionalProperties", "must not be used at the root")
    if isinstance(more, JSONSchemaProps):
        yield from _structural(more, f"{path}.additionalProperties", "field")
    if schema.int_or_string and schema.preserve_unknown:
        where = f"{path}.x-kubernetes-preserve-unknown-fields"
        yield errors.invalid_value(
            where, True, "must be false if x-kubernetes-int-or-string is true"
        )
    if not schema.type and not schema.int_or_string and not schema.preserve_unknown:
        yield errors.required(f"{path}.type", MISSING_TYPE[level])
    elif level == "root" and schema.type != "object":
        yield errors.invalid_value(f"{path}.type", schema.type, "must be object at the root")
    if schema.embedded_resource and schema.type and schema.type != "object":
        why = "must be object if x-kubernetes-embedded-resource is true"
        yield errors.invalid_value(f"{path}.type", schema.type, why)
    if schema.embedded_resource and not schema.preserve_unknown and not schema.properties:
        why = (
            "must not be empty if x-kubernetes-embedded-resource is true without "
            "x-kubernetes-preserve-unknown-fields"
        )
        yield errors.required(f"{path}.properties", why)
    yield from _narrowing(schema, schema, path)


def _metadata(schema: JSONSchemaProps, path: str) -> Errors:
    if schema.type != "object":
        yield errors.invalid_value(f"{path}.type", schema.type, "must be object")
    allowed = all(name in ("name", "generateName") for name in schema.properties)
    rest = replace(schema, type="", properties={}, description="")
    if not allowed or rest != JSONSchemaProps():
        why = (
            "must not specify anything other than name and generateName, but metadata is "
            "implicitly specified"
        )
        yield errors.forbidden_field(path, why)


def _narrowing(said: JSONSchemaProps, schema: JSONSchemaProps, path: str) -> Errors:
    """Check the logic in a schema: it speaks of values, and only of fields that there are."""
    if said.pattern:
        try:
            re.compile(said.pattern)
        except re.error as error:
            why = f"must be a valid regular expression, but isn't: {error}"
            yield errors.invalid_value(f"{path}.pattern", said.pattern, why)
    for inner, where in _logic(said, path):
        if inner in INT_OR_STRING and schema.int_or_string:
            continue
        yield from _nested(inner, schema, where)


def _nested(said: JSONSchemaProps, schema: JSONSchemaProps, path: str) -> Errors:
    empty = JSONSchemaProps()
    for field, name, why in NOT_NESTED:
        if getattr(said, field) != getattr(empty, field):
            yield errors.forbidden_field(f"{path}.{name}", why)
    if "metadata" in said.properties:
        why = "must not be specified in a nested context"
        yield errors.forbidden_field(f"{path}.properties[metadata]", why)
    for name, inner in said.properties.items():
        known = schema.properties.get(name)
        if known is None and not schema.preserve_unknown:
            spine = re.sub(r"\.(allOf|anyOf|oneOf)\[\d+\]|\.not", "", f"{path}.properties[{name}]")
            why = f"because it is defined in {path}.properties[{name}]"
            yield errors.required(spine, why)
        yield from _nested(inner, known or JSONSchemaProps(), f"{path}.properties[{name}]")
    if said.items is not None:
        yield from _nested(said.items, schema.items or JSONSchemaProps(), f"{path}.items")
    yield from _narrowing(said, schema, path)


def _defaults(schema: JSONSchemaProps, path: str, *, is_root: bool = False) -> Errors:
    """Check that each default is a value that its schema allows."""
    if schema.default is not None:
        value, unknown = pruned(schema.default, schema, is_resource=False)
        if unknown:
            yield errors.invalid_value(f"{path}.default", schema.default, "must be pruned")
        yield from violations(value, schema, f"{path}.default")
    for inner, where in _parts(schema, path):
        if is_root and where.endswith("properties[metadata]"):
            continue
        yield from _defaults(inner, where)
