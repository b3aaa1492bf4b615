"""What crosses between a check and a learner's kernel: data, objects of the API, a few structs.

`plain` gives a value in JSON's types, `restored` the value again. An object of the API travels as
its manifest, a struct of `STRUCTS` (a `Plan`, a `Record`) with its fields.

Rule of use: nothing is made by a name that came over the wire, but for those in `STRUCTS`.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any

LONGEST = 10_000  # items of an answer
STRUCTS = {
    "Plan": "k8slab.control_plane.controllers.replica_set.plan",
    "Record": "k8slab.sim",
}


def plain(value: Any) -> Any:
    """Return the value in JSON's types; raises TypeError for what has none."""
    from k8slab.api import Object, to_dict

    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, Object):
        return {"$object": to_dict(value)}
    name = type(value).__name__
    if name in STRUCTS and isinstance(value, _struct(name)):
        fields = {field: plain(getattr(value, field)) for field in value.__struct_fields__}
        return {"$struct": name, "fields": fields}
    if isinstance(value, Mapping):
        return {"$map": [[plain(key), plain(one)] for key, one in value.items()]}
    if isinstance(value, set | frozenset):
        value = sorted(value, key=repr)
    if isinstance(value, list | tuple):
        return [plain(one) for one in value[:LONGEST]]
    raise TypeError(name)


def restored(value: Any) -> Any:
    """Return what `plain` was given; raises ValueError if it was something else."""
    try:
        return _restored(value)
    except (TypeError, KeyError, AttributeError, RecursionError) as problem:
        raise ValueError(f"not sent by plain: {problem}") from None


def _restored(value: Any) -> Any:
    if isinstance(value, list):
        return [_restored(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"$map"}:
        return {_key(_restored(key)): _restored(one) for key, one in value["$map"]}
    if set(value) == {"$struct", "fields"}:
        fields = {key: _restored(one) for key, one in value["fields"].items()}
        return _struct(value["$struct"])(**fields)
    from k8slab.api import load

    return load(value["$object"])


def _struct(name: str) -> Any:
    return getattr(import_module(STRUCTS[name]), name)


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key
