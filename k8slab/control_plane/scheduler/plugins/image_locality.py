"""Prefers nodes that have the Pod's images already.

An image counts with its size, scaled by the share of nodes that have it, so that one node which
happens to have an image is not flooded with the Pods that use it.

Upstream: pkg/scheduler/framework/plugins/imagelocality/image_locality.go
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.control_plane.scheduler.framework.interface import MAX_NODE_SCORE, CycleState
from k8slab.control_plane.scheduler.framework.snapshot import Handle
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

MEBIBYTE = 1024 * 1024
MIN_THRESHOLD = 23 * MEBIBYTE  # smaller sums are not worth a thought
MAX_CONTAINER_THRESHOLD = 1000 * MEBIBYTE  # for each container


class ImageLocality:
    """Score by the bytes that need not be pulled."""

    name = "ImageLocality"

    def __init__(self, handle: Handle, args: None) -> None:
        self._snapshot = handle.snapshot

    def score_nodes(self, state: CycleState, pod: PodInfo, nodes: Sequence[NodeInfo]) -> list[int]:
        """Return 0 up to 23 MiB, 100 from 1000 MiB for each container."""
        snapshot, count = self._snapshot, len(pod.images)
        shares = [
            (name, snapshot.image_nodes[name] / len(snapshot.nodes))
            for name in map(normalized, pod.images)
            if snapshot.image_nodes.get(name)
        ]
        if not shares:
            return [0] * len(nodes)
        present = [
            sum(int(node.images.get(name, 0) * share) for name, share in shares) for node in nodes
        ]
        known: dict[int, int] = {size: scaled(size, count) for size in dict.fromkeys(present)}
        return [known[size] for size in present]


def scaled(size: int, containers: int) -> int:
    """Bring bytes into 0..100.

    >>> scaled(0, 1), scaled(1000 * MEBIBYTE, 1), scaled(1000 * MEBIBYTE, 2)
    (0, 100, 49)
    """
    most = MAX_CONTAINER_THRESHOLD * containers
    size = min(max(size, MIN_THRESHOLD), most)
    return MAX_NODE_SCORE * (size - MIN_THRESHOLD) // (most - MIN_THRESHOLD)


def normalized(image: str) -> str:
    """Return the name with its tag, as nodes report it.

    >>> normalized("nginx"), normalized("registry:5000/nginx"), normalized("nginx:1.27")
    ('nginx:latest', 'registry:5000/nginx:latest', 'nginx:1.27')
    """
    return image if image.rfind(":") > image.rfind("/") else f"{image}:latest"
