"""`kubectl describe` of what bounds a namespace: ResourceQuotas and LimitRanges; and of Namespaces.

Rule of use: a Namespace's description holds those of its quotas and ranges, a little indented.

Upstream: staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from k8slab.api.core import LimitRange, Namespace, ResourceQuota
from k8slab.kubectl.describe.writer import Writer, time_text
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import list_objects

LIMITS = "Type\tResource\tMin\tMax\tDefault Request\tDefault Limit\tMax Limit/Request Ratio"
CONDITIONS = ("Type", "Status", "LastTransitionTime", "Reason", "Message")
SCOPES = {
    "Terminating": "Matches all pods that have an active deadline. These pods have a limited "
    "lifespan on a node before being actively terminated by the system.",
    "NotTerminating": "Matches all pods that do not have an active deadline. These pods usually "
    "include long running pods whose container command is not expected to terminate.",
    "BestEffort": "Matches all pods that do not have resource requirements set. These pods have a "
    "best effort quality of service.",
    "NotBestEffort": "Matches all pods that have at least one resource requirement set. These pods "
    "have a burstable or guaranteed quality of service.",
}


async def describe_namespace(call: Invocation, writer: Writer, namespace: Namespace) -> None:
    """Write a Namespace, with the limits that hold in it."""
    name = namespace.metadata.name
    writer.heading(namespace, namespaced=False)
    writer.field("Status", namespace.status.phase)
    rows = [
        (c.type, c.status, time_text(c.lastTransitionTime), c.reason, c.message)
        for c in namespace.status.conditions
    ]
    if rows:
        writer.table("Conditions:", CONDITIONS, rows)
    quotas: tuple[ResourceQuota, ...] = await list_objects(call, "ResourceQuota", name)
    ranges: tuple[LimitRange, ...] = await list_objects(call, "LimitRange", name)
    writer.line("\nResource Quotas" if quotas else "\nNo resource quota.")
    for quota in quotas:
        writer.field("Name", quota.metadata.name, 1)
        _scopes(writer, quota, 1, "* ")
        writer.line("Resource\tUsed\tHard", 1)
        writer.line("--------\t---\t---", 1)
        _amounts(writer, quota, 1)
    if not ranges:
        return writer.line("\nNo LimitRange resource.")
    writer.line("\nResource Limits")
    _limits(writer, ranges, " ")


async def describe_quota(call: Invocation, writer: Writer, quota: ResourceQuota) -> None:
    """Write a ResourceQuota: how much of what is used, and how much may be."""
    writer.field("Name", quota.metadata.name)
    writer.field("Namespace", quota.metadata.namespace)
    _scopes(writer, quota, 0, " * ")
    writer.line("Resource\tUsed\tHard")
    writer.line("--------\t----\t----")
    _amounts(writer, quota, 0)


async def describe_limit_range(call: Invocation, writer: Writer, limits: LimitRange) -> None:
    """Write a LimitRange."""
    writer.field("Name", limits.metadata.name)
    writer.field("Namespace", limits.metadata.namespace)
    _limits(writer, (limits,), "")


def _scopes(writer: Writer, quota: ResourceQuota, level: int, bullet: str) -> None:
    scopes = sorted(quota.spec.scopes)
    if scopes:
        writer.field("Scopes", ", ".join(scopes), level)
    for scope in scopes:
        if scope in SCOPES:
            writer.line(f"{bullet}{SCOPES[scope]}", level)


def _amounts(writer: Writer, quota: ResourceQuota, level: int) -> None:
    for key in sorted(quota.status.hard):
        used = quota.status.used.get(key, "0")
        writer.line(f"{key}\t{used}\t{quota.status.hard[key]}", level)


def _limits(writer: Writer, ranges: tuple[LimitRange, ...], indent: str) -> None:
    writer.line(indent + LIMITS)
    writer.line(indent + "\t".join("-" * len(head) for head in LIMITS.split("\t")))
    for item in (item for each in ranges for item in each.spec.limits):
        maps = (item.min, item.max, item.defaultRequest, item.default, item.maxLimitRequestRatio)
        for key in sorted({key for each in maps for key in each}):
            cells = [each.get(key, "-") for each in maps]
            writer.line(indent + "\t".join((item.type, key, *cells)))
