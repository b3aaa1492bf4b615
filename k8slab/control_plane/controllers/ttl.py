"""The TTL controller: how long a kubelet may keep a ConfigMap or Secret before it asks again.

It writes the advice as an annotation of each node, the longer the larger the cluster is. Steps up
and down lie apart, so that a cluster at a boundary does not swing:

    >>> step = 0
    >>> for nodes in (100, 101, 95, 89):
    ...     step = next_step(step, nodes)
    ...     print(nodes, TTL_BOUNDARIES[step].ttl_seconds)
    100 0
    101 15
    95 15
    89 0

Rule of use: kubelets that watch their objects, as those of the lab do, hear of each change anyway.

Upstream: pkg/controller/ttl/ttl_controller.go
"""

from __future__ import annotations

from typing import NamedTuple

from k8slab.api.core import Node
from k8slab.api.errors import ApiError
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide

TTL_ANNOTATION = "node.alpha.kubernetes.io/ttl"  # ObjectTTLAnnotationKey


class TtlBoundary(NamedTuple):
    """Up to which sizes of the cluster an advice holds."""

    size_min: int  # nodes: with fewer than that, the step before
    size_max: int  # nodes: with more than that, the next step
    ttl_seconds: int


TTL_BOUNDARIES = (
    TtlBoundary(0, 100, 0),
    TtlBoundary(90, 500, 15),
    TtlBoundary(450, 1000, 30),
    TtlBoundary(900, 2000, 60),
    TtlBoundary(1800, 2**31 - 1, 300),
)


def next_step(step: int, nodes: int) -> int:
    """Return the index in TTL_BOUNDARIES after the number of nodes has become `nodes`."""
    while nodes > TTL_BOUNDARIES[step].size_max:
        step += 1
    while nodes < TTL_BOUNDARIES[step].size_min:
        step -= 1
    return step


class TtlController:
    """The loop: whenever a node is written, look whether its advice is still right."""

    component = "ttl-controller"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self._sim = informers.sim
        self._client = client
        self._nodes = informers.informer(Node)
        self._queue = WorkQueue(self._sim, self.component)
        self._step = 0
        self._count = 0

    async def run(self) -> None:
        """Keep the nodes' annotations for ever."""
        self._nodes.add_handler(self._on_node)
        await self._nodes.synced.wait()
        await self._queue.run(self._sync)

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        self._count += (new is not None) - (old is not None)
        self._step = next_step(self._step, self._count)
        if new is not None:
            self._queue.add(new.metadata.name)

    async def _sync(self, name: str) -> None:
        node = self._nodes.get("", name)
        wanted = str(TTL_BOUNDARIES[self._step].ttl_seconds)
        if node is None or node.metadata.annotations.get(TTL_ANNOTATION) == wanted:
            return
        decide(self._sim, self.component, node, f"kubelets may keep objects for {wanted} s")
        patch = {"metadata": {"annotations": {TTL_ANNOTATION: wanted}}}
        try:
            await self._client.patch(Node, name, patch)
        except ApiError as error:
            if error.reason != "NotFound":
                raise
