"""Validation of ServiceCIDRs and IPAddresses.

Upstream: pkg/apis/networking/validation/validation.go (ValidateServiceCIDR, ValidateIPAddress)
"""

from __future__ import annotations

from ipaddress import ip_network

from k8slab.api.errors import invalid_value, required
from k8slab.api.networking import IPAddress, ServiceCIDR
from k8slab.control_plane.apiserver.validation.formats import (
    Errors,
    cidr,
    each,
    immutable,
    path_segment,
)

NOT_DUAL = (
    "may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/96"
)


def service_cidr(obj: ServiceCIDR) -> Errors:
    """Yield what is wrong with a range of Service addresses."""
    cidrs, where = obj.spec.cidrs, "spec.cidrs"
    if not cidrs:
        yield required(where, "at least one CIDR required")
    if len(cidrs) > 2:
        yield invalid_value(where, cidrs, "may only hold up to 2 values")
    found = list(wrong for index, text in enumerate(cidrs) for wrong in _cidr(index, text))
    if len(cidrs) == 2 and not found and len({ip_network(text).version for text in cidrs}) == 1:
        yield invalid_value(where, cidrs, NOT_DUAL)
    yield from found


def service_cidr_update(new: ServiceCIDR, old: ServiceCIDR) -> Errors:
    """Yield what is wrong with a change: ranges stay what they are."""
    yield from immutable("spec.cidrs", new.spec.cidrs, old.spec.cidrs)


def _cidr(index: int, text: str) -> Errors:
    yield from each(f"spec.cidrs[{index}]", text, cidr(text))


def ip_address(obj: IPAddress) -> Errors:
    """Yield what is wrong with an address that is in use."""
    reference, where = obj.spec.parentRef, "spec.parentRef"
    if reference is None:
        yield required(where)
        return
    for field in ("resource", "name"):
        value = getattr(reference, field)
        if not value:
            yield required(f"{where}.{field}")
        else:
            yield from each(f"{where}.{field}", value, path_segment(value))


def ip_address_update(new: IPAddress, old: IPAddress) -> Errors:
    """Yield what is wrong with a change: an address keeps its owner."""
    yield from immutable("spec.parentRef", new.spec.parentRef, old.spec.parentRef)
