"""Nodes: the machines that Pods run on.

Interface: ``Node``. ``capacity`` is what the machine has, ``allocatable`` what Pods may have;
taints keep Pods away, labels attract them.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.meta import Object
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, Time, always, mapping


class Taint(Part):
    """A mark on a node that keeps away Pods that do not tolerate it."""

    effect: str = always("")
    key: str = always("")
    timeAdded: Time | None = None
    value: str = ""


class ConfigMapNodeConfigSource(Part):
    """A ConfigMap with a kubelet configuration."""

    name: str = always("")
    kubeletConfigKey: str = always("")
    namespace: str = always("")
    resourceVersion: str = ""
    uid: str = ""


class NodeConfigSource(Part):
    """Where the kubelet's configuration comes from."""

    configMap: ConfigMapNodeConfigSource | None = None


class NodePodPreemptionPolicy(Part):
    """What may not be preempted on this node."""

    disableResizePreemption: tuple[str, ...] = ()


class NodeSpec(Part):
    """What the cluster decided about a node."""

    configSource: NodeConfigSource | None = None
    externalID: str = ""
    podCIDR: str = ""
    podCIDRs: tuple[str, ...] = ()
    podPreemptionPolicy: NodePodPreemptionPolicy | None = None
    providerID: str = ""
    taints: tuple[Taint, ...] = ()
    unschedulable: bool = False


class AttachedVolume(Part):
    """A volume attached to the node."""

    name: str = always("")
    devicePath: str = always("")


class ContainerImage(Part):
    """An image that the node has."""

    names: tuple[str, ...] = ()
    sizeBytes: int = 0


class DaemonEndpoint(Part):
    """A port of a daemon of the node."""

    Port: int = always(0)


class NodeAddress(Part):
    """One address of the node, with its type."""

    type: str = always("")
    address: str = always("")


class NodeCondition(Part):
    """One fact about a node, such as Ready; renewed with each heartbeat."""

    type: str = always("")
    lastHeartbeatTime: Time | None = always(None)
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    reason: str = ""
    status: str = always("")


class NodeConfigStatus(Part):
    """Which configuration the kubelet uses."""

    active: NodeConfigSource | None = None
    assigned: NodeConfigSource | None = None
    error: str = ""
    lastKnownGood: NodeConfigSource | None = None


class NodeDaemonEndpoints(Part):
    """Ports of the node's daemons."""

    kubeletEndpoint: DaemonEndpoint = always(DaemonEndpoint())


class NodeFeatures(Part):
    """Abilities of the container runtime."""

    supplementalGroupsPolicy: bool | None = None


class NodeRuntimeHandlerFeatures(Part):
    """Abilities of one runtime handler."""

    recursiveReadOnlyMounts: bool | None = None
    userNamespaces: bool | None = None


class NodeRuntimeHandler(Part):
    """One way in which the node runs containers."""

    name: str = always("")
    features: NodeRuntimeHandlerFeatures | None = None


class NodeSwapStatus(Part):
    """The node's swap space, in bytes."""

    capacity: int | None = None


class NodeSystemInfo(Part):
    """Versions and ids of the machine and its software."""

    architecture: str = always("")
    bootID: str = always("")
    containerRuntimeVersion: str = always("")
    kernelVersion: str = always("")
    kubeProxyVersion: str = always("")
    kubeletVersion: str = always("")
    machineID: str = always("")
    operatingSystem: str = always("")
    osImage: str = always("")
    systemUUID: str = always("")
    runningInUserNamespace: bool | None = None
    swap: NodeSwapStatus | None = None


class NodeStatus(Part):
    """What the kubelet tells about its machine."""

    addresses: tuple[NodeAddress, ...] = ()
    allocatable: Mapping[str, Quantity] = mapping()
    capacity: Mapping[str, Quantity] = mapping()
    conditions: tuple[NodeCondition, ...] = ()
    config: NodeConfigStatus | None = None
    daemonEndpoints: NodeDaemonEndpoints = always(NodeDaemonEndpoints())
    declaredFeatures: tuple[str, ...] = ()
    features: NodeFeatures | None = None
    images: tuple[ContainerImage, ...] = ()
    nodeInfo: NodeSystemInfo = always(NodeSystemInfo())
    phase: str = ""
    runtimeHandlers: tuple[NodeRuntimeHandler, ...] = ()
    volumesAttached: tuple[AttachedVolume, ...] = ()
    volumesInUse: tuple[str, ...] = ()


class Node(Object):
    """A machine of the cluster."""

    apiVersion: str = always("v1")
    kind: str = always("Node")
    spec: NodeSpec = always(NodeSpec())
    status: NodeStatus = always(NodeStatus())
