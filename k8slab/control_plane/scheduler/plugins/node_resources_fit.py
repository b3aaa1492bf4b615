"""Puts Pods where their requests fit, and prefers nodes with room to spare.

Requests are summed up against what the node may give out (allocatable); what Pods really use does
not matter. A Pod that asks for more than a node has altogether cannot be helped by preemption.

Upstream: pkg/scheduler/framework/plugins/noderesources/fit.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.api.core import Node, Pod
from k8slab.api.requests import amounts, pod_requests
from k8slab.control_plane.scheduler.config.types_pluginargs import (
    MOST_ALLOCATED,
    REQUESTED_TO_CAPACITY_RATIO,
    NodeResourcesFitArgs,
)
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
)

TOO_MANY_PODS = "Too many pods"


class NodeResourcesFit:
    """Filter by requests, Score by the share that is left (LeastAllocated) or as configured."""

    name = "NodeResourcesFit"

    def __init__(self, handle: Handle, args: NodeResourcesFitArgs) -> None:
        self._ignored = frozenset(args.ignoredResources)
        self._ignored_groups = frozenset(args.ignoredResourceGroups)
        strategy = args.scoringStrategy
        self._strategy = strategy.type
        self._resources = tuple((each.name, each.weight) for each in strategy.resources)
        ratio = strategy.requestedToCapacityRatio
        # Points are written with scores from 0 to 10.
        points = ratio.shape if ratio is not None else ()
        self._shape = tuple((each.utilization, each.score * 10) for each in points)

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
        ratio = self._strategy == REQUESTED_TO_CAPACITY_RATIO
        if ratio:
            scores = [each for each in scores if each[0] > 0]
        score = weighted_mean(scores, rounded=ratio)
        node.remember(question, score)
        return score

    def events_to_register(self) -> tuple[ClusterEvent, ...]:
        """Wait for Pods to leave or shrink, and for nodes to come or grow."""
        return (
            ClusterEvent(Resource.ASSIGNED_POD, Action.DELETE),
            ClusterEvent(Resource.ASSIGNED_POD, Action.UPDATE_POD_SCALE_DOWN, _frees_what_is_asked),
            ClusterEvent(Resource.TARGET_POD, Action.UPDATE_POD_SCALE_DOWN),
            ClusterEvent(
                Resource.NODE, Action.ADD | Action.UPDATE_NODE_ALLOCATABLE, _now_large_enough
            ),
        )

    def _score_of(self, used: Use) -> int:
        requested, allocatable = used
        if self._strategy == MOST_ALLOCATED:
            return most_allocated(requested, allocatable)
        if self._strategy == REQUESTED_TO_CAPACITY_RATIO:
            full = requested > allocatable
            return interpolate(self._shape, 100 if full else requested * 100 // allocatable)
        return least_allocated(requested, allocatable)

    def _is_ignored(self, name: str) -> bool:
        if not self._ignored and not self._ignored_groups:
            return False
        group, slash, _ = name.partition("/")
        return bool(slash) and (name in self._ignored or group in self._ignored_groups)


def _frees_what_is_asked(pod: Pod, old: Pod, new: Pod) -> bool:
    before, after = pod_requests(old), pod_requests(new)
    return any(before.get(name, 0) > after.get(name, 0) for name in pod_requests(pod))


def _now_large_enough(pod: Pod, old: Node | None, new: Node) -> bool:
    """Say whether the Pod would fit the empty node, and the node offers more of what it asks."""
    has, asked = amounts(new.status.allocatable), {"pods": 1, **pod_requests(pod)}
    if any(amount > has.get(name, 0) for name, amount in asked.items()):
        return False
    had = amounts(old.status.allocatable) if old is not None else {}
    return any(has.get(name, 0) > had.get(name, 0) for name in asked)
