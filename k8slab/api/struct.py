"""The frozen Structs that every API object is made of.

Interface: ``Part`` (base of every Struct), ``always`` for fields
that appear on the wire even when they hold their zero value.
Rule: objects are values. Nobody changes one; ``msgspec.structs.replace`` makes a new one, so the
store, caches and watches can share them.

Upstream: staging/src/k8s.io/apimachinery/pkg/runtime/interfaces.go
"""

from typing import Any, TypeAlias, dataclass_transform

import msgspec

Time: TypeAlias = str
"""RFC 3339 text with whole seconds, as ``k8slab.api.meta.timestamp`` writes it."""

MicroTime: TypeAlias = str
"""RFC 3339 text with microseconds, as ``k8slab.api.meta.micro_timestamp`` writes it."""


def always(value: Any) -> Any:
    """Declare a default that is written out too, like a Go field without omitempty."""
    # msgspec leaves out a field that holds its default, but never asks a factory for the default.
    return msgspec.field(default_factory=lambda: value)


def mapping() -> Any:
    """Declare a map that is empty by default and left out when empty."""
    return msgspec.field(default_factory=dict)


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(always, mapping, msgspec.field)
)
class _PartMeta(msgspec.StructMeta):
    """Makes subclasses keyword-only (msgspec does not inherit that) and tells type checkers."""

    def __new__(mcls, *args: Any, **config: Any) -> Any:
        return super().__new__(mcls, *args, kw_only=True, **config)


class Part(
    msgspec.Struct,
    metaclass=_PartMeta,
    frozen=True,
    gc=False,
    forbid_unknown_fields=True,
    omit_defaults=True,
    repr_omit_defaults=True,
):
    """A piece of an object: only fields that Kubernetes has, zero values left out."""
