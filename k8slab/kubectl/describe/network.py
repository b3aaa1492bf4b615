"""`kubectl describe` of Services, EndpointSlices, Ingresses and NetworkPolicies.

Rule of use: the endpoints of a Service are those of its EndpointSlices that are ready.

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8slab.api import labels, scheme
from k8slab.api.core import Endpoints, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.errors import ApiError
from k8slab.api.networking import (
    Ingress,
    IngressBackend,
    IngressClass,
    IPAddress,
    NetworkPolicy,
    ServiceCIDR,
)
from k8slab.kubectl.describe.writer import NONE, UNSET, Writer, time_text
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import list_objects

SERVICE_NAME = "kubernetes.io/service-name"
MAX_ENDPOINTS = 3


async def describe_service(call: Invocation, writer: Writer, service: Service) -> None:
    """Write a Service."""
    spec, meta = service.spec, service.metadata
    writer.heading(service)
    given = [
        f"{each.ip} ({each.ipMode})" if each.ip and each.ipMode else each.ip or each.hostname
        for each in service.status.loadBalancer.ingress
    ]
    writer.fields(
        {
            "Selector": ",".join(f"{k}={spec.selector[k]}" for k in sorted(spec.selector)) or NONE,
            "Type": spec.type,
            "IP Family Policy": spec.ipFamilyPolicy,
            "IP Families": ",".join(spec.ipFamilies) or NONE,
            "IP": spec.clusterIP,
            "IPs": ",".join(spec.clusterIPs) or NONE,
            "External IPs": ",".join(spec.externalIPs) or None,
            "Desired LoadBalancer IP": spec.loadBalancerIP or None,
            "External Name": spec.externalName or None,
            "LoadBalancer Ingress": ", ".join(given) or None,
        }
    )
    slices = await _slices(call, meta.namespace, meta.name)
    for port in spec.ports:
        name = port.name or UNSET
        writer.line(f"Port:\t{name}\t{port.port}/{port.protocol}")
        writer.field("TargetPort", f"{port.targetPort}/{port.protocol}")
        if port.nodePort:
            writer.line(f"NodePort:\t{name}\t{port.nodePort}/{port.protocol}")
        writer.field("Endpoints", endpoints_text(slices, port.name))
    writer.fields(
        {
            "Session Affinity": spec.sessionAffinity,
            "External Traffic Policy": spec.externalTrafficPolicy or None,
            "Internal Traffic Policy": spec.internalTrafficPolicy,
            "Traffic Distribution": spec.trafficDistribution,
            "HealthCheck NodePort": spec.healthCheckNodePort or None,
            "LoadBalancer Source Ranges": ",".join(spec.loadBalancerSourceRanges) or None,
        }
    )


async def _slices(call: Invocation, namespace: str, service: str) -> tuple[EndpointSlice, ...]:
    selector = f"{SERVICE_NAME}={service}"
    return await list_objects(call, "EndpointSlice", namespace, labels=selector)


def endpoints_text(slices: Iterable[EndpointSlice], port_name: str | None) -> str:
    """Write the ready addresses behind a port; None means any port."""
    listed = tuple(slices)
    if not listed:
        return NONE
    texts = [
        f"{_host(endpoint.addresses[0])}:{port.port}"
        for piece in listed
        for port in piece.ports
        if port_name is None or (port.name or "") == port_name
        for endpoint in piece.endpoints
        if endpoint.conditions.ready is not False
    ]
    shown = ",".join(texts[:MAX_ENDPOINTS])
    rest = len(texts) - MAX_ENDPOINTS
    return f"{shown} + {rest} more..." if rest > 0 else shown


def _host(ip: str) -> str:
    return f"[{ip}]" if ":" in ip else ip


async def describe_endpoint_slice(call: Invocation, writer: Writer, piece: EndpointSlice) -> None:
    """Write an EndpointSlice."""
    writer.heading(piece)
    writer.field("AddressType", piece.addressType)
    rows = [
        (p.name or UNSET, str(p.port) if p.port is not None else UNSET, p.protocol or UNSET)
        for p in piece.ports
    ]
    if rows:
        writer.table("Ports:", ("Name", "Port", "Protocol"), rows)
    else:
        writer.field("Ports", UNSET)
    writer.line("Endpoints:" if piece.endpoints else f"Endpoints:\t{NONE}")
    for endpoint in piece.endpoints:
        writer.field("- Addresses", ", ".join(endpoint.addresses), 1)
        writer.line("Conditions:", 2)
        ready = endpoint.conditions.ready
        writer.field("Ready", UNSET if ready is None else str(ready).lower(), 3)
        writer.field("Hostname", endpoint.hostname or UNSET, 2)
        target = endpoint.targetRef
        writer.fields(
            {
                "TargetRef": f"{target.kind}/{target.name}" if target is not None else None,
                "NodeName": endpoint.nodeName or UNSET,
                "Zone": endpoint.zone or UNSET,
            },
            2,
        )


async def describe_endpoints(call: Invocation, writer: Writer, endpoints: Endpoints) -> None:
    """Write Endpoints."""
    writer.heading(endpoints)
    writer.line("Subsets:")
    for subset in endpoints.subsets:
        for title, found in (
            ("Addresses", subset.addresses),
            ("NotReadyAddresses", subset.notReadyAddresses),
        ):
            writer.field(title, ",".join(each.ip for each in found) or NONE, 1)
        if subset.ports:
            writer.line("Ports:", 1)
            writer.line("  Name\tPort\tProtocol", 1)
            writer.line("  ----\t----\t--------", 1)
        for port in subset.ports:
            writer.line(f"  {port.name or UNSET}\t{port.port}\t{port.protocol}", 1)
        writer.line("")


async def describe_ingress_class(call: Invocation, writer: Writer, made: IngressClass) -> None:
    """Write an IngressClass."""
    writer.heading(made, namespaced=False)
    writer.field("Controller", made.spec.controller)
    parameters = made.spec.parameters
    if parameters is not None:
        writer.line("Parameters:")
        kind, name = parameters.kind, parameters.name
        writer.fields({"APIGroup": parameters.apiGroup, "Kind": kind, "Name": name}, 1)


async def describe_service_cidr(call: Invocation, writer: Writer, cidr: ServiceCIDR) -> None:
    """Write a ServiceCIDR."""
    writer.heading(cidr, namespaced=False)
    writer.field("CIDRs", ", ".join(cidr.spec.cidrs))
    rows = [
        (c.type, c.status, time_text(c.lastTransitionTime), c.reason, c.message)
        for c in cidr.status.conditions
    ]
    if rows:
        heads = ("Type", "Status", "LastTransitionTime", "Reason", "Message")
        writer.line("Status:")
        writer.table("Conditions:", heads, rows)


async def describe_ip_address(call: Invocation, writer: Writer, address: IPAddress) -> None:
    """Write an IPAddress: whose it is."""
    writer.heading(address, namespaced=False)
    parent = address.spec.parentRef
    if parent is not None:
        writer.line("Parent Reference:")
        names = {"Group": parent.group, "Resource": parent.resource}
        writer.fields({**names, "Namespace": parent.namespace, "Name": parent.name}, 1)


async def describe_ingress(call: Invocation, writer: Writer, ingress: Ingress) -> None:
    """Write an Ingress, with the endpoints of each backend."""
    meta, spec = ingress.metadata, ingress.spec
    given = [i.ip or i.hostname for i in ingress.status.loadBalancer.ingress]
    writer.field("Name", meta.name)
    writer.labels("Labels", meta.labels)
    writer.field("Namespace", meta.namespace)
    writer.field("Address", ",".join(given))
    writer.field("Ingress Class", spec.ingressClassName or NONE)
    default = "<default>"
    if spec.defaultBackend is not None:
        default = await _backend(call, meta.namespace, spec.defaultBackend)
    writer.field("Default backend", default)
    if spec.tls:
        writer.line("TLS:")
    for tls in spec.tls:
        end = f"terminates {','.join(tls.hosts)}"
        name = tls.secretName
        writer.line(f"{name} {end}" if name else f"SNI routes {','.join(tls.hosts)}", 1)
    writer.line("Rules:\n  Host\tPath\tBackends\n  ----\t----\t--------")
    for rule in spec.rules:
        if rule.http is None:
            continue
        writer.line(f"{rule.host or '*'}\t", 1)
        for path in rule.http.paths:
            text = await _backend(call, meta.namespace, path.backend)
            writer.line(f"\t{path.path} \t{text}", 1)
    writer.annotations("Annotations", meta.annotations)


async def _backend(call: Invocation, namespace: str, backend: IngressBackend | None) -> str:
    if backend is None or backend.service is None:
        return NONE
    wanted = backend.service.port
    title = f"{backend.service.name}:{wanted.name or wanted.number}"
    try:
        service = await call.request(
            "get", scheme.resource_for(Service), namespace=namespace, name=backend.service.name
        )
    except ApiError as error:
        return f"{title} (<error: {error.message}>)"
    named = [p.name or "" for p in service.spec.ports if wanted.number in (p.port, 0, None)]
    port = wanted.name or next(iter(named), "")
    return (
        f"{title} ({endpoints_text(await _slices(call, namespace, service.metadata.name), port)})"
    )


async def describe_network_policy(call: Invocation, writer: Writer, policy: NetworkPolicy) -> None:
    """Write a NetworkPolicy in words."""
    meta, spec = policy.metadata, policy.spec
    created = meta.creationTimestamp.replace("T", " ").replace("Z", " +0000 UTC")
    writer.field("Name", meta.name)
    writer.field("Namespace", meta.namespace)
    writer.field("Created on", created)
    writer.labels("Labels", meta.labels)
    writer.annotations("Annotations", meta.annotations)
    writer.line("Spec:")
    everybody = f"{NONE} (Allowing the specific traffic to all pods in this namespace)"
    selector = str(labels.from_label_selector(spec.podSelector)) or everybody
    writer.line(f"PodSelector:     {selector}", 1)
    for way, rules, word in (
        ("ingress", [(rule.from_, rule.ports) for rule in spec.ingress], "From"),
        ("egress", [(rule.to, rule.ports) for rule in spec.egress], "To"),
    ):
        if way.capitalize() not in spec.policyTypes:
            writer.line(f"Not affecting {way} traffic", 1)
            continue
        writer.line(f"Allowing {way} traffic:", 1)
        if not rules:
            chosen = f"(Selected pods are isolated for {way} connectivity)"
            writer.line(f"{NONE} {chosen}", 2)
        for index, (peers, ports) in enumerate(rules):
            if index:
                writer.line("----------", 2)
            _policy_rule(writer, peers, ports, word)
    writer.line(f"Policy Types: {', '.join(spec.policyTypes)}", 1)


def _policy_rule(writer: Writer, peers: Iterable[Any], ports: Iterable[Any], word: str) -> None:
    listed = tuple(ports)
    if not listed:
        writer.line("To Port: <any> (traffic allowed to all ports)", 2)
    for port in listed:
        writer.line(f"To Port: {port.port or '<any>'}/{port.protocol or 'TCP'}", 2)
    everyone = tuple(peers)
    if not everyone:
        writer.line(f"{word}: <any> (traffic not restricted by {_ORIGIN[word]})", 2)
    for peer in everyone:
        writer.line(f"{word}:", 2)
        if peer.ipBlock is not None:
            writer.line("IPBlock:", 3)
            writer.line(f"CIDR: {peer.ipBlock.cidr}", 4)
            writer.line(f"Except: {', '.join(peer.ipBlock.except_)}", 4)
        for title, selector in (
            ("NamespaceSelector", peer.namespaceSelector),
            ("PodSelector", peer.podSelector),
        ):
            if selector is not None:
                writer.line(f"{title}: {labels.from_label_selector(selector) or NONE}", 3)


_ORIGIN = {"From": "source", "To": "destination"}
