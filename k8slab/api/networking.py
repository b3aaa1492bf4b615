"""Rules for traffic: what may enter, and what may pass between Pods.

Interface: ``Ingress``, ``IngressClass``, ``NetworkPolicy``, ``ServiceCIDR``, ``IPAddress``.
Of these objects alone nothing follows: a controller must act on them.

Upstream: staging/src/k8s.io/api/networking/v1/types.go
"""

from msgspec import field

from k8slab.api.core.references import TypedLocalObjectReference
from k8slab.api.meta import Condition, LabelSelector, Object
from k8slab.api.struct import Part, always


class ServiceBackendPort(Part):
    """A port of a Service by name or number."""

    name: str = ""
    number: int = 0


class IngressServiceBackend(Part):
    """A Service that gets the traffic."""

    name: str = always("")
    port: ServiceBackendPort = always(ServiceBackendPort())


class IngressBackend(Part):
    """Who gets the traffic."""

    resource: TypedLocalObjectReference | None = None
    service: IngressServiceBackend | None = None


class HTTPIngressPath(Part):
    """A path, and who gets its traffic."""

    backend: IngressBackend | None = None
    pathType: str | None = None
    path: str = ""


class HTTPIngressRuleValue(Part):
    """Paths of one host."""

    paths: tuple[HTTPIngressPath, ...] = always(())


class IngressRule(Part):
    """Paths of one host name."""

    host: str = ""
    http: HTTPIngressRuleValue | None = None


class IngressTLS(Part):
    """Host names, and the Secret with their certificate."""

    hosts: tuple[str, ...] = ()
    secretName: str = ""


class IngressSpec(Part):
    """Rules, certificates and the class that serves them."""

    defaultBackend: IngressBackend | None = None
    ingressClassName: str | None = None
    rules: tuple[IngressRule, ...] = ()
    tls: tuple[IngressTLS, ...] = ()


class IngressPortStatus(Part):
    """Whether a port could be served."""

    port: int = always(0)
    protocol: str = always("")
    error: str | None = None


class IngressLoadBalancerIngress(Part):
    """One address of the load balancer."""

    hostname: str = ""
    ip: str = ""
    ports: tuple[IngressPortStatus, ...] = ()


class IngressLoadBalancerStatus(Part):
    """Where the load balancer can be reached."""

    ingress: tuple[IngressLoadBalancerIngress, ...] = ()


class IngressStatus(Part):
    """What was set up for the Ingress."""

    loadBalancer: IngressLoadBalancerStatus = always(IngressLoadBalancerStatus())


class Ingress(Object):
    """HTTP routes from outside to Services."""

    apiVersion: str = always("networking.k8s.io/v1")
    kind: str = always("Ingress")
    spec: IngressSpec = always(IngressSpec())
    status: IngressStatus = always(IngressStatus())


class IngressClassParametersReference(Part):
    """An object with settings for a controller."""

    name: str = always("")
    kind: str = always("")
    apiGroup: str | None = None
    namespace: str | None = None
    scope: str | None = None


class IngressClassSpec(Part):
    """The controller that serves a class."""

    controller: str = ""
    parameters: IngressClassParametersReference | None = None


class IngressClass(Object):
    """A kind of Ingress controller."""

    apiVersion: str = always("networking.k8s.io/v1")
    kind: str = always("IngressClass")
    spec: IngressClassSpec = always(IngressClassSpec())


class IPBlock(Part):
    """A range of addresses, less some."""

    cidr: str = always("")
    except_: tuple[str, ...] = field(default=(), name="except")


class NetworkPolicyPeer(Part):
    """Pods or addresses on the other side."""

    ipBlock: IPBlock | None = None
    namespaceSelector: LabelSelector | None = None
    podSelector: LabelSelector | None = None


class NetworkPolicyPort(Part):
    """Ports that traffic may use."""

    endPort: int | None = None
    port: int | str | None = None
    protocol: str | None = None


class NetworkPolicyIngressRule(Part):
    """Traffic that may come in."""

    from_: tuple[NetworkPolicyPeer, ...] = field(default=(), name="from")
    ports: tuple[NetworkPolicyPort, ...] = ()


class NetworkPolicyEgressRule(Part):
    """Traffic that may go out."""

    ports: tuple[NetworkPolicyPort, ...] = ()
    to: tuple[NetworkPolicyPeer, ...] = ()


class NetworkPolicySpec(Part):
    """Which Pods are isolated, and what may pass nevertheless."""

    egress: tuple[NetworkPolicyEgressRule, ...] = ()
    ingress: tuple[NetworkPolicyIngressRule, ...] = ()
    podSelector: LabelSelector = always(LabelSelector())
    policyTypes: tuple[str, ...] = ()


class NetworkPolicy(Object):
    """Which traffic certain Pods may have."""

    apiVersion: str = always("networking.k8s.io/v1")
    kind: str = always("NetworkPolicy")
    spec: NetworkPolicySpec = always(NetworkPolicySpec())


class ParentReference(Part):
    """The object that an address belongs to."""

    name: str = always("")
    resource: str = always("")
    group: str = ""
    namespace: str = ""


class IPAddressSpec(Part):
    """Whose address it is."""

    parentRef: ParentReference | None = None


class IPAddress(Object):
    """One address that is in use."""

    apiVersion: str = always("networking.k8s.io/v1")
    kind: str = always("IPAddress")
    spec: IPAddressSpec = always(IPAddressSpec())


class ServiceCIDRSpec(Part):
    """Ranges that Service addresses are taken from."""

    cidrs: tuple[str, ...] = ()


class ServiceCIDRStatus(Part):
    """Whether the ranges are ready."""

    conditions: tuple[Condition, ...] = ()


class ServiceCIDR(Object):
    """A range of Service addresses."""

    apiVersion: str = always("networking.k8s.io/v1")
    kind: str = always("ServiceCIDR")
    spec: ServiceCIDRSpec = always(ServiceCIDRSpec())
    status: ServiceCIDRStatus = always(ServiceCIDRStatus())
