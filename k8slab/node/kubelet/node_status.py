"""The node as the API server knows it: registered by the kubelet itself, and kept up to date.

`NodeStatusManager` creates the Node object, tries again until there is an API server, and posts
what changes: the network becoming ready, images arriving, pressure coming and going.
With heartbeats="events" it also posts every five minutes without a change, as upstream does.

Rule of use: the kubelet owns status and its own labels; taints and the rest belong to others.

Upstream: pkg/kubelet/kubelet_node_status.go
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from k8slab.api.conditions import get_condition
from k8slab.api.core import (
    Node,
    NodeCondition,
    NodeSpec,
    NodeStatus,
    ObjectReference,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta
from k8slab.client import ConnectionFailed
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.node_status_setters import HEALTHY, node_labels, node_status
from k8slab.sim import Signal, Timer

CNI_FOLDER = "etc/cni/net.d"
STATUS_UPDATE_PERIOD = 10.0  # s, nodeStatusUpdateFrequency
STATUS_REPORT_PERIOD = 300.0  # s, nodeStatusReportFrequency
RUNTIME_PERIOD = 5.0  # s, how often the kubelet asks the runtime whether its network is ready
REGISTER_BACKOFF = (0.1, 7.0)  # s, first and longest wait between attempts, doubling
EVENTS_OF = {
    "MemoryPressure": ("NodeHasSufficientMemory", "NodeHasInsufficientMemory"),
    "DiskPressure": ("NodeHasNoDiskPressure", "NodeHasDiskPressure"),
    "PIDPressure": ("NodeHasSufficientPID", "NodeHasInsufficientPID"),
}
START_EVENTS = ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID")


class NodeStatusManager:
    """Registers the node and keeps its status true."""

    def __init__(
        self,
        deps: Dependencies,
        *,
        on_registered: Callable[[], None],
        on_ready: Callable[[], None],
        pressure: Callable[[], Sequence[str]] = list,
    ) -> None:
        self._deps = deps
        self._pressure = pressure
        self._on_registered = on_registered  # there is a Node for mirrors to hang on
        self._on_ready = on_ready  # the network has become ready: Pods can have addresses
        self._node: Node | None = None
        self._news = Signal(deps.sim, "node status")
        self._timer: Timer | None = None

    @property
    def node(self) -> Node | None:
        """The Node as the API server last showed it to us, None before it was registered."""
        return self._node

    def heard(self, node: Node) -> None:
        """Take a newer version of the Node; correct what others have written into our part."""
        self._node = node
        if _without_times(self._status(node.status)) != _without_times(node.status):
            self.changed()

    def changed(self) -> None:
        """Have the status looked at."""
        self._news.set()

    def soon(self) -> None:
        """Have news posted with the next computation of the status: images, pressure."""
        if self._timer is None:
            label = "kubelet: node status"
            self._timer = self._deps.sim.after(STATUS_UPDATE_PERIOD, self._post_soon, label)

    def _status(self, old: NodeStatus) -> NodeStatus:
        return node_status(self._deps, old, self._pressure())

    def _post_soon(self) -> None:
        self._timer = None
        self.changed()

    def disk_changed(self, path: str) -> None:
        """Hear of a file: the network's configuration decides whether the node is ready."""
        if path.startswith(CNI_FOLDER):
            self.changed()

    async def run(self) -> None:
        """Register, then post what changes, for ever."""
        deps = self._deps
        self._tell("Starting", "Starting kubelet.")
        for reason in START_EVENTS:
            self._tell(reason, f"Node {deps.node_name} status is now: {reason}")
        self._tell("NodeAllocatableEnforced", "Updated Node Allocatable limit across pods")
        deps.machine.disk.watchers.append(self.disk_changed)
        try:
            await self._register()
            while True:
                changed = await self._news.wait(self._patience())
                self._news = Signal(deps.sim, "node status")
                await self._post(heartbeat=not changed)
        finally:
            deps.machine.disk.watchers.remove(self.disk_changed)
            if self._timer is not None:
                self._timer.cancel()

    async def _register(self) -> None:
        deps = self._deps
        wait, longest = REGISTER_BACKOFF
        while True:
            try:
                await self._create()
                return
            except (ApiError, ConnectionFailed):
                await deps.sim.sleep(wait, "kubelet: registration")
                wait = min(wait * 2, longest)

    async def _create(self) -> None:
        deps = self._deps
        status = self._status(NodeStatus())
        node = Node(
            metadata=ObjectMeta(
                name=deps.node_name,
                labels=node_labels(deps),
                annotations={"volumes.kubernetes.io/controller-managed-attach-detach": "true"},
            ),
            spec=NodeSpec(taints=deps.taints),
            status=status,
        )
        try:
            self._node = await deps.client.create(node)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            found = await deps.client.get(Node, deps.node_name)
            labels = {**found.metadata.labels, **node_labels(deps)}
            if labels != found.metadata.labels:
                found = await deps.client.update(
                    replace(found, metadata=replace(found.metadata, labels=labels))
                )
            self._node = found
            await self._post(heartbeat=True)
        self._on_registered()
        self._announce(ready=deps.network.ready(), before=False)

    def _patience(self) -> float | None:
        """How long to wait for news: what others see decides whether looking is needed."""
        deps = self._deps
        if not deps.network.ready():
            return RUNTIME_PERIOD
        return STATUS_REPORT_PERIOD if deps.config.heartbeats == "events" else None

    async def _post(self, *, heartbeat: bool) -> None:
        """Write the status if anything but its times has changed, or as a heartbeat."""
        deps, node = self._deps, self._node
        if node is None:
            return
        before = get_condition(node.status.conditions, "Ready")
        status = self._status(node.status)
        same = _without_times(status) == _without_times(node.status)
        if same and not (heartbeat and deps.config.heartbeats == "events"):
            return
        kept = replace(
            status,
            volumesAttached=node.status.volumesAttached,
            conditions=(*status.conditions, *_of_others(node.status)),
        )
        try:
            self._node = await deps.client.update_status(replace(node, status=kept))
        except ApiError as error:
            if error.reason == "Conflict":
                self._node = await deps.client.get(Node, deps.node_name)
                self.changed()
            return
        except ConnectionFailed:
            return
        self._announce_pressure(node.status, status)
        ready = deps.network.ready()
        self._announce(ready=ready, before=before is not None and before.status == "True")

    def _announce_pressure(self, before: NodeStatus, now: NodeStatus) -> None:
        for type_, reasons in EVENTS_OF.items():
            old, new = (get_condition(status.conditions, type_) for status in (before, now))
            if old is not None and new is not None and old.status != new.status:
                reason = reasons[new.status == "True"]
                self._tell(reason, f"Node {self._deps.node_name} status is now: {reason}")

    def _announce(self, *, ready: bool, before: bool) -> None:
        if ready == before:
            return
        reason = "NodeReady" if ready else "NodeNotReady"
        self._tell(reason, f"Node {self._deps.node_name} status is now: {reason}")
        if ready:
            self._on_ready()

    def _tell(self, reason: str, message: str) -> None:
        # A kubelet does not know its Node's uid at first and has always used the name instead.
        name = self._deps.node_name
        about = ObjectReference(kind="Node", name=name, uid=name)
        self._deps.recorder.event_about(about, "Normal", reason, message)


def _of_others(status: NodeStatus) -> tuple[NodeCondition, ...]:
    own = [type_ for type_, _, _ in HEALTHY]
    return tuple(c for c in status.conditions if c.type not in (*own, "Ready"))


def _without_times(status: NodeStatus) -> NodeStatus:
    own = [c for c in status.conditions if c not in _of_others(status)]
    conditions = tuple(replace(c, lastHeartbeatTime=None, lastTransitionTime=None) for c in own)
    return replace(status, conditions=conditions, volumesAttached=())
