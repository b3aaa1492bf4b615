"""Objects of kinds that somebody defined: what their schema allows, and what its rules say.

Rules in CEL are asked only when the schema itself has nothing to complain of. What an update does
not touch is not held against it: an object that was stored under an older schema can still be
changed elsewhere (ratcheting).

Rule of use: `valid` for a new object, `valid_update` for a change of it or of its status.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/strategy.go
"""

from __future__ import annotations

from collections.abc import Iterator

from k8slab.api import errors
from k8slab.api.custom import Custom
from k8slab.api.errors import FieldError
from k8slab.control_plane.apiserver.custom_resources.reading import document_of
from k8slab.control_plane.apiserver.custom_resources.rules import broken_rules, has_rules
from k8slab.control_plane.apiserver.custom_resources.values import ABSENT, violations

UNCHECKED = (
    "some validation rules were not checked because the object was invalid; correct the existing "
    "errors to complete validation"
)


def valid(obj: Custom) -> Iterator[FieldError]:
    """Yield what is wrong with a new object."""
    yield from _checked(obj, None)


def valid_update(new: Custom, old: Custom) -> Iterator[FieldError]:
    """Yield what is wrong with what an update has changed."""
    yield from _checked(new, old)


def _checked(new: Custom, old: Custom | None) -> Iterator[FieldError]:
    schema = new.__definition__.schema
    document = document_of(new)
    before = ABSENT if old is None else document_of(old)
    found = list(violations(document, schema, "", before))
    if found:
        yield from found
        if has_rules(schema):
            yield errors.invalid_value("<nil>", None, UNCHECKED)
        return
    yield from broken_rules(document, schema, "", before)
