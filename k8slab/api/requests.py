"""How much a Pod asks for: the arithmetic over its containers.

Containers add up; init containers run one after the other, so the largest counts; sidecars
(restartable init containers) run on, so they add up too; overhead comes on top; requests of the
Pod as a whole replace the sum.

Rule of use: cpu in millicores, everything else in whole units (bytes, pieces).

Upstream: staging/src/k8s.io/component-helpers/resource/helpers.go
"""

from __future__ import annotations

from collections.abc import Mapping

from k8slab.api.core import Container, ContainerStatus, Pod
from k8slab.api.quantity import milli_value, value

DEFAULT_MILLI_CPU_REQUEST = 100  # what scoring assumes where nothing is requested
DEFAULT_MEMORY_REQUEST = 200 * 1024 * 1024
NON_ZERO = {"cpu": DEFAULT_MILLI_CPU_REQUEST, "memory": DEFAULT_MEMORY_REQUEST}

FIRST = ("cpu", "memory", "ephemeral-storage")  # the order in which lacking resources are told


def pod_requests(pod: Pod, *, non_zero: bool = False, use_status: bool = True) -> dict[str, int]:
    """Return the amounts that a node must have free, resources of which 0 is asked left out.

    With `non_zero` each container that does not ask for cpu or memory counts 100m and 200Mi. With
    `use_status` what a container still has counts too, while it is being resized to less.
    """
    spec, statuses = pod.spec, _resized(pod) if use_status else {}
    assumed = NON_ZERO if non_zero else {}
    if non_zero and spec.resources is not None:
        assumed = {name: n for name, n in NON_ZERO.items() if name not in spec.resources.requests}
    total: dict[str, int] = {}
    for container in spec.containers:
        _add(total, _container_requests(container, statuses, assumed))
    sidecars: dict[str, int] = {}
    peak: dict[str, int] = {}
    for container in spec.initContainers:
        own = _container_requests(container, statuses, assumed)
        if container.restartPolicy == "Always":
            _add(total, own)
            _add(sidecars, own)
        else:
            _add(own, sidecars)  # those that were started before it
            _raise(peak, own)
    _raise(total, peak)
    if spec.resources is not None:
        total.update(amounts(spec.resources.requests))
    _add(total, amounts(spec.overhead))
    return _ordered(total)


def amounts(quantities: Mapping[str, str]) -> dict[str, int]:
    """Read a list of resources: cpu in millicores, the rest in whole units.

    >>> amounts({"cpu": "0.5", "memory": "1Ki"})
    {'cpu': 500, 'memory': 1024}
    """
    return {
        name: milli_value(text) if name == "cpu" else value(text)
        for name, text in quantities.items()
    }


def _container_requests(
    container: Container, statuses: Mapping[str, ContainerStatus], assumed: Mapping[str, int]
) -> dict[str, int]:
    requests = {**assumed, **amounts(container.resources.requests)}
    status = statuses.get(container.name)
    if status is not None and status.resources is not None:
        # A resize is under way: the node must hold what is asked and what is still taken.
        _raise(requests, amounts(status.resources.requests))
        _raise(requests, amounts(status.allocatedResources))
    return requests


def _resized(pod: Pod) -> dict[str, ContainerStatus]:
    status = pod.status
    return {
        each.name: each
        for each in (*status.containerStatuses, *status.initContainerStatuses)
        if each.resources is not None
    }


def _add(total: dict[str, int], more: Mapping[str, int]) -> None:
    for name, amount in more.items():
        total[name] = total.get(name, 0) + amount


def _raise(total: dict[str, int], floor: Mapping[str, int]) -> None:
    for name, amount in floor.items():
        if amount > total.get(name, 0):
            total[name] = amount


def _ordered(total: Mapping[str, int]) -> dict[str, int]:
    names = [name for name in FIRST if total.get(name)]
    names += sorted(name for name in total if name not in FIRST and total[name])
    return {name: total[name] for name in names}
