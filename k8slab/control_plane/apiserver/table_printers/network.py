"""How Services, EndpointSlices, Ingresses and their kin are summed up in one line.

PORT(S) of a Service is "port[:nodePort]/protocol"; ENDPOINTS lists the first three addresses.

Rule of use: EXTERNAL-IP is "<pending>" as long as nobody gave a LoadBalancer an address.

Upstream: pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from k8slab.api.core import Endpoints, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.networking import Ingress, IngressClass, IPAddress, NetworkPolicy, ServiceCIDR
from k8slab.control_plane.apiserver.table_printers.columns import (
    AGE,
    NAME,
    NONE,
    SELECTOR,
    UNSET,
    Cells,
    Printer,
    age_of,
    column,
    labels_text,
    selector_text,
    shorten,
)

MAX_ENDPOINTS = 3  # addresses shown of one object


def service_cells(service: Service, now: float) -> Cells:
    """Return the cells of a Service."""
    spec = service.spec
    return (
        service.metadata.name,
        spec.type,
        spec.clusterIPs[0] if spec.clusterIPs else spec.clusterIP or NONE,
        _external_ip(service),
        _ports(service) or NONE,
        age_of(service, now),
        labels_text(spec.selector),
    )


def _external_ip(service: Service) -> str:
    spec = service.spec
    if spec.type == "ExternalName":
        return spec.externalName
    if spec.type != "LoadBalancer":
        return ",".join(spec.externalIPs) or NONE
    given = [i.ip or i.hostname for i in service.status.loadBalancer.ingress]
    return ",".join([*given, *spec.externalIPs]) or "<pending>"


def _ports(service: Service) -> str:
    texts = []
    for port in service.spec.ports:
        node_port = f":{port.nodePort}" if port.nodePort > 0 else ""
        texts.append(f"{port.port}{node_port}/{port.protocol}")
    return ",".join(texts)


def endpoints_cells(endpoints: Endpoints, now: float) -> Cells:
    """Return the cells of an Endpoints object."""
    texts = []
    for subset in endpoints.subsets:
        ports: list[str] = [f":{port.port}" for port in subset.ports] or [""]
        texts += [f"{address.ip}{port}" for port in ports for address in subset.addresses]
    return endpoints.metadata.name, shorten(texts, MAX_ENDPOINTS), age_of(endpoints, now)


def endpoint_slice_cells(piece: EndpointSlice, now: float) -> Cells:
    """Return the cells of an EndpointSlice."""
    ports = [str(p.port) if p.port is not None else p.name or UNSET for p in piece.ports]
    addresses = [address for endpoint in piece.endpoints for address in endpoint.addresses]
    return (
        piece.metadata.name,
        piece.addressType,
        shorten(ports) if ports else UNSET,
        shorten(addresses, MAX_ENDPOINTS) if addresses else UNSET,
        age_of(piece, now),
    )


def ingress_cells(ingress: Ingress, now: float) -> Cells:
    """Return the cells of an Ingress."""
    hosts = [rule.host for rule in ingress.spec.rules if rule.host]
    given = [i.ip or i.hostname for i in ingress.status.loadBalancer.ingress]
    return (
        ingress.metadata.name,
        ingress.spec.ingressClassName or NONE,
        shorten(hosts) if hosts else "*",
        ",".join(given),
        "80, 443" if ingress.spec.tls else "80",
        age_of(ingress, now),
    )


def ingress_class_cells(ingress_class: IngressClass, now: float) -> Cells:
    """Return the cells of an IngressClass."""
    parameters = ingress_class.spec.parameters
    shown = NONE
    if parameters is not None:
        group = f".{parameters.apiGroup}" if parameters.apiGroup else ""
        shown = f"{parameters.kind}{group}/{parameters.name}"
    name = ingress_class.metadata.name
    return name, ingress_class.spec.controller, shown, age_of(ingress_class, now)


def network_policy_cells(policy: NetworkPolicy, now: float) -> Cells:
    """Return the cells of a NetworkPolicy."""
    selector = selector_text(policy.spec.podSelector)
    return policy.metadata.name, selector, age_of(policy, now)


def service_cidr_cells(cidr: ServiceCIDR, now: float) -> Cells:
    """Return the cells of a ServiceCIDR."""
    return cidr.metadata.name, ",".join(cidr.spec.cidrs), age_of(cidr, now)


def ip_address_cells(address: IPAddress, now: float) -> Cells:
    """Return the cells of an IPAddress, which has no age."""
    parent = address.spec.parentRef
    if parent is None:
        return address.metadata.name, NONE
    resource = f"{parent.resource}.{parent.group}" if parent.group else parent.resource
    return address.metadata.name, "/".join(
        part for part in (resource, parent.namespace, parent.name) if part
    )


PRINTERS = {
    "Service": Printer(
        (
            NAME,
            column("Type", "How the Service can be reached."),
            column("Cluster-IP", "Its address within the cluster."),
            column("External-IP", "Its addresses from outside."),
            column("Port(s)", "Its ports, and those on the nodes."),
            AGE,
            SELECTOR,
        ),
        service_cells,
    ),
    "Endpoints": Printer(
        (NAME, column("Endpoints", "The first addresses behind the Service."), AGE),
        endpoints_cells,
    ),
    "EndpointSlice": Printer(
        (
            NAME,
            column("AddressType", "IPv4, IPv6 or FQDN."),
            column("Ports", "The ports of all endpoints."),
            column("Endpoints", "The first addresses."),
            AGE,
        ),
        endpoint_slice_cells,
    ),
    "Ingress": Printer(
        (
            NAME,
            column("Class", "Which controller serves it."),
            column("Hosts", "The host names that it routes."),
            column("Address", "Where it can be reached."),
            column("Ports", "80, and 443 if it has certificates."),
            AGE,
        ),
        ingress_cells,
    ),
    "IngressClass": Printer(
        (
            NAME,
            column("Controller", "Who serves the class."),
            column("Parameters", "Further settings."),
            AGE,
        ),
        ingress_class_cells,
    ),
    "NetworkPolicy": Printer(
        (NAME, column("Pod-Selector", "The Pods that it isolates."), AGE), network_policy_cells
    ),
    "ServiceCIDR": Printer(
        (NAME, column("CIDRs", "Ranges of Service addresses."), AGE), service_cidr_cells
    ),
    "IPAddress": Printer((NAME, column("ParentRef", "Whose address it is.")), ip_address_cells),
}
