"""What the controller remembers for hints by CPUs: shares of zones, and who has hints.

Rule of use: `node_changed` for each change that may count, `apply` to each plan of a Service.

Upstream: staging/src/k8s.io/endpointslice/topologycache/topologycache.go, reconciler.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from k8slab.api.conditions import is_true
from k8slab.api.core import Node, Service
from k8slab.control_plane.controllers.endpoint_slice.reconciler import SlicePlan
from k8slab.control_plane.controllers.endpoint_slice.topology import (
    DISABLED,
    ENABLED,
    ZONE,
    cpu_ratios,
    is_auto,
    is_overloaded,
    with_zones,
)

Told = tuple[str, str, str]  # type, reason and message of an Event
FAMILIES = ("IPv4", "IPv6")


class TopologyCache:
    """Shares of the zones, worked out when somebody asks, and the Services with hints."""

    def __init__(self, nodes: Mapping[str, Node]) -> None:
        """Prepare; `nodes` is kept up to date by others."""
        self._nodes = nodes
        self._ratios: dict[str, float] | None = None
        self._zones: dict[str, dict[str, Mapping[str, int]]] = {}  # Service -> family -> counts
        self._enabled: dict[str, None] = {}

    def node_changed(self, old: Node | None, new: Node | None) -> Iterable[str]:
        """Return the Services whose hints do not fit any more after a node's change."""
        if _facts(old) == _facts(new):
            return ()
        self._ratios = None
        if not self._zones:
            return ()
        ratios = self._shares()
        return [
            key
            for key, families in self._zones.items()
            if any(is_overloaded(zones, ratios) for zones in families.values())
        ]

    def apply(self, key: str, service: Service, result: SlicePlan) -> tuple[SlicePlan, list[Told]]:
        """Return the plan with the hints that the Service's annotation asks for, and Events."""
        if not is_auto(service):
            return result, self.forget(key)
        told: list[Told] = []
        for family in FAMILIES:
            create, update, keep = (
                tuple(one for one in slices if one.addressType == family)
                for slices in (result.create, result.update, result.keep)
            )
            if not (*create, *update, *keep):
                continue
            made = with_zones(create, update, keep, self._shares())
            result = replace(
                result,
                create=(*(o for o in result.create if o.addressType != family), *made.create),
                update=(*(o for o in result.update if o.addressType != family), *made.update),
                keep=(*(o for o in result.keep if o.addressType != family), *made.keep),
            )
            if made.fault:
                self._zones.get(key, {}).pop(family, None)
                self._enabled.pop(key, None)
                told.append(("Warning", DISABLED, f"{made.fault}, addressType: {family}"))
                continue
            if key not in self._enabled:
                text = f"Topology Aware Hints has been enabled, addressType: {family}"
                told.append(("Normal", ENABLED, text))
            self._zones.setdefault(key, {})[family] = made.zones
            self._enabled[key] = None
        return result, told

    def forget(self, key: str) -> list[Told]:
        """Drop a Service that has no such hints any more; returns an Event if it had some."""
        families = self._zones.pop(key, {})
        if self._enabled.pop(key, True) is True:
            return []
        text = "Topology Aware Hints has been disabled, addressType:"
        return [("Warning", DISABLED, f"{text} {next(iter(families), 'IPv4')}")]

    def _shares(self) -> dict[str, float]:
        if self._ratios is None:
            self._ratios = cpu_ratios(self._nodes.values())
        return self._ratios


def _facts(node: Node | None) -> tuple[object, ...] | None:
    """Return what counts of a node."""
    if node is None:
        return None
    ready = is_true(node.status.conditions, "Ready")
    return node.metadata.labels.get(ZONE), node.status.allocatable.get("cpu"), ready
