"""What kube-proxy knows: `ServicePort`s and the `Endpoint`s behind each of them.

`service_ports(service)` and `endpoints_of(slices)` take the API's objects apart. Objects need not
have been defaulted or validated: a missing protocol is TCP, a missing `ready` is true. What is the
same on every node stands here; which endpoints are local is asked in `topology`.

Rule of use: the port of an endpoint comes from its slice, found by the name of the Service's
port. `targetPort` is never looked at.

Upstream: pkg/proxy/serviceport.go, endpoint.go, endpointslicecache.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from k8slab.api.core import Service
from k8slab.api.core.service import ServicePort as ApiPort
from k8slab.api.discovery import Endpoint as ApiEndpoint
from k8slab.api.discovery import EndpointSlice
from k8slab.linux.addresses import joined

IPV4, IPV6 = "IPv4", "IPv6"
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
PROXY_NAME_LABEL = "service.kubernetes.io/service-proxy-name"  # another proxy's business
DEFAULT_AFFINITY_SECONDS = 10800  # core/v1 DefaultClientIPServiceAffinitySeconds


class ServicePort(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One port of a Service, with all addresses under which it can be reached."""

    name: str  # "namespace/name:port", "namespace/name" if the port has no name
    protocol: str  # in lower case, as iptables wants it
    cluster_ip: str
    port: int
    node_port: int = 0
    external_ips: tuple[str, ...] = ()
    load_balancer_ips: tuple[str, ...] = ()
    source_ranges: tuple[str, ...] = ()  # of the load balancer
    affinity_seconds: int = 0  # how long a client sticks to its endpoint, 0 for no affinity
    internal_policy_local: bool = False
    external_policy_local: bool = False
    health_check_node_port: int = 0

    @property
    def family(self) -> str:
        """The family of its addresses."""
        return IPV6 if ":" in self.cluster_ip else IPV4

    @property
    def externally_accessible(self) -> bool:
        """Whether there is an address for traffic from outside."""
        return bool(self.node_port or self.load_balancer_ips or self.external_ips)

    @property
    def uses_cluster_endpoints(self) -> bool:
        """Whether any traffic goes to all endpoints.

        Even under externalTrafficPolicy Local: from inside the cluster it is short-circuited.
        """
        return not self.internal_policy_local or self.externally_accessible

    @property
    def uses_local_endpoints(self) -> bool:
        """Whether any traffic goes to this node's endpoints only."""
        return self.internal_policy_local or (
            self.external_policy_local and self.externally_accessible
        )


class Endpoint(msgspec.Struct, frozen=True, gc=False):
    """One address and port behind a Service port."""

    address: str  # "ip:port", "[ip]:port" for IPv6
    ip: str
    node: str = ""
    ready: bool = True
    serving: bool = True
    terminating: bool = False
    zone_hints: tuple[str, ...] = ()
    node_hints: tuple[str, ...] = ()

    @property
    def last_resort(self) -> bool:
        """Whether it may be used if nothing is ready: on its way out, but still answering."""
        return self.serving and self.terminating


PortKey = tuple[str, str]  # name of the port, protocol in lower case


def service_ports(service: Service, family: str = IPV4) -> dict[PortKey, ServicePort]:
    """Return the ports that have to be proxied; none for headless and ExternalName Services."""
    spec = service.spec
    cluster_ip = _of_family(spec.clusterIPs or (spec.clusterIP,), family)
    if not cluster_ip or spec.type == "ExternalName":
        return {}
    if PROXY_NAME_LABEL in service.metadata.labels:
        return {}
    return {
        (port.name, _protocol(port.protocol)): _service_port(service, port, cluster_ip[0], family)
        for port in spec.ports
    }


def endpoints_of(
    slices: Iterable[EndpointSlice], family: str = IPV4
) -> dict[PortKey, tuple[Endpoint, ...]]:
    """Return the endpoints by port, without repetition, sorted by address as text.

    As text: 10.244.1.10:80 comes before 10.244.1.9:80.
    """
    found: dict[PortKey, dict[str, Endpoint]] = {}
    for endpoint_slice in sorted(slices, key=lambda each: each.metadata.name):
        if endpoint_slice.addressType not in (family, ""):
            continue
        for port in endpoint_slice.ports:
            if not port.port:
                continue
            endpoints = found.setdefault((port.name or "", _protocol(port.protocol)), {})
            for endpoint in endpoint_slice.endpoints:
                if endpoint.addresses:
                    known = _endpoint(endpoint, port.port)
                    endpoints.setdefault(known.address, known)
    return {
        key: tuple(endpoints[address] for address in sorted(endpoints))
        for key, endpoints in found.items()
    }


def slices_by_service(
    slices: Iterable[EndpointSlice],
) -> Mapping[str, list[EndpointSlice]]:
    """Return the slices by "namespace/name" of their Service, which a label names."""
    found: dict[str, list[EndpointSlice]] = {}
    for endpoint_slice in slices:
        key = service_of(endpoint_slice)
        if key:
            found.setdefault(key, []).append(endpoint_slice)
    return found


def service_of(endpoint_slice: EndpointSlice) -> str:
    """Return "namespace/name" of the slice's Service, "" if it has none."""
    name = endpoint_slice.metadata.labels.get(SERVICE_NAME_LABEL, "")
    return f"{namespace_of(endpoint_slice)}/{name}" if name else ""


def namespace_of(obj: Service | EndpointSlice) -> str:
    """Return the namespace; an object that never saw an API server is in "default"."""
    return obj.metadata.namespace or "default"


def _service_port(service: Service, port: ApiPort, cluster_ip: str, family: str) -> ServicePort:
    spec = service.spec
    key = f"{namespace_of(service)}/{service.metadata.name}"
    ingress = service.status.loadBalancer.ingress
    # In mode Proxy the load balancer rewrites the destination itself: its address is not ours.
    vips = tuple(each.ip for each in ingress if each.ip and each.ipMode in (None, "VIP"))
    external_local = spec.externalTrafficPolicy == "Local"
    is_balanced = spec.type == "LoadBalancer"
    return ServicePort(
        name=f"{key}:{port.name}" if port.name else key,
        protocol=_protocol(port.protocol),
        cluster_ip=cluster_ip,
        port=port.port,
        node_port=port.nodePort,
        external_ips=_of_family(spec.externalIPs, family),
        load_balancer_ips=_of_family(vips, family),
        source_ranges=_of_family(spec.loadBalancerSourceRanges, family),
        affinity_seconds=_affinity_seconds(service),
        internal_policy_local=spec.internalTrafficPolicy == "Local",
        external_policy_local=external_local,
        health_check_node_port=(spec.healthCheckNodePort if external_local and is_balanced else 0),
    )


def _affinity_seconds(service: Service) -> int:
    if service.spec.sessionAffinity != "ClientIP":
        return 0
    config = service.spec.sessionAffinityConfig
    seconds = config.clientIP.timeoutSeconds if config and config.clientIP else None
    return DEFAULT_AFFINITY_SECONDS if seconds is None else seconds


def _endpoint(endpoint: ApiEndpoint, port: int) -> Endpoint:
    ip = endpoint.addresses[0]  # the others are never used
    conditions, hints = endpoint.conditions, endpoint.hints
    return Endpoint(
        address=joined(ip, port),
        ip=ip,
        node=endpoint.nodeName or "",
        ready=conditions.ready is not False,
        serving=conditions.serving is not False,
        terminating=conditions.terminating is True,
        zone_hints=tuple(zone.name for zone in hints.forZones) if hints else (),
        node_hints=tuple(node.name for node in hints.forNodes) if hints else (),
    )


def _protocol(protocol: str | None) -> str:
    return (protocol or "TCP").lower()


def _of_family(addresses: Iterable[str], family: str) -> tuple[str, ...]:
    return tuple(
        address.strip()
        for address in addresses
        if address and address != "None" and (":" in address) == (family == IPV6)
    )
