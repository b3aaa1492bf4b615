"""The node IPAM controller: gives each node a range of addresses for its Pods.

`CidrSet` hands out equal parts of one of the cluster's ranges, `NodeIpamController` writes one of
each family into each node's spec.podCIDRs. What a node gets it keeps; the ranges of a node that is
deleted are free again.

Rule of use: ranges that nodes have already are taken over before the first one is handed out.

Upstream: pkg/controller/nodeipam/ipam/range_allocator.go, cidrset/cidr_set.go
"""

from __future__ import annotations

from ipaddress import ip_network

from k8slab.api.core import Node
from k8slab.client import Client, EventRecorder, Informers, WorkQueue
from k8slab.control_plane.controllers.controller_utils import decide

CLUSTER_CIDR = "10.244.0.0/16"  # --cluster-cidr: one range, or one of each family
NODE_MASK = 24  # --node-cidr-mask-size, --node-cidr-mask-size-ipv4
NODE_MASK_IPV6 = 64  # --node-cidr-mask-size-ipv6


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
        self._network = ip_network(cluster_cidr)
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
        network = self._network
        first = int(network.network_address) + index * 2 ** (network.max_prefixlen - self._mask)
        return str(type(network)((first, self._mask)))


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
        self._ranges = [
            CidrSet(cidr, NODE_MASK_IPV6 if ":" in cidr else node_mask)
            for cidr in cluster_cidr.split(",")
        ]

    async def run(self) -> None:
        """Give ranges to nodes for ever."""
        await self._nodes.synced.wait()
        self._nodes.add_handler(self._on_node)
        await self._queue.run(self._sync)

    def _on_node(self, old: Node | None, new: Node | None) -> None:
        if new is None:
            assert old is not None
            for ranges, part in zip(self._ranges, parts_of(old), strict=False):
                ranges.release(part)
        elif new.spec.podCIDR:
            for ranges, part in zip(self._ranges, parts_of(new), strict=False):
                ranges.occupy(part)
        else:
            self._queue.add(new.metadata.name)

    async def _sync(self, name: str) -> None:
        node = self._nodes.by_key(name)
        if node is None or node.spec.podCIDR:
            return
        parts = [part for ranges in self._ranges if (part := ranges.allocate()) is not None]
        if len(parts) < len(self._ranges):
            self._release(parts)
            text = f"Node {name} status is now: CIDRNotAvailable"
            self._recorder.event(node, "Normal", "CIDRNotAvailable", text)
            return
        decide(self._sim, self.component, node, f"podCIDR {', '.join(parts)}")
        try:
            spec = {"podCIDR": parts[0], "podCIDRs": parts}
            await self._client.patch(Node, name, {"spec": spec})
        except Exception:
            self._release(parts)
            raise

    def _release(self, parts: list[str]) -> None:
        for ranges, part in zip(self._ranges, parts, strict=False):
            ranges.release(part)


def parts_of(node: Node) -> tuple[str, ...]:
    """Return the ranges that a node has, of its families in their order."""
    return node.spec.podCIDRs or ((node.spec.podCIDR,) if node.spec.podCIDR else ())
