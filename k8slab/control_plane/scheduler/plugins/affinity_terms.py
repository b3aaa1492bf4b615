"""Pod affinity terms, made ready: whose Pods they mean, and in which namespaces.

Upstream: pkg/scheduler/framework/types.go (AffinityTerm)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from k8slab.api.core import Namespace, Pod, PodAffinityTerm
from k8slab.api.meta import LabelSelector, LabelSelectorRequirement
from k8slab.control_plane.scheduler.framework.matching import selector_matches
from k8slab.control_plane.scheduler.framework.snapshot import Objects


class AffinityTerm(msgspec.Struct, frozen=True):
    """Pods that match, and the node label whose values make the domains."""

    key: str
    selector: LabelSelector | None
    namespaces: tuple[str, ...]
    namespace_selector: LabelSelector | None
    weight: int = 0

    def matches(self, pod: Pod, objects: Objects) -> bool:
        """Say whether the term means this Pod."""
        namespace = pod.metadata.namespace
        return (
            namespace in self.namespaces or self._selects_namespace(namespace, objects)
        ) and selector_matches(self.selector, pod.metadata.labels)

    def _selects_namespace(self, name: str, objects: Objects) -> bool:
        selector = self.namespace_selector
        if selector is None:
            return False
        if not selector.matchLabels and not selector.matchExpressions:
            return True
        labels: Mapping[str, str] = {}
        for each in objects.list(Namespace):
            if each.metadata.name == name:
                labels = each.metadata.labels
        return selector_matches(selector, labels)


def required_affinity(pod: Pod) -> tuple[AffinityTerm, ...]:
    """Return the Pods that must be near."""
    affinity = pod.spec.affinity
    if affinity is None or affinity.podAffinity is None:
        return ()
    terms = affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution
    return tuple(affinity_term(pod, each) for each in terms)


def required_anti_affinity(pod: Pod) -> tuple[AffinityTerm, ...]:
    """Return the Pods that must not be near."""
    affinity = pod.spec.affinity
    if affinity is None or affinity.podAntiAffinity is None:
        return ()
    terms = affinity.podAntiAffinity.requiredDuringSchedulingIgnoredDuringExecution
    return tuple(affinity_term(pod, each) for each in terms)


def preferred_terms(pod: Pod) -> tuple[AffinityTerm, ...]:
    """Return the Pods that had better be near (weight above 0) or not (below 0)."""
    affinity = pod.spec.affinity
    if affinity is None:
        return ()
    terms: list[AffinityTerm] = []
    for group, sign in ((affinity.podAffinity, 1), (affinity.podAntiAffinity, -1)):
        if group is not None:
            for each in group.preferredDuringSchedulingIgnoredDuringExecution:
                terms.append(affinity_term(pod, each.podAffinityTerm, sign * each.weight))
    return tuple(terms)


def affinity_term(pod: Pod, term: PodAffinityTerm, weight: int = 0) -> AffinityTerm:
    """Make a term of the Pod ready; without namespaces it means the Pod's own."""
    namespaces = term.namespaces
    if not namespaces and term.namespaceSelector is None:
        namespaces = (pod.metadata.namespace,)
    selector = term.labelSelector
    if selector is not None and (term.matchLabelKeys or term.mismatchLabelKeys):
        labels = pod.metadata.labels
        extra = _same(term.matchLabelKeys, "In", labels)
        extra += _same(term.mismatchLabelKeys, "NotIn", labels)
        selector = msgspec.structs.replace(
            selector, matchExpressions=selector.matchExpressions + extra
        )
    return AffinityTerm(term.topologyKey, selector, namespaces, term.namespaceSelector, weight)


def _same(
    keys: Sequence[str], operator: str, labels: Mapping[str, str]
) -> tuple[LabelSelectorRequirement, ...]:
    return tuple(
        LabelSelectorRequirement(key=key, operator=operator, values=(labels[key],))
        for key in keys
        if key in labels
    )
