"""Services: a stable name and address for Pods that come and go.

Interface: ``Service``; ``Endpoints``, the older form of EndpointSlice. A Service knows labels,
not Deployments; which Pods it means is worked out elsewhere and written to EndpointSlices.

Upstream: staging/src/k8s.io/api/core/v1/types.go
"""

from collections.abc import Mapping

from k8slab.api.core.references import ObjectReference
from k8slab.api.meta import Condition, Object
from k8slab.api.struct import Part, always, mapping


class ClientIPConfig(Part):
    """How long a client sticks to its Pod, in seconds."""

    timeoutSeconds: int | None = None


class SessionAffinityConfig(Part):
    """Settings of session affinity."""

    clientIP: ClientIPConfig | None = None


class ServicePort(Part):
    """A port of the Service, and the port of the Pods behind it."""

    name: str = ""
    port: int = always(0)
    appProtocol: str | None = None
    nodePort: int = 0
    protocol: str = ""
    targetPort: int | str = always(0)


class ServiceSpec(Part):
    """Selector, address, ports and traffic policies."""

    type: str = ""
    allocateLoadBalancerNodePorts: bool | None = None
    clusterIP: str = ""
    clusterIPs: tuple[str, ...] = ()
    externalIPs: tuple[str, ...] = ()
    externalName: str = ""
    externalTrafficPolicy: str = ""
    healthCheckNodePort: int = 0
    internalTrafficPolicy: str | None = None
    ipFamilies: tuple[str, ...] = ()
    ipFamilyPolicy: str | None = None
    loadBalancerClass: str | None = None
    loadBalancerIP: str = ""
    loadBalancerSourceRanges: tuple[str, ...] = ()
    ports: tuple[ServicePort, ...] = ()
    publishNotReadyAddresses: bool = False
    selector: Mapping[str, str] = mapping()
    sessionAffinity: str = ""
    sessionAffinityConfig: SessionAffinityConfig | None = None
    trafficDistribution: str | None = None


class PortStatus(Part):
    """Whether the load balancer could serve a port."""

    port: int = always(0)
    protocol: str = always("")
    error: str | None = None


class LoadBalancerIngress(Part):
    """One address of the load balancer."""

    hostname: str = ""
    ip: str = ""
    ipMode: str | None = None
    ports: tuple[PortStatus, ...] = ()


class LoadBalancerStatus(Part):
    """Where the load balancer can be reached."""

    ingress: tuple[LoadBalancerIngress, ...] = ()


class ServiceStatus(Part):
    """What was set up for the Service from outside."""

    conditions: tuple[Condition, ...] = ()
    loadBalancer: LoadBalancerStatus = always(LoadBalancerStatus())


class Service(Object):
    """A stable address for a changing set of Pods."""

    apiVersion: str = always("v1")
    kind: str = always("Service")
    spec: ServiceSpec = always(ServiceSpec())
    status: ServiceStatus = always(ServiceStatus())


class EndpointAddress(Part):
    """One address behind a Service."""

    ip: str = always("")
    hostname: str = ""
    nodeName: str | None = None
    targetRef: ObjectReference | None = None


class EndpointPort(Part):
    """One port behind a Service."""

    name: str = ""
    port: int = always(0)
    appProtocol: str | None = None
    protocol: str = ""


class EndpointSubset(Part):
    """Addresses that share the same ports."""

    addresses: tuple[EndpointAddress, ...] = ()
    notReadyAddresses: tuple[EndpointAddress, ...] = ()
    ports: tuple[EndpointPort, ...] = ()


class Endpoints(Object):
    """All addresses behind a Service in one object (deprecated)."""

    apiVersion: str = always("v1")
    kind: str = always("Endpoints")
    subsets: tuple[EndpointSubset, ...] = ()
