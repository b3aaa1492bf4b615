"""How Deployments, ReplicaSets, DaemonSets, StatefulSets and their kin are summed up in one line.

READY of a Deployment is "ready/desired"; the columns of a ReplicaSet are what its controller wants,
what there is, and what is ready.

Rule of use: desired numbers come from the spec, all others from the status.

Upstream: pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api.apps import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from k8slab.api.autoscaling import (
    HorizontalPodAutoscaler,
    MetricSpec,
    MetricStatus,
    MetricValueStatus,
)
from k8slab.api.core import ReplicationController
from k8slab.api.meta import controller_of
from k8slab.api.policy import PodDisruptionBudget
from k8slab.control_plane.apiserver.table_printers.columns import (
    AGE,
    CONTAINERS,
    IMAGES,
    NAME,
    NONE,
    SELECTOR,
    UNKNOWN,
    UNSET,
    Cells,
    Printer,
    age_of,
    column,
    container_cells,
    labels_text,
    selector_text,
)


def deployment_cells(deployment: Deployment, now: float) -> Cells:
    """Return the cells of a Deployment."""
    status = deployment.status
    return (
        deployment.metadata.name,
        f"{status.readyReplicas}/{deployment.spec.replicas or 0}",
        status.updatedReplicas,
        status.availableReplicas,
        age_of(deployment, now),
        *container_cells(deployment.spec.template.spec.containers),
        selector_text(deployment.spec.selector),
    )


def replica_set_cells(rs: ReplicaSet, now: float) -> Cells:
    """Return the cells of a ReplicaSet."""
    return (
        rs.metadata.name,
        rs.spec.replicas or 0,
        rs.status.replicas,
        rs.status.readyReplicas,
        age_of(rs, now),
        *container_cells(rs.spec.template.spec.containers),
        selector_text(rs.spec.selector),
    )


def replication_controller_cells(rc: ReplicationController, now: float) -> Cells:
    """Return the cells of a ReplicationController."""
    containers = rc.spec.template.spec.containers if rc.spec.template is not None else ()
    return (
        rc.metadata.name,
        rc.spec.replicas or 0,
        rc.status.replicas,
        rc.status.readyReplicas,
        age_of(rc, now),
        *container_cells(containers),
        labels_text(rc.spec.selector),
    )


def daemon_set_cells(daemon_set: DaemonSet, now: float) -> Cells:
    """Return the cells of a DaemonSet."""
    status, pod = daemon_set.status, daemon_set.spec.template.spec
    return (
        daemon_set.metadata.name,
        status.desiredNumberScheduled,
        status.currentNumberScheduled,
        status.numberReady,
        status.updatedNumberScheduled,
        status.numberAvailable,
        labels_text(pod.nodeSelector),
        age_of(daemon_set, now),
        *container_cells(pod.containers),
        selector_text(daemon_set.spec.selector),
    )


def stateful_set_cells(stateful_set: StatefulSet, now: float) -> Cells:
    """Return the cells of a StatefulSet."""
    return (
        stateful_set.metadata.name,
        f"{stateful_set.status.readyReplicas}/{stateful_set.spec.replicas or 0}",
        age_of(stateful_set, now),
        *container_cells(stateful_set.spec.template.spec.containers),
    )


def controller_revision_cells(revision: ControllerRevision, now: float) -> Cells:
    """Return the cells of a ControllerRevision."""
    owner = controller_of(revision)
    controller = NONE
    if owner is not None:
        group = owner.apiVersion.rpartition("/")[0]
        kind = owner.kind.lower()
        controller = f"{kind}.{group}/{owner.name}" if group else f"{kind}/{owner.name}"
    return revision.metadata.name, controller, revision.revision, age_of(revision, now)


def autoscaler_cells(hpa: HorizontalPodAutoscaler, now: float) -> Cells:
    """Return the cells of a HorizontalPodAutoscaler."""
    spec, target = hpa.spec, hpa.spec.scaleTargetRef
    return (
        hpa.metadata.name,
        f"{target.kind}/{target.name}",
        _targets(spec.metrics, hpa.status.currentMetrics or ()),
        UNSET if spec.minReplicas is None else str(spec.minReplicas),
        spec.maxReplicas,
        hpa.status.currentReplicas,
        age_of(hpa, now),
    )


SHOWN_METRICS = 2  # what does not fit is counted


def _targets(metrics: tuple[MetricSpec, ...], found: tuple[MetricStatus, ...]) -> str:
    if not metrics:
        return NONE
    known = (*found, *[None] * len(metrics))
    texts = [_aim(metric, known[i]) for i, metric in enumerate(metrics[:SHOWN_METRICS])]
    more = len(metrics) - SHOWN_METRICS
    return ", ".join(texts) + (f" + {more} more..." if more > 0 else "")


def _aim(metric: MetricSpec, status: MetricStatus | None) -> str:
    """Write one metric: what was found, and what is aimed at."""
    name = metric.type[:1].lower() + metric.type[1:]
    source: Any = getattr(metric, name, None)
    if source is None:
        return "<unknown type>"
    found: Any = getattr(status, name, None)
    current = found.current if found is not None else MetricValueStatus()
    aim = source.target
    label = f"{source.name}: " if metric.resource or metric.containerResource else ""
    if aim.averageValue is not None:
        average = " (avg)" if metric.object or metric.external else ""
        return f"{label}{current.averageValue or UNKNOWN}/{aim.averageValue}{average}"
    if metric.object or metric.external:
        return f"{current.value or UNKNOWN}/{aim.value}"
    percent = current.averageUtilization
    said = UNKNOWN if percent is None else f"{percent}%"
    goal = "<auto>" if aim.averageUtilization is None else f"{aim.averageUtilization}%"
    return f"{label}{said}/{goal}"


def disruption_budget_cells(pdb: PodDisruptionBudget, now: float) -> Cells:
    """Return the cells of a PodDisruptionBudget."""
    least, most = pdb.spec.minAvailable, pdb.spec.maxUnavailable
    return (
        pdb.metadata.name,
        "N/A" if least is None else str(least),
        "N/A" if most is None else str(most),
        pdb.status.disruptionsAllowed,
        age_of(pdb, now),
    )


_SIZES = (
    NAME,
    column("Desired", "How many Pods there should be.", type="integer"),
    column("Current", "How many Pods there are.", type="integer"),
    column("Ready", "How many Pods are ready.", type="integer"),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
)

PRINTERS = {
    "Deployment": Printer(
        (
            NAME,
            column("Ready", "Ready Pods, and how many there should be."),
            column("Up-to-date", "How many Pods have the present template.", type="string"),
            column("Available", "How many Pods have been ready for long enough.", type="string"),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ),
        deployment_cells,
    ),
    "ReplicaSet": Printer(_SIZES, replica_set_cells),
    "ReplicationController": Printer(_SIZES, replication_controller_cells),
    "DaemonSet": Printer(
        (
            NAME,
            column("Desired", "How many nodes should run the Pod.", type="integer"),
            column("Current", "How many nodes run at least one.", type="integer"),
            column("Ready", "On how many nodes it is ready.", type="integer"),
            column("Up-to-date", "How many nodes run the present template.", type="integer"),
            column("Available", "On how many nodes it has been ready for long.", type="integer"),
            column("Node Selector", "Labels of the nodes that should run it."),
            AGE,
            CONTAINERS,
            IMAGES,
            SELECTOR,
        ),
        daemon_set_cells,
    ),
    "StatefulSet": Printer(
        (
            NAME,
            column("Ready", "Ready Pods, and how many there should be."),
            AGE,
            CONTAINERS,
            IMAGES,
        ),
        stateful_set_cells,
    ),
    "ControllerRevision": Printer(
        (
            NAME,
            column("Controller", "Whose state it is."),
            column("Revision", "The number of the state."),
            AGE,
        ),
        controller_revision_cells,
    ),
    "HorizontalPodAutoscaler": Printer(
        (
            NAME,
            column("Reference", "What is scaled."),
            column("Targets", "Use found, and use aimed at."),
            column("MinPods", "The least number of Pods."),
            column("MaxPods", "The greatest number of Pods."),
            column("Replicas", "The number of Pods there are."),
            AGE,
        ),
        autoscaler_cells,
    ),
    "PodDisruptionBudget": Printer(
        (
            NAME,
            column("Min Available", "How many Pods must stay."),
            column("Max Unavailable", "How many Pods may be away."),
            column("Allowed Disruptions", "How many may go just now.", type="integer"),
            AGE,
        ),
        disruption_budget_cells,
    ),
}
