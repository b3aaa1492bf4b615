"""`kubectl describe pod`, and the Pod template in the description of a workload.

Rule of use: both write the same containers and volumes; only a Pod has states and conditions.

Upstream: PodDescriber, DescribePodTemplate in staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.api import labels
from k8slab.api.core import Container, EnvVar, Pod, PodTemplateSpec, TopologySpreadConstraint
from k8slab.api.duration import age
from k8slab.kubectl.describe.containers import describe_containers, describe_resources
from k8slab.kubectl.describe.volumes import describe_volumes
from k8slab.kubectl.describe.writer import NONE, Writer, controller_text, time_text
from k8slab.kubectl.invocation import Invocation


async def describe_pod(call: Invocation, writer: Writer, pod: Pod) -> None:
    """Write a Pod."""
    _identity(writer, pod)
    _state(writer, pod, call.now)

    def resolve(container: Container, variable: EnvVar) -> str:
        return _value(pod, container, variable)

    if pod.spec.initContainers:
        describe_containers(
            writer,
            "Init Containers",
            pod.spec.initContainers,
            statuses=pod.status.initContainerStatuses,
            resolve=resolve,
        )
    describe_containers(
        writer,
        "Containers",
        pod.spec.containers,
        statuses=pod.status.containerStatuses,
        resolve=resolve,
    )
    _conditions(writer, pod)
    describe_volumes(writer, pod.spec.volumes)
    writer.field("QoS Class", pod.status.qosClass)
    writer.labels("Node-Selectors", pod.spec.nodeSelector)
    writer.tolerations("Tolerations", pod.spec.tolerations)
    _spread(writer, pod.spec.topologySpreadConstraints)


def _identity(writer: Writer, pod: Pod) -> None:
    spec, meta = pod.spec, pod.metadata
    node = f"{spec.nodeName}/{pod.status.hostIP}" if spec.nodeName else NONE
    writer.fields(
        {
            "Name": meta.name,
            "Namespace": meta.namespace,
            "Priority": spec.priority,
            "Priority Class Name": spec.priorityClassName or None,
            "Runtime Class Name": spec.runtimeClassName or None,
            "Service Account": spec.serviceAccountName or None,
            "Node": node,
            "Start Time": time_text(pod.status.startTime) if pod.status.startTime else None,
        }
    )
    writer.labels("Labels", meta.labels)
    writer.annotations("Annotations", meta.annotations)


def _state(writer: Writer, pod: Pod, now: float) -> None:
    meta, status = pod.metadata, pod.status
    if meta.deletionTimestamp is not None and status.phase not in ("Failed", "Succeeded"):
        writer.field("Status", f"Terminating (lasts {age(meta.deletionTimestamp, now)})")
        writer.field("Termination Grace Period", f"{meta.deletionGracePeriodSeconds}s")
    else:
        writer.field("Status", status.phase)
    profile = pod.spec.securityContext and pod.spec.securityContext.seccompProfile
    writer.fields(
        {
            "Reason": status.reason or None,
            "Message": status.message or None,
            "SeccompProfile": profile.type if profile else None,
            "IP": status.podIP,
        }
    )
    writer.line("IPs:" if status.podIPs else f"IPs:\t{NONE}")
    for address in status.podIPs:
        writer.field("IP", address.ip, 1)
    writer.fields(
        {
            "Controlled By": controller_text(pod),
            "NominatedNodeName": status.nominatedNodeName or None,
        }
    )
    if pod.spec.resources is not None:
        writer.line("Resources:")
        describe_resources(writer, pod.spec.resources, 1)


def _conditions(writer: Writer, pod: Pod) -> None:
    conditions = pod.status.conditions
    if pod.spec.readinessGates:
        writer.line("Readiness Gates:\n  Type\tStatus")
    for gate in pod.spec.readinessGates:
        found = (c.status for c in conditions if c.type == gate.conditionType)
        writer.line(f"{gate.conditionType} \t{next(found, NONE)} ", 1)
    if conditions:
        writer.line("Conditions:\n  Type\tStatus")
    for condition in conditions:
        writer.line(f"{condition.type} \t{condition.status} ", 1)


def _value(pod: Pod, container: Container, variable: EnvVar) -> str:
    """Return what a variable that names a field of the Pod is set to."""
    source = variable.valueFrom
    if source is None:
        return ""
    if source.resourceFieldRef is not None:
        kind, _, name = source.resourceFieldRef.resource.partition(".")
        amounts = container.resources.limits if kind == "limits" else container.resources.requests
        return amounts.get(name, "node allocatable" if kind == "limits" else "0")
    if source.fieldRef is None:
        return ""
    values = {
        "metadata.name": pod.metadata.name,
        "metadata.namespace": pod.metadata.namespace,
        "metadata.uid": pod.metadata.uid,
        "spec.nodeName": pod.spec.nodeName,
        "spec.serviceAccountName": pod.spec.serviceAccountName,
        "status.hostIP": pod.status.hostIP,
        "status.podIP": pod.status.podIP,
    }
    return values.get(source.fieldRef.fieldPath, "")


def describe_template(writer: Writer, template: PodTemplateSpec) -> None:
    """Write the Pod template of a workload."""
    meta, spec = template.metadata, template.spec
    writer.line("Pod Template:")
    writer.labels("  Labels", meta.labels)
    if meta.annotations:
        writer.annotations("  Annotations", meta.annotations)
    if spec.serviceAccountName:
        writer.field("  Service Account", spec.serviceAccountName)
    if spec.initContainers:
        describe_containers(writer, "Init Containers", spec.initContainers, indent="  ")
    describe_containers(writer, "Containers", spec.containers, indent="  ")
    describe_volumes(writer, spec.volumes, indent="  ")
    _spread(writer, spec.topologySpreadConstraints, "  ")
    if spec.priorityClassName:
        writer.field("  Priority Class Name", spec.priorityClassName)
    writer.labels("  Node-Selectors", spec.nodeSelector)
    writer.tolerations("  Tolerations", spec.tolerations)


def _spread(
    writer: Writer, constraints: Iterable[TopologySpreadConstraint], indent: str = ""
) -> None:
    texts = [
        f"{c.topologyKey}:{c.whenUnsatisfiable} when max skew {c.maxSkew} is exceeded for selector "
        f"{labels.from_label_selector(c.labelSelector)}"
        for c in constraints
    ]
    if texts:
        writer.many(f"{indent}Topology Spread Constraints", sorted(texts))
