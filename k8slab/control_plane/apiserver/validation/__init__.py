"""Validation: what is wrong with an object, field by field, in Kubernetes' words.

`validate(obj)` checks a new object, `validate(new, old)` an update; the answer is a list of
`FieldError`, empty if all is well. All errors are found at once, and nothing else is looked at.

Rule of use: to validate a kind, add a function to one of the modules and a row to `VALIDATORS`.

Upstream: pkg/apis/*/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from k8slab.api.errors import FieldError
from k8slab.api.meta import Object
from k8slab.control_plane.apiserver.validation.metadata import metadata, metadata_update

VALIDATORS: Mapping[str, Callable[[Any, Any], list[FieldError]]] = {}


def validate(obj: Object, old: Object | None = None) -> list[FieldError]:
    """Return what is wrong with the object, or with the change from `old` to it."""
    found = metadata(obj)
    if old is not None:
        found += metadata_update(obj, old)
    check = VALIDATORS.get(obj.kind)
    if check is not None:
        found += check(obj, old)
    return found
