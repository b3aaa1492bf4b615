"""Spreads Pods evenly over zones, nodes, or whatever a node label tells apart.

Hard constraints filter: the domain's count with the Pod, minus the smallest count of all domains,
must not exceed maxSkew. Soft ones score, and Pods that Services or controllers select get soft
ones by default.

Upstream: pkg/scheduler/framework/plugins/podtopologyspread
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api.core import Pod, TopologySpreadConstraint
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
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.spread_constraints import (
    DO_NOT_SCHEDULE,
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
    """Matching Pods by domain, for each hard constraint; follows a "what if"."""

    def __init__(self, constraints: Sequence[Constraint]) -> None:
        self.constraints = constraints
        self.counts: list[dict[str, int]] = [{} for _ in constraints]

    def clone(self) -> HardCounts:
        """Return a copy that can be changed on its own."""
        copy = HardCounts(self.constraints)
        copy.counts = [dict(each) for each in self.counts]
        return copy

    def smallest(self, index: int) -> int:
        """Return the smallest count of all domains, 0 if there are fewer than minDomains."""
        counts = self.counts[index]
        if len(counts) < self.constraints[index].min_domains:
            return 0
        return min(counts.values(), default=0)


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

    def __init__(self, handle: Handle, args: Mapping[str, Any]) -> None:
        self._handle = handle
        self._system_defaulted = args.get("defaultingType", "System") == "System"
        given = args.get("defaultConstraints", ())
        self._defaults: tuple[TopologySpreadConstraint, ...] = (
            SYSTEM_DEFAULTS
            if self._system_defaulted
            else msgspec.convert(given, tuple[TopologySpreadConstraint, ...])
        )

    # -- hard constraints

    def pre_filter(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | frozenset[str] | None:
        """Count the matching Pods of each domain; skip Pods without hard constraints."""
        constraints = self._constraints(pod.pod, DO_NOT_SCHEDULE)
        if not constraints:
            return SKIP
        hard = HardCounts(constraints)
        namespace = pod.pod.metadata.namespace
        for info in nodes:
            if not has_keys(info.node, constraints):
                continue
            for each, counts in zip(constraints, hard.counts, strict=True):
                if each.counts_node(pod.pod, info.node):
                    domain = info.node.metadata.labels[each.key]
                    counts[domain] = counts.get(domain, 0) + each.count(info, namespace)
        state.write(f"hard {self.name}", hard)
        return None

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node whose domain would get ahead of the emptiest by more than maxSkew."""
        hard: HardCounts = state.read(f"hard {self.name}")
        for index, each in enumerate(hard.constraints):
            domain = node.node.metadata.labels.get(each.key)
            if domain is None:
                return self._unlabelled
            itself = int(selector_matches(each.selector, pod.pod.metadata.labels))
            count = hard.counts[index].get(domain, 0)
            if count + itself - hard.smallest(index) > each.max_skew:
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
        ignored = {
            info.name: None for info in nodes if strict and not has_keys(info.node, constraints)
        }
        kept = [info for info in nodes if info.name not in ignored]
        counts = [
            self._soft_counts(pod.pod, each, kept, constraints, strict) for each in constraints
        ]
        weights = [
            math.log((len(kept) if each.key == HOSTNAME else len(own)) + 2)
            for each, own in zip(constraints, counts, strict=True)
        ]
        state.write(f"soft {self.name}", SoftCounts(constraints, counts, weights, ignored))
        return None

    def score(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> int:
        """Add up the Pods in the node's domains; more of them is worse."""
        soft: SoftCounts = state.read(f"soft {self.name}")
        if node.name in soft.ignored:
            return 0
        labels, namespace = node.node.metadata.labels, pod.pod.metadata.namespace
        score = 0.0
        for index, each in enumerate(soft.constraints):
            domain = labels.get(each.key)
            if domain is None:
                continue
            if each.key == HOSTNAME:
                count = each.count(node, namespace)
            else:
                count = soft.counts[index].get(domain, 0)
            score += count * soft.weights[index] + (each.max_skew - 1)
        return math.floor(score + 0.5)  # Go rounds halves away from zero

    def normalize_score(
        self, state: CycleState, scores: Sequence[int], nodes: Sequence[NodeInfo]
    ) -> list[int]:
        """Give the emptiest domains the most; nodes without a domain get nothing."""
        soft: SoftCounts = state.read(f"soft {self.name}")
        valid = [
            score
            for score, info in zip(scores, nodes, strict=True)
            if info.name not in soft.ignored
        ]
        lowest, highest = min(valid, default=0), max(valid, default=0)
        return [
            0
            if info.name in soft.ignored
            else MAX_NODE_SCORE * (highest + lowest - score) // highest
            if highest
            else MAX_NODE_SCORE
            for score, info in zip(scores, nodes, strict=True)
        ]

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for Pods of the same kind, and for nodes, to come, go or change."""
        return (
            ClusterEvent(
                Resource.ASSIGNED_POD,
                Action.ADD | Action.DELETE | Action.UPDATE_POD_LABEL,
                _same_namespace,
            ),
            ClusterEvent(
                Resource.NODE,
                Action.ADD | Action.DELETE | Action.UPDATE_NODE_LABEL | Action.UPDATE_NODE_TAINT,
            ),
            ClusterEvent(
                Resource.TARGET_POD, Action.UPDATE_POD_LABEL | Action.UPDATE_POD_TOLERATION
            ),
        )

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
        constraints: Sequence[Constraint],
        strict: bool,
    ) -> dict[str, int]:
        if constraint.key == HOSTNAME:  # counted when the node is scored
            return {}
        # Upstream gives nodes without the label a domain of their own, "".
        counts = {info.node.metadata.labels.get(constraint.key, ""): 0 for info in kept}
        key, namespace = constraint.key, pod.metadata.namespace
        everywhere = constraint.counts_all_nodes(pod)
        for info in self._handle.snapshot.order:
            if strict and not has_keys(info.node, constraints):
                continue
            domain = info.node.metadata.labels.get(key, "")
            if domain in counts and (everywhere or constraint.counts_node(pod, info.node)):
                counts[domain] += constraint.count(info, namespace)
        return counts

    def _change(
        self, state: CycleState, pod: PodInfo, other: PodInfo, node: NodeInfo, by: int
    ) -> None:
        hard: HardCounts = state.read(f"hard {self.name}")
        if other.pod.metadata.namespace != pod.pod.metadata.namespace:
            return
        if not has_keys(node.node, hard.constraints):
            return
        for each, counts in zip(hard.constraints, hard.counts, strict=True):
            if selector_matches(each.selector, other.pod.metadata.labels) and each.counts_node(
                pod.pod, node.node
            ):
                domain = node.node.metadata.labels[each.key]
                counts[domain] = counts.get(domain, 0) + by


def _same_namespace(pod: Pod, old: Pod | None, new: Pod | None) -> bool:
    other = new or old
    return other is not None and other.metadata.namespace == pod.metadata.namespace
