"""Validation: what is wrong with an object, field by field, in Kubernetes' words.

`validate(obj)` checks a new object, `validate(new, old)` an update, `validate_status(new, old)` an
update of the status alone; the answer is a list of `FieldError`, empty if all is well. All errors
are found at once. Every rule is a generator of errors, or returns the list of them.

Rule of use: to validate a kind, add functions to one of the modules and a row to `VALIDATORS`.

Upstream: pkg/apis/*/validation/validation.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from k8slab.api.errors import FieldError
from k8slab.api.meta import Object
from k8slab.control_plane.apiserver.validation import pods
from k8slab.control_plane.apiserver.validation.metadata import metadata, metadata_update

Check = Callable[[Any], Iterable[FieldError]]
Compare = Callable[[Any, Any], Iterable[FieldError]]

# By kind: what a new object must be, what an update may not do beside that.
VALIDATORS: Mapping[str, tuple[Check, Compare | None]] = {
    "Pod": (pods.pod, None),
}
# By kind: what an update of the status may not do.
STATUS_VALIDATORS: Mapping[str, Compare] = {}


def validate(obj: Object, old: Object | None = None) -> list[FieldError]:
    """Return what is wrong with the object, or with the change from `old` to it."""
    check, compare = VALIDATORS.get(obj.kind, (None, None))
    if old is None:
        found = list(metadata(obj))
        if check is not None:
            found.extend(check(obj))
        return found
    # Upstream asks twice, for all kinds and for each kind: causes are listed twice, too.
    found = metadata_update(obj, old) * 2
    if compare is not None:
        found.extend(compare(obj, old))
    elif check is not None:
        found.extend(check(obj))
    return found


def validate_status(new: Object, old: Object) -> list[FieldError]:
    """Return what is wrong with the new status; whatever the rest is, it was stored before."""
    found = metadata_update(new, old) * 2
    compare = STATUS_VALIDATORS.get(new.kind)
    if compare is not None:
        found.extend(compare(new, old))
    return found
