"""What plugins may look at beyond one Pod and one node: all nodes, and some objects.

`Snapshot` is the nodes with their Pods at one moment, in the order in which the scheduler looks
at them. `Objects` lists what other kinds plugins need (Services for spreading, budgets for
preemption); the running scheduler backs it with informers, `explain` with plain tuples. `Handle`
is what each plugin is made with.

Rule of use: plugins read; nobody but the cache and the nominator writes.

Upstream: pkg/scheduler/backend/cache/snapshot.go, node_tree.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from k8slab.api.core import Pod
from k8slab.api.meta import Object
from k8slab.client import Client
from k8slab.control_plane.scheduler.framework.tally import Journal
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo

if TYPE_CHECKING:
    from k8slab.control_plane.scheduler.framework.runtime import Framework

K = TypeVar("K", bound=Object)

ZONE = "topology.kubernetes.io/zone"
REGION = "topology.kubernetes.io/region"
HOSTNAME = "kubernetes.io/hostname"


class Snapshot:
    """All nodes by name, and the order in which they are tried."""

    def __init__(self, nodes: Iterable[NodeInfo] = ()) -> None:
        self.nodes: dict[str, NodeInfo] = {info.name: info for info in nodes}
        self.journal = Journal()  # of all that changes on the nodes
        self.order: list[NodeInfo] = tree_order(self.nodes.values())
        # Nodes with at least one such Pod; a look at all nodes is what makes affinity dear.
        self.with_affinity: dict[str, NodeInfo] = {}
        self.with_required_anti_affinity: dict[str, NodeInfo] = {}
        self.image_nodes: dict[str, int] = {}  # on how many nodes an image is
        for info in self.nodes.values():
            info.journal = self.journal
            self.note_pods(info)
            self.count_images(info, 1)

    def reorder(self) -> None:
        """Work out the order anew: nodes came, went, or moved to another zone."""
        self.order = tree_order(self.nodes.values())

    def note_pods(self, info: NodeInfo) -> None:
        """Keep the lists of nodes whose Pods have affinities true for this node."""
        for nodes, pods in (
            (self.with_affinity, info.pods_with_affinity),
            (self.with_required_anti_affinity, info.pods_with_required_anti_affinity),
        ):
            if pods:
                nodes[info.name] = info
            elif nodes:
                nodes.pop(info.name, None)

    def count_images(self, info: NodeInfo, sign: int) -> None:
        """Count the images of a node in, or out with -1."""
        for name in info.images:
            self.image_nodes[name] = self.image_nodes.get(name, 0) + sign


class Nominator:
    """Pods that wait for their victims to leave, by the node on which they will then run."""

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, PodInfo]] = {}
        self._pods: dict[str, str] = {}

    def add(self, pod: PodInfo, node_name: str) -> None:
        """Nominate the Pod for the node, and for no other."""
        self.delete(pod.key)
        self._nodes.setdefault(node_name, {})[pod.key] = pod
        self._pods[pod.key] = node_name

    def delete(self, key: str) -> None:
        """Forget the Pod's nomination."""
        node_name = self._pods.pop(key, None)
        if node_name is not None:
            del self._nodes[node_name][key]
            if not self._nodes[node_name]:
                del self._nodes[node_name]

    def on_node(self, node_name: str) -> list[PodInfo]:
        """Return the Pods nominated for the node."""
        return list(self._nodes.get(node_name, {}).values())

    def __bool__(self) -> bool:
        return bool(self._pods)


class Objects:
    """Objects of other kinds, listed on demand."""

    def __init__(
        self,
        lister: Callable[[type[Any], str], Iterable[Any]] | None = None,
        getter: Callable[[type[Any], str, str], Any] | None = None,
    ) -> None:
        self._lister = lister
        self._getter = getter

    @classmethod
    def of(cls, objects: Iterable[Object]) -> Objects:
        """Serve these objects and no others."""
        by_kind: dict[type[Object], list[Object]] = {}
        by_name: dict[tuple[type[Any], str, str], Object] = {}
        for obj in objects:
            by_kind.setdefault(type(obj), []).append(obj)
            by_name[type(obj), obj.metadata.name, obj.metadata.namespace] = obj

        def lister(kind: type[Any], namespace: str) -> list[Any]:
            found = by_kind.get(kind, ())
            return [each for each in found if namespace in ("", each.metadata.namespace)]

        return cls(lister, lambda kind, name, namespace: by_name.get((kind, name, namespace)))

    def list(self, kind: type[K], namespace: str = "") -> list[K]:
        """Return the objects of a kind, of one namespace if it is given."""
        return list(self._lister(kind, namespace)) if self._lister is not None else []

    def get(self, kind: type[K], name: str, namespace: str = "") -> K | None:
        """Return the object of that name, None if there is none."""
        if self._getter is None:
            return None
        found: K | None = self._getter(kind, name, namespace)
        return found


class Handle:
    """What a plugin is made with: the cluster to look at, and the framework that it is part of."""

    def __init__(
        self,
        snapshot: Snapshot,
        objects: Objects | None = None,
        nominator: Nominator | None = None,
        choose: Callable[[int], int] = lambda _: 0,
        client: Client | None = None,
        sleep: Callable[[float], Awaitable[Any]] | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.objects = Objects() if objects is None else objects
        self.nominator = Nominator() if nominator is None else nominator
        self.choose = choose  # a random number below n; the first for those who only explain
        self.client = client  # None for those who only explain
        self.sleep = sleep or _never  # lets virtual seconds pass
        # Whether victims of a Pod are just being told to go; never for those who only explain.
        self.is_preempting: Callable[[Pod], bool] = lambda pod: False
        self.framework: Framework  # set by the framework when it has made its plugins


def _never(seconds: float) -> Awaitable[Any]:
    raise RuntimeError("only a running scheduler waits: this profile only explains")


def tree_order(infos: Iterable[NodeInfo]) -> list[NodeInfo]:
    """Return the nodes one zone after the other in turn, so that a sample covers all zones."""
    zones: dict[tuple[str, str], list[NodeInfo]] = {}
    for info in infos:
        zones.setdefault(zone_of(info.node.metadata.labels), []).append(info)
    ordered: list[NodeInfo] = []
    rows: Sequence[list[NodeInfo]] = list(zones.values())
    for index in range(max((len(row) for row in rows), default=0)):
        ordered += [row[index] for row in rows if index < len(row)]
    return ordered


def zone_of(labels: Mapping[str, str]) -> tuple[str, str]:
    """Return the region and zone of a node with these labels."""
    return labels.get(REGION, ""), labels.get(ZONE, "")
