"""Spreads Pods evenly over zones, nodes, or whatever a node label tells apart.

Hard constraints filter: the domain's count with the Pod, minus the smallest count of all domains,
must not exceed maxSkew. Soft ones score, and Pods that Services or controllers select get soft
ones by default.

Upstream: pkg/scheduler/framework/plugins/podtopologyspread
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import msgspec

from k8slab.api.core import Node, Pod
from k8slab.control_plane.scheduler.config.types_pluginargs import (
    SYSTEM_DEFAULTING,
    PodTopologySpreadArgs,
)
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
from k8slab.control_plane.scheduler.framework.matching import selector_matches
from k8slab.control_plane.scheduler.framework.snapshot import HOSTNAME, Handle
from k8slab.control_plane.scheduler.framework.tally import Tallies
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.spread_constraints import (
    DO_NOT_SCHEDULE,
    HONOR,
    SCHEDULE_ANYWAY,
    SYSTEM_DEFAULTS,
    Constraint,
    default_constraints,
    has_keys,
    own_constraints,
)

REASON = "node(s) didn't match pod topology spread constraints"
REASON_LABEL = f"{REASON} (missing required label)"


class HardCounts:
    """Matching Pods by domain, for each hard constraint; follows a "what if" when it is cloned."""

    def __init__(
        self, pod: Pod, constraints: Sequence[Constraint], counts: Sequence[dict[str, int]]
    ) -> None:
        self.pod = pod
        self.constraints = constraints
        self.counts = counts
        self._most: dict[int, int] = {}  # by constraint, when it was asked for

    def clone(self) -> HardCounts:
        """Return a copy that can be changed on its own."""
        return HardCounts(self.pod, self.constraints, [dict(each) for each in self.counts])

    def most(self, index: int) -> int:
        """Return how many there may be in a domain to which the Pod goes."""
        found = self._most.get(index)
        if found is None:
            each, counts = self.constraints[index], self.counts[index]
            # With fewer domains than minDomains the emptiest is one that is not there yet.
            enough = len(counts) >= each.min_domains
            smallest = min(counts.values(), default=0) if enough else 0
            itself = int(selector_matches(each.selector, self.pod.metadata.labels))
            found = self._most[index] = smallest + each.max_skew - itself
        return found

    def add(self, index: int, domain: str, by: int) -> None:
        """Count Pods of a domain in, or out."""
        counts = self.counts[index]
        counts[domain] = counts.get(domain, 0) + by
        self._most.pop(index, None)


class SoftCounts(msgspec.Struct, frozen=True):
    """Matching Pods by domain, for each soft constraint, among the nodes that fit."""

    constraints: Sequence[Constraint]
    counts: Sequence[Mapping[str, int]]
    weights: Sequence[float]
    ignored: Mapping[str, None]  # nodes without one of the topology keys


class PodTopologySpread:
    """Filter by hard constraints, Score by soft ones."""

    name = "PodTopologySpread"
    _refusal = Status(Code.UNSCHEDULABLE, (REASON,), name)
    _unlabelled = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE, (REASON_LABEL,), name)

    def __init__(self, handle: Handle, args: PodTopologySpreadArgs) -> None:
        self._handle = handle
        self._tallies: Tallies[str] = Tallies(handle.snapshot)
        self._system_defaulted = args.defaultingType == SYSTEM_DEFAULTING
        self._defaults = SYSTEM_DEFAULTS if self._system_defaulted else args.defaultConstraints

    # -- hard constraints

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Count the matching Pods of each domain; skip Pods without hard constraints."""
        constraints = self._constraints(pod.pod, DO_NOT_SCHEDULE)
        if not constraints:
            return SKIP
        counts = [self._counts(pod.pod, each, constraints) for each in constraints]
        state.write(f"PreFilter{self.name}", HardCounts(pod.pod, constraints, counts))
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node whose domain would get ahead of the emptiest by more than maxSkew."""
        hard: HardCounts = state.read(f"PreFilter{self.name}")
        labels = node.node.metadata.labels
        for index, each in enumerate(hard.constraints):
            domain = labels.get(each.key)
            if domain is None:
                return self._unlabelled
            if hard.counts[index].get(domain, 0) > hard.most(index):
                return self._refusal
        return None

    def add_pod(self, state: CycleState, pod: PodInfo, added: PodInfo, node: NodeInfo) -> None:
        """Count a Pod more."""
        self._change(state, pod, added, node, 1)

    def remove_pod(self, state: CycleState, pod: PodInfo, removed: PodInfo, node: NodeInfo) -> None:
        """Count a Pod less."""
        self._change(state, pod, removed, node, -1)

    # -- soft constraints

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Count the matching Pods of the domains that are left; skip Pods without constraints."""
        constraints = self._constraints(pod.pod, SCHEDULE_ANYWAY)
        if not constraints:
            return SKIP
        # A node without a zone label may still spread by hostname, if nobody asked for more.
        strict = bool(pod.pod.spec.topologySpreadConstraints) or not self._system_defaulted
        kept: Sequence[NodeInfo] = nodes
        ignored: dict[str, None] = {}
        if strict:
            kept = [info for info in nodes if has_keys(info.node, constraints)]
            ignored = {info.name: None for info in nodes if not has_keys(info.node, constraints)}
        counts = [
            self._soft_counts(pod.pod, each, kept, constraints if strict else ())
            for each in constraints
        ]
        weights = [
            math.log((len(kept) if each.key == HOSTNAME else len(own)) + 2)
            for each, own in zip(constraints, counts, strict=True)
        ]
        state.write(f"PreScore{self.name}", SoftCounts(constraints, counts, weights, ignored))
        return None

    def score_nodes(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        """Add up the Pods in each node's domains; more of them is worse."""
        soft: SoftCounts = state.read(f"PreScore{self.name}")
        scores = [0.0] * len(nodes)
        for index, each in enumerate(soft.constraints):
            weight, skew = soft.weights[index], each.max_skew - 1
            domains = [node.node.metadata.labels.get(each.key) for node in nodes]
            if each.key == HOSTNAME:
                counts = [each.count(node) for node in nodes]
                parts = [count * weight + skew for count in counts]
            else:
                by_domain: dict[str | None, float] = {
                    domain: count * weight + skew for domain, count in soft.counts[index].items()
                }
                parts = [by_domain.get(domain, skew) for domain in domains]
            scores = [
                score if domain is None else score + part
                for score, part, domain in zip(scores, parts, domains, strict=True)
            ]
        floor = math.floor  # Go rounds halves away from zero
        rounded = [floor(score + 0.5) for score in scores]
        if soft.ignored:
            return [
                0 if node.name in soft.ignored else score
                for score, node in zip(rounded, nodes, strict=True)
            ]
        return rounded

    def normalize_score(
        self, state: CycleState, scores: Sequence[int], nodes: Sequence[NodeInfo]
    ) -> list[int]:
        """Give the emptiest domains the most; nodes without a domain get nothing."""
        ignored = state.read(f"PreScore{self.name}").ignored
        valid = scores
        if ignored:
            pairs = zip(scores, nodes, strict=True)
            valid = [score for score, node in pairs if node.name not in ignored]
        total, highest = min(valid, default=0) + max(valid, default=0), max(valid, default=0)
        known = {
            score: MAX_NODE_SCORE * (total - score) // highest if highest else MAX_NODE_SCORE
            for score in dict.fromkeys(valid)
        }
        if not ignored:
            return [known[score] for score in scores]
        return [
            0 if node.name in ignored else known[score]
            for score, node in zip(scores, nodes, strict=True)
        ]

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for Pods of the same kind, and for nodes, to come, go or change."""
        return (
            ClusterEvent(
                Resource.ASSIGNED_POD,
                Action.ADD | Action.DELETE | Action.UPDATE_POD_LABEL,
                self._counts_now,
            ),
            ClusterEvent(
                Resource.NODE,
                Action.ADD | Action.DELETE | Action.UPDATE_NODE_LABEL | Action.UPDATE_NODE_TAINT,
                self._domains_change,
            ),
            ClusterEvent(
                Resource.TARGET_POD,
                Action.UPDATE_POD_LABEL | Action.UPDATE_POD_TOLERATION,
                self._looks_otherwise,
            ),
        )

    def _counts_now(self, pod: Pod, old: Pod | None, new: Pod | None) -> bool:
        """Say whether another Pod begins to match a constraint, ceases to, comes or goes."""
        other = new or old
        if other is None or other.metadata.namespace != pod.metadata.namespace:
            return False
        constraints = self._constraints(pod, DO_NOT_SCHEDULE)
        if old is not None and new is not None:
            return relabelled(constraints, old, new)
        return any(selector_matches(each.selector, other.metadata.labels) for each in constraints)

    def _looks_otherwise(self, pod: Pod, old: Pod, new: Pod) -> bool:
        """Say whether the Pod itself matches otherwise, or now may go where taints kept it off."""
        constraints = self._constraints(pod, DO_NOT_SCHEDULE)
        honored = any(each.node_taints_policy == HONOR for each in constraints)
        if honored and old.spec.tolerations != new.spec.tolerations:
            return True
        return relabelled(constraints, old, new)

    def _domains_change(self, pod: Pod, old: Node | None, new: Node | None) -> bool:
        """Say whether a node with all topology keys comes, goes, or moves to another domain."""
        constraints = self._constraints(pod, DO_NOT_SCHEDULE)
        before = old is not None and has_keys(old, constraints)
        after = new is not None and has_keys(new, constraints)
        if old is None or new is None or before != after:
            return before or after
        was, now = old.metadata.labels, new.metadata.labels
        moved = any(was.get(each.key) != now.get(each.key) for each in constraints)
        return after and (moved or old.spec.taints != new.spec.taints)

    # -- helpers

    def _constraints(self, pod: Pod, action: str) -> tuple[Constraint, ...]:
        if pod.spec.topologySpreadConstraints:
            return own_constraints(pod, action)
        return default_constraints(pod, action, self._defaults, self._handle.objects)

    def _soft_counts(
        self,
        pod: Pod,
        constraint: Constraint,
        kept: Sequence[NodeInfo],
        needed: Sequence[Constraint],
    ) -> dict[str, int]:
        """Return the matching Pods in the domains of the nodes that are left."""
        key = constraint.key
        if key == HOSTNAME:  # counted when the node is scored
            return {}
        counts = self._counts(pod, constraint, needed)
        # Upstream gives nodes without the label a domain of their own, "".
        domains = dict.fromkeys(info.node.metadata.labels.get(key, "") for info in kept)
        return {domain: counts.get(domain, 0) for domain in domains}

    def _counts(
        self, pod: Pod, constraint: Constraint, needed: Sequence[Constraint]
    ) -> dict[str, int]:
        """Return the matching Pods of each domain, on nodes that have the keys of all `needed`."""
        key = constraint.key
        keys = [each.key for each in needed]
        everywhere = constraint.counts_all_nodes(pod)

        def count(info: NodeInfo) -> dict[str, int]:
            if not has_keys(info.node, needed):
                return {}
            if not everywhere and not constraint.counts_node(pod, info.node):
                return {}
            domain = info.node.metadata.labels.get(key, "")
            return {domain: constraint.count(info)}

        where = "" if everywhere else constraint.node_question(pod)
        question = f"{constraint.question} by {key} on {keys} {where}"
        return self._tallies.counts(question, count)

    def _change(
        self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo, by: int
    ) -> None:
        hard: HardCounts = state.read(f"PreFilter{self.name}")
        if other.pod.metadata.namespace != pod.pod.metadata.namespace:
            return
        if not has_keys(node.node, hard.constraints):
            return
        for index, each in enumerate(hard.constraints):
            if selector_matches(each.selector, other.pod.metadata.labels) and each.counts_node(
                pod.pod, node.node
            ):
                hard.add(index, node.node.metadata.labels[each.key], by)


def relabelled(constraints: Sequence[Constraint], old: Pod, new: Pod) -> bool:
    """Say whether a Pod's new labels match one of the constraints that the old did not, or not."""
    was, now = old.metadata.labels, new.metadata.labels
    return was != now and any(
        selector_matches(each.selector, was) != selector_matches(each.selector, now)
        for each in constraints
    )
