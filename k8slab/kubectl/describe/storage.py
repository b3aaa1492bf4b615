"""`kubectl describe` of claims, the volumes they are bound to, and the classes that make volumes.

Rule of use: access modes have their short names here, as in tables (RWO, ROX, RWX, RWOP).

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go, pkg/util/storage
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from k8slab.api.core import PersistentVolume, PersistentVolumeClaim
from k8slab.api.core.node_selector import NodeSelector
from k8slab.api.duration import age
from k8slab.api.meta import Object
from k8slab.api.storage import CSINode, StorageClass
from k8slab.kubectl.describe.volumes import describe_source
from k8slab.kubectl.describe.writer import NONE, UNSET, Writer, go_list, pairs, time_text
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import list_objects

MODES = {
    "ReadWriteOnce": "RWO",
    "ReadOnlyMany": "ROX",
    "ReadWriteMany": "RWX",
    "ReadWriteOncePod": "RWOP",
}
CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class"
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
CONDITIONS = ("Type", "Status", "LastProbeTime", "LastTransitionTime", "Reason", "Message")


async def describe_claim(call: Invocation, writer: Writer, claim: PersistentVolumeClaim) -> None:
    """Write a PersistentVolumeClaim, with the Pods that use it."""
    meta, spec, status = claim.metadata, claim.spec, claim.status
    writer.field("Name", meta.name)
    writer.field("Namespace", meta.namespace)
    writer.field("StorageClass", _class(claim, spec.storageClassName))
    writer.field("Status", _phase(claim, status.phase, call.now))
    writer.field("Volume", spec.volumeName)
    writer.labels("Labels", meta.labels)
    writer.annotations("Annotations", meta.annotations)
    writer.field("Finalizers", go_list(meta.finalizers))
    bound = bool(spec.volumeName)
    writer.field("Capacity", status.capacity.get("storage", "0") if bound else "")
    writer.field("Access Modes", access_modes(status.accessModes) if bound else "")
    writer.fields({"VolumeMode": spec.volumeMode})
    source = spec.dataSource
    if source is not None:
        writer.line("DataSource:")
        writer.fields({"APIGroup": source.apiGroup, "Kind": source.kind, "Name": source.name}, 1)
    writer.many("Used By", await _users(call, claim))
    rows = []
    for c in status.conditions:
        times = time_text(c.lastProbeTime), time_text(c.lastTransitionTime)
        rows.append((c.type, c.status, *times, c.reason, c.message))
    if rows:
        writer.table("Conditions:", CONDITIONS, rows)


async def _users(call: Invocation, claim: PersistentVolumeClaim) -> list[str]:
    pods = await list_objects(call, "Pod", claim.metadata.namespace)
    return [
        pod.metadata.name
        for pod in pods
        for volume in pod.spec.volumes
        if volume.persistentVolumeClaim is not None
        and volume.persistentVolumeClaim.claimName == claim.metadata.name
    ]


async def describe_volume(call: Invocation, writer: Writer, volume: PersistentVolume) -> None:
    """Write a PersistentVolume: whom it belongs to, and where its bytes are."""
    meta, spec = volume.metadata, volume.spec
    writer.heading(volume, namespaced=False)
    writer.field("Finalizers", go_list(meta.finalizers))
    writer.field("StorageClass", _class(volume, spec.storageClassName))
    writer.field("Status", _phase(volume, volume.status.phase, call.now))
    claim = spec.claimRef
    writer.field("Claim", f"{claim.namespace}/{claim.name}" if claim is not None else "")
    writer.field("Reclaim Policy", spec.persistentVolumeReclaimPolicy)
    writer.field("Access Modes", access_modes(spec.accessModes))
    writer.fields({"VolumeMode": spec.volumeMode})
    writer.field("Capacity", spec.capacity.get("storage", "0"))
    _affinity(writer, spec.nodeAffinity.required if spec.nodeAffinity is not None else None)
    writer.field("Message", volume.status.message)
    writer.line("Source:")
    describe_source(writer, spec)


def _affinity(writer: Writer, required: NodeSelector | None) -> None:
    """Write from which nodes a volume can be reached."""
    if required is None:
        return writer.field("Node Affinity", NONE)
    writer.line("Node Affinity:\t")
    terms = required.nodeSelectorTerms
    writer.line("Required Terms:\t" + ("" if terms else NONE), 1)
    for index, term in enumerate(terms):
        title = f"Term {index}:"
        for each in term.matchExpressions:
            values = f" [{', '.join(each.values)}]" if each.values else ""
            writer.line(f"{title}\t{each.key} {each.operator.lower()}{values}", 2)
            title = ""
        if not term.matchExpressions:
            writer.line(f"{title}\t{NONE}", 2)


async def describe_storage_class(call: Invocation, writer: Writer, made: StorageClass) -> None:
    """Write a StorageClass."""
    notes = made.metadata.annotations
    writer.field("Name", made.metadata.name)
    writer.field("IsDefaultClass", "Yes" if notes.get(DEFAULT_CLASS) == "true" else "No")
    writer.field("Annotations", pairs(notes))
    writer.field("Provisioner", made.provisioner)
    writer.field("Parameters", pairs(made.parameters))
    grows = made.allowVolumeExpansion
    writer.field("AllowVolumeExpansion", UNSET if grows is None else ("False", "True")[grows])
    writer.line("MountOptions:" if made.mountOptions else f"MountOptions:\t{NONE}")
    for option in made.mountOptions:
        writer.line(option, 1)
    mode = made.volumeBindingMode
    writer.fields({"ReclaimPolicy": made.reclaimPolicy, "VolumeBindingMode": mode})
    if made.allowedTopologies:
        writer.line("AllowedTopologies:\t")
    for index, term in enumerate(made.allowedTopologies):
        title = f"Term {index}:"
        for each in term.matchLabelExpressions:
            writer.line(f"{title}\t{each.key} in [{', '.join(each.values)}]", 1)
            title = ""


async def describe_csi_node(call: Invocation, writer: Writer, node: CSINode) -> None:
    """Write a CSINode: its drivers, and how many volumes each can attach."""
    meta = node.metadata
    writer.field("Name", meta.name)
    writer.labels("Labels", meta.labels)
    writer.annotations("Annotations", meta.annotations)
    writer.field("CreationTimestamp", time_text(meta.creationTimestamp))
    writer.line("Spec:")
    if node.spec.drivers:
        writer.line("Drivers:", 1)
    for driver in node.spec.drivers:
        writer.line(f"{driver.name}:", 2)
        writer.field("Node ID", driver.nodeID, 3)
        if driver.allocatable is not None and driver.allocatable.count is not None:
            writer.line("Allocatables:", 3)
            writer.field("Count", driver.allocatable.count, 4)
        writer.field("Topology Keys", go_list(driver.topologyKeys), 3)


def access_modes(modes: Iterable[str]) -> str:
    """Write access modes by their short names, each once, in a fixed order.

    >>> access_modes(["ReadWriteMany", "ReadWriteOnce"])
    'RWO,RWX'
    """
    given = tuple(modes)
    return ",".join(short for mode, short in MODES.items() if mode in given)


def _class(obj: Object, name: str | None) -> str:
    annotations: Mapping[str, str] = obj.metadata.annotations
    return annotations.get(CLASS_ANNOTATION, name or "")


def _phase(obj: Object, phase: str, now: float) -> str:
    going = obj.metadata.deletionTimestamp
    return phase if going is None else f"Terminating (lasts {age(going, now)})"
