"""Prefers nodes whose cpu and memory a Pod would bring into balance.

What counts is the change: 75 if the Pod leaves the balance as it is, 100 if it turns a lopsided
node into a balanced one, 50 if it does the opposite. Pods without requests are not scored.

Upstream: pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from k8slab.control_plane.scheduler.config.types_pluginargs import (
    NodeResourcesBalancedAllocationArgs,
)
from k8slab.control_plane.scheduler.framework.interface import (
    MAX_NODE_SCORE,
    SKIP,
    CycleState,
    Status,
)
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.plugins.resource_allocation import (
    Use,
    use,
)

HALF = MAX_NODE_SCORE // 2


class NodeResourcesBalancedAllocation:
    """Score by how evenly the resources of the node would be used."""

    name = "NodeResourcesBalancedAllocation"

    def __init__(self, handle: Handle, args: NodeResourcesBalancedAllocationArgs) -> None:
        self._resources = tuple(each.name for each in args.resources)

    def pre_score(
        self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]
    ) -> Status | None:
        """Skip Pods that ask for none of the resources."""
        return None if any(pod.requests.get(name) for name in self._resources) else SKIP

    def score_nodes(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        """Compare the balance with the Pod to the balance without."""
        question = f"{self.name} {pod.shape}"
        known = [node.worked_out.get(question) for node in nodes]
        return [
            self._score(question, pod, node) if score is None else score
            for node, score in zip(nodes, known, strict=True)
        ]

    def _score(self, question: str, pod: PodInfo, node: NodeInfo) -> int:
        requests = pod.requests
        uses = [use(node, name, requests, non_zero=False) for name in self._resources]
        before = [
            (requested - requests.get(name, 0), allocatable)
            for name, (requested, allocatable) in zip(self._resources, uses, strict=True)
        ]
        score = HALF + (HALF + balance(uses) - balance(before)) // 2
        node.remember(question, score)
        return score


def balance(uses: Sequence[Use]) -> int:
    """Return 100 minus the standard deviation (percent) of the used shares.

    >>> balance([(500, 1000), (50, 100)]), balance([(1000, 1000), (0, 100)])
    (100, 50)
    """
    shares = [min(1.0, requested / allocatable) for requested, allocatable in uses if allocatable]
    deviation = 0.0
    if len(shares) == 2:
        deviation = abs((shares[0] - shares[1]) / 2)
    elif len(shares) > 2:
        mean = sum(shares) / len(shares)
        deviation = math.sqrt(sum((share - mean) ** 2 for share in shares) / len(shares))
    return int((1 - deviation) * MAX_NODE_SCORE)
