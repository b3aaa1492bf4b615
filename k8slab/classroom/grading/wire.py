"""What crosses between a check and a learner's kernel: data, objects of the API, a few structs.

`plain` gives a value in JSON's types, `restored` the value again. An object of the API travels as
its manifest, a part of one (a PodSpec) and a struct of `STRUCTS` with its fields. The `Desk` of a
controller travels as the objects on it; what was asked of it comes back as `wishes`.

Rule of use: by a name that came over the wire only data is made: structs of the API and `STRUCTS`.

Upstream: none
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec

LONGEST = 10_000  # items of an answer
STRUCTS = {
    "Plan": "k8slab.control_plane.controllers.replica_set.plan",
    "Record": "k8slab.sim",
    "Heard": "k8slab.control_plane.controllers.learner_controller",
    "ServedPort": "k8slab.classroom.exercises.ch14.post",
}
API = "k8slab.api."  # the package whose structs may travel


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
    if isinstance(value, msgspec.Struct) and type(value).__module__.startswith(API):
        return {"$api": [type(value).__module__, name], "fields": to_dict(value)}
    if is_desk(value):
        kinds = ("pod", "configmap")
        return {"$desk": {kind: [to_dict(one) for one in value.list(kind)] for kind in kinds}}
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
    if set(value) == {"$api", "fields"}:
        module, name = value["$api"]
        return _api_struct(str(module), str(name), value["fields"])
    if set(value) == {"$desk"}:
        return _desk(value["$desk"])
    from k8slab.api import load

    return load(value["$object"])


def is_desk(value: Any) -> bool:
    """Say whether the value is what a learner's controller works with."""
    from k8slab.control_plane.controllers.learner_controller import Desk

    return isinstance(value, Desk)


def wishes(desk: Any) -> list[Any]:
    """Return what a learner's function asked of a desk, in JSON's types."""
    return [[kind.__name__.lower(), name, labels] for kind, name, labels in desk.wishes]


def _api_struct(module: str, name: str, fields: Any) -> Any:
    from k8slab.api.codec import convert

    found = getattr(sys.modules[module], name) if module.startswith(API) else None
    if not (isinstance(found, type) and issubclass(found, msgspec.Struct)):
        raise TypeError(name)
    return convert(fields, found)


def _desk(kinds: Mapping[str, Any]) -> Any:
    from k8slab.api import load
    from k8slab.control_plane.controllers.learner_controller import Desk

    return Desk({kind: _Shelf([load(one) for one in found]) for kind, found in kinds.items()})


class _Shelf:
    """The objects of one kind: what a desk asks of an informer."""

    def __init__(self, objects: list[Any]) -> None:
        self._objects = objects

    def all(self) -> list[Any]:
        return self._objects

    def get(self, namespace: str, name: str) -> Any:
        by_name = {(one.metadata.namespace, one.metadata.name): one for one in self._objects}
        return by_name.get((namespace, name))


def _struct(name: str) -> Any:
    return getattr(import_module(STRUCTS[name]), name)


def _key(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key
