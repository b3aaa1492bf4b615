"""Validation of ConfigMaps and Secrets: keys, size, and what may not change.

Upstream: pkg/apis/core/validation/validation.go (ValidateConfigMap, ValidateSecret)
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import ConfigMap, Secret
from k8slab.api.errors import forbidden_field, invalid_value, required, too_long
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    config_key,
    each,
    immutable,
)

MAX_SIZE = 1024 * 1024  # bytes of all values together
FROZEN = "field is immutable when `immutable` is set"
ACCOUNT_NAME = "kubernetes.io/service-account.name"
REQUIRED_KEYS: Mapping[str, tuple[str, ...]] = {
    "kubernetes.io/dockercfg": (".dockercfg",),
    "kubernetes.io/dockerconfigjson": (".dockerconfigjson",),
    "kubernetes.io/ssh-auth": ("ssh-privatekey",),
    "kubernetes.io/tls": ("tls.crt", "tls.key"),
}


def config_map(obj: ConfigMap) -> Errors:
    """Yield what is wrong with a ConfigMap, metadata apart."""
    size = 0
    for key, value in obj.data.items():
        yield from each(f"data[{key}]", key, config_key(key))
        if key in obj.binaryData:
            yield invalid_value(f"data[{key}]", key, "duplicate of key present in binaryData")
        size += len(value.encode())
    for key, value in obj.binaryData.items():
        yield from each(f"binaryData[{key}]", key, config_key(key))
        if key in obj.data:
            yield invalid_value(f"binaryData[{key}]", key, "duplicate of key present in data")
        size += _decoded_size(value)
    if size > MAX_SIZE:
        yield too_long("", MAX_SIZE)


def config_map_update(new: ConfigMap, old: ConfigMap) -> Errors:
    """Yield what is wrong with a changed ConfigMap; an immutable one stays as it is."""
    if old.immutable:
        yield from _frozen(new, old, ("data", "binaryData"))
    yield from config_map(new)


def secret(obj: Secret) -> Errors:
    """Yield what is wrong with a Secret, metadata apart."""
    size = 0
    for key, value in obj.data.items():
        yield from each(f"data[{key}]", key, config_key(key))
        size += _decoded_size(value)
    if size > MAX_SIZE:
        yield too_long("data", MAX_SIZE)
    for key in REQUIRED_KEYS.get(obj.type, ()):
        if key not in obj.data:
            yield required(f"data[{key}]")
    if obj.type == "kubernetes.io/basic-auth" and not obj.data.keys() & {"username", "password"}:
        yield required("data[username]")
        yield required("data[password]")
    of_account = obj.type == "kubernetes.io/service-account-token"
    if of_account and not obj.metadata.annotations.get(ACCOUNT_NAME):
        yield required(f"metadata.annotations[{ACCOUNT_NAME}]")


def secret_update(new: Secret, old: Secret) -> Errors:
    """Yield what is wrong with a changed Secret: its type stays."""
    yield from immutable("type", new.type, old.type)
    if old.immutable:
        yield from _frozen(new, old, ("data",))
    yield from secret(new)


def _frozen(new: ConfigMap | Secret, old: ConfigMap | Secret, fields: tuple[str, ...]) -> Errors:
    if not new.immutable:
        yield forbidden_field("immutable", FROZEN)
    for field in fields:
        if getattr(new, field) != getattr(old, field):
            yield forbidden_field(field, FROZEN)


def _decoded_size(base64_text: str) -> int:
    return len(base64_text) * 3 // 4 - base64_text[-2:].count("=")
