"""`kubectl describe` of Namespaces, ConfigMaps, Secrets, accounts, roles, budgets and claims.

A Secret shows how long its values are, never what they are.

Rule of use: whatever has no description of its own is written field by field (`describe_any`).

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

import base64
from typing import Any

from k8slab.api import codec
from k8slab.api.core import (
    ConfigMap,
    LimitRange,
    Namespace,
    PersistentVolumeClaim,
    ResourceQuota,
    Secret,
    ServiceAccount,
)
from k8slab.api.meta import Object
from k8slab.api.policy import PodDisruptionBudget
from k8slab.kubectl.describe.writer import NONE, Writer, go_list
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.pods_of import selector_of
from k8slab.kubectl.resources import list_objects


async def describe_namespace(call: Invocation, writer: Writer, namespace: Namespace) -> None:
    """Write a Namespace, with the limits that hold in it."""
    name = namespace.metadata.name
    writer.heading(namespace, namespaced=False)
    writer.field("Status", namespace.status.phase)
    quotas: tuple[ResourceQuota, ...] = await list_objects(call, "ResourceQuota", name)
    ranges: tuple[LimitRange, ...] = await list_objects(call, "LimitRange", name)
    if not quotas:
        writer.line("\nNo resource quota.")
    else:
        writer.line("\nResource Quotas")
    for quota in quotas:
        writer.field("Name", quota.metadata.name, 1)
        writer.line("Resource\tUsed\tHard\n  --------\t---\t---", 1)
        for key in sorted(quota.status.hard):
            used = quota.status.used.get(key, "0")
            writer.line(f"{key}\t{used}\t{quota.status.hard[key]}", 1)
    if not ranges:
        writer.line("\nNo LimitRange resource.")
        return
    writer.line("\nResource Limits")
    heads = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
    writer.line(heads, 1)
    writer.line("\t".join("-" * len(head) for head in heads.split("\t")), 1)
    for item in (item for each in ranges for item in each.spec.limits):
        maps = (item.min, item.max, item.defaultRequest, item.default, item.maxLimitRequestRatio)
        for key in sorted({key for each in maps for key in each}):
            cells = [each.get(key, "-") for each in maps]
            writer.line("\t".join((item.type, key, *cells)), 1)


async def describe_config_map(call: Invocation, writer: Writer, config: ConfigMap) -> None:
    """Write a ConfigMap with its values."""
    writer.heading(config)
    writer.line("\nData\n====")
    for key in sorted(config.data):
        writer.line(f"{key}:\n----\n{config.data[key]}\n")
    writer.line("\nBinaryData\n====")
    for key in sorted(config.binaryData):
        writer.line(f"{key}: {len(base64.b64decode(config.binaryData[key]))} bytes")
    writer.line("")


async def describe_secret(call: Invocation, writer: Writer, secret: Secret) -> None:
    """Write a Secret with the lengths of its values."""
    writer.heading(secret)
    writer.line(f"\nType:\t{secret.type}\n\nData\n====")
    for key in sorted(secret.data):
        writer.field(key, f"{len(base64.b64decode(secret.data[key]))} bytes")


async def describe_service_account(
    call: Invocation, writer: Writer, account: ServiceAccount
) -> None:
    """Write a ServiceAccount."""
    writer.heading(account)
    writer.many("Image pull secrets", (secret.name for secret in account.imagePullSecrets))
    if account.secrets:
        writer.many("Mountable secrets", (secret.name for secret in account.secrets))


async def describe_role(call: Invocation, writer: Writer, role: Any) -> None:
    """Write a Role or ClusterRole: one line for each thing that may be done."""
    writer.heading(role, namespaced=False)
    writer.line("PolicyRule:")
    heads = "Resources\tNon-Resource URLs\tResource Names\tVerbs"
    writer.line(heads, 1)
    writer.line("\t".join("-" * len(head) for head in heads.split("\t")), 1)
    rows = []
    for rule in role.rules:
        groups = rule.apiGroups or ("",)
        for resource in rule.resources:
            rows += [(f"{resource}.{group}" if group else resource, "", rule) for group in groups]
        rows += [("", url, rule) for url in rule.nonResourceURLs]
    for resource, url, rule in sorted(rows, key=lambda row: row[0]):
        urls, names = go_list([url] if url else []), go_list(rule.resourceNames)
        writer.line(f"{resource}\t{urls}\t{names}\t{go_list(rule.verbs)}", 1)


async def describe_role_binding(call: Invocation, writer: Writer, binding: Any) -> None:
    """Write a RoleBinding or ClusterRoleBinding."""
    writer.heading(binding, namespaced=False)
    writer.line("Role:")
    writer.field("Kind", binding.roleRef.kind, 1)
    writer.field("Name", binding.roleRef.name, 1)
    writer.line("Subjects:\n  Kind\tName\tNamespace\n  ----\t----\t---------")
    for subject in binding.subjects:
        writer.line(f"{subject.kind}\t{subject.name}\t{subject.namespace}", 1)


async def describe_budget(call: Invocation, writer: Writer, pdb: PodDisruptionBudget) -> None:
    """Write a PodDisruptionBudget."""
    spec, status = pdb.spec, pdb.status
    writer.field("Name", pdb.metadata.name)
    writer.field("Namespace", pdb.metadata.namespace)
    if spec.minAvailable is not None:
        writer.field("Min available", spec.minAvailable)
    elif spec.maxUnavailable is not None:
        writer.field("Max unavailable", spec.maxUnavailable)
    writer.field("Selector", selector_of(pdb) or "<unset>")
    writer.line("Status:")
    writer.field("Allowed disruptions", status.disruptionsAllowed, 2)
    writer.field("Current", status.currentHealthy, 2)
    writer.field("Desired", status.desiredHealthy, 2)
    writer.field("Total", status.expectedPods, 2)


async def describe_claim(call: Invocation, writer: Writer, claim: PersistentVolumeClaim) -> None:
    """Write a PersistentVolumeClaim, with the Pods that use it."""
    meta, spec = claim.metadata, claim.spec
    writer.field("Name", meta.name)
    writer.field("Namespace", meta.namespace)
    writer.field("StorageClass", spec.storageClassName or "")
    going = meta.deletionTimestamp is not None
    writer.field("Status", "Terminating" if going else claim.status.phase)
    writer.field("Volume", spec.volumeName)
    writer.labels("Labels", meta.labels)
    writer.annotations("Annotations", meta.annotations)
    writer.field("Finalizers", go_list(meta.finalizers))
    writer.field("Capacity", claim.status.capacity.get("storage", "") if spec.volumeName else "")
    writer.field("Access Modes", ",".join(claim.status.accessModes))
    writer.fields({"VolumeMode": spec.volumeMode})
    pods = await list_objects(call, "Pod", meta.namespace)
    users = [
        pod.metadata.name
        for pod in pods
        for volume in pod.spec.volumes
        if volume.persistentVolumeClaim is not None
        and volume.persistentVolumeClaim.claimName == meta.name
    ]
    writer.many("Used By", users)


async def describe_any(call: Invocation, writer: Writer, obj: Object) -> None:
    """Write an object of any kind, field by field."""
    writer.field("Name", obj.metadata.name)
    writer.field("Namespace", obj.metadata.namespace)
    writer.labels("Labels", obj.metadata.labels)
    writer.annotations("Annotations", obj.metadata.annotations)
    writer.field("API Version", obj.apiVersion)
    writer.field("Kind", obj.kind)
    data = codec.to_dict(obj)
    meta = data.pop("metadata")
    shown = ("creationTimestamp", "generation", "resourceVersion", "uid", "ownerReferences")
    data["metadata"] = {key: meta[key] for key in shown if key in meta}
    for key in ("apiVersion", "kind"):
        data.pop(key)
    _fields(writer, data, 0)


def _fields(writer: Writer, data: Any, level: int) -> None:
    for key in sorted(data):
        value, title = data[key], _title(key)
        if isinstance(value, dict):
            writer.line(f"{title}:", level)
            _fields(writer, value, level + 1)
        elif isinstance(value, list | tuple):
            writer.line(f"{title}:", level)
            for item in value:
                if isinstance(item, dict):
                    _fields(writer, item, level + 1)
                else:
                    writer.line(str(item), level + 1)
        else:
            writer.field(title, NONE if value is None else value, level)


def _title(key: str) -> str:
    """Write a field's name as words: "creationTimestamp" is "Creation Timestamp"."""
    words = "".join(
        f" {c}" if c.isupper() and not key[i - 1].isupper() else c for i, c in enumerate(key)
    )
    return (words[:1].upper() + words[1:]).replace("Uid", "UID").strip()
