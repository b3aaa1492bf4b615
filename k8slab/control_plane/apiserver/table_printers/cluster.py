"""How Nodes, Namespaces, Events, quotas and Leases are summed up in one line.

A Node's STATUS is its Ready condition in words, and whether Pods may be placed there; its ROLES are
labels such as node-role.kubernetes.io/control-plane.

Rule of use: an Event's times are ages, "LAST SEEN" first, since that is what people look for.

Upstream: pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from k8slab.api.apiextensions import CustomResourceDefinition
from k8slab.api.coordination import Lease
from k8slab.api.core import ComponentStatus, Event, LimitRange, Namespace, Node, ResourceQuota
from k8slab.api.duration import age
from k8slab.api.node import RuntimeClass
from k8slab.api.scheduling import PriorityClass
from k8slab.control_plane.apiserver.table_printers.columns import (
    AGE,
    NAME,
    NONE,
    UNKNOWN,
    Cells,
    Printer,
    age_of,
    column,
    wide,
)

ROLE_PREFIX, ROLE_LABEL = "node-role.kubernetes.io/", "kubernetes.io/role"


def node_cells(node: Node, now: float) -> Cells:
    """Return the cells of a Node."""
    info = node.status.nodeInfo
    return (
        node.metadata.name,
        _node_status(node),
        ",".join(_roles(node)) or NONE,
        age_of(node, now),
        info.kubeletVersion,
        _address(node, "InternalIP"),
        _address(node, "ExternalIP"),
        info.osImage or UNKNOWN,
        info.kernelVersion or UNKNOWN,
        info.containerRuntimeVersion or UNKNOWN,
    )


def _node_status(node: Node) -> str:
    words = []
    for condition in node.status.conditions:
        if condition.type == "Ready":
            words.append("Ready" if condition.status == "True" else "NotReady")
    words = words or ["Unknown"]
    if node.spec.unschedulable:
        words.append("SchedulingDisabled")
    return ",".join(words)


def _roles(node: Node) -> list[str]:
    roles: dict[str, None] = {}
    for key, value in node.metadata.labels.items():
        if key.startswith(ROLE_PREFIX):
            role = key.removeprefix(ROLE_PREFIX)
        elif key == ROLE_LABEL:
            role = value
        else:
            continue
        if role:
            roles[role] = None
    return sorted(roles)


def _address(node: Node, kind: str) -> str:
    return next((a.address for a in node.status.addresses if a.type == kind), NONE)


def namespace_cells(namespace: Namespace, now: float) -> Cells:
    """Return the cells of a Namespace."""
    return namespace.metadata.name, namespace.status.phase, age_of(namespace, now)


def component_cells(component: ComponentStatus, now: float) -> Cells:
    """Return the cells of a ComponentStatus."""
    name = component.metadata.name
    for condition in component.conditions:
        if condition.type == "Healthy":
            status = "Healthy" if condition.status == "True" else "Unhealthy"
            return name, status, condition.message, condition.error
    return name, "Unknown", "", ""


def event_cells(event: Event, now: float) -> Cells:
    """Return the cells of an Event."""
    about, series = event.involvedObject, event.series
    first = event.firstTimestamp or event.eventTime
    last = event.lastTimestamp or first
    count = event.count or 1
    if series is not None:
        last, count = series.lastObservedTime, series.count
    kind = about.kind.lower()
    return (
        age(last, now),
        event.type,
        event.reason,
        f"{kind}/{about.name}" if about.name else kind,
        about.fieldPath,
        _source(event),
        event.message.strip(),
        age(first, now),
        count,
        event.metadata.name,
    )


def _source(event: Event) -> str:
    component = event.source.component or event.reportingComponent
    host = event.source.host if event.source.component else event.reportingInstance
    return f"{component}, {host}" if host else component


def quota_cells(quota: ResourceQuota, now: float) -> Cells:
    """Return the cells of a ResourceQuota."""
    requests: list[str] = []
    limits: list[str] = []
    for name in sorted(quota.status.hard):
        use = f"{name}: {quota.status.used.get(name, '0')}/{quota.status.hard[name]}"
        (limits if name.startswith("limits.") else requests).append(use)
    return quota.metadata.name, ", ".join(requests), ", ".join(limits), age_of(quota, now)


def limit_range_cells(limits: LimitRange, now: float) -> Cells:
    """Return the cells of a LimitRange."""
    return limits.metadata.name, limits.metadata.creationTimestamp


def lease_cells(lease: Lease, now: float) -> Cells:
    """Return the cells of a Lease."""
    return lease.metadata.name, lease.spec.holderIdentity or "", age_of(lease, now)


def priority_class_cells(priority: PriorityClass, now: float) -> Cells:
    """Return the cells of a PriorityClass."""
    return (
        priority.metadata.name,
        priority.value,
        priority.globalDefault,
        age_of(priority, now),
        priority.preemptionPolicy or "",
    )


def runtime_class_cells(runtime: RuntimeClass, now: float) -> Cells:
    """Return the cells of a RuntimeClass."""
    return runtime.metadata.name, runtime.handler, age_of(runtime, now)


def definition_cells(crd: CustomResourceDefinition, now: float) -> Cells:
    """Return the cells of a CustomResourceDefinition."""
    return crd.metadata.name, crd.metadata.creationTimestamp


PRINTERS = {
    "Node": Printer(
        (
            NAME,
            column("Status", "Whether the node is ready, and whether Pods may be placed there."),
            column("Roles", "What the node is for, by its labels."),
            AGE,
            column("Version", "The version of its kubelet."),
            wide("Internal-IP", "Its address within the cluster."),
            wide("External-IP", "Its address from outside."),
            wide("OS-Image", "Its operating system."),
            wide("Kernel-Version", "Its kernel."),
            wide("Container-Runtime", "What runs its containers."),
        ),
        node_cells,
    ),
    "Namespace": Printer(
        (NAME, column("Status", "Whether it is active or being deleted."), AGE), namespace_cells
    ),
    "ComponentStatus": Printer(
        (
            NAME,
            column("Status", "Whether it answers."),
            column("Message", "What it said."),
            column("Error", "Why it said nothing."),
        ),
        component_cells,
    ),
    "Event": Printer(
        (
            column("Last Seen", "How long ago it happened last."),
            column("Type", "Normal or Warning."),
            column("Reason", "What happened, in one word."),
            column("Object", "To what it happened."),
            wide("Subobject", "To which part of it."),
            wide("Source", "Who says so."),
            column("Message", "What happened, in words."),
            wide("First Seen", "How long ago it happened first."),
            wide("Count", "How often it happened."),
            column("Name", NAME.description, format="name", priority=1),
        ),
        event_cells,
    ),
    "ResourceQuota": Printer(
        (
            NAME,
            column("Request", "What is used, and what may be, of all but limits."),
            column("Limit", "What is used, and what may be, of limits."),
            AGE,
        ),
        quota_cells,
    ),
    "LimitRange": Printer(
        (NAME, column("Created At", "When it was created.", type="date")), limit_range_cells
    ),
    "CustomResourceDefinition": Printer(
        (NAME, column("Created At", "When it was created.", type="date")), definition_cells
    ),
    "Lease": Printer((NAME, column("Holder", "Who holds it."), AGE), lease_cells),
    "RuntimeClass": Printer(
        (NAME, column("Handler", "What the container runtime calls it."), AGE), runtime_class_cells
    ),
    "PriorityClass": Printer(
        (
            NAME,
            column("Value", "The priority; more is more important.", type="integer"),
            column("Global-Default", "Whether Pods without a class get it.", type="boolean"),
            AGE,
            column("PreemptionPolicy", "Whether its Pods may push out others."),
        ),
        priority_class_cells,
    ),
}
