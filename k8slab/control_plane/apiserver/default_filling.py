"""How a default gets into an object: only where the manifest is silent.

Rule of use: `fill` where zero means silence, `absent` where a zero may be meant.

Upstream: pkg/apis/core/v1/defaults.go
"""

from __future__ import annotations

from typing import Any, TypeVar

from msgspec import Struct
from msgspec.structs import replace

S = TypeVar("S", bound=Struct)


def fill(struct: S, **defaults: Any) -> S:
    """Return the Struct with those fields set that hold their zero value (or None)."""
    missing = {name: value for name, value in defaults.items() if _unset(getattr(struct, name))}
    return replace(struct, **missing) if missing else struct


def absent(struct: S, **defaults: Any) -> S:
    """Return the Struct with those fields set that are None."""
    missing = {name: value for name, value in defaults.items() if getattr(struct, name) is None}
    return replace(struct, **missing) if missing else struct


def _unset(value: Any) -> bool:
    return value is None or value == "" or value == () or (value == 0 and value is not False)
