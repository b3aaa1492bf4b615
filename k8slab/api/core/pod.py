"""Pods: containers that are placed together, share an address and volumes, and die together.

Interface: ``Pod``, and ``PodTemplateSpec`` from which controllers make Pods. Of a spec almost
nothing can be changed after creation; ``nodeName`` is set once, by a Binding.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.affinity import (
    Affinity,
    PodSchedulingGate,
    PodSchedulingGroup,
    Toleration,
    TopologySpreadConstraint,
)
from k8slab.api.core.container import Container, EphemeralContainer
from k8slab.api.core.pod_status import PodStatus
from k8slab.api.core.references import LocalObjectReference, ObjectReference
from k8slab.api.core.resources import ResourceRequirements
from k8slab.api.core.security import PodSecurityContext
from k8slab.api.core.volume import Volume
from k8slab.api.meta import Object, ObjectMeta
from k8slab.api.quantity import Quantity
from k8slab.api.struct import Part, always, mapping


class HostAlias(Part):
    """Names for an address in the Pod's hosts file."""

    ip: str = always("")
    hostnames: tuple[str, ...] = ()


class PodDNSConfigOption(Part):
    """One resolver option."""

    name: str = ""
    value: str | None = None


class PodDNSConfig(Part):
    """Additions to the Pod's resolv.conf."""

    nameservers: tuple[str, ...] = ()
    options: tuple[PodDNSConfigOption, ...] = ()
    searches: tuple[str, ...] = ()


class PodOS(Part):
    """The operating system that the containers need."""

    name: str = always("")


class PodReadinessGate(Part):
    """A condition that must be true before the Pod counts as ready."""

    conditionType: str = always("")


class PodResourceClaim(Part):
    """A claim, under the name by which containers use it."""

    name: str = always("")
    resourceClaimName: str | None = None
    resourceClaimTemplateName: str | None = None


class EvictionResponder(Part):
    """Who is asked before this Pod is evicted."""

    name: str = always("")
    priority: int = always(0)


class PodSpec(Part):
    """What a Pod shall be."""

    containers: tuple[Container, ...] = always(())
    activeDeadlineSeconds: int | None = None
    affinity: Affinity | None = None
    automountServiceAccountToken: bool | None = None
    dnsConfig: PodDNSConfig | None = None
    dnsPolicy: str = ""
    enableServiceLinks: bool | None = None
    ephemeralContainers: tuple[EphemeralContainer, ...] = ()
    evictionResponders: tuple[EvictionResponder, ...] = ()
    hostAliases: tuple[HostAlias, ...] = ()
    hostIPC: bool = False
    hostNetwork: bool = False
    hostPID: bool = False
    hostUsers: bool | None = None
    hostname: str = ""
    hostnameOverride: str | None = None
    imagePullSecrets: tuple[LocalObjectReference, ...] = ()
    initContainers: tuple[Container, ...] = ()
    nodeName: str = ""
    nodeSelector: Mapping[str, str] = mapping()
    os: PodOS | None = None
    overhead: Mapping[str, Quantity] = mapping()
    preemptionPolicy: str | None = None
    priority: int | None = None
    priorityClassName: str = ""
    readinessGates: tuple[PodReadinessGate, ...] = ()
    resourceClaims: tuple[PodResourceClaim, ...] = ()
    resources: ResourceRequirements | None = None
    restartPolicy: str = ""
    runtimeClassName: str | None = None
    schedulerName: str = ""
    schedulingGates: tuple[PodSchedulingGate, ...] = ()
    schedulingGroup: PodSchedulingGroup | None = None
    securityContext: PodSecurityContext | None = None
    serviceAccount: str = ""
    serviceAccountName: str = ""
    setHostnameAsFQDN: bool | None = None
    shareProcessNamespace: bool | None = None
    subdomain: str = ""
    terminationGracePeriodSeconds: int | None = None
    tolerations: tuple[Toleration, ...] = ()
    topologySpreadConstraints: tuple[TopologySpreadConstraint, ...] = ()
    volumes: tuple[Volume, ...] = ()


class Pod(Object):
    """Containers that run together on one node."""

    apiVersion: str = always("v1")
    kind: str = always("Pod")
    spec: PodSpec = always(PodSpec())
    status: PodStatus = always(PodStatus())


class PodTemplateSpec(Part):
    """The Pod that a controller makes copies of."""

    metadata: ObjectMeta = always(ObjectMeta())
    spec: PodSpec = always(PodSpec())


class PodTemplate(Object):
    """A Pod template stored on its own."""

    apiVersion: str = always("v1")
    kind: str = always("PodTemplate")
    template: PodTemplateSpec = always(PodTemplateSpec())


class Binding(Object):
    """The decision that a Pod runs on a node."""

    apiVersion: str = always("v1")
    kind: str = always("Binding")
    target: ObjectReference = always(ObjectReference())
