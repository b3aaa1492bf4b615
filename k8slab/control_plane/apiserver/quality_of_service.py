"""The quality-of-service class of a Pod: who is evicted first when a node runs out of memory.

Guaranteed: every container has limits for cpu and memory, and requests equal to them.
BestEffort: no container has any request or limit for them. Burstable: all others.

Rule of use: computed once, when the Pod is created.

Upstream: pkg/apis/core/v1/helper/qos/qos.go
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from k8slab.api.core import Pod
from k8slab.api.quantity import milli_value

COUNTED = ("cpu", "memory")


def qos_class(pod: Pod) -> str:
    """Return "Guaranteed", "Burstable" or "BestEffort"."""
    pairs = list(_requests_and_limits(pod))
    if not any(_positive(requests) or _positive(limits) for requests, limits in pairs):
        return "BestEffort"
    guaranteed = all(
        len(limits) == len(COUNTED) and all(requests.get(k, v) == v for k, v in limits.items())
        for requests, limits in ((_positive(r), _positive(li)) for r, li in pairs)
    )
    return "Guaranteed" if guaranteed else "Burstable"


def _requests_and_limits(pod: Pod) -> Iterator[tuple[Mapping[str, str], Mapping[str, str]]]:
    spec = pod.spec
    if spec.resources is not None and (spec.resources.requests or spec.resources.limits):
        yield spec.resources.requests, spec.resources.limits
        return
    for container in (*spec.initContainers, *spec.containers):
        resources = container.resources
        yield resources.requests, resources.limits


def _positive(amounts: Mapping[str, str]) -> dict[str, int]:
    found = {name: milli_value(amounts[name]) for name in COUNTED if name in amounts}
    return {name: amount for name, amount in found.items() if amount > 0}
