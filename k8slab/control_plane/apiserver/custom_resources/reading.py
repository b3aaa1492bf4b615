"""Objects as they come from etcd: in the version and under the schema that is asked for.

A definition can change while objects of its kind are stored, and serve several versions. Nothing is
rewritten then: whoever reads an object gets it in the version asked for, without fields that the
schema no longer has, with the defaults it has by now.

Rule of use: `as_read(obj, type_)` for whatever etcd holds; objects of built-in kinds come back as
they are.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/apiserver/customresource_handler.go
(schemaCoercingDecoder), pkg/apiserver/conversion/nop_converter.go
"""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec.structs import replace

from k8slab.api import codec
from k8slab.api.custom import IDENTITY, Custom, as_type
from k8slab.api.meta import Object
from k8slab.control_plane.apiserver.custom_resources.structural import defaulted, pruned

C = TypeVar("C", bound=Custom)


def as_read(obj: Any, type_: type[Object]) -> Any:
    """Return a stored object (or None) as one of the type."""
    if type(obj) is type_ or not issubclass(type_, Custom) or not isinstance(obj, Custom):
        return obj
    return with_defaults(_pruned(as_type(obj, type_)))


def with_defaults(obj: C) -> C:
    """Return the object with the defaults of its schema."""
    data = fields_of(obj)
    found = defaulted(data, obj.__definition__.schema)
    return obj if found == data else _with_fields(obj, found)


def fields_of(obj: Custom) -> dict[str, Any]:
    """Return what the schema speaks of, by the names that the schema gives it."""
    names = zip(obj.__struct_fields__, obj.__struct_encode_fields__, strict=True)
    found = {encoded: getattr(obj, name) for name, encoded in names if encoded not in IDENTITY}
    return {name: value for name, value in found.items() if value is not None}


def document_of(obj: Custom) -> dict[str, Any]:
    """Return the object as plain data, as rules and column paths see it."""
    metadata = codec.to_dict(obj.metadata)
    whole = {"apiVersion": obj.apiVersion, "kind": obj.kind, "metadata": metadata}
    return {**whole, **fields_of(obj)}


def _pruned(obj: Custom) -> Custom:
    data, unknown = pruned(fields_of(obj), obj.__definition__.schema)
    return _with_fields(obj, data) if unknown else obj


def _with_fields(obj: C, data: dict[str, Any]) -> C:
    names = zip(obj.__struct_fields__, obj.__struct_encode_fields__, strict=True)
    return replace(obj, **{n: data.get(e) for n, e in names if e not in IDENTITY})
