"""Which families of addresses a Service has: IPv4, IPv6, or both.

    ipFamilyPolicy      on a cluster of both families
    SingleStack         one family, the cluster's first one unless the Service names another
    PreferDualStack     both; on a cluster of one family, that one
    RequireDualStack    both; on a cluster of one family, an error

Rule of use: before addresses are given out; on an update, what was not said stays as it was.

Upstream: pkg/registry/core/service/storage/alloc.go (initIPFamilyFields), strategy.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api import errors
from k8slab.api.core import Service, ServiceSpec

SINGLE, PREFER, REQUIRE = "SingleStack", "PreferDualStack", "RequireDualStack"
FAMILIES = ("IPv4", "IPv6")
KNOWN_POLICIES = (SINGLE, PREFER, REQUIRE)


def family_of(address: str) -> str:
    """Return the family of an address."""
    return "IPv6" if ":" in address else "IPv4"


def with_families(new: Service, old: Service | None, cluster: Sequence[str]) -> Service:
    """Return the Service with policy and families; `cluster` has the cluster's, first one first.

    Raises ApiError if the cluster has no such addresses; what is wrong in itself is left to
    validation.
    """
    spec = new.spec
    if spec.type == "ExternalName":
        return new if old is None else replace(new, spec=_without_families(spec, old.spec))
    if old is not None and old.spec.type != "ExternalName":
        spec = _as_before(spec, old.spec)
        if spec.ipFamilyPolicy == SINGLE:
            spec = _without_second(spec, old.spec)
    spec = replace(spec, ipFamilyPolicy=spec.ipFamilyPolicy or SINGLE)
    spec = _families_of_addresses(spec)
    if not _is_judged_by_validation(spec):
        faults = _faults(spec, cluster)
        if faults:
            raise errors.invalid("Service", new.metadata.name, faults)
        same = old is not None and _same_preference(spec, old.spec)
        spec = spec if same else _completed(spec, cluster)
    return replace(new, spec=spec)


def _without_families(spec: ServiceSpec, old: ServiceSpec) -> ServiceSpec:
    """Drop what only the old type needed, unless the update speaks of it."""
    if spec.ipFamilies == old.ipFamilies:
        spec = replace(spec, ipFamilies=())
    return replace(spec, ipFamilyPolicy=None) if spec.ipFamilyPolicy == old.ipFamilyPolicy else spec


def _as_before(spec: ServiceSpec, old: ServiceSpec) -> ServiceSpec:
    """Take over what the update does not speak of."""
    policy = spec.ipFamilyPolicy or old.ipFamilyPolicy
    families = spec.ipFamilies or old.ipFamilies
    addresses = spec.clusterIPs
    if not addresses and spec.clusterIP in ("", old.clusterIP):
        addresses = old.clusterIPs
    return replace(spec, ipFamilyPolicy=policy, ipFamilies=families, clusterIPs=addresses)


def _without_second(spec: ServiceSpec, old: ServiceSpec) -> ServiceSpec:
    """Drop the second family and address of a Service that goes back to one and kept them."""
    if len(spec.ipFamilies) == 2 and spec.ipFamilies == old.ipFamilies:
        spec = replace(spec, ipFamilies=spec.ipFamilies[:1])
    if len(spec.clusterIPs) == 2 and spec.clusterIPs == old.clusterIPs:
        spec = replace(spec, clusterIPs=spec.clusterIPs[:1])
    return spec


def _families_of_addresses(spec: ServiceSpec) -> ServiceSpec:
    """Let the addresses that were asked for say their families."""
    families = list(spec.ipFamilies)
    asked = spec.clusterIPs or ((spec.clusterIP,) if spec.clusterIP else ())
    for address in asked[len(families) :]:
        if address == "None":
            break
        try:
            families.append(family_of(address))
        except ValueError:
            break  # validation has the words for it
    return replace(spec, ipFamilies=tuple(families))


def _is_judged_by_validation(spec: ServiceSpec) -> bool:
    """Say whether the fields are wrong in themselves, whatever the cluster."""
    families = spec.ipFamilies
    return (
        spec.ipFamilyPolicy not in KNOWN_POLICIES
        or len(dict.fromkeys(families)) != len(families)
        or any(family not in FAMILIES for family in families)
    )


def _faults(spec: ServiceSpec, cluster: Sequence[str]) -> list[errors.FieldError]:
    """Return what this cluster cannot do, or the policy does not allow."""
    policy, found = spec.ipFamilyPolicy, []
    if spec.clusterIP == "None" and not spec.selector:
        return []  # whoever writes the endpoints knows which addresses they have
    for field in ("clusterIPs", "ipFamilies"):
        if policy == SINGLE and len(getattr(spec, field)) == 2:
            text = f"must be {REQUIRE} or {PREFER} when multiple '{field}' are specified"
            found.append(errors.invalid_value("spec.ipFamilyPolicy", policy, text))
    if policy == REQUIRE and len(cluster) < 2:
        text = "this cluster is not configured for dual-stack services"
        found.append(errors.invalid_value("spec.ipFamilyPolicy", policy, text))
    for index, family in enumerate(spec.ipFamilies):
        if family not in cluster:
            text = "not configured on this cluster"
            found.append(errors.invalid_value(f"spec.ipFamilies[{index}]", family, text))
    return found


def _same_preference(spec: ServiceSpec, old: ServiceSpec) -> bool:
    """Say whether a Service that prefers both families is left as it is.

    It then keeps what it has, even if the cluster has become one of both families since.
    """
    return (
        spec.ipFamilyPolicy == old.ipFamilyPolicy == PREFER
        and spec.ipFamilies == old.ipFamilies
        and spec.clusterIPs == old.clusterIPs
    )


def _completed(spec: ServiceSpec, cluster: Sequence[str]) -> ServiceSpec:
    """Add the families that the Service did not name."""
    families = spec.ipFamilies or (cluster[0],)
    both = len(cluster) == 2 or (spec.clusterIP == "None" and not spec.selector)
    if spec.ipFamilyPolicy != SINGLE and len(families) == 1 and both:
        families += tuple(each for each in FAMILIES if each not in families)
    return replace(spec, ipFamilies=families)
