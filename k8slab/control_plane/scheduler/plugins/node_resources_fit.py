"""Puts Pods where their requests fit, and prefers nodes with room to spare.

Requests are summed up against what the node may give out (allocatable); what Pods really use does
not matter. A Pod that asks for more than a node has altogether cannot be helped by preemption.

Upstream: pkg/scheduler/framework/plugins/noderesources/fit.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.core import Node, Pod
from k8slab.api.requests import amounts, pod_requests
from k8slab.control_plane.scheduler.framework.interface import (
    Action,
    ClusterEvent,
    Code,
    CycleState,
    Resource,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.resource_allocation import (
    Use,
    interpolate,
    least_allocated,
    most_allocated,
    use,
    weighted_mean,
    weighted_resources,
)

TOO_MANY_PODS = "Too many pods"


class NodeResourcesFit:
    """Filter by requests, Score by the share that is left (LeastAllocated) or as configured."""

    name = "NodeResourcesFit"

    def __init__(self, handle: Handle, args: Mapping[str, Any]) -> None:
        self._ignored = frozenset(args.get("ignoredResources", ()))
        self._ignored_groups = frozenset(args.get("ignoredResourceGroups", ()))
        strategy = args.get("scoringStrategy", {})
        self._strategy = strategy.get("type", "LeastAllocated")
        self._resources = weighted_resources(strategy.get("resources"))
        points = strategy.get("requestedToCapacityRatio", {}).get("shape", ())
        # Points are written with scores from 0 to 10.
        self._shape = tuple((each["utilization"], each["score"] * 10) for each in points)

    def sign_pod(self, pod: PodInfo) -> str:
        """Go by the requests."""
        return pod.shape

    def filter(self, state: CycleState, pod: PodInfo, node: NodeInfo) -> Status | None:
        """Refuse a node that lacks something, naming all that it lacks."""
        reasons: list[str] = []
        code = Code.UNSCHEDULABLE
        if len(node.pods) + 1 > node.allowed_pods:
            reasons.append(TOO_MANY_PODS)
        requested, allocatable = node.requested, node.allocatable
        for name, amount in pod.requests.items():
            has = allocatable.get(name, 0)
            if amount > has - requested.get(name, 0) and not self._is_ignored(name):
                reasons.append(f"Insufficient {name}")
                if amount > has:
                    code = Code.UNSCHEDULABLE_AND_UNRESOLVABLE
        return Status(code, tuple(reasons), self.name) if reasons else None

    def score_nodes(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        """Return how well the Pod fits by the strategy, 0..100."""
        question = f"{self.name} {pod.shape}"
        known = [node.worked_out.get(question) for node in nodes]
        return [
            self._score(question, pod, node) if score is None else score
            for node, score in zip(nodes, known, strict=True)
        ]

    def _score(self, question: str, pod: PodInfo, node: NodeInfo) -> int:
        requests = pod.non_zero_requests
        scores: list[tuple[int, int]] = []
        for name, weight in self._resources:
            requested, allocatable = use(node, name, requests, non_zero=True)
            if allocatable:
                scores.append((self._score_of((requested, allocatable)), weight))
        if self._strategy == "RequestedToCapacityRatio":
            scores = [each for each in scores if each[0] > 0]
        score = weighted_mean(scores)
        node.remember(question, score)
        return score

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for Pods to leave or shrink, and for nodes to come or grow."""
        return (
            ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE | Action.UPDATE_POD_SCALE_DOWN),
            ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_SCALE_DOWN),
            ClusterEvent(
                Resource.NODE, Action.ADD | Action.UPDATE_NODE_ALLOCATABLE, self._now_large_enough
            ),
        )

    def _score_of(self, used: Use) -> int:
        requested, allocatable = used
        if self._strategy == "MostAllocated":
            return most_allocated(requested, allocatable)
        if self._strategy == "RequestedToCapacityRatio":
            full = requested > allocatable
            return interpolate(self._shape, 100 if full else requested * 100 // allocatable)
        return least_allocated(requested, allocatable)

    def _is_ignored(self, name: str) -> bool:
        if not self._ignored and not self._ignored_groups:
            return False
        group, slash, _ = name.partition("/")
        return bool(slash) and (name in self._ignored or group in self._ignored_groups)

    def _now_large_enough(self, pod: Pod, old: Node | None, new: Node | None) -> bool:
        if new is None:
            return False
        has = amounts(new.status.allocatable)
        return all(
            amount <= has.get(name, 0) or self._is_ignored(name)
            for name, amount in pod_requests(pod).items()
        )
