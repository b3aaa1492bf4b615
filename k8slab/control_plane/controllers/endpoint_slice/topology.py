"""Hints by the CPUs of the zones: the annotation `service.kubernetes.io/topology-mode: Auto`.

    zone    CPUs   of 6 endpoints   at least     (a zone may be overloaded by a fifth)
    a       2/3    4                ceil(4/1.2) = 4
    b       1/3    2                ceil(2/1.2) = 2

Each ready endpoint is hinted to its own zone first; zones with too many then give some to zones
with too few. Where that cannot be, there are no hints, and an Event says why. Slices that nobody
has to write keep their hints as long as these fit.

Rule of use: pure; zones are taken in the order of their names.

Upstream: staging/src/k8s.io/endpointslice/topologycache
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from k8slab.api import quantity
from k8slab.api.conditions import is_true
from k8slab.api.core import Node, Service
from k8slab.api.discovery import Endpoint, EndpointHints, EndpointSlice, ForZone

MODE = "service.kubernetes.io/topology-mode"
DEPRECATED_MODE = "service.kubernetes.io/topology-aware-hints"
ZONE = "topology.kubernetes.io/zone"
EXCLUDED = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")
OVERLOAD = 0.2  # how much more than its share an endpoint may get
ENABLED, DISABLED = "TopologyAwareHintsEnabled", "TopologyAwareHintsDisabled"
NO_NODE_INFO = (
    "Insufficient Node information: allocatable CPU or zone not specified on one or more nodes"
)
TOO_FEW = "Insufficient number of endpoints"
OVERLOADED = (
    "Unable to allocate minimum required endpoints to each zone without exceeding overload "
    "threshold"
)
NO_ZONE = "One or more endpoints do not have a zone specified"
NO_HINTS = "No hints allocated for zones"

Slices = tuple[EndpointSlice, ...]


class Allocation(msgspec.Struct, frozen=True):
    """How many endpoints a zone shall have."""

    minimum: int
    maximum: int
    desired: float


class Hinted(msgspec.Struct, frozen=True):
    """Slices with their hints, how many each zone has got, and why there are none."""

    create: Slices
    update: Slices
    keep: Slices
    zones: Mapping[str, int] = {}
    fault: str = ""


def is_auto(service: Service) -> bool:
    """Say whether the annotation asks for such hints; trafficDistribution counts no more then."""
    annotations = service.metadata.annotations
    return annotations.get(DEPRECATED_MODE, annotations.get(MODE)) in ("Auto", "auto")


def cpu_ratios(nodes: Iterable[Node]) -> dict[str, float]:
    """Return each zone's share of the CPUs of ready workers; none if one does not say its own."""
    by_zone: dict[str, int] = {}
    for node in nodes:
        labels = node.metadata.labels
        if any(label in labels for label in EXCLUDED):
            continue
        if not is_true(node.status.conditions, "Ready"):
            continue
        cpu = quantity.milli_value(node.status.allocatable.get("cpu", "0"))
        zone = labels.get(ZONE, "")
        if not zone or not cpu:
            return {}
        by_zone[zone] = by_zone.get(zone, 0) + cpu
    total = sum(by_zone.values())
    if len(by_zone) < 2:
        return {}
    return {zone: by_zone[zone] / total for zone in sorted(by_zone)}


def allocations(ratios: Mapping[str, float], count: int) -> dict[str, Allocation] | str:
    """Return how many of `count` endpoints each zone shall have, or why that cannot be.

    >>> allocations({"a": 2 / 3, "b": 1 / 3}, 6)["b"]
    Allocation(minimum=2, maximum=2, desired=2.0)
    >>> allocations({"a": 0.5, "b": 0.5}, 1)
    'Insufficient number of endpoints (1 endpoints, 2 zones)'
    """
    if not ratios:
        return NO_NODE_INFO
    numbers = f"({count} endpoints, {len(ratios)} zones)"
    if len(ratios) > count:
        return f"{TOO_FEW} {numbers}"
    minima = {
        zone: math.ceil(ratio * count * (1 / (1 + OVERLOAD))) for zone, ratio in ratios.items()
    }
    rest = count - sum(minima.values())
    if rest < 0:
        return f"{OVERLOADED} {numbers}"
    return {
        zone: Allocation(minimum, minimum + rest, max(ratios[zone] * count, float(minimum)))
        for zone, minimum in minima.items()
    }


def is_overloaded(zones: Mapping[str, int], ratios: Mapping[str, float]) -> bool:
    """Say whether some zone has fewer endpoints than it must, with these shares."""
    if not zones or not ratios:
        return bool(zones)
    total = sum(zones.values())
    return any(
        zones.get(zone, 0) < math.ceil(total * ratio * (1 / (1 + OVERLOAD)))
        for zone, ratio in ratios.items()
    )


def with_zones(create: Slices, update: Slices, keep: Slices, ratios: Mapping[str, float]) -> Hinted:
    """Return the slices of one family with hints that spread them over the zones by their CPUs."""
    ready = [e for one in (*create, *update, *keep) for e in one.endpoints if e.conditions.ready]
    wanted = allocations(ratios, len(ready))
    if isinstance(wanted, str):
        return _without(create, update, keep, wanted)
    zones: dict[str, int] = {}
    kept = []
    for one in keep:
        theirs = _hints_of(one, zones, wanted)
        if theirs is None:
            update = (*update, one)
            continue
        kept.append(one)
        for zone, count in theirs.items():
            zones[zone] = zones.get(zone, 0) + count
    open_ = [e for one in (*create, *update) for e in one.endpoints if e.conditions.ready]
    if any(not endpoint.zone for endpoint in open_):
        return _without(create, update, tuple(kept), NO_ZONE)
    for endpoint in open_:
        zones[endpoint.zone or ""] = zones.get(endpoint.zone or "", 0) + 1
    giving, receiving = exchanges(wanted, zones)
    made = [_spread(one, giving, receiving, zones) for one in (*create, *update)]
    if not zones:
        return _without(create, update, tuple(kept), NO_HINTS)
    return Hinted(tuple(made[: len(create)]), tuple(made[len(create) :]), tuple(kept), zones)


def exchanges(
    wanted: Mapping[str, Allocation], zones: Mapping[str, int]
) -> tuple[dict[str, int], dict[str, int]]:
    """Return how many endpoints each zone gives away, and how many each receives.

    >>> half = Allocation(minimum=2, maximum=2, desired=2.0)
    >>> exchanges({"a": half, "b": half}, {"a": 4})
    ({'a': 2}, {'b': 2})
    """
    more = {z: zones.get(z, 0) - each.desired for z, each in wanted.items()}
    spare = {zone: number for zone, number in more.items() if number > 0}
    needed = {zone: -number for zone, number in more.items() if number < 0}
    giving: dict[str, int] = {}
    receiving: dict[str, int] = {}
    while True:
        giver, give = _most(spare)
        receiver, receive = _most(needed)
        if not giver or not receiver or min(give, receive) < 0.5 or max(give, receive) < 1:
            return giving, receiving
        for zone, found, left in ((giver, giving, spare), (receiver, receiving, needed)):
            found[zone] = found.get(zone, 0) + 1
            left[zone] -= 1


def _most(zones: Mapping[str, float]) -> tuple[str, float]:
    best = ("", 0.0)
    for zone, number in zones.items():
        best = (zone, number) if number > best[1] else best
    return best


def _hints_of(
    one: EndpointSlice, zones: Mapping[str, int], wanted: Mapping[str, Allocation]
) -> dict[str, int] | None:
    """Return the zones that a slice is hinted to, None if its hints do not do any more."""
    found: dict[str, int] = {}
    for endpoint in one.endpoints:
        if not endpoint.conditions.ready:
            continue
        names = [each.name for each in endpoint.hints.forZones] if endpoint.hints else []
        if not names or any(name not in wanted for name in names):
            return None
        for name in names:
            found[name] = found.get(name, 0) + 1
    if any(count + zones.get(z, 0) > wanted[z].maximum for z, count in found.items()):
        return None
    return found


def _spread(
    one: EndpointSlice, giving: dict[str, int], receiving: dict[str, int], zones: dict[str, int]
) -> EndpointSlice:
    """Return the slice with hints: own zones, but for what their zones give away."""
    endpoints = []
    for endpoint in one.endpoints:
        zone = endpoint.zone or ""
        if not endpoint.conditions.ready:
            endpoints.append(replace(endpoint, hints=None))
            continue
        receiver = next((name for name, left in receiving.items() if left), "")
        if giving.get(zone) and receiver:
            giving[zone] -= 1
            receiving[receiver] -= 1
            zones[zone] -= 1
            zones[receiver] = zones.get(receiver, 0) + 1
            zone = receiver
        endpoints.append(replace(endpoint, hints=EndpointHints(forZones=(ForZone(name=zone),))))
    return replace(one, endpoints=tuple(endpoints))


def _without(create: Slices, update: Slices, keep: Slices, fault: str) -> Hinted:
    """Return the slices without hints; those that had some must be written."""
    rest = tuple(one for one in keep if not _has_hints(one.endpoints))
    update = (*update, *(one for one in keep if _has_hints(one.endpoints)))
    return Hinted(tuple(map(_bare, create)), tuple(map(_bare, update)), rest, {}, fault)


def _has_hints(endpoints: Sequence[Endpoint]) -> bool:
    return any(endpoint.hints is not None for endpoint in endpoints)


def _bare(one: EndpointSlice) -> EndpointSlice:
    if not _has_hints(one.endpoints):
        return one
    return replace(one, endpoints=tuple(replace(each, hints=None) for each in one.endpoints))
