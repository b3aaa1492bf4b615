"""The node's own say: whether a Pod that was bound to it can run here at all.

The scheduler decides by what it knows; the kubelet checks again by what is true. A Pod that does
not fit is not queued: it ends in phase Failed with a reason such as OutOfcpu, and whoever owns it
makes another.

Rule of use: pure; `others` is what the Pods that already run here have, without the one asking.

Upstream: pkg/kubelet/lifecycle/predicate.go, pkg/kubelet/sysctl/allowlist.go,
pkg/scheduler/eventhandlers.go (AdmissionCheck)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from k8slab.api import requests
from k8slab.api.core import Node, Pod
from k8slab.api.node_affinity import matches_node
from k8slab.api.quantity import milli_value, value
from k8slab.api.taints import NO_EXECUTE, untolerated_taint
from k8slab.node.kubelet.container import is_restartable_init
from k8slab.node.kubelet.pod_manager import is_static_pod

OS_LABEL = "kubernetes.io/os"
AFFINITY = "node(s) didn't match Pod's node affinity/selector"
PORTS = "node(s) didn't have free ports for the requested pod ports"
TAINT = "node(s) had taints that the pod didn't tolerate"
NATIVE = ("pods", "cpu", "memory", "ephemeral-storage")  # that every node has, in this order
SAFE_SYSCTLS = (  # that change nothing outside of the Pod
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
)
HostPort = tuple[str, str, int]  # protocol, address, port


class Rejection(msgspec.Struct, frozen=True):
    """Why the Pod cannot run here."""

    reason: str
    message: str


class Lacking(msgspec.Struct, frozen=True):
    """A resource of which the node has too little left."""

    resource: str
    requested: int
    used: int
    capacity: int

    @property
    def reason(self) -> str:
        """The Pod's reason if it is rejected for this."""
        return f"OutOf{self.resource}"

    @property
    def message(self) -> str:
        """The same in a sentence."""
        return (
            f"Node didn't have enough resource: {self.resource}, requested: {self.requested}, "
            f"used: {self.used}, capacity: {self.capacity}"
        )

    @property
    def missing(self) -> int:
        """How much more there would have to be."""
        return self.requested - (self.capacity - self.used)


class OtherPods(msgspec.Struct, frozen=True):
    """What the node's other Pods have."""

    used: Mapping[str, int] = {}  # in the units of `pod_requests`; the Pods themselves as "pods"
    host_ports: tuple[HostPort, ...] = ()


def admit(
    pod: Pod, others: OtherPods, allocatable: Mapping[str, str], node: Node | None
) -> tuple[Rejection | Lacking, ...]:
    """Return why the Pod is rejected, the first reason first; nothing if it may run.

    No node means that none is known yet: static Pods start before their node is registered.
    """
    wrong = _forbidden_sysctl(pod) or _wrong_system(pod)
    if wrong is not None:
        return (wrong,)
    lacking = lacking_resources({"pods": 1, **pod_requests(pod)}, others.used, allocatable)
    return (*lacking, *_misfits(pod, others, node))


def _forbidden_sysctl(pod: Pod) -> Rejection | None:
    context = pod.spec.securityContext
    for sysctl in context.sysctls if context is not None else ():
        if sysctl.name.replace("/", ".") not in SAFE_SYSCTLS:
            return Rejection(
                "SysctlForbidden", f'forbidden sysctl: "{sysctl.name}" not allowlisted'
            )
    return None


def _wrong_system(pod: Pod) -> Rejection | None:
    if pod.metadata.labels.get(OS_LABEL, "linux") != "linux":
        message = "Failed to admit pod as the `kubernetes.io/os` label doesn't match node label"
        return Rejection("PodOSSelectorNodeLabelDoesNotMatch", message)
    if pod.spec.os is not None and pod.spec.os.name != "linux":
        message = "Failed to admit pod as the OS field doesn't match node OS"
        return Rejection("PodOSNotSupported", message)
    return None


def lacking_resources(
    wanted: Mapping[str, int], used: Mapping[str, int], allocatable: Mapping[str, str]
) -> list[Lacking]:
    """Return the resources of which the node has too little.

    A resource with a domain that the node does not know is not its business.
    """
    found = []
    for resource in (*NATIVE, *sorted(name for name in wanted if name not in NATIVE)):
        amount = wanted.get(resource, 0)
        if amount == 0 or ("/" in resource and resource not in allocatable):
            continue
        capacity = _amount(resource, allocatable.get(resource, "0"))
        in_use = used.get(resource, 0)
        if in_use + amount > capacity:
            found.append(Lacking(resource, amount, in_use, capacity))
    return found


def _misfits(pod: Pod, others: OtherPods, node: Node | None) -> Iterator[Rejection]:
    """Yield what preemption could not help against."""
    if node is not None and not matches_node(pod.spec, node):
        yield Rejection("NodeAffinity", f"Predicate NodeAffinity failed: {AFFINITY}")
    if any(_conflict(a, b) for a in host_ports(pod) for b in others.host_ports):
        yield Rejection("NodePorts", f"Predicate NodePorts failed: {PORTS}")
    taints = node.spec.taints if node is not None and not is_static_pod(pod) else ()
    if untolerated_taint(taints, pod.spec.tolerations, (NO_EXECUTE,)) is not None:
        yield Rejection("TaintToleration", f"Predicate TaintToleration failed: {TAINT}")


def host_ports(pod: Pod) -> list[HostPort]:
    """Return the ports of the node that the Pod wants for itself."""
    sidecars = (c for c in pod.spec.initContainers if is_restartable_init(c))
    return [
        (port.protocol or "TCP", port.hostIP or "0.0.0.0", port.hostPort)
        for container in (*pod.spec.containers, *sidecars)
        for port in container.ports
        if port.hostPort
    ]


def _conflict(a: HostPort, b: HostPort) -> bool:
    same = (a[0], a[2]) == (b[0], b[2])
    return same and (a[1] == b[1] or "0.0.0.0" in (a[1], b[1]))


def pod_requests(pod: Pod) -> dict[str, int]:
    """Return what the Pod asks for: CPU in millicores, everything else in whole units.

    It is the spec that counts, for the kubelet keeps for itself what it has given.
    """
    return requests.pod_requests(pod, use_status=False)


def _amount(resource: str, text: str) -> int:
    return milli_value(text) if resource == "cpu" else value(text)


def add_to(total: dict[str, int], more: Mapping[str, int]) -> None:
    """Add amounts by resource."""
    for resource, amount in more.items():
        total[resource] = total.get(resource, 0) + amount
