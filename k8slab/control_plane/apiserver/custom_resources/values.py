"""Validation of a custom object against its schema, in the words of the API server.

    spec.replicas: Invalid value: "string": spec.replicas in body must be of type integer: "string"
    spec.size: Unsupported value: "huge": supported values: "large", "small"

Rule of use: `violations(value, schema, path)` on data that was pruned and defaulted; pure. Rules in
CEL are `rules`' business.

Upstream: k8s.io/kube-openapi/pkg/validation/validate,
staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/{validation,schema/listtype}
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from k8slab.api import errors
from k8slab.api.apiextensions import JSONSchemaProps
from k8slab.api.errors import FieldError
from k8slab.control_plane.apiserver.custom_resources import value_formats
from k8slab.control_plane.apiserver.custom_resources.structural import inner_schema

ABSENT: Any = object()  # in place of an old value: there was none


def violations(
    value: Any, schema: JSONSchemaProps, path: str, old: Any = ABSENT
) -> Iterator[FieldError]:
    """Yield what is wrong with a value and all below it, but for what is as it was in `old`."""
    if old is not ABSENT and _same(value, old):
        return
    if value is None and (schema.nullable or not _types(schema)):
        return
    if not _has_type(value, schema):
        yield _wrong_type(value, schema, path)
        return
    if isinstance(value, str):
        yield from _text(value, schema, path)
    elif isinstance(value, Mapping):
        yield from _object(value, schema, path, old)
    elif isinstance(value, list | tuple):
        yield from _list(value, schema, path, old)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number(value, schema, path)
    if schema.enum and not any(_same(value, allowed) for allowed in schema.enum):
        allowed = [v if isinstance(v, str) else errors.go_value(v) for v in schema.enum]
        yield errors.not_supported(path, value, allowed)
    yield from _combinations(value, schema, path)


def _types(schema: JSONSchemaProps) -> tuple[str, ...]:
    if schema.int_or_string:
        return "integer", "string"
    return (schema.type,) if schema.type else ()


def type_of_value(value: Any) -> str:
    """Return what OpenAPI calls a value's type.

    >>> [type_of_value(v) for v in (True, 3, 2.5, "a", None, [], {})]
    ['boolean', 'integer', 'number', 'string', 'null', 'array', 'object']
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "integer" if value.is_integer() else "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def _has_type(value: Any, schema: JSONSchemaProps) -> bool:
    wanted = _types(schema)
    found = type_of_value(value)
    return not wanted or found in wanted or (found == "integer" and "number" in wanted)


def _wrong_type(value: Any, schema: JSONSchemaProps, path: str) -> FieldError:
    found = type_of_value(value)
    wanted = ",".join(_types(schema))
    detail = f'{path} in body must be of type {wanted}: "{found}"'
    return FieldError(path, "FieldValueTypeInvalid", detail, found)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def _should(path: str, value: Any, what: str) -> FieldError:
    return errors.invalid_value(path, value, f"{path} in body should {what}")


def _text(value: str, schema: JSONSchemaProps, path: str) -> Iterator[FieldError]:
    if schema.maxLength is not None and len(value) > schema.maxLength:
        yield errors.too_long(path, schema.maxLength)
    if schema.minLength is not None and len(value) < schema.minLength:
        yield _should(path, value, f"be at least {schema.minLength} chars long")
    if schema.pattern and not _matches(schema.pattern, value):
        yield _should(path, value, f"match '{schema.pattern}'")
    if schema.format and not value_formats.fits(schema.format, value):
        what = f"{path} in body must be of type {schema.format}: {errors.go_value(value)}"
        yield errors.invalid_value(path, value, what)


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.search(pattern, value) is not None
    except re.error:  # a pattern that only Go's library reads is left to real clusters
        return True


def _number(value: float, schema: JSONSchemaProps, path: str) -> Iterator[FieldError]:
    maximum, minimum = schema.maximum, schema.minimum
    if maximum is not None and (value > maximum or (schema.exclusiveMaximum and value == maximum)):
        than = "less than" if schema.exclusiveMaximum else "less than or equal to"
        yield _should(path, value, f"be {than} {_go(maximum)}")
    if minimum is not None and (value < minimum or (schema.exclusiveMinimum and value == minimum)):
        than = "greater than" if schema.exclusiveMinimum else "greater than or equal to"
        yield _should(path, value, f"be {than} {_go(minimum)}")
    if schema.multipleOf and value % schema.multipleOf:
        yield _should(path, value, f"be a multiple of {_go(schema.multipleOf)}")


def _go(number: float) -> str:
    return str(int(number)) if float(number).is_integer() else str(number)


def _list(value: Any, schema: JSONSchemaProps, path: str, old: Any) -> Iterator[FieldError]:
    if schema.maxItems is not None and len(value) > schema.maxItems:
        yield _too_many(path, len(value), schema.maxItems)
    if schema.minItems is not None and len(value) < schema.minItems:
        yield _should(path, len(value), f"have at least {schema.minItems} items")
    for index, item in enumerate(value):
        if schema.items is not None:
            before = counterpart(item, schema, old)
            yield from violations(item, schema.items, f"{path}[{index}]", before)
    yield from _duplicates(value, schema, path)


def counterpart(item: Any, schema: JSONSchemaProps, old: Any) -> Any:
    """Return what an item of a list was before: known by its keys, if the list is a map."""
    if schema.list_type != "map" or not isinstance(old, list | tuple):
        return ABSENT
    key = _key(item, schema)
    return next((other for other in old if _key(other, schema) == key), ABSENT)


def _key(item: Any, schema: JSONSchemaProps) -> dict[str, Any]:
    given = item if isinstance(item, Mapping) else {}
    return {name: given[name] for name in schema.list_map_keys if name in given}


def _duplicates(value: Any, schema: JSONSchemaProps, path: str) -> Iterator[FieldError]:
    seen: dict[bytes, None] = {}
    for index, item in enumerate(value if schema.list_type in ("set", "map") else ()):
        key = _key(item, schema) if schema.list_type == "map" else item
        encoded = msgspec.json.encode(key, order="sorted")
        if encoded in seen:
            yield errors.duplicate(f"{path}[{index}]", key)
        seen[encoded] = None


def _object(
    value: Mapping[str, Any], schema: JSONSchemaProps, path: str, old: Any
) -> Iterator[FieldError]:
    if schema.maxProperties is not None and len(value) > schema.maxProperties:
        yield _too_many(path, len(value), schema.maxProperties)
    if schema.minProperties is not None and len(value) < schema.minProperties:
        yield _should(path, len(value), f"have at least {schema.minProperties} properties")
    for key in sorted(value):
        inner = inner_schema(schema, key)
        if inner is not None:
            before = old.get(key, ABSENT) if isinstance(old, Mapping) else ABSENT
            yield from violations(value[key], inner, f"{path}.{key}" if path else key, before)
    for name in schema.required:
        if name not in value:
            yield errors.required(f"{path}.{name}" if path else name)


def _too_many(path: str, found: int, maximum: int) -> FieldError:
    return FieldError(path, "FieldValueTooMany", f"must have at most {maximum} items", found)


def _combinations(value: Any, schema: JSONSchemaProps, path: str) -> Iterator[FieldError]:
    """Check what is said by allOf, anyOf, oneOf and not."""
    name = f'"{path or "<nil>"}"'
    for inner in schema.allOf:
        yield from violations(value, inner, path)
    if schema.anyOf and not any(_fits(value, inner, path) for inner in schema.anyOf):
        yield errors.invalid_value(path, "", f"{name} must validate at least one schema (anyOf)")
        yield from violations(value, schema.anyOf[0], path)
    if schema.oneOf:
        count = sum(_fits(value, inner, path) for inner in schema.oneOf)
        if count != 1:
            found = "none valid" if not count else f"{count} valid alternatives"
            why = f"{name} must validate one and only one schema (oneOf). Found {found}"
            yield errors.invalid_value(path, "", why)
    if schema.not_ is not None and _fits(value, schema.not_, path):
        yield errors.invalid_value(path, "", f"{name} must not validate the schema (not)")


def _fits(value: Any, schema: JSONSchemaProps, path: str) -> bool:
    return next(violations(value, schema, path), None) is None
