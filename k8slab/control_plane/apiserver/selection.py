"""Which objects a list or a watch wants, by the selectors of its request.

Rule of use: `selected(resource, request)` is the filter; ApiError if a selector makes no sense.

Upstream: staging/src/k8s.io/apiserver/pkg/registry/generic/matcher.go
"""

from __future__ import annotations

from k8slab.api import errors, fields, labels
from k8slab.api.scheme import Resource
from k8slab.client import Request
from k8slab.control_plane.apiserver.cacher import Filter
from k8slab.control_plane.apiserver.selectable_fields import fields_of, unknown_field


def selected(resource: Resource, request: Request) -> Filter:
    """Return what the request's namespace and selectors let through."""
    namespace = request.namespace if resource.namespaced else ""
    by_label, by_field = request.label_selector, request.field_selector
    return Filter(
        namespace,
        _labels(by_label) if by_label else None,
        _fields(resource, by_field) if by_field else None,
    )


def _labels(text: str) -> labels.Selector:
    try:
        return labels.parse(text)
    except ValueError as error:
        raise errors.bad_request(str(error)) from None


def _fields(resource: Resource, text: str) -> fields.FieldSelector:
    try:
        selector = fields.parse(text)
    except ValueError as error:
        raise errors.bad_request(str(error)) from None
    known = fields_of(resource.type())
    for requirement in selector.requirements:
        if requirement.field not in known:
            raise errors.bad_request(unknown_field(resource, requirement.field))
    return selector
