"""Validation of Endpoints, the older form of what stands in EndpointSlices.

Upstream: pkg/apis/core/validation/validation.go (ValidateEndpoints)
"""

from __future__ import annotations

from k8slab.api.core import EndpointAddress, EndpointPort, Endpoints, EndpointSubset
from k8slab.api.errors import required
from k8slab.control_plane.apiserver.validation.formats import (
    PROTOCOLS,
    Errors,
    dns_label,
    dns_subdomain,
    each,
    ip,
    one_of,
    ordinary_ip,
    port_number,
    qualified_name,
)


def endpoints(obj: Endpoints) -> Errors:
    """Yield what is wrong with addresses and ports."""
    for index, subset in enumerate(obj.subsets):
        yield from _subset(f"subsets[{index}]", subset)


def _subset(path: str, subset: EndpointSubset) -> Errors:
    if not subset.addresses and not subset.notReadyAddresses:
        yield required(path, "must specify `addresses` or `notReadyAddresses`")
    for field in ("addresses", "notReadyAddresses"):
        for index, address in enumerate(getattr(subset, field)):
            yield from _address(f"{path}.{field}[{index}]", address)
    for index, port in enumerate(subset.ports):
        yield from _port(f"{path}.ports[{index}]", port, named=len(subset.ports) > 1)


def _address(path: str, address: EndpointAddress) -> Errors:
    yield from each(f"{path}.ip", address.ip, ip(address.ip) or ordinary_ip(address.ip))
    if address.hostname:
        yield from each(f"{path}.hostname", address.hostname, dns_label(address.hostname))
    if address.nodeName is not None:
        yield from each(f"{path}.nodeName", address.nodeName, dns_subdomain(address.nodeName))


def _port(path: str, port: EndpointPort, *, named: bool) -> Errors:
    if port.name:
        yield from each(f"{path}.name", port.name, dns_label(port.name))
    elif named:
        yield required(f"{path}.name")
    yield from each(f"{path}.port", port.port, port_number(port.port))
    yield from one_of(f"{path}.protocol", port.protocol, PROTOCOLS)
    if port.appProtocol is not None:
        yield from each(f"{path}.appProtocol", port.appProtocol, qualified_name(port.appProtocol))
