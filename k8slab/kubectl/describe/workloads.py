"""`kubectl describe` of what makes Pods: Deployments, ReplicaSets, DaemonSets, StatefulSets.

Rule of use: how the Pods are is counted anew from the Pods themselves, not read from the status.

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from k8slab.api.apps import DaemonSet, Deployment, ReplicaSet, StatefulSet
from k8slab.api.meta import is_controlled_by
from k8slab.kubectl.describe.pods import describe_template
from k8slab.kubectl.describe.writer import (
    NONE,
    Writer,
    controller_text,
    time_text,
)
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.pods_of import list_pods, selector_of
from k8slab.kubectl.revisions import new_replica_set, replica_sets_of


async def describe_deployment(call: Invocation, writer: Writer, deployment: Deployment) -> None:
    """Write a Deployment, with its old ReplicaSets and its new one."""
    spec, status = deployment.spec, deployment.status
    writer.field("Name", deployment.metadata.name)
    writer.field("Namespace", deployment.metadata.namespace)
    writer.field("CreationTimestamp", time_text(deployment.metadata.creationTimestamp))
    writer.labels("Labels", deployment.metadata.labels)
    writer.annotations("Annotations", deployment.metadata.annotations)
    rolling = spec.strategy.rollingUpdate
    writer.fields(
        {
            "Selector": selector_of(deployment),
            "Replicas": f"{spec.replicas or 0} desired | {status.updatedReplicas} updated | "
            f"{status.replicas} total | {status.availableReplicas} available | "
            f"{status.unavailableReplicas} unavailable",
            "StrategyType": spec.strategy.type,
            "MinReadySeconds": spec.minReadySeconds,
            "RollingUpdateStrategy": f"{rolling.maxUnavailable} max unavailable, "
            f"{rolling.maxSurge} max surge"
            if rolling is not None
            else None,
        }
    )
    describe_template(writer, spec.template)
    _conditions(writer, status.conditions)
    owned = await replica_sets_of(call, deployment)
    new = new_replica_set(deployment, owned)
    writer.field("OldReplicaSets", _sizes(rs for rs in owned if rs is not new))
    writer.field("NewReplicaSet", _sizes([new] if new is not None else []))


def _sizes(sets: Iterable[ReplicaSet]) -> str:
    texts = [
        f"{rs.metadata.name} ({rs.status.replicas}/{rs.spec.replicas or 0} replicas created)"
        for rs in sets
    ]
    return ", ".join(texts) or NONE


async def describe_replica_set(call: Invocation, writer: Writer, rs: Any) -> None:
    """Write a ReplicaSet or a ReplicationController."""
    writer.field("Name", rs.metadata.name)
    writer.field("Namespace", rs.metadata.namespace)
    writer.field("Selector", selector_of(rs))
    writer.labels("Labels", rs.metadata.labels)
    writer.annotations("Annotations", rs.metadata.annotations)
    writer.fields({"Controlled By": controller_text(rs)})
    writer.field("Replicas", f"{rs.status.replicas} current / {rs.spec.replicas or 0} desired")
    writer.field("Pods Status", await pods_status(call, rs))
    describe_template(writer, rs.spec.template)
    _conditions(writer, rs.status.conditions)


async def describe_daemon_set(call: Invocation, writer: Writer, daemon_set: DaemonSet) -> None:
    """Write a DaemonSet."""
    status, node_selector = daemon_set.status, daemon_set.spec.template.spec.nodeSelector
    writer.field("Name", daemon_set.metadata.name)
    writer.field("Namespace", daemon_set.metadata.namespace)
    writer.field("Selector", selector_of(daemon_set))
    pairs = ",".join(f"{key}={node_selector[key]}" for key in sorted(node_selector))
    writer.field("Node-Selector", pairs or NONE)
    writer.labels("Labels", daemon_set.metadata.labels)
    writer.annotations("Annotations", daemon_set.metadata.annotations)
    writer.line(f"Desired Number of Nodes Scheduled: {status.desiredNumberScheduled}")
    writer.line(f"Current Number of Nodes Scheduled: {status.currentNumberScheduled}")
    updated = status.updatedNumberScheduled
    writer.line(f"Number of Nodes Scheduled with Up-to-date Pods: {updated}")
    writer.line(f"Number of Nodes Scheduled with Available Pods: {status.numberAvailable}")
    writer.line(f"Number of Nodes Misscheduled: {status.numberMisscheduled}")
    writer.field("Pods Status", await pods_status(call, daemon_set))
    describe_template(writer, daemon_set.spec.template)


async def describe_stateful_set(call: Invocation, writer: Writer, sts: StatefulSet) -> None:
    """Write a StatefulSet."""
    spec = sts.spec
    writer.field("Name", sts.metadata.name)
    writer.field("Namespace", sts.metadata.namespace)
    writer.field("CreationTimestamp", time_text(sts.metadata.creationTimestamp))
    writer.field("Selector", selector_of(sts))
    writer.labels("Labels", sts.metadata.labels)
    writer.annotations("Annotations", sts.metadata.annotations)
    writer.field("Service Name", spec.serviceName)
    writer.field("Pod Management Policy", spec.podManagementPolicy)
    writer.field("Replicas", f"{spec.replicas or 0} desired | {sts.status.replicas} total")
    writer.field("Update Strategy", spec.updateStrategy.type)
    rolling = spec.updateStrategy.rollingUpdate
    if rolling is not None and rolling.partition is not None:
        writer.field("Partition", rolling.partition, 1)
    retention = spec.persistentVolumeClaimRetentionPolicy
    if retention is not None:
        writer.line("Persistent Volume Claim Retention Policy:")
        writer.field("WhenDeleted", retention.whenDeleted, 1)
        writer.field("WhenScaled", retention.whenScaled, 1)
    writer.field("Pods Status", await pods_status(call, sts))
    describe_template(writer, spec.template)
    _claims(writer, sts)


def _claims(writer: Writer, sts: StatefulSet) -> None:
    claims = sts.spec.volumeClaimTemplates
    writer.line("Volume Claims:" if claims else f"Volume Claims:\t{NONE}")
    for claim in claims:
        writer.field("Name", claim.metadata.name, 1)
        writer.field("StorageClass", claim.spec.storageClassName or "", 1)
        writer.labels("  Labels", claim.metadata.labels)
        writer.annotations("  Annotations", claim.metadata.annotations)
        writer.field("Capacity", claim.spec.resources.requests.get("storage", "<default>"), 1)
        writer.field("Access Modes", f"[{' '.join(claim.spec.accessModes)}]", 1)


async def pods_status(call: Invocation, owner: Any) -> str:
    """Count the Pods that an object controls, by phase."""
    pods = await list_pods(call, selector_of(owner) or "", owner.metadata.namespace)
    phases = [pod.status.phase for pod in pods if is_controlled_by(pod, owner)]
    counts = (
        ("Running", phases.count("Running")),
        ("Waiting", phases.count("Pending")),
        ("Succeeded", phases.count("Succeeded")),
        ("Failed", phases.count("Failed")),
    )
    return " / ".join(f"{count} {name}" for name, count in counts)


def _conditions(writer: Writer, conditions: Iterable[Any]) -> None:
    rows = [(f"{c.type} ", c.status, c.reason) for c in conditions]
    if rows:
        writer.table("Conditions:", ("Type", "Status", "Reason"), rows)
