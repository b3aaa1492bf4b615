"""What the scheduler knows of a Pod and of a node, ready to be asked a thousand times a second.

`PodInfo` is a Pod with its requests and host ports worked out once. `NodeInfo` is a node with the
sums over its Pods, changed by as much as one Pod at a time. `Diagnosis` is why a Pod fits nowhere,
and `fit_error` its text.

Rule of use: change a NodeInfo through `add_pod` and `remove_pod` only, so that its sums stay true.

Upstream: pkg/scheduler/framework/types.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from k8slab.api.core import Node, Pod
from k8slab.api.requests import amounts, pod_requests
from k8slab.control_plane.scheduler.config.types import DEFAULT_SCHEDULER_NAME
from k8slab.control_plane.scheduler.framework.interface import Code, Status
from k8slab.control_plane.scheduler.framework.tally import Journal

HostPort: TypeAlias = tuple[str, str, int]  # ip, protocol, port
ANY_IP = "0.0.0.0"
MAX_ANSWERS = 200  # that a node remembers

ABSENT = Status(Code.UNSCHEDULABLE_AND_UNRESOLVABLE)


class PodInfo:
    """A Pod and what follows from its spec; immutable."""

    __slots__ = (
        "has_affinity",
        "has_required_anti_affinity",
        "images",
        "key",
        "non_zero_requests",
        "pod",
        "ports",
        "priority",
        "requests",
        "shape",
    )

    def __init__(self, pod: Pod) -> None:
        meta, spec = pod.metadata, pod.spec
        self.pod = pod
        self.key = f"{meta.namespace}/{meta.name}"
        self.priority = spec.priority or 0
        self.requests = pod_requests(pod)
        self.non_zero_requests = pod_requests(pod, non_zero=True)
        # Pods with equal requests look the same to a node's resources.
        self.shape = f"{self.requests} {self.non_zero_requests}"
        self.ports = host_ports(pod)
        self.images = tuple(each.image for each in (*spec.initContainers, *spec.containers))
        affinity = spec.affinity
        near = affinity.podAffinity if affinity is not None else None
        away = affinity.podAntiAffinity if affinity is not None else None
        self.has_affinity = near is not None or away is not None
        self.has_required_anti_affinity = away is not None and bool(
            away.requiredDuringSchedulingIgnoredDuringExecution
        )

    def with_pod(self, pod: Pod) -> PodInfo:
        """Return the info of a newer version of the Pod, reusing what its spec still says."""
        same = pod.spec is self.pod.spec or pod.spec == self.pod.spec
        resized = any(each.resources is not None for each in pod.status.containerStatuses)
        return self._replacing(pod) if same and not resized else PodInfo(pod)

    def assumed_on(self, node_name: str) -> PodInfo:
        """Return the info of the Pod as it will be once it is bound."""
        spec = msgspec.structs.replace(self.pod.spec, nodeName=node_name)
        return self._replacing(msgspec.structs.replace(self.pod, spec=spec))

    def _replacing(self, pod: Pod) -> PodInfo:
        info = PodInfo.__new__(PodInfo)
        for name in PodInfo.__slots__:
            setattr(info, name, getattr(self, name))
        info.pod = pod
        return info


class NodeInfo:
    """A node, its Pods, and the sums over them; assumed Pods count."""

    __slots__ = (
        "allocatable",
        "allowed_pods",
        "images",
        "journal",
        "name",
        "node",
        "non_zero_requested",
        "pods",
        "pods_with_affinity",
        "pods_with_required_anti_affinity",
        "requested",
        "used_ports",
        "worked_out",
    )

    def __init__(
        self,
        node: Node | None = None,
        pods: Iterable[PodInfo] = (),
        journal: Journal | None = None,
    ) -> None:
        self.journal = Journal() if journal is None else journal  # hears of every change
        self.pods: dict[str, PodInfo] = {}
        self.pods_with_affinity: dict[str, PodInfo] = {}
        self.pods_with_required_anti_affinity: dict[str, PodInfo] = {}
        self.requested: dict[str, int] = {}
        self.non_zero_requested: dict[str, int] = {"cpu": 0, "memory": 0}
        self.used_ports: dict[HostPort, None] = {}
        self.node: Node = Node()
        self.name = ""
        self.allocatable: dict[str, int] = {}
        self.allowed_pods = 0
        self.images: dict[str, int] = {}  # bytes by every name of the image
        # What was worked out from this node and its Pods, by question. From one cycle to the next
        # all nodes but one are as they were, so most answers are looked up.
        self.worked_out: dict[str, Any] = {}
        if node is not None:
            self.set_node(node)
        for pod in pods:
            self.add_pod(pod)

    def set_node(self, node: Node) -> None:
        """Take over what the node says of itself."""
        self.node = node
        self.name = node.metadata.name
        self.allocatable = amounts(node.status.allocatable)
        self.allowed_pods = self.allocatable.pop("pods", 0)
        self.images = {name: each.sizeBytes for each in node.status.images for name in each.names}
        self._changed()

    def add_pod(self, pod: PodInfo) -> None:
        """Count a Pod that runs here, or that the scheduler assumes to."""
        self.pods[pod.key] = pod
        if pod.has_affinity:
            self.pods_with_affinity[pod.key] = pod
        if pod.has_required_anti_affinity:
            self.pods_with_required_anti_affinity[pod.key] = pod
        self._count(pod, 1)
        for port in pod.ports:
            self.used_ports[port] = None

    def remove_pod(self, pod: PodInfo) -> None:
        """Stop counting a Pod."""
        known = self.pods.pop(pod.key)
        self.pods_with_affinity.pop(pod.key, None)
        self.pods_with_required_anti_affinity.pop(pod.key, None)
        self._count(known, -1)
        for port in known.ports:
            self.used_ports.pop(port, None)

    def replace_pod(self, pod: PodInfo) -> None:
        """Take over a newer version of a Pod that is here."""
        known = self.pods[pod.key]
        if pod.requests is not known.requests:
            self.remove_pod(known)
            self.add_pod(pod)
            return
        self.pods[pod.key] = pod  # its spec is the same, so all sums stay true
        before, after = known.pod.metadata, pod.pod.metadata
        if (before.labels, before.deletionTimestamp) != (after.labels, after.deletionTimestamp):
            self._changed()
        if pod.has_affinity:
            self.pods_with_affinity[pod.key] = pod
        if pod.has_required_anti_affinity:
            self.pods_with_required_anti_affinity[pod.key] = pod

    def remember(self, question: str, answer: Any) -> None:
        """Keep an answer until something changes here."""
        if len(self.worked_out) >= MAX_ANSWERS:
            self.worked_out.clear()
        self.worked_out[question] = answer

    def clone(self) -> NodeInfo:
        """Return a copy on which "what if" can be tried."""
        copy = NodeInfo()
        for name in NodeInfo.__slots__:
            own = getattr(self, name)
            setattr(copy, name, dict(own) if isinstance(own, dict) else own)
        copy.worked_out, copy.journal = {}, Journal()
        return copy

    def _changed(self) -> None:
        self.worked_out.clear()
        self.journal.note(self)

    def _count(self, pod: PodInfo, sign: int) -> None:
        self._changed()
        for total, own in (
            (self.requested, pod.requests),
            (self.non_zero_requested, pod.non_zero_requests),
        ):
            for name, amount in own.items():
                total[name] = total.get(name, 0) + sign * amount


class Diagnosis(msgspec.Struct, frozen=True):
    """Why a Pod fits nowhere: by node, or once for all if a PreFilter plugin refused it."""

    node_to_status: Mapping[str, Status] = {}
    absent: Status = ABSENT  # of the nodes that are not in there
    unschedulable_plugins: tuple[str, ...] = ()
    pre_filter_message: str = ""
    post_filter_message: str = ""


def fit_error(nodes: int, diagnosis: Diagnosis) -> str:
    """Return the text of a FailedScheduling event.

    A node that lacks two things counts twice; items sort as text, so "10 x" precedes "2 y".

    >>> lacking = Status(Code.UNSCHEDULABLE, ("Insufficient cpu", "Insufficient memory"))
    >>> fit_error(1, Diagnosis(node_to_status={"worker-1": lacking}))
    '0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory.'
    """
    text = f"0/{nodes} nodes are available:"
    if diagnosis.pre_filter_message:
        text += f" {diagnosis.pre_filter_message}."
    else:
        counts: dict[str, int] = {}
        for status in diagnosis.node_to_status.values():
            for reason in status.reasons:
                counts[reason] = counts.get(reason, 0) + 1
        absent = nodes - len(diagnosis.node_to_status)
        for reason in diagnosis.absent.reasons if absent > 0 else ():
            counts[reason] = counts.get(reason, 0) + absent
        items = sorted(f"{count} {reason}" for reason, count in counts.items())
        text += f" {', '.join(items)}." if items else ""
    if diagnosis.post_filter_message:
        text += f" {diagnosis.post_filter_message}"
    return text


def scheduler_name(pod: Pod) -> str:
    """Return the name of the profile that the Pod asks for."""
    return pod.spec.schedulerName or DEFAULT_SCHEDULER_NAME


def host_ports(pod: Pod) -> tuple[HostPort, ...]:
    """Return the ports of the node that the Pod's containers and sidecars want."""
    sidecars = (each for each in pod.spec.initContainers if each.restartPolicy == "Always")
    return tuple(
        (port.hostIP or ANY_IP, port.protocol or "TCP", port.hostPort)
        for container in (*sidecars, *pod.spec.containers)
        for port in container.ports
        if port.hostPort > 0
    )
