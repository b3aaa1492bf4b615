"""What figures read off a cluster: its objects and its trace, put into a few plain answers.

`ClusterLike` is all that a figure needs of a cluster. `pod_state` and `status_column` say how a Pod
is, and `endpoints_of` who stands behind a Service.

Rule of use: everything here is a pure reading of objects; nothing asks the API server.

Upstream: pkg/printers/internalversion/printers.go (printPod, for the STATUS column)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import msgspec

from k8slab.api.conditions import is_true
from k8slab.api.core import ContainerStatus, Node, Pod, Service
from k8slab.api.discovery import EndpointSlice
from k8slab.api.pods import is_pod_ready, is_pod_terminal
from k8slab.sim import Record

CONTROL_PLANE_LABEL = "node-role.kubernetes.io/control-plane"
SERVICE_NAME_LABEL = "kubernetes.io/service-name"
STARTING = ("ContainerCreating", "PodInitializing", "")  # waiting that is no trouble
SYSTEM = "kube-system"


class ViewLike(Protocol):
    """All objects at one moment."""

    def get(self, kind: Any, name: str, namespace: str = "default") -> Any:
        """Return the object or None."""

    def list(self, kind: Any, namespace: str = "", *, labels: str = "") -> list[Any]:
        """Return the objects of a kind, sorted by name."""


class TraceLike(Protocol):
    """Everything that happened, in order."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[Record]: ...

    def __getitem__(self, number: int) -> Record: ...

    def since(self, number: int) -> Sequence[Record]:
        """Return the records after the one with that id."""

    def until(self, time: float) -> int:
        """Return the id of the last record of that virtual time or earlier, 0 if there is none."""

    def about(self, subject: str) -> Sequence[Record]:
        """Return the records of one subject, oldest first."""

    def why(self, number: int) -> Sequence[Record]:
        """Return the record and what caused it, back to the first cause."""


class ClusterLike(Protocol):
    """What a figure needs of a cluster."""

    @property
    def now(self) -> float:
        """Virtual seconds."""

    @property
    def view(self) -> ViewLike:
        """All objects as they are now."""

    @property
    def trace(self) -> TraceLike:
        """Everything that happened so far."""

    def at(self, time: float) -> ViewLike:
        """Return all objects as they were."""


class Backend(msgspec.Struct, frozen=True):
    """One address behind a Service."""

    pod: str
    address: str
    ready: bool
    terminating: bool


def pod_state(pod: Pod) -> str:
    """Return the row of `style.POD_STATES` that a Pod is drawn as."""
    phase = pod.status.phase
    if phase in ("Succeeded", "Failed"):
        return phase
    if pod.metadata.deletionTimestamp:
        return "Terminating"
    if phase == "Unknown" or pod.status.reason == "NodeLost":
        return "Unknown"
    waits = [s.state.waiting.reason for s in statuses(pod) if s.state.waiting is not None]
    if any(reason not in STARTING for reason in waits):
        return "Waiting"
    if phase != "Running":
        return "Pending"
    return "Ready" if is_pod_ready(pod) else "Running"


def statuses(pod: Pod) -> tuple[ContainerStatus, ...]:
    """Return the states of all containers, init containers first."""
    return pod.status.initContainerStatuses + pod.status.containerStatuses


def status_column(pod: Pod) -> str:
    """Return what `kubectl get pods` prints under STATUS."""
    reason = pod.status.reason or pod.status.phase or "Pending"
    if any(c.type == "PodScheduled" and c.reason == "SchedulingGated" for c in _conditions(pod)):
        reason = "SchedulingGated"
    reason = _init_reason(pod) or _container_reason(pod, reason)
    if pod.metadata.deletionTimestamp and pod.status.reason == "NodeLost":
        return "Unknown"
    if pod.metadata.deletionTimestamp and not is_pod_terminal(pod):
        return "Terminating"
    return reason


def _init_reason(pod: Pod) -> str:
    """Return the reason while init containers have not all ended well, "" afterwards."""
    total = len(pod.spec.initContainers)
    for place, status in enumerate(pod.status.initContainerStatuses):
        ended = status.state.terminated
        if (ended is not None and ended.exitCode == 0) or status.started:
            continue
        if ended is not None:
            return "Init:" + (ended.reason or _exit(ended.exitCode, ended.signal))
        waiting = status.state.waiting
        if waiting is not None and waiting.reason not in STARTING:
            return f"Init:{waiting.reason}"
        return f"Init:{place}/{total}"
    return ""


def _container_reason(pod: Pod, reason: str) -> str:
    running = False
    for status in reversed(pod.status.containerStatuses):
        waiting, ended = status.state.waiting, status.state.terminated
        if waiting is not None and waiting.reason:
            reason = waiting.reason
        elif ended is not None:
            reason = ended.reason or _exit(ended.exitCode, ended.signal)
        elif status.ready and status.state.running is not None:
            running = True
    if reason == "Completed" and running:
        return "Running" if is_pod_ready(pod) else "NotReady"
    return reason


def _exit(code: int, signal: int) -> str:
    return f"Signal:{signal}" if signal else f"ExitCode:{code}"


def _conditions(pod: Pod) -> Sequence[Any]:
    return pod.status.conditions


def container_state(status: ContainerStatus) -> str:
    """Return "running", "waiting: REASON" or "terminated: REASON"."""
    state = status.state
    if state.running is not None:
        return "running"
    if state.terminated is not None:
        return f"terminated: {state.terminated.reason or state.terminated.exitCode}"
    reason = state.waiting.reason if state.waiting is not None else ""
    return f"waiting: {reason}" if reason else "waiting"


def running_containers(pod: Pod) -> list[tuple[str, bool]]:
    """Return (name, is running) of each container in the order of the spec."""
    found = {s.name: s.state.running is not None for s in pod.status.containerStatuses}
    return [(c.name, found.get(c.name, False)) for c in pod.spec.containers]


def is_control_plane(node: Node) -> bool:
    """Say whether the node bears the control plane's role."""
    return CONTROL_PLANE_LABEL in node.metadata.labels


def is_node_ready(node: Node) -> bool:
    """Say whether the node's kubelet reports that it works."""
    return is_true(node.status.conditions, "Ready")


def endpoints_of(view: ViewLike, service: Service) -> list[Backend]:
    """Return the addresses in the Service's EndpointSlices, sorted by Pod."""
    meta = service.metadata
    found: dict[tuple[str, str], Backend] = {}
    for item in view.list(
        EndpointSlice, meta.namespace, labels=f"{SERVICE_NAME_LABEL}={meta.name}"
    ):
        for endpoint in item.endpoints:
            pod = endpoint.targetRef.name if endpoint.targetRef is not None else ""
            conditions = endpoint.conditions
            for address in endpoint.addresses[:1]:
                found[pod, address] = Backend(
                    pod, address, conditions.ready is not False, bool(conditions.terminating)
                )
    return [found[key] for key in sorted(found)]


def short_pod_name(pod: Pod) -> str:
    """Return a Pod's name without its template's hash: "web-x2k9p" of "web-6f7d8c9b4-x2k9p"."""
    name, template = pod.metadata.name, pod.metadata.labels.get("pod-template-hash", "")
    return name.replace(f"-{template}-", "-", 1) if template else name


def clock(time: float) -> str:
    """Write a virtual time as every figure does: "12.345 s"."""
    return f"{time:.3f} s"


def count(number: int, noun: str) -> str:
    """Write a number with its noun: "1 Pod", "2 Pods"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
