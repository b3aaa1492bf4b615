"""Validation of Services and EndpointSlices: ports, addresses, policies.

Upstream: pkg/apis/core/validation/validation.go (ValidateService), pkg/apis/discovery/validation
"""

from __future__ import annotations

from k8slab.api.core import Service, ServicePort, ServiceSpec
from k8slab.api.discovery import Endpoint, EndpointSlice
from k8slab.api.errors import (
    FieldError,
    duplicate,
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_many,
)
from k8slab.control_plane.apiserver.service_types import is_external
from k8slab.control_plane.apiserver.validation import go_text
from k8slab.control_plane.apiserver.validation.formats import (
    PROTOCOLS,
    Errors,
    cidr,
    dns_label,
    dns_subdomain,
    each,
    immutable,
    ip,
    one_of,
    ordinary_ip,
    port,
    port_number,
    qualified_name,
)
from k8slab.control_plane.apiserver.validation.metadata import label_map

TYPES = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
AFFINITIES = ("ClientIP", "None")
POLICIES = ("Cluster", "Local")
DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
FAMILIES = ("IPv4", "IPv6")
FAMILY_POLICIES = ("PreferDualStack", "RequireDualStack", "SingleStack")
MAX_AFFINITY = 86400  # s, a day
ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"
NOT_EXTERNAL_NAME = "may not be set for ExternalName services"
ADDRESS_TYPES = ("FQDN", "IPv4", "IPv6")
MAX_ENDPOINTS, MAX_ADDRESSES, MAX_PORTS = 1000, 100, 20000


def service(obj: Service) -> Errors:
    """Yield what is wrong with a Service, metadata apart."""
    spec = obj.spec
    headless = spec.clusterIP == "None"
    if not spec.ports and not headless and spec.type != "ExternalName":
        yield required("spec.ports")
    yield from _type_rules(spec, headless)
    names: list[str] = []
    for index, service_port in enumerate(spec.ports):
        yield from _port(f"spec.ports[{index}]", service_port, len(spec.ports) > 1, names)
        names.append(service_port.name)
    if spec.selector:
        yield from label_map("spec.selector", spec.selector)
    yield from _affinity(spec)
    if spec.type != "ExternalName":
        yield from _cluster_ips(spec)
    for index, address in enumerate(spec.externalIPs):
        yield from each(f"spec.externalIPs[{index}]", address, ip(address) or ordinary_ip(address))
    if spec.type not in TYPES:
        yield from one_of("spec.type", spec.type, TYPES)
    yield from _conflicts(spec)
    yield from _load_balancer(spec)
    yield from _traffic(spec)


def service_update(new: Service, old: Service) -> Errors:
    """Yield what is wrong with a changed Service, and with the change."""
    if "ExternalName" not in (new.spec.type, old.spec.type):
        yield from _kept("clusterIPs", new.spec, old.spec)
        yield from _kept("ipFamilies", new.spec, old.spec)
    if old.spec.type == new.spec.type == "LoadBalancer":
        after, before = new.spec.loadBalancerClass, old.spec.loadBalancerClass
        if after != before:
            yield invalid_value("spec.loadBalancerClass", after, "may not change once set")
    yield from service(new)


def endpoint_slice(obj: EndpointSlice) -> Errors:
    """Yield what is wrong with an EndpointSlice."""
    if obj.addressType not in ADDRESS_TYPES:
        if not obj.addressType:
            yield required("addressType")
        else:
            yield not_supported("addressType", obj.addressType, ADDRESS_TYPES)
    if len(obj.endpoints) > MAX_ENDPOINTS:
        yield too_many("endpoints", MAX_ENDPOINTS)
    else:
        for index, endpoint in enumerate(obj.endpoints):
            yield from _endpoint(f"endpoints[{index}]", endpoint, obj.addressType)
    names: list[str] = []
    for index, found in enumerate(obj.ports or ()):
        where, name = f"ports[{index}]", found.name or ""
        if name:
            yield from each(f"{where}.name", name, dns_label(name))
        if name in names:
            yield duplicate(f"{where}.name", name)
        names.append(name)
        if found.protocol not in PROTOCOLS:
            yield from one_of(f"{where}.protocol", found.protocol, PROTOCOLS)
        if found.port is not None:
            yield from each(f"{where}.port", found.port, port_number(found.port))


def endpoint_slice_update(new: EndpointSlice, old: EndpointSlice) -> Errors:
    """Yield what is wrong with a changed EndpointSlice: the address type stays."""
    yield from endpoint_slice(new)
    yield from immutable("addressType", new.addressType, old.addressType)


def _type_rules(spec: ServiceSpec, headless: bool) -> Errors:
    if spec.type in ("LoadBalancer", "NodePort"):
        if headless:
            text = f"may not be set to 'None' for {spec.type} services"
            yield invalid_value("spec.clusterIPs[0]", "None", text)
    elif spec.type == "ExternalName":
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy"):
            if getattr(spec, field):
                yield forbidden_field(f"spec.{field}", NOT_EXTERNAL_NAME)
        name = spec.externalName.removesuffix(".")
        if not name:
            yield required("spec.externalName")
        else:
            yield from each("spec.externalName", name, dns_subdomain(name))


def _port(path: str, found: ServicePort, needs_name: bool, names: list[str]) -> Errors:
    if found.name:
        yield from each(f"{path}.name", found.name, dns_label(found.name))
        if found.name in names:
            yield duplicate(f"{path}.name", found.name)
    elif needs_name:
        yield required(f"{path}.name")
    yield from each(f"{path}.port", found.port, port_number(found.port))
    if found.protocol not in PROTOCOLS:
        yield from one_of(f"{path}.protocol", found.protocol, PROTOCOLS)
    yield from each(f"{path}.targetPort", found.targetPort, port(found.targetPort))
    if found.appProtocol is not None:
        reasons = qualified_name(found.appProtocol)
        yield from each(f"{path}.appProtocol", found.appProtocol, reasons)


def _affinity(spec: ServiceSpec) -> Errors:
    where, config = "spec.sessionAffinityConfig", spec.sessionAffinityConfig
    if spec.sessionAffinity not in AFFINITIES:
        yield from one_of("spec.sessionAffinity", spec.sessionAffinity, AFFINITIES)
    elif spec.sessionAffinity == "None":
        if config is not None:
            yield forbidden_field(where, "must not be set when session affinity is None")
    elif config is None:
        yield required(where, "when session affinity type is ClientIP")
    elif config.clientIP is None:
        yield required(f"{where}.clientIP", "when session affinity type is ClientIP")
    elif (timeout := config.clientIP.timeoutSeconds) is None:
        text = "when session affinity type is ClientIP"
        yield required(f"{where}.clientIP.timeoutSeconds", text)
    elif not 0 < timeout <= MAX_AFFINITY:
        text = f"must be greater than 0 and less than {MAX_AFFINITY}"
        yield invalid_value(f"{where}.clientIP.timeoutSeconds", timeout, text)


def _cluster_ips(spec: ServiceSpec) -> Errors:
    addresses = spec.clusterIPs or ((spec.clusterIP,) if spec.clusterIP else ())
    for index, family in enumerate(spec.ipFamilies):
        if family not in FAMILIES:
            yield not_supported(f"spec.ipFamilies[{index}]", family, FAMILIES)
        elif family in spec.ipFamilies[:index]:
            yield duplicate(f"spec.ipFamilies[{index}]", family)
    policy = spec.ipFamilyPolicy
    if policy is not None and policy not in FAMILY_POLICIES:
        yield not_supported("spec.ipFamilyPolicy", policy, FAMILY_POLICIES)
    if spec.clusterIP and spec.clusterIPs and spec.clusterIPs[0] != spec.clusterIP:
        text = "first value must match `clusterIP`"
        yield invalid_value("spec.clusterIPs", spec.clusterIPs, text)
    for index, address in enumerate(addresses):
        where = f"spec.clusterIPs[{index}]"
        if address == "None":
            if index:
                yield invalid_value(where, address, "'None' must be the first and only value")
            continue
        yield from each(where, address, ip(address))
        if not ip(address) and index < len(spec.ipFamilies):
            yield from _of_family(where, address, index, spec.ipFamilies[index])
    if len(addresses) > 2:
        yield invalid_value("spec.clusterIPs", addresses, "may only hold up to 2 values")
    families = dict.fromkeys("IPv6" if ":" in address else "IPv4" for address in addresses)
    if len(addresses) > 1 and len(families) == 1 and not any(map(ip, addresses)):
        text = "may specify no more than one IP for each IP family"
        yield invalid_value("spec.clusterIPs", addresses, text)


def _of_family(path: str, address: str, index: int, family: str) -> Errors:
    if ("IPv6" if ":" in address else "IPv4") != family:
        text = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
        yield invalid_value(path, address, text)


def _conflicts(spec: ServiceSpec) -> Errors:
    """Yield an error for each port that is used twice, or may not be used."""
    node_ports: list[tuple[str, int]] = []
    ports: list[tuple[str, int]] = []
    late: list[FieldError] = []
    for index, found in enumerate(spec.ports):
        where, node_port = f"spec.ports[{index}]", (found.protocol, found.nodePort)
        if found.nodePort:
            if spec.type == "ClusterIP":
                text = "may not be used when `type` is 'ClusterIP'"
                yield forbidden_field(f"{where}.nodePort", text)
            if node_port in node_ports:
                late.append(duplicate(f"{where}.nodePort", found.nodePort))
            node_ports.append(node_port)
        if (found.protocol, found.port) in ports:
            late.append(duplicate(where, go_text.quoted(_port_key(found))))
        ports.append((found.protocol, found.port))
    yield from late


def _port_key(found: ServicePort) -> ServicePort:
    """Return the part of a port that must be unique."""
    return ServicePort(protocol=found.protocol, port=found.port)


def _load_balancer(spec: ServiceSpec) -> Errors:
    is_balanced = spec.type == "LoadBalancer"
    where = "spec.LoadBalancerSourceRanges"  # upstream's spelling
    if spec.loadBalancerSourceRanges and not is_balanced:
        yield forbidden_field(where, ONLY_LOAD_BALANCER)
    for index, text in enumerate(spec.loadBalancerSourceRanges):
        yield from each(f"{where}[{index}]", text.strip(), cidr(text.strip()))
    if is_balanced:
        if spec.loadBalancerClass is not None:
            reasons = qualified_name(spec.loadBalancerClass)
            yield from each("spec.loadBalancerClass", spec.loadBalancerClass, reasons)
        return
    if spec.allocateLoadBalancerNodePorts is not None:
        yield forbidden_field("spec.allocateLoadBalancerNodePorts", ONLY_LOAD_BALANCER)
    if spec.loadBalancerClass is not None:
        yield forbidden_field("spec.loadBalancerClass", ONLY_LOAD_BALANCER)


def _traffic(spec: ServiceSpec) -> Errors:
    policy = spec.externalTrafficPolicy
    if is_external(spec):
        if policy not in POLICIES:
            yield from one_of("spec.externalTrafficPolicy", policy, POLICIES)
    elif policy:
        text = "may only be set for externally-accessible services"
        yield invalid_value("spec.externalTrafficPolicy", policy, text)
    checked = spec.type == "LoadBalancer" and policy == "Local"
    if spec.healthCheckNodePort and not checked:
        text = (
            "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        )
        yield invalid_value("spec.healthCheckNodePort", spec.healthCheckNodePort, text)
    internal = spec.internalTrafficPolicy
    if internal is not None and internal not in POLICIES:
        yield not_supported("spec.internalTrafficPolicy", internal, POLICIES)
    elif internal is None and spec.type in ("ClusterIP", "NodePort", "LoadBalancer"):
        yield required("spec.internalTrafficPolicy")
    distribution = spec.trafficDistribution
    if distribution is not None and distribution not in DISTRIBUTIONS:
        yield not_supported("spec.trafficDistribution", distribution, DISTRIBUTIONS)


def _kept(field: str, new: ServiceSpec, old: ServiceSpec) -> Errors:
    """Yield an error for each address or family that is not what it was."""
    after, before = getattr(new, field), getattr(old, field)
    if "None" in (new.clusterIP, old.clusterIP) and new.clusterIP == old.clusterIP:
        return
    if before and not after:
        yield invalid_value(f"spec.{field}[0]", after, "primary clusterIP can not be unset")
        return
    for index, (now, then) in enumerate(zip(after, before, strict=False)):
        if now != then:
            yield invalid_value(f"spec.{field}[{index}]", after, "may not change once set")


def _endpoint(path: str, endpoint: Endpoint, address_type: str) -> Errors:
    if not endpoint.addresses:
        yield required(f"{path}.addresses", "must contain at least 1 address")
    elif len(endpoint.addresses) > MAX_ADDRESSES:
        yield too_many(f"{path}.addresses", MAX_ADDRESSES)
    for index, address in enumerate(endpoint.addresses):
        where = f"{path}.addresses[{index}]"
        if address_type == "FQDN":
            yield from each(where, address, dns_subdomain(address))
        elif address_type in FAMILIES:
            yield from _endpoint_address(where, address, address_type)
    if endpoint.nodeName is not None:
        yield from each(f"{path}.nodeName", endpoint.nodeName, dns_subdomain(endpoint.nodeName))
    if endpoint.hostname is not None:
        yield from each(f"{path}.hostname", endpoint.hostname, dns_label(endpoint.hostname))


def _endpoint_address(path: str, address: str, address_type: str) -> Errors:
    reasons = ip(address)
    if not reasons and ("IPv6" if ":" in address else "IPv4") != address_type:
        reasons = (f"must be an {address_type} address",)
    yield from each(path, address, reasons or ordinary_ip(address))
