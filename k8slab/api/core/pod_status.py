"""What became of a Pod.

Interface: ``PodStatus`` and ``ContainerStatus``. The kubelet of the Pod's node writes it; before
there is a node, the scheduler writes the PodScheduled condition.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.persistent_volume import VolumeHealthCondition
from k8slab.api.core.resources import ResourceRequirements
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, Time, always, mapping


class ContainerStateRunning(Part):
    """The container has run since this time."""

    startedAt: Time | None = always(None)


class ContainerStateTerminated(Part):
    """The container ended: when, how and why."""

    exitCode: int = always(0)
    containerID: str = ""
    finishedAt: Time | None = always(None)
    message: str = ""
    reason: str = ""
    signal: int = 0
    startedAt: Time | None = always(None)


class ContainerStateWaiting(Part):
    """The container has not started yet, and why."""

    message: str = ""
    reason: str = ""


class ContainerState(Part):
    """Exactly one of waiting, running, terminated."""

    running: ContainerStateRunning | None = None
    terminated: ContainerStateTerminated | None = None
    waiting: ContainerStateWaiting | None = None


class LinuxContainerUser(Part):
    """The user and groups of the first process."""

    gid: int = always(0)
    uid: int = always(0)
    supplementalGroups: tuple[int, ...] = ()


class ContainerUser(Part):
    """As whom the first process runs."""

    linux: LinuxContainerUser | None = None


class ResourceHealth(Part):
    """Whether one device works."""

    resourceID: str = always("")
    health: str = ""
    message: str = ""


class ResourceStatus(Part):
    """Whether the devices of one resource work."""

    name: str = always("")
    resources: tuple[ResourceHealth, ...] = ()


class ImageVolumeStatus(Part):
    """The image that an image volume was made of."""

    imageRef: str = always("")


class VolumeStatus(Part):
    """What became of one kind of volume."""

    image: ImageVolumeStatus | None = None


class VolumeMountStatus(Part):
    """How a volume was mounted."""

    name: str = always("")
    mountPath: str = always("")
    readOnly: bool = False
    recursiveReadOnly: str | None = None
    volumeStatus: VolumeStatus | None = None


class ContainerStatus(Part):
    """One container: its state now, its last state, its restarts."""

    name: str = always("")
    image: str = always("")
    imageID: str = always("")
    ready: bool = always(False)
    restartCount: int = always(0)
    allocatedResources: Mapping[str, Quantity] = mapping()
    allocatedResourcesStatus: tuple[ResourceStatus, ...] = ()
    containerID: str = ""
    lastState: ContainerState = always(ContainerState())
    resources: ResourceRequirements | None = None
    started: bool | None = None
    state: ContainerState = always(ContainerState())
    stopSignal: str | None = None
    user: ContainerUser | None = None
    volumeMounts: tuple[VolumeMountStatus, ...] = ()


class PodCondition(Part):
    """One fact about a Pod, such as Ready or PodScheduled."""

    type: str = always("")
    lastProbeTime: Time | None = always(None)
    lastTransitionTime: Time | None = always(None)
    message: str = ""
    observedGeneration: int = 0
    reason: str = ""
    status: str = always("")


class HostIP(Part):
    """One address of the Pod's node."""

    ip: str = always("")


class PodIP(Part):
    """One address of the Pod."""

    ip: str = always("")


class PodResourceClaimStatus(Part):
    """The claim object behind one of the Pod's claims."""

    name: str = always("")
    resourceClaimName: str | None = None


class ContainerExtendedResourceRequest(Part):
    """A request of a container that a claim satisfies."""

    containerName: str = always("")
    requestName: str = always("")
    resourceName: str = always("")


class PodExtendedResourceClaimStatus(Part):
    """The claim that backs extended resources."""

    requestMappings: tuple[ContainerExtendedResourceRequest, ...] = always(())
    resourceClaimName: str = always("")


class NodeAllocatableMappedResources(Part):
    """An amount of a node's resource behind a claim."""

    name: str = always("")
    quantity: Quantity = always("0")


class NodeAllocatableOverheadResources(Part):
    """What a claim costs in addition, for each Pod and container."""

    name: str = always("")
    perContainer: Quantity | None = None
    perPod: Quantity | None = None


class NodeAllocatableResourceClaimStatus(Part):
    """The node's resources that a claim uses."""

    resourceClaimName: str = always("")
    containers: tuple[str, ...] = ()
    mapping: tuple[NodeAllocatableMappedResources, ...] = ()
    overhead: tuple[NodeAllocatableOverheadResources, ...] = ()


class PodVolumeHealth(Part):
    """How healthy one volume of the Pod is."""

    name: str = always("")
    healthConditions: tuple[VolumeHealthCondition, ...] = ()
    lastTransitionTime: Time | None = None


class PodStatus(Part):
    """Phase, conditions, addresses and containers of a Pod."""

    allocatedResources: Mapping[str, Quantity] = mapping()
    conditions: tuple[PodCondition, ...] = ()
    containerStatuses: tuple[ContainerStatus, ...] = ()
    ephemeralContainerStatuses: tuple[ContainerStatus, ...] = ()
    extendedResourceClaimStatus: PodExtendedResourceClaimStatus | None = None
    hostIP: str = ""
    hostIPs: tuple[HostIP, ...] = ()
    initContainerStatuses: tuple[ContainerStatus, ...] = ()
    message: str = ""
    nodeAllocatableResourceClaimStatuses: tuple[NodeAllocatableResourceClaimStatus, ...] = ()
    nominatedNodeName: str = ""
    observedGeneration: int = 0
    phase: str = ""
    podIP: str = ""
    podIPs: tuple[PodIP, ...] = ()
    qosClass: str = ""
    reason: str = ""
    resize: str = ""
    resourceClaimStatuses: tuple[PodResourceClaimStatus, ...] = ()
    resources: ResourceRequirements | None = None
    startTime: Time | None = None
    volumeHealth: tuple[PodVolumeHealth, ...] = ()
