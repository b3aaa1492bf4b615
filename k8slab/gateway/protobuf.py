r"""Protobuf bodies, which kubectl sends for all that it makes up itself.

`kubectl create deployment web --image=nginx` sends Kubernetes' binary form and nothing else. The
wire format knows numbers, not names; `protobuf_fields` has the names, and the Structs of the API
say what each field is.

    k8s\0  Unknown{ TypeMeta{ apiVersion, kind }, raw bytes of the object }

Rule of use: `decode(body)` gives plain data, as if JSON had been sent; ApiError 400 if it cannot.

Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/serializer/protobuf
"""

from __future__ import annotations

import base64
import types
from collections.abc import Iterator, Mapping
from typing import Any, Union, get_args, get_origin

import msgspec

from k8slab.api import errors
from k8slab.api.diagnosis import field_types
from k8slab.api.meta import DeleteOptions, timestamp
from k8slab.api.quantity import Quantity
from k8slab.api.scheme import lookup
from k8slab.gateway.protobuf_fields import fields_of

MAGIC = b"k8s\0"
VARINT, FIXED64, LENGTH, FIXED32 = 0, 1, 2, 5  # wire types
MAX_DEPTH = 40
UNIX_2026 = 1767225600  # virtual second 0


class Malformed(Exception):  # noqa: N818 (a word about the bytes)
    """The bytes are no message."""


def decode(body: bytes) -> dict[str, Any]:
    """Return the object in a protobuf body as plain data; raises ApiError."""
    try:
        return _unwrap(body)
    except (Malformed, UnicodeDecodeError, msgspec.DecodeError) as error:
        raise errors.bad_request(f"the body is not protobuf: {error}") from None


def _unwrap(body: bytes) -> dict[str, Any]:
    if not body.startswith(MAGIC):
        raise Malformed(f"provided data does not appear to be a protobuf message: {body[:4]!r}")
    envelope = dict(wire(body[len(MAGIC) :]))
    meta = dict(wire(_bytes(envelope.get(1, b""))))
    api_version, kind = _bytes(meta.get(1, b"")).decode(), _bytes(meta.get(2, b"")).decode()
    type_: type[msgspec.Struct] | None = lookup(api_version, kind)
    if kind == "DeleteOptions":
        type_ = DeleteOptions
    if type_ is None:
        raise errors.bad_request(f'no kind "{kind}" is registered for version "{api_version}"')
    found = _message(_bytes(envelope.get(2, b"")), type_, kind, 0)
    return {"apiVersion": api_version, "kind": kind, **found}


def wire(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (number, value) of each field: an int, or the bytes of whatever it is.

    >>> list(wire(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69])))
    [(1, 150), (2, b'hi')]
    """
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, position = _varint(data, position)
            yield number, value
            continue
        if kind == LENGTH:
            size, position = _varint(data, position)
        elif kind in (FIXED64, FIXED32):
            size = 8 if kind == FIXED64 else 4
        else:
            raise Malformed(f"illegal wire type {kind}")
        if position + size > len(data):
            raise Malformed("unexpected EOF")
        yield number, data[position : position + size]
        position += size


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if position >= len(data):
            raise Malformed("unexpected EOF")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & (2**64 - 1), position
    raise Malformed("integer overflow")


def _message(data: bytes, type_: type[msgspec.Struct], message: str, depth: int) -> dict[str, Any]:
    """Return one message; `message` is its name in the table, often that of the Struct."""
    if depth > MAX_DEPTH:
        raise Malformed("nested too deeply")
    numbers, known = fields_of(message), field_types(type_)
    found: dict[str, Any] = {}
    for number, value in wire(data):
        name, how = numbers.get(number, ("", ""))
        if how == "inline":
            found.update(_message(_bytes(value), type_, name, depth + 1))
        elif name in known:
            _add(found, name, value, known[name], how, depth)
        elif not name:
            raise errors.bad_request(
                f"the lab does not know field {number} of {message} in protobuf: send JSON"
            )
    return found


def _add(
    found: dict[str, Any], name: str, value: int | bytes, expected: Any, how: str, depth: int
) -> None:
    """Put a field among those found, unless it is one that JSON would leave out."""
    expected, is_pointer = _without_none(expected)
    origin = get_origin(expected)
    if origin is tuple:
        item = _value(value, get_args(expected)[0], how, depth)
        found.setdefault(name, []).append(item)
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        entry = dict(wire(_bytes(value)))
        key = _bytes(entry.get(1, b"")).decode()
        item = _value(entry.get(2, b""), get_args(expected)[1], how, depth)
        found.setdefault(name, {})[key] = item
    else:
        item = _value(value, expected, how, depth)
        if item or is_pointer:
            found[name] = item


def _value(value: int | bytes, expected: Any, how: str, depth: int) -> Any:
    """Return one value as JSON has it."""
    if how == "time":
        parts = dict(wire(_bytes(value)))
        return timestamp(_signed(parts.get(1, 0)) - UNIX_2026) if parts else None
    if how == "bytes":
        return base64.b64encode(_bytes(value)).decode()
    if how == "json":
        return msgspec.json.decode(_bytes(dict(wire(_bytes(value))).get(1, b"")) or b"{}")
    if expected is Quantity:
        return _bytes(dict(wire(_bytes(value))).get(1, b"")).decode()
    if get_origin(expected) in (types.UnionType, Union):  # IntOrString
        parts = dict(wire(_bytes(value)))
        is_text = parts.get(1, 0) == 1
        return _bytes(parts.get(3, b"")).decode() if is_text else _signed(parts.get(2, 0))
    if isinstance(expected, type) and issubclass(expected, msgspec.Struct):
        return _message(_bytes(value), expected, expected.__name__, depth + 1)
    if expected is bool:
        return bool(value)
    if expected is int:
        return _signed(value)
    return _bytes(value).decode()


def _without_none(expected: Any) -> tuple[Any, bool]:
    if get_origin(expected) not in (types.UnionType, Union):
        return expected, False
    rest = [kind for kind in get_args(expected) if kind is not type(None)]
    if len(rest) == len(get_args(expected)):
        return expected, False
    return (rest[0] if len(rest) == 1 else Union[tuple(rest)]), True  # noqa: UP007


def _signed(value: int | bytes) -> int:
    if isinstance(value, bytes):
        raise Malformed("a number was expected")
    return value - 2**64 if value >= 2**63 else value


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise Malformed("a message was expected")
    return value
