"""Puts Pods near Pods they need, and away from Pods they, or those, cannot stand.

A required anti-affinity works both ways: Pods that already run keep newcomers out. A Pod that
needs Pods of its own kind may be the first of them.

Upstream: pkg/scheduler/framework/plugins/interpodaffinity
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from k8slab.api.core import Namespace, Node, Pod
from k8slab.control_plane.scheduler.config.types_pluginargs import InterPodAffinityArgs
from k8slab.control_plane.scheduler.framework.interface import (
    MAX_NODE_SCORE,
    SKIP,
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.tally import Tallies
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.affinity_terms import (
    AffinityTerm,
    preferred_terms,
    required_affinity,
    required_anti_affinity,
)

Domain: TypeAlias = tuple[str, str]  # a label of nodes: key and value
Counts: TypeAlias = dict[Domain, int]
Terms: TypeAlias = tuple[Sequence[AffinityTerm], Sequence[AffinityTerm]]  # affinity, anti-affinity

REASON_AFFINITY = "node(s) didn't match pod affinity rules"
REASON_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
REASON_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"


class Neighbours:
    """How many Pods of each domain matter to the Pod; follows a "what if"."""

    def __init__(self, own: Terms, wanted: Counts, unwanted: Counts, existing: Counts) -> None:
        self.own = own
        self.affinity, self.anti_affinity = own
        self.wanted = wanted
        self.unwanted = unwanted
        self.existing = existing  # Pods that do not want this one near

    def clone(self) -> Neighbours:
        """Return a copy that can be changed on its own."""
        return Neighbours(self.own, dict(self.wanted), dict(self.unwanted), dict(self.existing))


class InterPodAffinity:
    """Filter by required terms of the Pod and of others, Score by preferred ones."""

    name = "InterPodAffinity"
    _refusal = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON_AFFINITY,), name)
    _anti_refusal = Status(Code.UNSCHEDULABLE, (REASON_ANTI_AFFINITY,), name)
    _existing_refusal = Status(Code.UNSCHEDULABLE, (REASON_EXISTING,), name)

    def __init__(self, handle: Handle, args: InterPodAffinityArgs) -> None:
        self._handle = handle
        self._snapshot = handle.snapshot
        self._tallies: Tallies[Domain] = Tallies(handle.snapshot)
        self._hard_weight = args.hardPodAffinityWeight
        self._ignore_existing = args.ignorePreferredTermsOfExistingPods

    # -- required terms

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Count the neighbours that matter; skip Pods that nobody and nothing concerns."""
        own = required_affinity(pod.pod), required_anti_affinity(pod.pod)
        existing = self._existing(pod.pod) if self._snapshot.with_required_anti_affinity else {}
        if not any(own) and not existing:
            return SKIP
        wanted = self._sum("wanted", own[0], lambda info: self._wanted(own[0], info))
        unwanted = self._sum("unwanted", own[1], lambda info: self._unwanted(own[1], info))
        state.write(f"PreFilter{self.name}", Neighbours(own, wanted, unwanted, existing))
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node in the wrong company."""
        around: Neighbours = state.read(f"PreFilter{self.name}")
        labels = node.node.metadata.labels
        if around.affinity and not self._near_wanted(around, pod.pod, labels):
            return self._refusal
        for term in around.anti_affinity:
            if term.key in labels and around.unwanted.get((term.key, labels[term.key]), 0) > 0:
                return self._anti_refusal
        if around.existing and any(around.existing.get(each, 0) > 0 for each in labels.items()):
            return self._existing_refusal
        return None

    def add_pod(self, state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo) -> None:
        """Count a neighbour more."""
        around: Neighbours = state.read(f"PreFilter{self.name}")
        self._change(around, pod.pod, added.pod, node, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo) -> None:
        """Count a neighbour less."""
        around: Neighbours = state.read(f"PreFilter{self.name}")
        self._change(around, pod.pod, removed.pod, node, -1)

    # -- preferred terms

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Add up the weights for each domain, of the Pod's terms and of its neighbours'."""
        own = preferred_terms(pod.pod)
        if not own and not self._snapshot.with_affinity:
            return SKIP
        question = f"weights {self._looks(pod.pod)}"
        weights = self._sum(question, own, lambda info: self._weights(pod.pod, own, info))
        if not weights:
            return SKIP
        state.write(f"PreScore{self.name}", weights)
        return None

    def score_nodes(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        """Add up the weights of each node's domains."""
        weights: Counts = state.read(f"PreScore{self.name}")
        scores = [0] * len(nodes)
        for key in dict.fromkeys(key for key, _ in weights):
            by_value: dict[str | None, int] = {
                value: weight for (its_key, value), weight in weights.items() if its_key == key
            }
            values = [node.node.metadata.labels.get(key) for node in nodes]
            scores = [s + by_value.get(v, 0) for s, v in zip(scores, values, strict=True)]
        return scores

    def normalize_score(
        self, state: CycleState, scores: Sequence[int], nodes: Sequence[NodeInfo]
    ) -> list[int]:
        """Stretch from the lowest (0) to the highest (100)."""
        lowest, highest = min(scores), max(scores)
        if lowest == highest:
            return [0] * len(scores)
        return [int(MAX_NODE_SCORE * ((each - lowest) / (highest - lowest))) for each in scores]

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for neighbours and nodes to come, go or change."""
        return (
            ClusterEvent(
                Resource.ASSIGNED_POD,
                Action.ADD | Action.DELETE | Action.UPDATE_POD_LABEL,
                self._better_company,
            ),
            ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL, _better_place),
            ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_LABEL),
        )

    def _better_company(self, pod: Pod, old: Pod | None, new: Pod | None) -> bool:
        """Say whether a Pod that is wanted came, or one that is in the way went."""
        objects = self._handle.objects

        def matches(terms: Sequence[AffinityTerm], other: Pod | None) -> bool:
            if other is None or not terms:
                return False
            return all(term.matches(other, objects) for term in terms)

        wanted, unwanted = required_affinity(pod), required_anti_affinity(pod)
        if matches(wanted, new) and not matches(wanted, old):
            return True
        if matches(unwanted, old) and not matches(unwanted, new):
            return True
        # One that did not want this Pod near has gone.
        return (
            new is None
            and old is not None
            and any(term.matches(pod, objects) for term in required_anti_affinity(old))
        )

    # -- helpers

    def _near_wanted(self, around: Neighbours, pod: Pod, labels: Mapping[str, str]) -> bool:
        near = True
        for term in around.affinity:
            if term.key not in labels:
                return False
            near = near and around.wanted.get((term.key, labels[term.key]), 0) > 0
        if near:
            return True
        # The first of a kind may come: nobody matches anywhere, and it would match itself.
        alone = not any(count > 0 for count in around.wanted.values())
        return alone and all(t.matches(pod, self._handle.objects) for t in around.affinity)

    def _change(self, around: Neighbours, pod: Pod, other: Pod, node: NodeInfo, by: int) -> None:
        self._count_existing(around.existing, pod, other, node, by)
        self._count_wanted(around.wanted, around.affinity, other, node, by)
        self._count_unwanted(around.unwanted, around.anti_affinity, other, node, by)

    # Sums over all nodes.

    def _sum(
        self,
        question: str,
        terms: Sequence[AffinityTerm],
        count: Callable[[NodeInfo], Counts],
    ) -> Counts:
        """Return the sum of what all nodes contribute; the terms are part of the question."""
        if any(term.namespace_selector is not None for term in terms):
            namespaces = self._handle.objects.list(Namespace)
            question += f" {[(each.metadata.name, each.metadata.labels) for each in namespaces]}"
        return self._tallies.counts(f"{question} {terms}", count)

    def _existing(self, pod: Pod) -> Counts:
        question = f"existing {self._looks(pod)}"
        return self._sum(question, (), lambda info: self._existing_on(pod, info))

    def _looks(self, pod: Pod) -> str:
        """Return as text what other Pods' terms go by."""
        name = pod.metadata.namespace
        namespaces = self._handle.objects.list(Namespace)
        own = [each.metadata.labels for each in namespaces if each.metadata.name == name]
        return f"{name} {own} {pod.metadata.labels}"

    # What one node contributes to a count.

    def _wanted(self, terms: Sequence[AffinityTerm], node: NodeInfo) -> Counts:
        counts: Counts = {}
        for other in node.pods.values():
            self._count_wanted(counts, terms, other.pod, node, 1)
        return counts

    def _unwanted(self, terms: Sequence[AffinityTerm], node: NodeInfo) -> Counts:
        counts: Counts = {}
        for other in node.pods.values():
            self._count_unwanted(counts, terms, other.pod, node, 1)
        return counts

    def _existing_on(self, pod: Pod, node: NodeInfo) -> Counts:
        counts: Counts = {}
        for other in node.pods_with_required_anti_affinity.values():
            self._count_existing(counts, pod, other.pod, node, 1)
        return counts

    def _weights(self, pod: Pod, own: Sequence[AffinityTerm], node: NodeInfo) -> Counts:
        weights: Counts = {}
        for other in (node.pods if own else node.pods_with_affinity).values():
            self._weigh(weights, own, other.pod, node)
            if other.has_affinity:
                self._weigh(weights, self._terms_of(other.pod), pod, node)
        return weights

    # What one Pod contributes.

    def _count_existing(
        self, counts: Counts, pod: Pod, other: Pod, node: NodeInfo, by: int
    ) -> None:
        for term in required_anti_affinity(other):
            if term.matches(pod, self._handle.objects):
                _add(counts, term.key, node, by)

    def _count_wanted(
        self, counts: Counts, terms: Sequence[AffinityTerm], other: Pod, node: NodeInfo, by: int
    ) -> None:
        objects = self._handle.objects
        # A Pod counts as wanted only if it is what all terms together ask for.
        if terms and all(term.matches(other, objects) for term in terms):
            for term in terms:
                _add(counts, term.key, node, by)

    def _count_unwanted(
        self, counts: Counts, terms: Sequence[AffinityTerm], other: Pod, node: NodeInfo, by: int
    ) -> None:
        for term in terms:
            if term.matches(other, self._handle.objects):
                _add(counts, term.key, node, by)

    def _terms_of(self, other: Pod) -> tuple[AffinityTerm, ...]:
        soft = () if self._ignore_existing else preferred_terms(other)
        if not self._hard_weight:
            return soft
        # What another Pod requires of its neighbours is a reason to go there, too.
        hard = (
            AffinityTerm(t.key, t.selector, t.namespaces, t.namespace_selector, self._hard_weight)
            for t in required_affinity(other)
        )
        return (*hard, *soft)

    def _weigh(
        self, weights: Counts, terms: Sequence[AffinityTerm], target: Pod, node: NodeInfo
    ) -> None:
        for term in terms:
            if term.matches(target, self._handle.objects):
                _add(weights, term.key, node, term.weight)


def _better_place(pod: Pod, old: Node | None, new: Node) -> bool:
    """Say whether a node came into a domain that the Pod may need, or left one that it avoids."""
    before = old.metadata.labels if old is not None else {}
    after = new.metadata.labels
    for term in required_affinity(pod):
        if term.key in after and after[term.key] != before.get(term.key):
            return True
    for term in required_anti_affinity(pod):
        if old is None or (term.key in before and before[term.key] != after.get(term.key)):
            return True
    return False


def _add(counts: Counts, key: str, node: NodeInfo, by: int) -> None:
    value = node.node.metadata.labels.get(key)
    if value is not None:
        counts[key, value] = counts.get((key, value), 0) + by
