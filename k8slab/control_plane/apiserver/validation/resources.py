"""Validation of what containers ask for: names of resources, amounts, requests against limits.

Upstream: pkg/apis/core/validation/validation.go (ValidateContainerResourceRequirements)
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api import quantity
from k8slab.api.core import ResourceRequirements
from k8slab.api.errors import duplicate, field_not_found, forbidden_field, invalid_value, required
from k8slab.control_plane.apiserver.validation.formats import (
    NOT_NEGATIVE,
    Errors,
    dns_label,
    each,
    qualified_name,
)

STANDARD = frozenset({"cpu", "memory", "ephemeral-storage"})
OVERCOMMITTED = STANDARD  # of others a request must equal its limit


def requirements(path: str, wanted: ResourceRequirements, claims: frozenset[str]) -> Errors:
    """Yield what is wrong with requests, limits and claims of a container."""
    for name, amount in wanted.limits.items():
        if name not in STANDARD or amount.startswith("-"):
            yield from _amount(f"{path}.limits[{name}]", name, amount)
    for name, amount in wanted.requests.items():
        if name not in STANDARD or amount.startswith("-"):
            yield from _amount(f"{path}.requests[{name}]", name, amount)
        yield from _against_limit(path, name, amount, wanted.limits)
    names = {*wanted.limits, *wanted.requests}
    if any(name.startswith("hugepages-") for name in names) and not names & {"cpu", "memory"}:
        yield forbidden_field(path, "HugePages require cpu or memory")
    if wanted.claims:
        yield from _claims(f"{path}.claims", wanted, claims)


def pod_resources(path: str, wanted: ResourceRequirements) -> Errors:
    """Yield what is wrong with the resources of a Pod as a whole."""
    if wanted.claims:
        text = "claims cannot be set for Resources at pod-level"
        yield forbidden_field(f"{path}.claims", text)
    plain = ResourceRequirements(limits=wanted.limits, requests=wanted.requests)
    yield from requirements(path, plain, frozenset())


def _amount(path: str, name: str, amount: str) -> Errors:
    yield from container_resource(path, name)
    milli = quantity.milli_value(amount)
    if milli < 0:
        yield invalid_value(path, amount, NOT_NEGATIVE)
    if milli % 1000 and "/" in name:
        yield invalid_value(path, amount, "must be an integer")


def container_resource(path: str, name: str) -> Errors:
    """Yield what is wrong with the name of something that a container may ask for."""
    if name in STANDARD:
        return
    reasons = qualified_name(name)
    yield from each(path, name, reasons)
    if "/" not in name and not name.startswith("hugepages-"):
        if not reasons:
            yield invalid_value(path, name, "must be a standard resource type or fully qualified")
        yield invalid_value(path, name, "must be a standard resource for containers")


def _against_limit(path: str, name: str, amount: str, limits: Mapping[str, str]) -> Errors:
    limit = limits.get(name)
    if limit == amount:
        return
    if limit is None:
        if name not in OVERCOMMITTED:
            text = "Limit must be set for non overcommitable resources"
            yield required(f"{path}.limits", text)
    elif name not in OVERCOMMITTED:
        yield invalid_value(f"{path}.requests", amount, f"must be equal to {name} limit of {limit}")
    elif quantity.parse(amount)[0] > quantity.parse(limit)[0]:
        text = f"must be less than or equal to {name} limit of {limit}"
        yield invalid_value(f"{path}.requests", amount, text)


def _claims(path: str, wanted: ResourceRequirements, known: frozenset[str]) -> Errors:
    seen: list[tuple[str, str]] = []
    for index, claim in enumerate(wanted.claims):
        where = f"{path}[{index}]"
        if not claim.name:
            yield required(f"{where}.name")
        elif (claim.name, claim.request) in seen:
            yield duplicate(where, claim.name)
        elif claim.name not in known:
            yield field_not_found(f"{where}.name", claim.name)
        if claim.request:
            yield from each(f"{where}.request", claim.request, dns_label(claim.request))
        seen.append((claim.name, claim.request))
