"""OpenAPI v2 in protobuf: what kubectl falls back to when v3 does not know a kind.

It looks at one thing: which kinds can be patched, and whether the server validates fields then. So
this has the paths, their PATCH with its query parameters, and the kind in an extension; no schemas.

Rule of use: `encode(document)` takes what `openapi_v2.document` gives.

Upstream: github.com/google/gnostic-models/openapiv2/OpenAPIv2.proto
"""

from __future__ import annotations

from typing import Any

import msgspec

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
ASKED = "application/com.github.proto-openapi.spec.v2"  # ".v1.0", or "@v1.0", which is not valid
LENGTH_DELIMITED = 2  # wire type of texts and messages
# Numbers of fields in the messages, as the name says: message and field.
DOCUMENT_SWAGGER, DOCUMENT_INFO, DOCUMENT_PATHS = 1, 2, 8
INFO_TITLE, INFO_VERSION = 1, 2
PATHS_PATH, PATH_ITEM_PATCH = 2, 8
NAME, VALUE = 1, 2  # of everything that is called Named...
OPERATION_PARAMETERS, OPERATION_EXTENSION = 8, 13
ITEM_PARAMETER, PARAMETER_NON_BODY, NON_BODY_QUERY = 1, 2, 3  # one of several each
QUERY_IN, QUERY_NAME, QUERY_TYPE = 2, 4, 6
ANY_YAML = 2
KIND = "x-kubernetes-group-version-kind"


def encode(document: dict[str, Any]) -> bytes:
    """Return the document's message."""
    info = document["info"]
    found = _field(DOCUMENT_SWAGGER, document["swagger"])
    titles = _field(INFO_TITLE, info["title"]) + _field(INFO_VERSION, info["version"])
    found += _field(DOCUMENT_INFO, titles)
    paths = b"".join(
        _field(PATHS_PATH, _named(path, _field(PATH_ITEM_PATCH, _operation(item["patch"]))))
        for path, item in document["paths"].items()
        if "patch" in item
    )
    return found + _field(DOCUMENT_PATHS, paths)


def _operation(operation: dict[str, Any]) -> bytes:
    found = b""
    for parameter in operation["parameters"]:
        if parameter["in"] == "query":
            query = _field(QUERY_IN, "query") + _field(QUERY_NAME, parameter["name"])
            query += _field(QUERY_TYPE, "string")
            inner = _field(PARAMETER_NON_BODY, _field(NON_BODY_QUERY, query))
            found += _field(OPERATION_PARAMETERS, _field(ITEM_PARAMETER, inner))
    kind = msgspec.json.encode(operation[KIND]).decode()  # JSON is YAML
    return found + _field(OPERATION_EXTENSION, _named(KIND, _field(ANY_YAML, kind)))


def _named(name: str, value: bytes) -> bytes:
    return _field(NAME, name) + _field(VALUE, value)


def _field(number: int, value: str | bytes) -> bytes:
    """Return a field that holds a text or a message."""
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | LENGTH_DELIMITED) + _varint(len(data)) + data


def _varint(number: int) -> bytes:
    """Return a number in groups of seven bits, the lowest first.

    >>> _varint(300).hex()
    'ac02'
    """
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])
