"""Validation of Nodes, Leases, Events and Namespaces: what components write.

Upstream: pkg/apis/core/validation/{validation,events}.go, pkg/apis/coordination/validation
"""

from __future__ import annotations

from k8slab.api.coordination import Lease
from k8slab.api.core import Event, Namespace, Node, Taint
from k8slab.api.errors import FieldError, forbidden_field, invalid_value, required
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    cidr,
    each,
    label_value,
    not_negative,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.scheduling import taint_effect

DEFAULT_NAMESPACES = ("default", "kube-system")


def node(obj: Node) -> Errors:
    """Yield what is wrong with a Node; upstream looks for taints under `metadata`."""
    yield from _taints("metadata.taints", obj.spec.taints)
    for index, text in enumerate(obj.spec.podCIDRs):
        yield from each(f"spec.podCIDRs[{index}]", text, cidr(text))


def node_update(new: Node, old: Node) -> Errors:
    """Yield what is wrong with a changed Node: its addresses for Pods are given once."""
    yield from node(new)
    if old.spec.podCIDRs and new.spec.podCIDRs != old.spec.podCIDRs:
        text = 'node updates may not change podCIDR except from "" to valid'
        yield forbidden_field("spec.podCIDRs", text)
    if old.spec.providerID and new.spec.providerID != old.spec.providerID:
        text = 'node updates may not change providerID except from "" to valid'
        yield forbidden_field("spec.providerID", text)


def lease(obj: Lease) -> Errors:
    """Yield what is wrong with a Lease."""
    duration = obj.spec.leaseDurationSeconds
    if duration is not None and duration <= 0:
        yield invalid_value("spec.leaseDurationSeconds", duration, "must be greater than 0")
    yield from not_negative("spec.leaseTransitions", obj.spec.leaseTransitions)


def event(obj: Event) -> Errors:
    """Yield an error if an Event is not where the object is that it is about."""
    about, namespace = obj.involvedObject.namespace, obj.metadata.namespace
    where = "involvedObject.namespace"
    if not about:
        if namespace not in ("", *DEFAULT_NAMESPACES):
            yield invalid_value(where, about, "does not match event.namespace")
    elif about != namespace:
        yield invalid_value(where, about, "does not match event.namespace")


def namespace(obj: Namespace) -> Errors:
    """Yield what is wrong with the finalizers in a Namespace's spec."""
    for finalizer in obj.spec.finalizers:
        yield from each("spec.finalizers", finalizer, qualified_name(finalizer))


def _taints(path: str, taints: tuple[Taint, ...]) -> Errors:
    seen: list[tuple[str, str]] = []
    for index, taint in enumerate(taints):
        where = f"{path}[{index}]"
        yield from each(f"{where}.key", taint.key, qualified_name(taint.key))
        if reasons := label_value(taint.value):
            yield invalid_value(f"{where}.value", taint.value, ";".join(reasons))
        if not taint.effect:
            yield required(f"{where}.effect")
        else:
            yield from taint_effect(f"{where}.effect", taint.effect)
        if (taint.key, taint.effect) in seen:
            text = "taints must be unique by key and effect pair"
            yield FieldError(where, "FieldValueDuplicate", text, go_text.quoted(taint))
        seen.append((taint.key, taint.effect))
