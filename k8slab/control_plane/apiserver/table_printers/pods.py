"""How `kubectl get pods` sums a Pod up in one line; above all its STATUS.

STATUS is no field of a Pod. It is worked out here, later rules winning over earlier ones:

    phase < status.reason < SchedulingGated < first init container that is not done ("Init:0/2")
          < what a container waits for or died of (the first container wins) < Terminating

Rule of use: `summary` gives READY, STATUS and RESTARTS; `pod_cells` the whole line.

Upstream: printPod in pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from k8slab.api.conditions import is_true
from k8slab.api.core import ContainerStateTerminated, ContainerStatus, Pod, PodTemplate
from k8slab.api.duration import age
from k8slab.control_plane.apiserver.table_printers.columns import (
    AGE,
    NAME,
    NONE,
    Cells,
    Printer,
    age_of,
    column,
    container_cells,
    labels_text,
    wide,
)

NODE_LOST = "NodeLost"  # status.reason of a Pod whose node stopped answering

POD_COLUMNS = (
    NAME,
    column("Ready", "How many of the containers are ready to serve."),
    column("Status", "What the Pod is doing, or why it is not running."),
    column("Restarts", "How often containers were restarted, and when last."),
    AGE,
    wide("IP", "The Pod's address."),
    wide("Node", "The node that runs the Pod."),
    wide("Nominated Node", "The node where room is being made for the Pod."),
    wide("Readiness Gates", "How many of the extra conditions for readiness are true."),
)


class Summary(msgspec.Struct, frozen=True):
    """A Pod in a few words."""

    ready: int  # containers, of `total`
    total: int
    status: str
    restarts: int
    last_restart: str = ""  # timestamp of the last death before a restart


class _Counts(msgspec.Struct):
    """Restarts of some containers, and when the last of them died."""

    restarts: int = 0
    last: str = ""

    def add(self, status: ContainerStatus) -> None:
        self.restarts += status.restartCount
        died = status.lastState.terminated
        if died is not None and died.finishedAt and died.finishedAt > self.last:
            self.last = died.finishedAt


def pod_cells(pod: Pod, now: float) -> Cells:
    """Return the cells of a Pod."""
    found = summary(pod)
    restarts = str(found.restarts)
    if found.restarts and found.last_restart:
        restarts += f" ({age(found.last_restart, now)} ago)"
    ip = pod.status.podIPs[0].ip if pod.status.podIPs else ""
    return (
        pod.metadata.name,
        f"{found.ready}/{found.total}",
        found.status,
        restarts,
        age_of(pod, now),
        ip or NONE,
        pod.spec.nodeName or NONE,
        pod.status.nominatedNodeName or NONE,
        _readiness_gates(pod),
    )


def summary(pod: Pod) -> Summary:
    """Return readiness, status and restarts of a Pod as people want to see them."""
    sidecars = {c.name for c in pod.spec.initContainers if c.restartPolicy == "Always"}
    of_init, of_sidecars = _Counts(), _Counts()
    ready, reason, initializing = 0, _reason_of_pod(pod), False
    for index, status in enumerate(pod.status.initContainerStatuses):
        is_sidecar = status.name in sidecars
        of_init.add(status)
        if is_sidecar:
            of_sidecars.add(status)
        terminated = status.state.terminated
        if terminated is not None and terminated.exitCode == 0:
            continue
        if is_sidecar and status.started:
            ready += status.ready
            continue
        reason = _reason_of_init(status, index, len(pod.spec.initContainers))
        initializing = True
        break
    counts = of_init
    if not initializing or is_true(pod.status.conditions, "Initialized"):
        counts = of_sidecars
        for status in pod.status.containerStatuses:
            counts.add(status)
        running, reason = _main_containers(pod, reason)
        ready += running
    total = len(pod.spec.containers) + len(sidecars)
    return Summary(ready, total, _unless_deleted(pod, reason), counts.restarts, counts.last)


def _reason_of_pod(pod: Pod) -> str:
    for condition in pod.status.conditions:
        if condition.type == "PodScheduled" and condition.reason == "SchedulingGated":
            return condition.reason
    return pod.status.reason or pod.status.phase


def _reason_of_init(status: ContainerStatus, index: int, total: int) -> str:
    """Return what the first init container that is not done is doing."""
    waiting, terminated = status.state.waiting, status.state.terminated
    if terminated is not None:
        return f"Init:{_reason_of_death(terminated)}"
    if waiting is not None and waiting.reason not in ("", "PodInitializing"):
        return f"Init:{waiting.reason}"
    return f"Init:{index}/{total}"


def _reason_of_death(terminated: ContainerStateTerminated) -> str:
    if terminated.reason:
        return terminated.reason
    if terminated.signal:
        return f"Signal:{terminated.signal}"
    return f"ExitCode:{terminated.exitCode}"


def _main_containers(pod: Pod, reason: str) -> tuple[int, str]:
    """Return how many are ready, and the status: the first container has the last word."""
    ready = 0
    for status in reversed(pod.status.containerStatuses):
        waiting, terminated = status.state.waiting, status.state.terminated
        if waiting is not None and waiting.reason:
            reason = waiting.reason
        elif terminated is not None:
            reason = _reason_of_death(terminated)
        elif status.ready and status.state.running is not None:
            ready += 1
    if reason == "Completed" and ready:
        reason = "Running" if is_true(pod.status.conditions, "Ready") else "NotReady"
    return ready, reason


def _unless_deleted(pod: Pod, reason: str) -> str:
    if pod.metadata.deletionTimestamp is None:
        return reason
    if pod.status.reason == NODE_LOST:
        return "Unknown"
    return reason if pod.status.phase in ("Succeeded", "Failed") else "Terminating"


def _readiness_gates(pod: Pod) -> str:
    gates = pod.spec.readinessGates
    if not gates:
        return NONE
    return f"{_count(is_true(pod.status.conditions, g.conditionType) for g in gates)}/{len(gates)}"


def _count(truths: Iterable[bool]) -> int:
    return sum(1 for truth in truths if truth)


def pod_template_cells(template: PodTemplate, now: float) -> Cells:
    """Return the cells of a PodTemplate, which has no age."""
    names, images = container_cells(template.template.spec.containers)
    return template.metadata.name, names, images, labels_text(template.template.metadata.labels)


PRINTERS = {
    "Pod": Printer(POD_COLUMNS, pod_cells),
    "PodTemplate": Printer(
        (
            NAME,
            column("Containers", "Names of the containers."),
            column("Images", "Images of the containers."),
            column("Pod Labels", "Labels that the Pods get."),
        ),
        pod_template_cells,
    ),
}
