"""Node selectors and node affinity: which nodes a Pod may be on.

Interface: `matches_node` (all that a Pod's spec requires of a node), `node_selector_matches`,
`term_matches`, `requirement_matches`, `required_node_selector`. Scheduler, DaemonSet controller
and kubelet each ask the same question, and must not answer it differently.

Rule of use: terms are ORed, their requirements ANDed; an empty term matches nothing.

Upstream: staging/src/k8s.io/component-helpers/scheduling/corev1/nodeaffinity/nodeaffinity.go
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from k8slab.api.core import Node, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodSpec
from k8slab.api.meta import LabelSelectorRequirement

_INTEGER = re.compile(r"[+-]?[0-9]+")


def matches_node(spec: PodSpec, node: Node) -> bool:
    """Say whether the node satisfies nodeSelector and required node affinity."""
    labels = node.metadata.labels
    for key, wanted in spec.nodeSelector.items():
        if labels.get(key) != wanted:
            return False
    selector = required_node_selector(spec)
    return selector is None or node_selector_matches(selector, node)


def required_node_selector(spec: PodSpec) -> NodeSelector | None:
    """Return the terms that the Pod's node must satisfy, None if there is no such affinity."""
    affinity = spec.affinity
    if affinity is None or affinity.nodeAffinity is None:
        return None
    return affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution


def node_selector_matches(selector: NodeSelector, node: Node) -> bool:
    """Say whether one of the terms matches the node."""
    return any(term_matches(term, node) for term in selector.nodeSelectorTerms)


def term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    """Say whether all requirements of a term hold; there is one field, metadata.name."""
    if not term.matchExpressions and not term.matchFields:
        return False
    labels, fields = node.metadata.labels, {"metadata.name": node.metadata.name}
    return all(requirement_matches(each, labels) for each in term.matchExpressions) and all(
        requirement_matches(each, fields) for each in term.matchFields
    )


def requirement_matches(
    requirement: LabelSelectorRequirement | NodeSelectorRequirement, labels: Mapping[str, str]
) -> bool:
    """Say whether one test holds; NotIn also holds where the label is missing.

    >>> gt = NodeSelectorRequirement(key="cores", operator="Gt", values=("4",))
    >>> requirement_matches(gt, {"cores": "8"}), requirement_matches(gt, {"cores": "many"})
    (True, False)
    """
    found = labels.get(requirement.key)
    match requirement.operator:
        case "In":
            return found is not None and found in requirement.values
        case "NotIn":
            return found is None or found not in requirement.values
        case "Exists":
            return found is not None
        case "DoesNotExist":
            return found is None
        case "Gt" | "Lt":
            return _compares(requirement.operator, found, requirement.values)
    return False


def _compares(operator: str, found: str | None, values: Sequence[str]) -> bool:
    if found is None or len(values) != 1:
        return False
    if not _INTEGER.fullmatch(found) or not _INTEGER.fullmatch(values[0]):
        return False
    left, right = int(found), int(values[0])
    return left > right if operator == "Gt" else left < right
