"""Validation of selectors: those of labels, and those of nodes.

Rule of use: an empty selector is well-formed; kinds that do not want one say so themselves.

Upstream: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/validation/validation.go
"""

from __future__ import annotations

from k8slab.api.core import NodeSelector, NodeSelectorRequirement, NodeSelectorTerm
from k8slab.api.errors import forbidden_field, invalid_value, required
from k8slab.api.meta import LabelSelector, LabelSelectorRequirement
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    dns_subdomain,
    each,
    label_value,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.metadata import label_map

OPERATOR_TEXT = "not a valid selector operator"
VALUES_NEEDED = "must be specified when `operator` is 'In' or 'NotIn'"
VALUES_FORBIDDEN = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"


def label_selector(path: str, selector: LabelSelector | None) -> Errors:
    """Yield what is wrong with a label selector."""
    if selector is None:
        return
    if selector.matchLabels:
        yield from label_map(f"{path}.matchLabels", selector.matchLabels)
    for index, requirement in enumerate(selector.matchExpressions):
        yield from _requirement(f"{path}.matchExpressions[{index}]", requirement)


def node_selector(path: str, selector: NodeSelector) -> Errors:
    """Yield what is wrong with the terms of which one must hold."""
    if not selector.nodeSelectorTerms:
        yield required(f"{path}.nodeSelectorTerms", "must have at least one node selector term")
    for index, term in enumerate(selector.nodeSelectorTerms):
        yield from node_selector_term(f"{path}.nodeSelectorTerms[{index}]", term)


def node_selector_term(path: str, term: NodeSelectorTerm, *, strict: bool = True) -> Errors:
    """Yield what is wrong with one term; preferred terms may have odd values (not `strict`)."""
    for index, requirement in enumerate(term.matchExpressions):
        where = f"{path}.matchExpressions[{index}]"
        yield from _operator(where, requirement)
        yield from each(f"{where}.key", requirement.key, qualified_name(requirement.key))
        if strict:
            yield from _values(where, requirement.values)
    for index, requirement in enumerate(term.matchFields):
        yield from _node_field(f"{path}.matchFields[{index}]", requirement)


def _requirement(path: str, requirement: LabelSelectorRequirement) -> Errors:
    yield from _operator(path, requirement, comparing=False)
    yield from each(f"{path}.key", requirement.key, qualified_name(requirement.key))
    yield from _values(path, requirement.values)


def _operator(
    path: str,
    requirement: LabelSelectorRequirement | NodeSelectorRequirement,
    *,
    comparing: bool = True,
) -> Errors:
    operator, values = requirement.operator, requirement.values
    if operator in ("In", "NotIn"):
        if not values:
            yield required(f"{path}.values", VALUES_NEEDED)
    elif operator in ("Exists", "DoesNotExist"):
        if values:
            yield forbidden_field(f"{path}.values", VALUES_FORBIDDEN)
    elif comparing and operator in ("Gt", "Lt"):
        if len(values) != 1:
            text = "must be specified single value when `operator` is 'Lt' or 'Gt'"
            yield required(f"{path}.values", text)
    else:
        yield invalid_value(f"{path}.operator", operator, OPERATOR_TEXT)


def _values(path: str, values: tuple[str, ...]) -> Errors:
    for index, value in enumerate(values):
        yield from each(f"{path}.values[{index}]", value, label_value(value))


def _node_field(path: str, requirement: NodeSelectorRequirement) -> Errors:
    if requirement.operator not in ("In", "NotIn"):
        yield invalid_value(f"{path}.operator", requirement.operator, OPERATOR_TEXT)
    elif len(requirement.values) != 1:
        text = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"
        yield required(f"{path}.values", text)
    if requirement.key != "metadata.name":
        yield invalid_value(f"{path}.key", requirement.key, "not a valid field selector key")
        return
    for index, value in enumerate(requirement.values):
        yield from each(f"{path}.values[{index}]", value, dns_subdomain(value))
