"""A learner's plan of a Service's slices: `plan(service, pods, nodes, existing, *, trigger_time)`.

It sees copies of all Pods of the namespace, of all nodes and of the slices that are there, and
returns a `SlicePlan`, as ours does. What it gets wrong is told as an Event of the Service.

Rule of use: `adapt(function)` raises nothing but ReplacementError.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from k8slab.api.core import Node, Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.client.learner import ReplacementError, call, copied, shown
from k8slab.control_plane.controllers.endpoint_slice.reconciler import SlicePlan

USAGE = "plan(service, pods, nodes, existing, trigger_time=...)"
FIELDS = ("create", "update", "delete", "keep")

SlicePlanner = Callable[..., SlicePlan]


def adapt(function: Any) -> SlicePlanner:
    """Return a learner's function as the controller calls it."""

    def planner(
        service: Service,
        pods: Iterable[Pod],
        nodes: Iterable[Node],
        existing: Sequence[EndpointSlice],
        *,
        trigger_time: str = "",
    ) -> SlicePlan:
        found = call(
            *("plan", USAGE, function, copied(service)),
            *([copied(one) for one in group] for group in (pods, nodes, existing)),
            trigger_time=trigger_time,
        )
        return checked(found, service, existing)

    return planner


def checked(answer: Any, service: Service, existing: Sequence[EndpointSlice]) -> SlicePlan:
    """Return the answer if it can be carried out; raise ReplacementError in words if not."""
    if not isinstance(answer, SlicePlan):
        raise ReplacementError(f"your plan returned {shown(answer)}, expected a SlicePlan")
    there = {one.metadata.name for one in existing}
    for field in FIELDS:
        slices = getattr(answer, field)
        if not isinstance(slices, list | tuple):
            raise ReplacementError(f"{field} is {shown(slices)}, expected EndpointSlices")
        for one in slices:
            if not isinstance(one, EndpointSlice):
                raise ReplacementError(f"{field} holds {shown(one)}, expected EndpointSlices")
            if field != "create" and one.metadata.name not in there:
                text = f"{field} names {one.metadata.name!r}, which is no slice of "
                raise ReplacementError(f"{text}{service.metadata.name}")
    return SlicePlan(**{field: tuple(getattr(answer, field)) for field in FIELDS})
