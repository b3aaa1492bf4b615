"""What the types of fields are called: "string", "[]Container", "map[string]string".

Interface: ``type_name`` (what `kubectl explain` shows), ``inner_struct`` (the Struct that a field
is, or is a list or map of).

Upstream: staging/src/k8s.io/kubectl/pkg/explain/v2/funcs.go
"""

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

import msgspec

from k8slab.api.quantity import Quantity

_NAMES: dict[Any, str] = {
    str: "string",
    int: "integer",
    bool: "boolean",
    float: "number",
    Any: "Object",
    Quantity: "Quantity",
}


def type_name(expected: Any) -> str:
    """Return what a field's type is called."""
    expected = _without_none(expected)
    origin = get_origin(expected)
    if origin is tuple:
        return f"[]{type_name(get_args(expected)[0])}"
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"map[string]{type_name(get_args(expected)[1])}"
    if origin in (types.UnionType, Union):
        return "IntOrString"
    return _NAMES.get(expected) or str(getattr(expected, "__name__", expected))


def inner_struct(expected: Any) -> type[msgspec.Struct] | None:
    """Return the Struct that a field is, or is a list or map of; None if there is none."""
    expected = _without_none(expected)
    origin = get_origin(expected)
    if origin is tuple:
        return inner_struct(get_args(expected)[0])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return inner_struct(get_args(expected)[1])
    is_struct = isinstance(expected, type) and issubclass(expected, msgspec.Struct)
    return expected if is_struct else None


def _without_none(expected: Any) -> Any:
    if get_origin(expected) not in (types.UnionType, Union):
        return expected
    rest = [kind for kind in get_args(expected) if kind is not type(None)]
    return rest[0] if len(rest) == 1 else expected
