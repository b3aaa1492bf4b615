"""Plain data to the Structs of a configuration, strictly: no unknown field, no wrong type.

Interface: `decode`, and `ConfigError`, whose text is kube-scheduler's own.

Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/serializer/json/json.go,
staging/src/k8s.io/apimachinery/pkg/runtime/error.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from k8slab.api import codec
from k8slab.api.diagnosis import unknown_fields

S = TypeVar("S", bound=msgspec.Struct)

SCHEME = "pkg/scheduler/apis/config/scheme/scheme.go:30"


class ConfigError(ValueError):
    """A configuration that cannot be used; the text says what is wrong with it."""


def decode(data: Any, type_: type[S], kind: str, api_version: str, *, named: bool = True) -> S:
    """Return the data as a Struct; it has to be of the kind, and to say so if `named`."""
    if not isinstance(data, Mapping):
        raise ConfigError("couldn't get version/kind; json parse error: json: cannot unmarshal")
    for name, key in (("Kind", "kind"), ("apiVersion", "apiVersion")):
        if named and not data.get(key):
            raise ConfigError(f"Object '{name}' is missing in '{_compact(data)}'")
    found = data.get("kind") or kind, data.get("apiVersion") or api_version
    if found != (kind, api_version):
        raise ConfigError(
            f'no kind "{found[0]}" is registered for version "{found[1]}" in scheme "{SCHEME}"'
        )
    unknown = unknown_fields(data, type_)
    if unknown:
        raise ConfigError(f"strict decoding error: {', '.join(unknown)}")
    try:
        return codec.convert(data, type_)
    except codec.DecodeError as error:
        raise ConfigError(error.upstream) from None


def _compact(data: Mapping[str, Any]) -> str:
    return msgspec.json.encode(data, order="sorted").decode()
