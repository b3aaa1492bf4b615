"""The node IPAM controller: gives each node a range of addresses for its Pods.

`CidrSet` hands out equal parts of the cluster's range, `NodeIpamController` writes one into each
node's spec.podCIDR. What a node gets it keeps; the range of a node that is deleted is free again.

Rule of use: ranges that nodes have already are taken over before the first one is handed out.

Upstream: pkg/controller/nodeipam/ipam/range_allocator.go, cidrset/cidr_set.go
"""

from __future__ import annotations

from ipaddress import IPv4Network

from k8slab.api.core import Node
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide

CLUSTER_CIDR = "10.244.0.0/16"  # --cluster-cidr
NODE_MASK = 24  # --node-cidr-mask-size


class CidrSet:
    """Equal parts of a range, each free or taken.

    >>> ranges = CidrSet("10.244.0.0/16", 24)
    >>> ranges.allocate(), ranges.allocate()
    ('10.244.0.0/24', '10.244.1.0/24')
    >>> ranges.release("10.244.0.0/24")
    >>> ranges.allocate()  # goes on from the last one, so that addresses rest before reuse
    '10.244.2.0/24'
    """

    def __init__(self, cluster_cidr: str, mask: int) -> None:
        self._network = IPv4Network(cluster_cidr)
        self._mask = mask
        self._size = 2 ** (mask - self._network.prefixlen)
        self._taken: dict[str, None] = {}
        self._next = 0

    def allocate(self) -> str | None:
        """Take the next free part and return it, None if all are taken."""
        for offset in range(self._size):
            index = (self._next + offset) % self._size
            part = self._part(index)
            if part not in self._taken:
                self._taken[part] = None
                self._next = (index + 1) % self._size
                return part
        return None

    def occupy(self, part: str) -> None:
        """Take a part that somebody has already."""
        self._taken[part] = None

    def release(self, part: str) -> None:
        """Make a part free again."""
        self._taken.pop(part, None)

    def _part(self, index: int) -> str:
        first = int(self._network.network_address) + index * 2 ** (32 - self._mask)
        return str(IPv4Network((first, self._mask)))


class NodeIpamController:
    """The loop: a node without podCIDR gets the next free one."""

    component = "node-controller"

    def __init__(
        self,
        informers: Informers,
        client: Client,
        recorder: EventRecorder,
        *,
        cluster_cidr: str = CLUSTER_CIDR,
        node_mask: int = NODE_MASK,
    ) -> None:
        self._sim = informers.sim
        self._client = client
        self._recorder = recorder
        self._nodes = informers.informer(Node)
        self._queue = WorkQueue(self._sim, self.component)
        self._ranges = CidrSet(cluster_cidr, node_mask)

    async def run(self) -> None:
        """Give ranges to nodes for ever."""
        await self._nodes.synced.wait()
        self._nodes.add_handler(self._on_node)
        await self._queue.run(self._sync)

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            assert old is not None
            self._ranges.release(old.spec.podCIDR)
        elif new.spec.podCIDR:
            self._ranges.occupy(new.spec.podCIDR)
        else:
            self._queue.add(new.metadata.name)

    async def _sync(self, name: str) -> None:
        node = self._nodes.by_key(name)
        if node is None or node.spec.podCIDR:
            return
        part = self._ranges.allocate()
        if part is None:
            text = f"Node {name} status is now: CIDRNotAvailable"
            self._recorder.event(node, "Normal", "CIDRNotAvailable", text)
            return
        decide(self._sim, self.component, node, f"podCIDR {part}")
        try:
            await self._client.patch(Node, name, {"spec": {"podCIDR": part, "podCIDRs": [part]}})
        except Exception:
            self._ranges.release(part)
            raise
