"""Puts Pods near Pods they need, and away from Pods they, or those, cannot stand.

A required anti-affinity works both ways: Pods that already run keep newcomers out. A Pod that
needs Pods of its own kind may be the first of them.

Upstream: pkg/scheduler/framework/plugins/interpodaffinity
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from k8slab.api.core import Pod
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
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.affinity_terms import (
    AffinityTerm,
    preferred_terms,
    required_affinity,
    required_anti_affinity,
)

Domain: TypeAlias = tuple[str, str]  # a label of nodes: key and value
Counts: TypeAlias = dict[Domain, int]

REASON_AFFINITY = "node(s) didn't match pod affinity rules"
REASON_ANTI_AFFINITY = "node(s) didn't match pod anti-affinity rules"
REASON_EXISTING = "node(s) didn't satisfy existing pods anti-affinity rules"


class Neighbours:
    """How many Pods of each domain matter to the Pod; follows a "what if"."""

    def __init__(
        self, affinity: Sequence[AffinityTerm], anti_affinity: Sequence[AffinityTerm]
    ) -> None:
        self.affinity = affinity
        self.anti_affinity = anti_affinity
        self.wanted: Counts = {}
        self.unwanted: Counts = {}
        self.existing: Counts = {}  # Pods that do not want this one near

    def clone(self) -> Neighbours:
        """Return a copy that can be changed on its own."""
        copy = Neighbours(self.affinity, self.anti_affinity)
        copy.wanted = dict(self.wanted)
        copy.unwanted = dict(self.unwanted)
        copy.existing = dict(self.existing)
        return copy


class InterPodAffinity:
    """Filter by required terms of the Pod and of others, Score by preferred ones."""

    name = "InterPodAffinity"
    _refusal = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON_AFFINITY,), name)
    _anti_refusal = Status(Code.UNSCHEDULABLE, (REASON_ANTI_AFFINITY,), name)
    _existing_refusal = Status(Code.UNSCHEDULABLE, (REASON_EXISTING,), name)

    def __init__(self, handle: Handle, args: Mapping[str, Any]) -> None:
        self._handle = handle
        self._hard_weight = int(args.get("hardPodAffinityWeight", 1))
        self._ignore_existing = bool(args.get("ignorePreferredTermsOfExistingPods", False))

    # -- required terms

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Count the neighbours that matter; skip Pods that nobody and nothing concerns."""
        around = Neighbours(required_affinity(pod.pod), required_anti_affinity(pod.pod))
        for info in self._handle.snapshot.with_required_anti_affinity.values():
            for other in info.pods_with_required_anti_affinity.values():
                self._count_existing(around, pod.pod, other.pod, info, 1)
        if around.affinity or around.anti_affinity:
            for info in nodes:
                for other in info.pods.values():
                    self._count_own(around, other.pod, info, 1)
        elif not around.existing:
            return SKIP
        state.write(f"filter {self.name}", around)
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node in the wrong company."""
        around: Neighbours = state.read(f"filter {self.name}")
        labels = node.node.metadata.labels
        if not self._near_wanted(around, pod.pod, labels):
            return self._refusal
        for term in around.anti_affinity:
            if term.key in labels and around.unwanted.get((term.key, labels[term.key]), 0) > 0:
                return self._anti_refusal
        if around.existing and any(around.existing.get(each, 0) > 0 for each in labels.items()):
            return self._existing_refusal
        return None

    def add_pod(self, state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo) -> None:
        """Count a neighbour more."""
        around: Neighbours = state.read(f"filter {self.name}")
        self._count_existing(around, pod.pod, added.pod, node, 1)
        self._count_own(around, added.pod, node, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo) -> None:
        """Count a neighbour less."""
        around: Neighbours = state.read(f"filter {self.name}")
        self._count_existing(around, pod.pod, removed.pod, node, -1)
        self._count_own(around, removed.pod, node, -1)

    # -- preferred terms

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Add up the weights for each domain, of the Pod's terms and of its neighbours'."""
        own = preferred_terms(pod.pod)
        snapshot = self._handle.snapshot
        weights: Counts = {}
        for info in snapshot.order if own else snapshot.with_affinity.values():
            others = info.pods if own else info.pods_with_affinity
            for other in others.values():
                self._weigh(weights, own, other.pod, info)
                if other.has_affinity:
                    self._weigh(weights, self._terms_of(other.pod), pod.pod, info)
        if not weights:
            return SKIP
        state.write(f"score {self.name}", weights)
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """Add up the weights of the node's domains."""
        weights: Counts = state.read(f"score {self.name}")
        return sum(weights.get(each, 0) for each in node.node.metadata.labels.items())

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
                Resource.ASSIGNED_POD, Action.ADD | Action.DELETE | Action.UPDATE_POD_LABEL
            ),
            ClusterEvent(Resource.NODE, Action.ADD | Action.UPDATE_NODE_LABEL),
            ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_LABEL),
        )

    # -- helpers

    def _near_wanted(self, around: Neighbours, pod: Pod, labels: Mapping[str, str]) -> bool:
        if any(term.key not in labels for term in around.affinity):
            return False
        if all(around.wanted.get((t.key, labels[t.key]), 0) > 0 for t in around.affinity):
            return True
        # The first of a kind may come: nobody matches anywhere, and it would match itself.
        alone = not any(count > 0 for count in around.wanted.values())
        return alone and all(t.matches(pod, self._handle.objects) for t in around.affinity)

    def _count_existing(
        self, around: Neighbours, pod: Pod, other: Pod, node: NodeInfo, by: int
    ) -> None:
        for term in required_anti_affinity(other):
            if term.matches(pod, self._handle.objects):
                _add(around.existing, term.key, node, by)

    def _count_own(self, around: Neighbours, other: Pod, node: NodeInfo, by: int) -> None:
        objects = self._handle.objects
        # A Pod counts as wanted only if it is what all terms together ask for.
        if around.affinity and all(term.matches(other, objects) for term in around.affinity):
            for term in around.affinity:
                _add(around.wanted, term.key, node, by)
        for term in around.anti_affinity:
            if term.matches(other, objects):
                _add(around.unwanted, term.key, node, by)

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


def _add(counts: Counts, key: str, node: NodeInfo, by: int) -> None:
    value = node.node.metadata.labels.get(key)
    if value is not None:
        counts[key, value] = counts.get((key, value), 0) + by
