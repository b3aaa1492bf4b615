"""The Structs that fields are made of, looked up through lists, maps and what may be absent.

Interface: ``inner_struct`` (the Struct that a field is, or is a list or map of).

Upstream: none (Go's reflection does this there)
"""

import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

import msgspec


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
