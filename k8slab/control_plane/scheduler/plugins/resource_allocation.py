"""How full a node is with a Pod on it: what the scoring plugins of node resources share.

Upstream: pkg/scheduler/framework/plugins/noderesources/resource_allocation.go
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from k8slab.control_plane.scheduler.framework.interface import MAX_NODE_SCORE
from k8slab.control_plane.scheduler.framework.types import NodeInfo

Use: TypeAlias = tuple[int, int]  # requested with the Pod, allocatable


def use(node: NodeInfo, name: str, requests: Mapping[str, int], *, non_zero: bool) -> Use:
    """Return how much of a resource would be requested, of how much; (0, 0) if it does not count.

    With `non_zero` containers that request no cpu or memory count 100m and 200Mi.
    """
    asked = requests.get(name, 0)
    if name in ("cpu", "memory"):
        requested = node.non_zero_requested if non_zero else node.requested
    else:
        requested = node.requested
        if not asked and name != "ephemeral-storage":
            return 0, 0  # a Pod without devices is not drawn to nodes with, or without, any
    return requested.get(name, 0) + asked, node.allocatable.get(name, 0)


def least_allocated(requested: int, allocatable: int) -> int:
    """Return 100 for an empty node, 0 for a full one.

    >>> least_allocated(500, 2000)
    75
    """
    if requested > allocatable:
        return 0
    return (allocatable - requested) * MAX_NODE_SCORE // allocatable


def most_allocated(requested: int, allocatable: int) -> int:
    """Return 100 for a full node, 0 for an empty one."""
    return min(requested, allocatable) * MAX_NODE_SCORE // allocatable


def weighted_mean(scores: Sequence[tuple[int, int]], *, rounded: bool = False) -> int:
    """Return the mean of (score, weight) pairs, cut or rounded; 0 without any.

    >>> weighted_mean([(10, 1), (11, 1)]), weighted_mean([(10, 1), (11, 1)], rounded=True)
    (10, 11)
    """
    weights = sum(weight for _, weight in scores)
    if not weights:
        return 0
    total = sum(score * weight for score, weight in scores)
    return (2 * total + weights) // (2 * weights) if rounded else total // weights


def interpolate(shape: Sequence[tuple[int, int]], utilization: int) -> int:
    """Return the score at a utilisation (percent) on a line through (utilisation, score) points.

    >>> interpolate(((0, 0), (100, 10)), 50)
    5

    Upstream: pkg/scheduler/framework/plugins/helper/shape_score.go
    """
    before = shape[0]
    for point in shape:
        if utilization <= point[0]:
            if point is shape[0]:
                return point[1]
            # Go's integer division cuts towards zero, also on a falling line.
            rise = (point[1] - before[1]) * (utilization - before[0])
            return before[1] + int(rise / (point[0] - before[0]))
        before = point
    return shape[-1][1]
