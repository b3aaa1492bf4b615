"""Selectors, taints and affinities: does this match that?

Interface: `selector_matches` (labels), `node_selector_matches` and `required_affinity_matches`
(nodes), `untolerated_taint` and `tolerates` (taints).

Rule of use: a missing label selector matches nothing, an empty one everything; node selector
terms are ORed, their requirements ANDed, and an empty term matches nothing.

Upstream: staging/src/k8s.io/component-helpers/scheduling/corev1
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from k8slab.api.core import (
    Node,
    NodeSelector,
    NodeSelectorRequirement,
    NodeSelectorTerm,
    Pod,
    Taint,
    Toleration,
)
from k8slab.api.meta import LabelSelector, LabelSelectorRequirement

NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE = "NoSchedule", "NoExecute", "PreferNoSchedule"

_INTEGER = re.compile(r"[+-]?[0-9]+")


def selector_matches(selector: LabelSelector | None, labels: Mapping[str, str]) -> bool:
    """Say whether an object with these labels is selected."""
    if selector is None:
        return False
    for key, wanted in selector.matchLabels.items():
        if labels.get(key) != wanted:
            return False
    return all(requirement_matches(each, labels) for each in selector.matchExpressions)


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


def term_matches(term: NodeSelectorTerm, node: Node) -> bool:
    """Say whether all requirements of a term hold; there is one field, metadata.name."""
    if not term.matchExpressions and not term.matchFields:
        return False
    labels, fields = node.metadata.labels, {"metadata.name": node.metadata.name}
    return all(requirement_matches(each, labels) for each in term.matchExpressions) and all(
        requirement_matches(each, fields) for each in term.matchFields
    )


def node_selector_matches(selector: NodeSelector, node: Node) -> bool:
    """Say whether one of the terms matches the node."""
    return any(term_matches(term, node) for term in selector.nodeSelectorTerms)


def required_node_selector(pod: Pod) -> NodeSelector | None:
    """Return the terms that the Pod's node must satisfy, None if there is no such affinity."""
    affinity = pod.spec.affinity
    if affinity is None or affinity.nodeAffinity is None:
        return None
    return affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution


def required_affinity_matches(pod: Pod, node: Node) -> bool:
    """Say whether the node satisfies the Pod's nodeSelector and required node affinity."""
    labels = node.metadata.labels
    for key, wanted in pod.spec.nodeSelector.items():
        if labels.get(key) != wanted:
            return False
    selector = required_node_selector(pod)
    return selector is None or node_selector_matches(selector, node)


def tolerates(tolerations: Iterable[Toleration], taint: Taint) -> bool:
    """Say whether one of the tolerations covers the taint."""
    return any(_covers(toleration, taint) for toleration in tolerations)


def untolerated_taint(
    taints: Sequence[Taint], tolerations: Sequence[Toleration], effects: Sequence[str]
) -> Taint | None:
    """Return the first taint with one of these effects that is not tolerated."""
    for taint in taints:
        if taint.effect in effects and not tolerates(tolerations, taint):
            return taint
    return None


def _covers(toleration: Toleration, taint: Taint) -> bool:
    if toleration.effect and toleration.effect != taint.effect:
        return False
    if toleration.key and toleration.key != taint.key:
        return False
    return toleration.operator == "Exists" or (
        toleration.operator in ("", "Equal") and toleration.value == taint.value
    )


def _compares(operator: str, found: str | None, values: Sequence[str]) -> bool:
    if found is None or len(values) != 1:
        return False
    if not _INTEGER.fullmatch(found) or not _INTEGER.fullmatch(values[0]):
        return False
    left, right = int(found), int(values[0])
    return left > right if operator == "Gt" else left < right
