"""What is wrong with data that does not fit a kind, in the lab's words and in the API server's.

Interface: ``problems`` (all of them, in the order of the data), ``repaired`` (the data without
nulls and, if wanted, without unknown fields), ``unknown_fields`` (as fieldValidation reports them).
Rule: this is the slow road. The decoder takes it only after the fast one has failed.

Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json/json.go
"""

import types
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, TypeAlias, Union, get_args, get_origin

import msgspec
from msgspec.structs import fields

from k8slab.api.quantity import Quantity, canonical

Path: TypeAlias = tuple[str | int, ...]

# Go's int64 fields; every other integer of the API is an int32.
_INT64 = frozenset(
    {
        *("generation", "observedGeneration", "revision", "sizeBytes", "remainingItemCount"),
        *("gracePeriodSeconds", "deletionGracePeriodSeconds", "terminationGracePeriodSeconds"),
        *("activeDeadlineSeconds", "startingDeadlineSeconds", "tolerationSeconds", "seconds"),
        *("expirationSeconds", "runAsUser", "runAsGroup", "fsGroup", "supplementalGroups"),
        *("uid", "gid", "user", "defaultUser", "capacity"),
    }
)
_JSON_NAMES = {bool: "bool", int: "number", float: "number", str: "string", list: "array"}
_GO_NAMES = {str: "string", bool: "bool", Quantity: "resource.Quantity"}
_ZERO: dict[Any, Any] = {str: "", bool: False, int: 0, Quantity: "0"}


class Problem(msgspec.Struct, frozen=True):
    """One thing that is wrong: where, in our words, and in the words of the API server."""

    path: Path
    reason: str
    upstream: str
    is_unknown_field: bool = False


def problems(data: Any, expected: Any) -> list[Problem]:
    """Return everything that keeps ``data`` from being an ``expected``."""
    return list(_walk(data, expected, (), expected))


def unknown_fields(data: Any, expected: Any) -> list[str]:
    """Return what the API server warns of: ``unknown field "spec.containers[0].imgPullPolicy"``."""
    return [p.upstream for p in problems(data, expected) if p.is_unknown_field]


def repaired(data: Any, expected: Any, *, drop_unknown: bool = False) -> Any:
    """Return the data as Go reads it: a null field is an absent one, a null item a zero one."""
    expected = _without_none(expected)
    if isinstance(data, Mapping) and _is_struct(expected):
        known = field_types(expected)
        return {
            key: repaired(item, known[key], drop_unknown=drop_unknown) if key in known else item
            for key, item in data.items()
            if item is not None and (key in known or not drop_unknown)
        }
    if isinstance(data, float) and expected is int and data.is_integer():
        return int(data)
    inner = _item_type(expected)
    if inner is not None and isinstance(data, list | tuple):
        return [_repaired_item(item, inner, drop_unknown) for item in data]
    if inner is not None and isinstance(data, Mapping):
        return {key: _repaired_item(item, inner, drop_unknown) for key, item in data.items()}
    return data


@cache
def field_types(struct: Any) -> dict[str, Any]:
    """Return the type of each field of a Struct, by its name in YAML."""
    return {field.encode_name: field.type for field in fields(struct)}


def render(path: Path) -> str:
    """Write a path as Kubernetes does: ``spec.containers[0].name``."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else step
    return text


def _walk(data: Any, expected: Any, path: Path, owner: Any) -> Iterator[Problem]:
    expected = _without_none(expected)
    inner = _item_type(expected)
    if data is None or expected is Any:
        return
    if _is_struct(expected) and isinstance(data, Mapping):
        known = field_types(expected)
        for key, item in data.items():
            if key in known:
                yield from _walk(item, known[key], (*path, key), expected)
            else:
                yield _unknown(key, path, known)
    elif inner is not None and isinstance(data, Mapping) and get_origin(expected) is not tuple:
        for key, item in data.items():
            yield from _walk(item, inner, (*path, key), owner)
    elif inner is not None and isinstance(data, list | tuple) and get_origin(expected) is tuple:
        for index, item in enumerate(data):
            yield from _walk(item, inner, (*path, index), owner)
    elif expected is Quantity:
        yield from _quantity(data, path)
    elif not _fits(data, expected):
        yield _wrong_type(data, expected, path, owner)


def _unknown(key: Any, path: Path, known: Mapping[str, Any]) -> Problem:
    import difflib

    close = difflib.get_close_matches(str(key), known, n=1, cutoff=0.6)
    hint = f', did you mean "{close[0]}"?' if close else ""
    full = (*path, str(key))
    upstream = f'unknown field "{render(full)}"'
    return Problem(full, f'unknown field "{key}"{hint}', upstream, is_unknown_field=True)


def _wrong_type(data: Any, expected: Any, path: Path, owner: Any) -> Problem:
    found = _found(data)
    wanted = _wanted(expected)
    shown = f' "{data}"' if isinstance(data, str) else ""
    # A number that does not fit is quoted, one where no number belongs is not.
    go_found = f"number {data}" if expected is int and isinstance(data, float) else found
    names = ".".join(str(step) for step in path if isinstance(step, str))
    if isinstance(owner, type) and path and _is_map_item(owner, path):
        names = names.rpartition(".")[0]
    upstream = (
        f"json: cannot unmarshal {go_found} into Go struct field "
        f"{owner.__name__}.{names} of type {_go_type(expected, path)}"
    )
    return Problem(path, f"expected {wanted}, found {_python_name(found)}{shown}", upstream)


def _quantity(data: Any, path: Path) -> Iterator[Problem]:
    text = str(data) if isinstance(data, str | int | float) and data is not True else ""
    try:
        canonical(text)
    except ValueError as error:
        reason = f'expected a quantity such as 250m or 64Mi, found "{data}"'
        yield Problem(path, reason, str(error))


def _fits(data: Any, expected: Any) -> bool:
    alternatives = get_args(expected) or (expected,)
    if isinstance(data, bool):
        return bool in alternatives
    if isinstance(data, float) and data.is_integer() and int in alternatives:
        return True
    kinds = (get_origin(kind) or kind for kind in alternatives if kind is not Any)
    return isinstance(data, tuple(kind for kind in kinds if isinstance(kind, type)))


def _repaired_item(item: Any, inner: Any, drop_unknown: bool) -> Any:
    if item is None:
        return {} if _is_struct(inner) else _ZERO.get(inner)
    return repaired(item, inner, drop_unknown=drop_unknown)


def _without_none(expected: Any) -> Any:
    if get_origin(expected) not in (types.UnionType, Union):
        return expected
    rest = tuple(kind for kind in get_args(expected) if kind is not type(None))
    return rest[0] if len(rest) == 1 else Union[rest]  # noqa: UP007 (made from a tuple)


def _is_struct(expected: Any) -> bool:
    return isinstance(expected, type) and issubclass(expected, msgspec.Struct)


def _item_type(expected: Any) -> Any:
    origin = get_origin(expected)
    if origin is tuple:
        return get_args(expected)[0]
    if origin is not None and isinstance(origin, type) and issubclass(origin, Mapping):
        return get_args(expected)[1]
    return None


def _is_map_item(owner: Any, path: Path) -> bool:
    # Go names the map, not the key in it.
    return path[-1] not in field_types(owner) if _is_struct(owner) else False


def _found(data: Any) -> str:
    return _JSON_NAMES.get(type(data), "object")


def _python_name(found: str) -> str:
    return {"array": "a list", "object": "a map", "number": "a number"}.get(found, found)


def _wanted(expected: Any) -> str:
    if get_origin(expected) in (types.UnionType, Union):
        return "int or string"
    if get_origin(expected) is tuple:
        return "a list"
    if _is_struct(expected) or _item_type(expected) is not None:
        return "a map"
    return {str: "string"}.get(expected, getattr(expected, "__name__", str(expected)))


def _go_type(expected: Any, path: Path) -> str:
    inner = _item_type(expected)
    if get_origin(expected) is tuple:
        return f"[]{_go_type(inner, path)}"
    if inner is not None:
        return f"map[string]{_go_type(inner, path)}"
    if expected is int:
        name = next((step for step in reversed(path) if isinstance(step, str)), "")
        return "int64" if name in _INT64 else "int32"
    if _is_struct(expected):
        return f"v1.{expected.__name__}"
    return _GO_NAMES.get(expected, "intstr.IntOrString")
