"""What a node's status says: capacity, what Pods may have of it, conditions, images, versions.

Rule of use: reads the machine and writes nothing; `node_status` is the whole.

Upstream: pkg/kubelet/nodestatus/setters.go
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.conditions import get_condition
from k8slab.api.core import (
    ContainerImage,
    DaemonEndpoint,
    NodeAddress,
    NodeCondition,
    NodeDaemonEndpoints,
    NodeFeatures,
    NodeRuntimeHandler,
    NodeRuntimeHandlerFeatures,
    NodeStatus,
    NodeSystemInfo,
)
from k8slab.api.meta import timestamp
from k8slab.api.quantity import canonical
from k8slab.node.interfaces import RUNTIME_HANDLERS
from k8slab.node.kubelet.dependencies import VERSION, Dependencies
from k8slab.node.kubelet.eviction import Threshold

NETWORK_NOT_READY = (
    "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
    "message:Network plugin returns error: cni plugin not initialized"
)
MAX_IMAGES = 50  # nodeStatusMaxImages
ABILITIES = NodeRuntimeHandlerFeatures(recursiveReadOnlyMounts=True, userNamespaces=True)
HANDLERS = tuple(NodeRuntimeHandler(name=name, features=ABILITIES) for name in RUNTIME_HANDLERS)
HEALTHY = (
    ("MemoryPressure", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
)
PRESSED = (
    ("MemoryPressure", "KubeletHasInsufficientMemory", "kubelet has insufficient memory available"),
    ("DiskPressure", "KubeletHasDiskPressure", "kubelet has disk pressure"),
    ("PIDPressure", "KubeletHasInsufficientPID", "kubelet has insufficient PID available"),
)


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
        "ephemeral-storage": str(_without_reserve(deps, "nodefs", config.ephemeral_storage)),
        "memory": canonical(f"{_without_reserve(deps, 'memory', deps.machine.memory) // 1024}Ki"),
    }


def _without_reserve(deps: Dependencies, what: str, amount: int) -> int:
    """Return an amount less the hard threshold at which Pods would be evicted."""
    reserve = deps.config.eviction_hard.get(f"{what}.available")
    threshold = Threshold(f"{what}.available", reserve or "0")
    return amount - threshold.quantity(amount)


def node_status(deps: Dependencies, old: NodeStatus, pressure: Sequence[str] = ()) -> NodeStatus:
    """Return the status of the node as it is now; times of unchanged conditions are kept.

    `pressure` has the conditions of pressure that are true.
    """
    now = timestamp(deps.sim.now)
    return NodeStatus(
        addresses=(
            *(NodeAddress(type="InternalIP", address=ip) for ip in deps.host_ips),
            NodeAddress(type="Hostname", address=deps.node_name),
        ),
        allocatable=allocatable(deps),
        capacity=capacity(deps),
        conditions=tuple(_since(old, condition, now) for condition in _conditions(deps, pressure)),
        daemonEndpoints=NodeDaemonEndpoints(kubeletEndpoint=DaemonEndpoint(Port=10250)),
        images=_images(deps),
        nodeInfo=_node_info(deps.node_name),
        features=NodeFeatures(supplementalGroupsPolicy=True),
        runtimeHandlers=HANDLERS,
    )


def _conditions(deps: Dependencies, pressure: Sequence[str]) -> list[NodeCondition]:
    conditions = [
        NodeCondition(type=type_, status="True", reason=reason, message=message)
        if type_ in pressure
        else healthy
        for (type_, reason, message), healthy in zip(PRESSED, _healthy(), strict=True)
    ]
    if deps.network.ready():
        message = "kubelet is posting ready status"
        ready = NodeCondition(type="Ready", status="True", reason="KubeletReady", message=message)
    else:
        ready = NodeCondition(
            type="Ready", status="False", reason="KubeletNotReady", message=NETWORK_NOT_READY
        )
    return [*conditions, ready]


def _healthy() -> list[NodeCondition]:
    return [
        NodeCondition(type=type_, status="False", reason=reason, message=message)
        for type_, reason, message in HEALTHY
    ]


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
