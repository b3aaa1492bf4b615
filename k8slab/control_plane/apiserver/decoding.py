"""Bodies of requests to objects: what is read, what is only warned of, what is refused.

A body may be an object, plain data, or a text in JSON or YAML; whatever it does not say of its kind
the URL says. A field of the wrong type is always an error. A field that Kubernetes does not have,
or one that comes twice, is an error, a warning or nothing at all: `fieldValidation` in the request.
Warnings go to the caller with `Request.warn`.

Rule of use: `decode` for creates and updates, `decode_patched` for what a patch has made.

Upstream: staging/src/k8s.io/apiserver/pkg/endpoints/handlers/{create,patch,rest}.go,
staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json/json.go
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from k8slab.api import codec, conversion, errors
from k8slab.api.custom import IDENTITY, Custom, frozen
from k8slab.api.meta import DeleteOptions, Object
from k8slab.api.scheme import Resource
from k8slab.client import STRATEGIC_PATCH, Request
from k8slab.control_plane.apiserver.custom_resources.structural import pruned

SCHEME = "pkg/api/legacyscheme/scheme.go:30"


def decode(resource: Resource, request: Request) -> Object:
    """Return the body as the resource's kind is stored; raises ApiError if it is none."""
    return conversion.to_stored(_decode(resource, request))


def _decode(resource: Resource, request: Request) -> Object:
    body: Any = request.body
    if isinstance(body, resource.type):
        return body
    if isinstance(body, Object):
        if conversion.other_version(resource, body.apiVersion).type is type(body):
            return body
        raise _wrong_kind(body.kind, body.apiVersion, resource)
    doubts: list[str] = []
    if isinstance(body, str | bytes):
        body, doubts = _parsed(body if isinstance(body, str) else body.decode(), resource)
    if not isinstance(body, Mapping):
        raise errors.bad_request(f"couldn't get version/kind; json parse error: {body!r}")
    for name in ("apiVersion", "kind"):
        if not isinstance(body.get(name) or "", str):
            found = {bool: "bool", list: "array", dict: "object"}.get(type(body[name]), "number")
            raise errors.bad_request(
                f"couldn't get version/kind; json parse error: json: cannot unmarshal {found} "
                f"into Go struct field .{name} of type string"
            )
    kind = body.get("kind") or resource.kind
    version = body.get("apiVersion") or f"{request.group}/{request.version}"
    resource = conversion.other_version(resource, version)
    version = body.get("apiVersion") or resource.api_version
    if (version, kind) != (resource.api_version, resource.kind):
        metadata = body.get("metadata")
        name = metadata.get("name", "") if isinstance(metadata, Mapping) else ""
        raise _wrong_kind(kind, version, resource, str(name))
    said = f'{kind} in version "{resource.version}" cannot be handled as a {kind}: '
    try:
        obj, unknown = _convert({**body, "kind": kind, "apiVersion": version}, resource)
    except codec.DecodeError as error:
        raise errors.bad_request(said + error.upstream) from None
    doubts += unknown
    if doubts and request.field_validation == "Strict":
        raise errors.bad_request(said + _strict(doubts))
    _warn(request, doubts)
    return obj


def decode_patched(document: dict[str, Any], resource: Resource, request: Request) -> Object:
    """Return what a patch has made of an object; raises ApiError if it is no object any more."""
    resource = conversion.other_version(resource, document.get("apiVersion", ""))
    try:
        obj, unknown = _convert(document, resource)
    except codec.DecodeError as error:
        raise _bad_patch(document, request, error.upstream) from None
    if unknown and request.field_validation == "Strict":
        raise _bad_patch(document, request, _strict(unknown))
    _warn(request, unknown)
    return conversion.to_stored(obj)


def decode_options(body: Any) -> DeleteOptions:
    """Return the body of a delete; raises ApiError."""
    if body is None:
        return DeleteOptions()
    if isinstance(body, DeleteOptions):
        return body
    try:
        return codec.convert(body, DeleteOptions)
    except codec.DecodeError as error:
        raise errors.bad_request(error.upstream) from None


def _convert(data: Any, resource: Resource) -> tuple[Object, list[str]]:
    """Return the object, and the fields that its kind does not have."""
    if issubclass(resource.type, Custom):
        return _convert_custom(data, resource.type)
    try:
        return codec.convert(data, resource.type), []
    except codec.DecodeError:
        obj = codec.convert(data, resource.type, drop_unknown=True)
        return obj, undeclared(data, resource.type)


def undeclared(data: Any, type_: type[Object]) -> list[str]:
    """Return what the API server says of the fields that a kind does not have."""
    from k8slab.api.diagnosis import unknown_fields

    if not issubclass(type_, Custom):
        return unknown_fields(data, type_)
    known, paths = pruned(data, type_.__definition__.schema)
    return unknown_fields(known, type_) + [f'unknown field "{path}"' for path in paths]


def _convert_custom(data: Any, type_: type[Custom]) -> tuple[Object, list[str]]:
    known, _ = pruned(data, type_.__definition__.schema)
    obj = codec.convert(known, type_, drop_unknown=True)
    fields = {name: frozen(known.get(name)) for name in obj.__struct_encode_fields__}
    kept = {
        name: fields[encoded]
        for name, encoded in zip(obj.__struct_fields__, obj.__struct_encode_fields__, strict=True)
        if encoded not in IDENTITY
    }
    return replace(obj, **kept), undeclared(data, type_)


def _warn(request: Request, doubts: list[str]) -> None:
    if request.field_validation != "Ignore":
        for doubt in doubts:
            request.warn(doubt)


def _strict(doubts: list[str]) -> str:
    return f"strict decoding error: {', '.join(doubts)}"


def _wrong_kind(kind: str, api_version: str, resource: Resource, name: str = "") -> errors.ApiError:
    from k8slab.api.scheme import lookup

    if resource.is_custom and api_version != resource.api_version:
        return errors.bad_request(
            f"the API version in the data ({api_version}) does not match the expected API version "
            f"({resource.api_version})"
        )
    if resource.is_custom:
        found = errors.invalid_value("kind", kind, f"must be {resource.kind}")
        return errors.invalid(resource.kind, name, [found], resource.group)

    _, _, version = api_version.rpartition("/")
    if lookup(api_version, kind) is None:
        why = f'no kind "{kind}" is registered for version "{api_version}" in scheme "{SCHEME}"'
    else:
        own = resource.group.partition(".")[0] or "core"
        why = f"converting ({version}.{kind}) to ({own}.{resource.kind}): unknown conversion"
    return errors.bad_request(
        f'{kind} in version "{version}" cannot be handled as a {resource.kind}: {why}'
    )


def _bad_patch(document: dict[str, Any], request: Request, why: str) -> errors.ApiError:
    """Refuse a patch, quoting what upstream quotes: the patch, or the object it has made."""
    if request.patch_type == STRATEGIC_PATCH:
        quoted = go_map(request.body)
    else:
        quoted = json.dumps(document, separators=(",", ":"), ensure_ascii=False)
    return errors.invalid("", "", [errors.invalid_value("patch", quoted, why)])


def go_map(value: Any) -> str:
    """Write plain data as Go prints it.

    >>> go_map({"spec": {"replicas": 2, "paused": True}, "x": ["a", None]})
    'map[spec:map[paused:true replicas:2] x:[a <nil>]]'
    """
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{go_map(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(go_map(item) for item in value)}]"
    if value is None:
        return "<nil>"
    return str(value).lower() if isinstance(value, bool) else str(value)


# -- texts


class _Repeating(dict[str, Any]):
    """A JSON object in which some keys came twice."""

    repeated: tuple[str, ...] = ()


def _parsed(text: str, resource: Resource) -> tuple[Any, list[str]]:
    """Return the data in a text, and what is doubtful about it."""
    if not text.strip():
        why = "couldn't get version/kind; json parse error: unexpected end of JSON input"
        raise errors.bad_request(_unrecognized(why, "<empty>", resource))
    if text.lstrip().startswith("{"):
        try:
            data = json.loads(text, object_pairs_hook=_object)
        except ValueError as error:
            why = f"couldn't get version/kind; json parse error: {error}"
            raise errors.bad_request(_unrecognized(why, text, resource)) from None
        return data, [f'duplicate field "{path}"' for path in _repeated(data, "")]
    from k8slab.api.yaml_text import YamlError, parse

    doubts: list[str] = []
    try:
        documents = parse(text)
    except YamlError as error:
        if "already set in map" not in error.reason:
            raise errors.bad_request(_unrecognized(str(error), text, resource)) from None
        doubts = [f"yaml: unmarshal errors:\n  line {error.line}: {error.reason}"]
        documents = parse(text, duplicates=True)
    return (documents[0] if documents else {}), doubts


def _unrecognized(why: str, text: str, resource: Resource) -> str:
    summary = text if len(text) <= 30 else f"{text[:30]} ..."
    return (
        f"the object provided is unrecognized (must be of type {resource.kind}): {why} ({summary})"
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = _Repeating(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        found.repeated = tuple(name for name in found if names.count(name) > 1)
    return found


def _repeated(data: Any, path: str) -> Iterator[str]:
    if isinstance(data, _Repeating):
        for name, item in data.items():
            where = f"{path}.{name}" if path else name
            if name in data.repeated:
                yield where
            yield from _repeated(item, where)
    elif isinstance(data, list):
        for index, item in enumerate(data):
            yield from _repeated(item, f"{path}[{index}]")
