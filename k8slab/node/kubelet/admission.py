"""The node's own say: whether a Pod that was bound to it can run here at all.

The scheduler decides by what it knows; the kubelet checks again by what is true. A Pod that does
not fit is not queued: it ends in phase Failed with a reason such as OutOfcpu, and whoever owns it
makes another.

Rule of use: pure; `used` is what the Pods that already run here ask for, without the one asking.

Upstream: pkg/kubelet/lifecycle/predicate.go
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from k8slab.api.core import Container, Node, Pod
from k8slab.api.core import ResourceRequirements as Resources
from k8slab.api.node_affinity import matches_node
from k8slab.api.quantity import milli_value, value
from k8slab.node.kubelet.container import is_restartable_init

AFFINITY_MESSAGE = (
    "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector"
)


class Rejection(msgspec.Struct, frozen=True):
    """Why the Pod cannot run here."""

    reason: str
    message: str


def admit(
    pod: Pod, used: Mapping[str, int], allocatable: Mapping[str, str], node: Node | None
) -> Rejection | None:
    """Return why the Pod is rejected, None if it may run; no node means that none is known yet.

    `used` counts Pods under "pods" and has their requests in the units of `pod_requests`.
    """
    if node is not None and not matches_node(pod.spec, node):
        return Rejection("NodeAffinity", AFFINITY_MESSAGE)
    for resource, amount in {"pods": 1, **pod_requests(pod)}.items():
        capacity = _amount(resource, allocatable.get(resource, "0"))
        in_use = used.get(resource, 0)
        if amount and in_use + amount > capacity:
            message = (
                f"Node didn't have enough resource: {resource}, requested: {amount}, "
                f"used: {in_use}, capacity: {capacity}"
            )
            return Rejection(f"OutOf{resource}", message)
    return None


def pod_requests(pod: Pod) -> dict[str, int]:
    """Return what the Pod asks for: CPU in millicores, everything else in whole units.

    Regular containers and sidecars add up; a regular init container runs beside the sidecars
    before it, and the largest moment counts.
    """
    if pod.spec.resources is not None and pod.spec.resources.requests:
        return _requests(pod.spec.resources)
    total: dict[str, int] = {}
    for container in pod.spec.containers:
        add_to(total, _container(container))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in pod.spec.initContainers:
        wanted = _container(container)
        add_to(wanted, sidecars)
        if is_restartable_init(container):
            add_to(total, _container(container))
            sidecars = wanted
        for resource, amount in wanted.items():
            peak[resource] = max(peak.get(resource, 0), amount)
    for resource, amount in peak.items():
        total[resource] = max(total.get(resource, 0), amount)
    add_to(total, {key: _amount(key, text) for key, text in pod.spec.overhead.items()})
    return total


def _container(container: Container) -> dict[str, int]:
    return _requests(container.resources)


def _requests(resources: Resources) -> dict[str, int]:
    asked = {**resources.limits, **resources.requests}  # a limit alone is a request too
    return {resource: _amount(resource, text) for resource, text in asked.items()}


def _amount(resource: str, text: str) -> int:
    return milli_value(text) if resource == "cpu" else value(text)


def add_to(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Add amounts by resource."""
    for resource, amount in more.items():
        total[resource] = total.get(resource, 0) + amount
