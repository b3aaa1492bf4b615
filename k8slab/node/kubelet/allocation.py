"""What each Pod of the node was given: its resources as they were admitted, or last resized.

A Pod's spec says what is wanted; it may change while the Pod runs (`resize`). The kubelet starts
containers by what it has given, and counts the node's room by it, until it gives more or less.

Rule of use: `of(pod)` is the Pod as it is to run; `give(pod)` makes what it wants what it has. The
store lies on the machine's disk, so a kubelet that starts anew knows what the last one gave.

Upstream: pkg/kubelet/allocation/allocation_manager.go, pkg/kubelet/allocation/state
"""

from __future__ import annotations

import json

from msgspec.structs import replace

from k8slab.api.codec import to_dict
from k8slab.api.core import Container, Pod, PodSpec
from k8slab.api.quantity import milli_value, value
from k8slab.node.folder import Folder
from k8slab.node.interfaces import ContainerResources

STATE_FILE = "var/lib/kubelet/allocated_pods_state"


class AllocatedPods(dict[str, PodSpec]):
    """The state by uid; as text it is the JSON that the file holds."""

    def __str__(self) -> str:
        given = {
            uid: {c.name: to_dict(c.resources) for c in (*spec.initContainers, *spec.containers)}
            for uid, spec in self.items()
        }
        return json.dumps({"podResourceAllocations": given})


class Allocations:
    """What the node's Pods were given."""

    def __init__(self, disk: Folder) -> None:
        self._given: AllocatedPods = disk.files.setdefault(STATE_FILE, AllocatedPods())

    def of(self, pod: Pod) -> Pod:
        """Return the Pod with the resources that it was given; the Pod itself if it has no less."""
        given = self._given.get(pod.metadata.uid)
        if given is None or given is pod.spec:
            return pod
        return with_resources_of(pod, given)

    def give(self, pod: Pod) -> None:
        """Give the Pod what its spec wants."""
        self._given[pod.metadata.uid] = pod.spec

    def forget(self, uid: str) -> None:
        """Take back what a Pod had that is gone."""
        self._given.pop(uid, None)


def with_resources_of(pod: Pod, given: PodSpec) -> Pod:
    """Return the Pod with the resources of another version of its spec."""
    spec = pod.spec
    containers = _merged(spec.containers, given.containers)
    init_containers = _merged(spec.initContainers, given.initContainers)
    same = containers is spec.containers and init_containers is spec.initContainers
    if same and spec.resources == given.resources:
        return pod
    merged = replace(
        spec,
        containers=containers,
        initContainers=init_containers,
        resources=given.resources,
    )
    return replace(pod, spec=merged)


def _merged(wanted: tuple[Container, ...], given: tuple[Container, ...]) -> tuple[Container, ...]:
    if all(a.resources == b.resources for a, b in zip(wanted, given, strict=True)):
        return wanted
    pairs = zip(wanted, given, strict=True)
    return tuple(replace(a, resources=b.resources) for a, b in pairs)


def container_resources(container: Container) -> ContainerResources:
    """Return what the runtime has to know of a container's resources."""
    limits = container.resources.limits
    requests = {**limits, **container.resources.requests}  # a limit alone is a request too
    return ContainerResources(
        cpu_request=milli_value(requests.get("cpu", "0")),
        cpu_limit=milli_value(limits.get("cpu", "0")),
        memory_request=value(requests.get("memory", "0")),
        memory_limit=value(limits.get("memory", "0")),
    )


def changed_resources(now: ContainerResources, wanted: ContainerResources) -> list[str]:
    """Return which of cpu and memory differ."""
    cpu = (now.cpu_request, now.cpu_limit) != (wanted.cpu_request, wanted.cpu_limit)
    memory = (now.memory_request, now.memory_limit) != (wanted.memory_request, wanted.memory_limit)
    return [name for name, differs in (("cpu", cpu), ("memory", memory)) if differs]
