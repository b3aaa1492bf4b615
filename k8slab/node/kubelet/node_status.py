"""The node as the API server knows it: registered by the kubelet itself, and kept up to date.

`node_status` says how the machine is; `NodeStatusManager` creates the Node object, tries again
until there is an API server, and posts what changes: the network becoming ready, images arriving.
With heartbeats="events" it also posts every five minutes without a change, as upstream does.

Rule of use: the kubelet owns status and its own labels; taints and the rest belong to others.

Upstream: pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodestatus/setters.go
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from msgspec.structs import replace

from k8slab.api.conditions import get_condition
from k8slab.api.core import (
    ContainerImage,
    DaemonEndpoint,
    Node,
    NodeAddress,
    NodeCondition,
    NodeDaemonEndpoints,
    NodeSpec,
    NodeStatus,
    NodeSystemInfo,
    ObjectReference,
)
from k8slab.api.errors import ApiError
from k8slab.api.meta import ObjectMeta, timestamp
from k8slab.api.quantity import canonical
from k8slab.client import ConnectionFailed
from k8slab.node.kubelet.dependencies import VERSION, Dependencies
from k8slab.sim import Signal, Timer

NETWORK_NOT_READY = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)
CNI_FOLDER = "etc/cni/net.d"
STATUS_UPDATE_PERIOD = 10.0  # s, nodeStatusUpdateFrequency
STATUS_REPORT_PERIOD = 300.0  # s, nodeStatusReportFrequency
RUNTIME_PERIOD = 5.0  # s, how often the kubelet asks the runtime whether its network is ready
REGISTER_BACKOFF = (0.1, 7.0)  # s, first and longest wait between attempts, doubling
MAX_IMAGES = 50  # nodeStatusMaxImages
HEALTHY = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
START_EVENTS = ("NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID")


def node_labels(deps: Dependencies) -> dict[str, str]:
    """Return the labels with which the kubelet registers its node."""
    return {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": deps.node_name,
        "kubernetes.io/os": "linux",
        **deps.labels,
    }


def capacity(deps: Dependencies) -> dict[str, str]:
    """Return what the machine has."""
    return {
        "cpu": _cpu(deps.machine.cpu),
        "ephemeral-storage": canonical(f"{deps.config.ephemeral_storage // 1024}Ki"),
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": canonical(f"{deps.machine.memory // 1024}Ki"),
        "pods": str(deps.config.max_pods),
    }


def allocatable(deps: Dependencies) -> dict[str, str]:
    """Return what Pods may have: the machine less what keeps it from running out."""
    config = deps.config
    return {
        **capacity(deps),
        "ephemeral-storage": str(config.ephemeral_storage * 9 // 10),  # nodefs.available<10%
        "memory": canonical(f"{(deps.machine.memory - config.eviction_hard_memory) // 1024}Ki"),
    }


def node_status(deps: Dependencies, old: NodeStatus) -> NodeStatus:
    """Return the status of the node as it is now; times of unchanged conditions are kept."""
    now = timestamp(deps.sim.now)
    return NodeStatus(
        addresses=(
            NodeAddress(type="InternalIP", address=deps.host_ip),
            NodeAddress(type="Hostname", address=deps.node_name),
        ),
        allocatable=allocatable(deps),
        capacity=capacity(deps),
        conditions=tuple(_since(old, condition, now) for condition in _conditions(deps)),
        daemonEndpoints=NodeDaemonEndpoints(kubeletEndpoint=DaemonEndpoint(Port=10250)),
        images=_images(deps),
        nodeInfo=_node_info(deps.node_name),
    )


def _conditions(deps: Dependencies) -> list[NodeCondition]:
    conditions = [
        NodeCondition(type=type_, status="False", reason=reason, message=message)
        for type_, reason, message in HEALTHY
    ]
    if deps.network.ready():
        message = "kubelet is posting ready status"
        ready = NodeCondition(type="Ready", status="True", reason="KubeletReady", message=message)
    else:
        ready = NodeCondition(
            type="Ready", status="False", reason="KubeletNotReady", message=NETWORK_NOT_READY
        )
    return [*conditions, ready]


def _since(old: NodeStatus, new: NodeCondition, now: str) -> NodeCondition:
    before = get_condition(old.conditions, new.type)
    same = before is not None and before.status == new.status
    since = before.lastTransitionTime if same and before is not None else now
    return replace(new, lastHeartbeatTime=now, lastTransitionTime=since)


def _images(deps: Dependencies) -> tuple[ContainerImage, ...]:
    """The largest images first."""
    largest = sorted(deps.images.images(), key=lambda image: (-image[1], image[0]))
    return tuple(
        ContainerImage(names=(name,), sizeBytes=size) for name, size in largest[:MAX_IMAGES]
    )


def _node_info(name: str) -> NodeSystemInfo:
    def identity(what: str) -> str:
        return hashlib.sha256(f"{what}/{name}".encode()).hexdigest()[:32]

    def dashed(text: str) -> str:
        return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    return NodeSystemInfo(
        architecture="amd64",
        bootID=dashed(identity("boot")),
        containerRuntimeVersion="containerd://2.1.4",
        kernelVersion="6.12.43+deb13-amd64",
        kubeletVersion=VERSION,
        machineID=identity("machine"),
        operatingSystem="linux",
        osImage="Debian GNU/Linux 13 (trixie)",
        systemUUID=dashed(identity("system")),
    )


def _cpu(millicores: int) -> str:
    return f"{millicores}m" if millicores % 1000 else str(millicores // 1000)


class NodeStatusManager:
    """Registers the node and keeps its status true."""

    def __init__(
        self,
        deps: Dependencies,
        *,
        on_registered: Callable[[], None],
        on_ready: Callable[[], None],
    ) -> None:
        self._deps = deps
        self._on_registered = on_registered  # there is a Node for mirrors to hang on
        self._on_ready = on_ready  # the network has become ready: Pods can have addresses
        self._node: Node | None = None
        self._news = Signal(deps.sim, "node status")
        self._image_timer: Timer | None = None

    @property
    def node(self) -> Node | None:
        """The Node as the API server last showed it to us, None before it was registered."""
        return self._node

    def heard(self, node: Node) -> None:
        """Take a newer version of the Node; correct what others have written into our part."""
        self._node = node
        if _without_times(node_status(self._deps, node.status)) != _without_times(node.status):
            self.changed()

    def changed(self) -> None:
        """Have the status looked at."""
        self._news.set()

    def images_changed(self) -> None:
        """Have a new image posted with the next computation of the status."""
        if self._image_timer is None:
            label = "kubelet: node status"
            self._image_timer = self._deps.sim.after(STATUS_UPDATE_PERIOD, self._post_images, label)

    def _post_images(self) -> None:
        self._image_timer = None
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
            if self._image_timer is not None:
                self._image_timer.cancel()

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
        status = node_status(deps, NodeStatus())
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
        status = node_status(deps, node.status)
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
        ready = deps.network.ready()
        self._announce(ready=ready, before=before is not None and before.status == "True")

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
