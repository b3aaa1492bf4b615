"""Validation of PodDisruptionBudgets, PriorityClasses, RuntimeClasses, NetworkPolicies, Ingresses.

IngressClasses too.

Upstream: pkg/apis/{policy,scheduling,node,networking}/validation/validation.go
"""

from __future__ import annotations

from k8slab.api.core import ResourceRequirements
from k8slab.api.errors import (
    forbidden_field,
    invalid_value,
    not_supported,
    required,
    too_long,
)
from k8slab.api.networking import (
    HTTPIngressPath,
    Ingress,
    IngressBackend,
    IngressClass,
    IPBlock,
    NetworkPolicy,
    NetworkPolicyPeer,
    NetworkPolicyPort,
)
from k8slab.api.node import RuntimeClass
from k8slab.api.policy import PodDisruptionBudget
from k8slab.api.scheduling import PriorityClass
from k8slab.control_plane.apiserver.validation.formats import (
    PROTOCOLS,
    Errors,
    at_most_all,
    cidr,
    dns_label,
    dns_subdomain,
    domain_path,
    each,
    immutable,
    ip,
    number_or_percent,
    path_segment,
    port,
    port_name,
    port_number,
)
from k8slab.control_plane.apiserver.validation.resources import requirements
from k8slab.control_plane.apiserver.validation.selectors import label_selector

HIGHEST_PRIORITY = 1_000_000_000  # what people may give; the rest is the system's
PATH_TYPES = ("Exact", "ImplementationSpecific", "Prefix")
MAX_CONTROLLER = 250  # bytes
BAD_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F")


def pod_disruption_budget(obj: PodDisruptionBudget) -> Errors:
    """Yield what is wrong with a budget."""
    spec = obj.spec
    if spec.minAvailable is not None and spec.maxUnavailable is not None:
        text = "minAvailable and maxUnavailable cannot be both set"
        yield invalid_value("spec", spec, text)
    for field in ("minAvailable", "maxUnavailable"):
        value = getattr(spec, field)
        if value is not None:
            yield from number_or_percent(f"spec.{field}", value)
            yield from at_most_all(f"spec.{field}", value)
    yield from label_selector("spec.selector", spec.selector)
    policy, supported = spec.unhealthyPodEvictionPolicy, ("AlwaysAllow", "IfHealthyBudget")
    if policy is not None and policy not in supported:
        yield not_supported("spec.unhealthyPodEvictionPolicy", policy, supported)


def priority_class(obj: PriorityClass) -> Errors:
    """Yield what is wrong with a priority class: the highest values are the system's."""
    if obj.metadata.name.startswith("system-"):
        if obj.metadata.name not in ("system-node-critical", "system-cluster-critical"):
            text = (
                "priority class names with 'system-' prefix are reserved for system use only. "
                f"error: {obj.metadata.name} is not a known system priority class"
            )
            yield forbidden_field("metadata.name", text)
    elif obj.value > HIGHEST_PRIORITY:
        text = f"maximum allowed value of a user defined priority is {HIGHEST_PRIORITY}"
        yield forbidden_field("value", text)
    policy, supported = obj.preemptionPolicy, ("PreemptLowerPriority", "Never")
    if policy is not None and policy not in supported:
        yield not_supported("preemptionPolicy", policy, supported)


def priority_class_update(new: PriorityClass, old: PriorityClass) -> Errors:
    """Yield what is wrong with a changed priority class: its value stays."""
    if new.value != old.value:
        yield forbidden_field("value", "may not be changed in an update.")
    yield from immutable("preemptionPolicy", new.preemptionPolicy, old.preemptionPolicy)


def runtime_class(obj: RuntimeClass) -> Errors:
    """Yield what is wrong with a runtime class: its handler is a name."""
    yield from each("handler", obj.handler, dns_label(obj.handler))
    if obj.overhead is not None:
        amounts = ResourceRequirements(limits=obj.overhead.podFixed)
        yield from requirements("overhead", amounts, frozenset())


def runtime_class_update(new: RuntimeClass, old: RuntimeClass) -> Errors:
    """Yield what is wrong with a changed runtime class: Pods were started with its handler."""
    yield from immutable("handler", new.handler, old.handler)


def network_policy(obj: NetworkPolicy) -> Errors:
    """Yield what is wrong with a network policy."""
    spec = obj.spec
    yield from label_selector("spec.podSelector", spec.podSelector)
    for index, rule in enumerate(spec.ingress):
        yield from _rule(f"spec.ingress[{index}]", rule.ports, "from", rule.from_)
    for index, out in enumerate(spec.egress):
        yield from _rule(f"spec.egress[{index}]", out.ports, "to", out.to)
    if len(spec.policyTypes) > 2:
        text = "may not specify more than two policyTypes"
        yield invalid_value("spec.policyTypes", spec.policyTypes, text)
        return
    for index, kind in enumerate(spec.policyTypes):
        if kind not in ("Ingress", "Egress"):
            yield not_supported(f"spec.policyTypes[{index}]", kind, ("Egress", "Ingress"))


def ingress(obj: Ingress) -> Errors:
    """Yield what is wrong with an Ingress."""
    spec = obj.spec
    if not spec.rules and spec.defaultBackend is None:
        text = "either `defaultBackend` or `rules` must be specified"
        yield invalid_value("spec", spec.rules or (), text)
    if spec.defaultBackend is not None:
        yield from _backend("spec.defaultBackend", spec.defaultBackend)
    for index, rule in enumerate(spec.rules):
        where = f"spec.rules[{index}]"
        if rule.host:
            yield from _host(f"{where}.host", rule.host)
        if rule.http is not None:
            if not rule.http.paths:
                yield required(f"{where}.http.paths")
            for number, path in enumerate(rule.http.paths):
                yield from _http_path(f"{where}.http.paths[{number}]", path)


def ingress_class(obj: IngressClass) -> Errors:
    """Yield what is wrong with a class of Ingresses: who serves it, and with which settings."""
    controller, path = obj.spec.controller, "spec.controller"
    if len(controller) > MAX_CONTROLLER:
        yield too_long(path, MAX_CONTROLLER)
    yield from domain_path(path, controller)
    settings = obj.spec.parameters
    if settings is None:
        return
    for field in ("kind", "name"):
        where, value = f"spec.parameters.{field}", getattr(settings, field)
        if not value:
            yield required(where, f"{field} is required")
        else:
            yield from each(where, value, path_segment(value))
    scope, where = settings.scope or "Cluster", "spec.parameters"
    if scope not in ("Cluster", "Namespace"):
        yield not_supported(f"{where}.scope", scope, ("Cluster", "Namespace"))
    elif scope == "Namespace" and not settings.namespace:
        text = "`parameters.scope` is set to 'Namespace'"
        yield required(f"{where}.namespace", text)
    elif scope == "Cluster" and settings.namespace is not None:
        text = "`parameters.scope` is set to 'Cluster'"
        yield forbidden_field(f"{where}.namespace", text)


def ingress_class_update(new: IngressClass, old: IngressClass) -> Errors:
    """Yield what is wrong with a changed class: its controller stays."""
    yield from ingress_class(new)
    yield from immutable("spec.controller", new.spec.controller, old.spec.controller)


def _rule(
    path: str,
    ports: tuple[NetworkPolicyPort, ...],
    side: str,
    peers: tuple[NetworkPolicyPeer, ...],
) -> Errors:
    for index, found in enumerate(ports):
        yield from _policy_port(f"{path}.ports[{index}]", found)
    for index, peer in enumerate(peers):
        yield from _peer(f"{path}.{side}[{index}]", peer)


def _policy_port(path: str, found: NetworkPolicyPort) -> Errors:
    if found.protocol is not None and found.protocol not in PROTOCOLS:
        yield not_supported(f"{path}.protocol", found.protocol, PROTOCOLS)
    if found.port is None:
        if found.endPort is not None:
            text = "may not be specified when `port` is not specified"
            yield invalid_value(f"{path}.endPort", found.endPort, text)
        return
    yield from each(f"{path}.port", found.port, port(found.port))
    if found.endPort is None:
        return
    if isinstance(found.port, str):
        text = "may not be specified when `port` is non-numeric"
        yield invalid_value(f"{path}.endPort", found.endPort, text)
    elif found.endPort < found.port:
        text = "must be greater than or equal to `port`"
        yield invalid_value(f"{path}.endPort", found.endPort, text)
    yield from each(f"{path}.endPort", found.endPort, port_number(found.endPort))


def _peer(path: str, peer: NetworkPolicyPeer) -> Errors:
    yield from label_selector(f"{path}.podSelector", peer.podSelector)
    yield from label_selector(f"{path}.namespaceSelector", peer.namespaceSelector)
    selects = peer.podSelector is not None or peer.namespaceSelector is not None
    if peer.ipBlock is not None:
        yield from _ip_block(f"{path}.ipBlock", peer.ipBlock)
        if selects:
            yield forbidden_field(path, "may not specify both ipBlock and another peer")
    elif not selects:
        yield required(path, "must specify a peer")


def _ip_block(path: str, block: IPBlock) -> Errors:
    from ipaddress import ip_network

    if not block.cidr:
        yield required(f"{path}.cidr")
        return
    wrong = cidr(block.cidr)
    yield from each(f"{path}.cidr", block.cidr, wrong)
    for index, text in enumerate(block.except_):
        where = f"{path}.except[{index}]"
        if reasons := cidr(text):
            yield from each(where, text, reasons)
        elif not wrong:
            whole, part = ip_network(block.cidr, strict=False), ip_network(text, strict=False)
            inside = whole.version == part.version and part.subnet_of(whole)  # type: ignore[arg-type]
            if not inside or whole == part:
                text = "must be a strict subset of `cidr`"
                yield invalid_value(where, block.except_[index], text)


def _host(path: str, host: str) -> Errors:
    if not ip(host):
        yield invalid_value(path, host, "must be a DNS name, not an IP address")
    if host.startswith("*."):
        yield from each(path, host, dns_subdomain(host[2:]))
    else:
        yield from each(path, host, dns_subdomain(host))


def _http_path(path: str, found: HTTPIngressPath) -> Errors:
    if found.pathType is None:
        yield required(f"{path}.pathType", "pathType must be specified")
    elif found.pathType not in PATH_TYPES:
        yield not_supported(f"{path}.pathType", found.pathType, PATH_TYPES)
    elif found.pathType != "ImplementationSpecific" or found.path:
        if not found.path.startswith("/"):
            yield invalid_value(f"{path}.path", found.path, "must be an absolute path")
        if found.pathType != "ImplementationSpecific":
            for bad in BAD_IN_PATHS:
                if bad in found.path:
                    yield invalid_value(f"{path}.path", found.path, f"must not contain '{bad}'")
    if found.backend is None:
        yield required(f"{path}.backend", "resource or service backend is required")
    else:
        yield from _backend(f"{path}.backend", found.backend)


def _backend(path: str, backend: IngressBackend) -> Errors:
    service = backend.service
    if service is not None and backend.resource is not None:
        yield invalid_value(path, "", "cannot set both resource and service backends")
    elif service is None:
        if backend.resource is None:
            yield invalid_value(path, "", "resource or service backend is required")
    else:
        where = f"{path}.service"
        if not service.name:
            yield required(f"{where}.name")
        else:
            yield from each(f"{where}.name", service.name, dns_label(service.name))
        name, number = service.port.name, service.port.number
        if name and number:
            text = "cannot set both port name & port number"
            yield invalid_value(path, "", text)
        elif name:
            yield from each(f"{where}.port.name", name, port_name(name))
        elif number:
            yield from each(f"{where}.port.number", number, port_number(number))
        else:
            yield required(path, "port name or number is required")
