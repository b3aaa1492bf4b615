r"""Sets of fields, in the form in which objects carry them (FieldsV1).

A set is a tree. `f:image` is a field, `k:{"name":"web"}` the item of a list with that key, `v:x` a
plain value in a list; an empty tree means that the whole is in the set, as `.` does beside others.

    {"f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers":
        {'k:{"name":"web"}': {".": {}, "f:image": {}}}}}}}

Rule of use: sets are values; every function here returns a new one.

Upstream: sigs.k8s.io/structured-merge-diff/v6/fieldpath, typed
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias, get_args, get_origin

import msgspec

from k8slab.api.apiextensions import JSONSchemaProps
from k8slab.api.custom import IDENTITY, Custom
from k8slab.api.diagnosis import field_types
from k8slab.api.inner_structs import inner_struct
from k8slab.api.meta import ObjectMeta
from k8slab.control_plane.apiserver.custom_resources.structural import inner_schema

FieldSet: TypeAlias = dict[str, Any]

# By which fields the items of a list are told apart, by the Struct of the items.
LIST_MAP_KEYS: Mapping[str, tuple[str, ...]] = {
    "Container": ("name",),
    "ContainerPort": ("containerPort", "protocol"),
    "EnvVar": ("name",),
    "EphemeralContainer": ("name",),
    "HostAlias": ("ip",),
    "LocalObjectReference": ("name",),
    "NodeAddress": ("type",),
    "OwnerReference": ("uid",),
    "PodIP": ("ip",),
    "PodSchedulingGate": ("name",),
    "ResourceClaim": ("name",),
    "ServicePort": ("port", "protocol"),
    "TopologySpreadConstraint": ("topologyKey", "whenUnsatisfiable"),
    "Volume": ("name",),
    "VolumeDevice": ("devicePath",),
    "VolumeMount": ("mountPath",),
}
KEY_DEFAULTS = {"protocol": "TCP"}
PLAIN_SETS = frozenset({"finalizers", "podCIDRs"})  # lists of plain values that are sets
ATOMIC_FIELDS = frozenset({"nodeSelector", "selector", "managedFields"})  # changed as a whole
ATOMIC_STRUCTS = frozenset(
    {
        "ConfigMapKeySelector",
        "LabelSelector",
        "NodeSelector",
        "NodeSelectorTerm",
        "ObjectFieldSelector",
        "ObjectReference",
        "ResourceFieldSelector",
        "RoleRef",
        "SecretKeySelector",
        "TypedLocalObjectReference",
    }
)


class Shape(msgspec.Struct, frozen=True):
    """How a value is taken apart: not at all, by field, by the keys of its items, by value."""

    how: str  # atomic, fields, items, values
    type: Any = None  # of the parts: a Struct for its fields, else the type of each
    keys: tuple[str, ...] = ()


def shape_of(name: str, expected: Any) -> Shape:
    """Return how a field of that name and type is taken apart."""
    struct = inner_struct(expected)
    origin = get_origin(_without_none(expected))
    if name in ATOMIC_FIELDS or (struct is not None and struct.__name__ in ATOMIC_STRUCTS):
        return Shape("atomic")
    if origin is tuple:
        if struct is None:
            return Shape("values") if name in PLAIN_SETS else Shape("atomic")
        keys = LIST_MAP_KEYS.get(struct.__name__, ())
        if name == "conditions":
            keys = ("type",)
        return Shape("items", struct, keys) if keys else Shape("atomic")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Shape("fields", get_args(_without_none(expected))[1])
    return Shape("fields", struct) if struct is not None else Shape("atomic")


def children(value: Any, shape: Shape) -> dict[str, tuple[Any, Shape]]:
    """Return the parts of a value: path element -> (part, its shape)."""
    if shape.how == "fields" and isinstance(value, Mapping):
        schema = _schema_of(shape.type)
        if schema is not None:
            return _schema_children(value, schema, is_object=schema is not shape.type)
        is_struct = isinstance(shape.type, type) and issubclass(shape.type, msgspec.Struct)
        known = field_types(shape.type) if is_struct else {}
        return {
            f"f:{key}": (item, shape_of(key, known.get(key, Any)) if is_struct else Shape("atomic"))
            for key, item in value.items()
        }
    if shape.how == "items" and isinstance(value, list | tuple):
        inner = Shape("fields", shape.type)
        return {key_element(item, shape.keys): (item, inner) for item in value}
    if shape.how == "values" and isinstance(value, list | tuple):
        return {f"v:{json.dumps(item)}": (item, Shape("atomic")) for item in value}
    return {}


def _schema_of(type_: Any) -> JSONSchemaProps | None:
    """Return the schema that a shape's type is, or has; None for a Struct."""
    if isinstance(type_, JSONSchemaProps):
        return type_
    is_custom = isinstance(type_, type) and issubclass(type_, Custom)
    return type_.__definition__.schema if is_custom else None


def _schema_children(
    value: Mapping[str, Any], schema: JSONSchemaProps, *, is_object: bool
) -> dict[str, tuple[Any, Shape]]:
    found: dict[str, tuple[Any, Shape]] = {}
    for key, item in value.items():
        inner = inner_schema(schema, key)
        if is_object and key == "metadata":
            shape = Shape("fields", ObjectMeta)
        elif is_object and key in IDENTITY:
            shape = Shape("atomic")
        else:
            shape = _schema_shape(inner or JSONSchemaProps(preserve_unknown=True), item)
        found[f"f:{key}"] = (item, shape)
    return found


def _schema_shape(schema: JSONSchemaProps, value: Any) -> Shape:
    """Return how a value of a schema is taken apart, as the schema's extensions say."""
    if isinstance(value, Mapping) and schema.map_type != "atomic":
        return Shape("fields", schema)
    if isinstance(value, list | tuple) and schema.list_type == "map":
        return Shape("items", schema.items, schema.list_map_keys)
    if isinstance(value, list | tuple) and schema.list_type == "set":
        return Shape("values")
    return Shape("atomic")


def key_element(item: Any, keys: tuple[str, ...]) -> str:
    """Return how a set names an item of a list.

    >>> key_element({"containerPort": 80, "name": "http"}, ("containerPort", "protocol"))
    'k:{"containerPort":80,"protocol":"TCP"}'
    """
    given = item if isinstance(item, Mapping) else {}
    named = {key: given.get(key, KEY_DEFAULTS.get(key)) for key in keys}
    return f"k:{json.dumps(named, separators=(',', ':'))}"


def fields_in(value: Any, shape: Shape) -> FieldSet:
    """Return all fields that an applied configuration names."""
    found: FieldSet = {}
    for element, (part, inner) in children(value, shape).items():
        below = fields_in(part, inner)
        found[element] = {".": {}, **below} if below and element[0] == "k" else below
    return found


def changes(old: Any, new: Any, shape: Shape) -> tuple[FieldSet, FieldSet]:
    """Return what was set or changed from `old` to `new`, and what was removed."""
    before, after = children(old, shape), children(new, shape)
    changed: FieldSet = {}
    removed: FieldSet = {}
    for element, (part, inner) in after.items():
        if element not in before or before[element][0] is None:
            changed[element] = _added(part, inner)
        elif part != before[element][0]:
            was = before[element][0]
            if inner.how == "atomic":
                changed[element] = {}
                continue
            set_, gone = changes(was, part, inner)
            changed |= {element: set_} if set_ else {}
            removed |= {element: gone} if gone else {}
    for element, (part, inner) in before.items():
        if element not in after:
            removed[element] = _added(part, inner)
    return changed, removed


def _added(value: Any, shape: Shape) -> FieldSet:
    """Return the fields of a part that was not there: itself, and all below."""
    below = {
        element: _added(part, inner) for element, (part, inner) in children(value, shape).items()
    }
    return {".": {}, **below} if below else {}


def union(one: FieldSet, other: FieldSet) -> FieldSet:
    """Return what is in either set.

    >>> union({"f:a": {}}, {"f:a": {"f:b": {}}})
    {'f:a': {'.': {}, 'f:b': {}}}
    """
    found = dict(one)
    for element, tree in other.items():
        mine = found.get(element)
        if mine is None:
            found[element] = tree
        elif bool(mine) == bool(tree):
            found[element] = union(mine, tree)
        else:
            found[element] = {".": {}, **(mine or tree)}
    return found


def difference(one: FieldSet, other: FieldSet) -> FieldSet:
    """Return what is in the first set only.

    >>> difference({"f:a": {}, "f:b": {".": {}, "f:c": {}}}, {"f:b": {"f:c": {}}})
    {'f:a': {}, 'f:b': {}}
    """
    found: FieldSet = {}
    for element, tree in one.items():
        theirs = other.get(element)
        if theirs is None:
            found[element] = tree
        elif tree:
            rest = difference(tree, theirs or {".": {}})
            if rest:
                found[element] = {} if list(rest) == ["."] else rest
        elif theirs and "." not in theirs:
            found[element] = {}
    return found


def intersection(one: FieldSet, other: FieldSet) -> FieldSet:
    """Return what is in both sets.

    >>> intersection({"f:a": {".": {}, "f:b": {}}}, {"f:a": {}})
    {'f:a': {}}
    """
    found: FieldSet = {}
    for element, tree in one.items():
        theirs = other.get(element)
        if theirs is None:
            continue
        if not tree and not theirs:
            found[element] = {}
            continue
        both = intersection(tree or {".": {}}, theirs or {".": {}})
        if both:
            found[element] = {} if list(both) == ["."] else both
    return found


def paths(fields: FieldSet, prefix: str = "") -> Iterator[str]:
    """Yield the fields as messages write them.

    >>> list(paths({"f:a": {'k:{"name":"b"}': {".": {}, "f:c": {}}}}))
    ['.a[name="b"]', '.a[name="b"].c']
    """
    for element, tree in fields.items():
        if element == ".":
            yield prefix
            continue
        here = prefix + _written(element)
        if tree:
            yield from paths(tree, here)
        else:
            yield here


def _written(element: str) -> str:
    kind, _, rest = element.partition(":")
    if kind == "f":
        return f".{rest}"
    if kind == "v":
        return f"[={rest}]"
    keys = (f"{key}={json.dumps(value)}" for key, value in json.loads(rest).items())
    return f"[{','.join(keys)}]"


def _without_none(expected: Any) -> Any:
    rest = [kind for kind in get_args(expected) if kind is not type(None)]
    is_optional = type(None) in get_args(expected)
    return rest[0] if is_optional and len(rest) == 1 else expected
