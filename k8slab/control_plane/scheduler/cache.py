"""What the scheduler believes to be true: nodes and their Pods, assumed ones included.

A Pod is assumed on its node the moment the scheduler has decided, so that the next decision counts
it although the binding is still on its way; when the binding fails it is forgotten, when the
informer shows it bound it is confirmed. Each change costs as much as one Pod, whatever the size of
the cluster.

    assume a on n   ->  n counts a
    bound a on n    ->  n counts a (once)
    forget b        ->  as if b had never been assumed

Rule of use: informer handlers and the scheduling loop write; plugins see `snapshot`.

Upstream: pkg/scheduler/backend/cache/cache.go
"""

from __future__ import annotations

from k8slab.api.core import Node, Pod
from k8slab.client import key_of
from k8slab.control_plane.scheduler.framework.snapshot import Snapshot, zone_of
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo


class Cache:
    """Nodes with the sums over their Pods, never behind what the scheduler itself decided."""

    def __init__(self) -> None:
        self.snapshot = Snapshot()
        self._nodes: dict[str, NodeInfo] = {}  # also nodes of which only Pods are known yet
        self._homes: dict[str, str] = {}  # Pod key to node name
        self._assumed: dict[str, None] = {}

    # -- Pods

    def is_assumed(self, key: str) -> bool:
        """Say whether the Pod's binding is on its way."""
        return key in self._assumed

    def assume_pod(self, pod: PodInfo) -> None:
        """Count a Pod on the node that its spec names, before the API server does."""
        self._assumed[pod.key] = None
        self._put(pod)

    def forget_pod(self, key: str) -> None:
        """Stop counting an assumed Pod: its binding failed."""
        if key in self._assumed:
            self._take(key)

    def set_pod(self, pod: Pod) -> None:
        """Count a Pod as the API server has it, assumed before or not."""
        key = key_of(pod)
        self._assumed.pop(key, None)
        home = self._homes.get(key)
        if home == pod.spec.nodeName:
            info = self._nodes[home]
            info.replace_pod(info.pods[key].with_pod(pod))
        else:
            self._take(key)
            self._put(PodInfo(pod))

    def remove_pod(self, key: str) -> None:
        """Stop counting a Pod: it ended or is gone."""
        self._take(key)

    # -- nodes

    def set_node(self, node: Node) -> None:
        """Take over a new node, or what changed on a known one."""
        name = node.metadata.name
        info, snapshot = self._info(name), self.snapshot
        known = name in snapshot.nodes
        moved = known and zone_of(info.node.metadata.labels) != zone_of(node.metadata.labels)
        if known:
            snapshot.count_images(info, -1)
        info.set_node(node)
        snapshot.count_images(info, 1)
        if not known:
            snapshot.nodes[name] = info
            snapshot.note_pods(info)
        if moved or not known:
            snapshot.reorder()

    def remove_node(self, name: str) -> None:
        """Forget a node; its Pods stay counted until they go, in case that it comes back."""
        info = self.snapshot.nodes.pop(name, None)
        if info is None:
            return
        self.snapshot.journal.note(info)
        self.snapshot.count_images(info, -1)
        self.snapshot.with_affinity.pop(name, None)
        self.snapshot.with_required_anti_affinity.pop(name, None)
        self.snapshot.reorder()
        if not info.pods:
            del self._nodes[name]

    def _info(self, name: str) -> NodeInfo:
        """Return what is known of a node, of which perhaps only Pods are."""
        info = self._nodes.get(name)
        if info is None:
            info = self._nodes[name] = NodeInfo(journal=self.snapshot.journal)
        return info

    def _put(self, pod: PodInfo) -> None:
        name = pod.pod.spec.nodeName
        info = self._info(name)
        info.add_pod(pod)
        self._homes[pod.key] = name
        if name in self.snapshot.nodes:
            self.snapshot.note_pods(info)

    def _take(self, key: str) -> None:
        self._assumed.pop(key, None)
        home = self._homes.pop(key, None)
        if home is None:
            return
        info = self._nodes[home]
        info.remove_pod(info.pods[key])
        if home in self.snapshot.nodes:
            self.snapshot.note_pods(info)
        elif not info.pods:
            del self._nodes[home]
