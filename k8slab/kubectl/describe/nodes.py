"""`kubectl describe node`: conditions, capacity, and what its Pods have asked for.

Rule of use: percentages are of what is allocatable, cut to whole numbers; Pods that have ended no
longer count.

Upstream: NodeDescriber in staging/src/k8s.io/kubectl/pkg/describe/describe.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from k8slab.api import quantity
from k8slab.api.coordination import Lease
from k8slab.api.core import Node, Pod
from k8slab.api.duration import age
from k8slab.api.errors import ApiError
from k8slab.api.quota import total
from k8slab.api.scheme import resource_for
from k8slab.kubectl.describe.writer import NONE, UNSET, Writer, time_text
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.resources import get_object, list_objects

ROLE = "node-role.kubernetes.io/"
LEASES = "kube-node-lease"
COUNTED = ("cpu", "memory", "ephemeral-storage")


async def describe_node(call: Invocation, writer: Writer, node: Node) -> None:
    """Write a Node."""
    meta, spec = node.metadata, node.spec
    roles = sorted(k.removeprefix(ROLE) for k in meta.labels if k.startswith(ROLE) and k != ROLE)
    writer.field("Name", meta.name)
    writer.field("Roles", ",".join(roles) or NONE)
    writer.labels("Labels", meta.labels)
    writer.annotations("Annotations", meta.annotations)
    writer.field("CreationTimestamp", time_text(meta.creationTimestamp))
    writer.many("Taints", (taint_text(t.key, t.value, t.effect) for t in spec.taints))
    writer.field("Unschedulable", "true" if spec.unschedulable else "false")
    await _lease(call, writer, meta.name)
    _conditions(writer, node)
    _machine(writer, node)
    pods: tuple[Pod, ...] = await list_objects(
        call,
        "Pod",
        fields=f"spec.nodeName={meta.name},status.phase!=Failed,status.phase!=Succeeded",
    )
    _pods(writer, node, pods, call.now)
    _allocated(writer, node, pods)


def taint_text(key: str, value: str, effect: str) -> str:
    """Write a taint: "key=value:Effect"."""
    return f"{key}={value}:{effect}" if value else f"{key}:{effect}"


async def _lease(call: Invocation, writer: Writer, name: str) -> None:
    try:
        lease: Lease = await get_object(call, resource_for(Lease), name, LEASES)
    except ApiError as error:
        writer.field("Lease", f"Failed to get lease: {error.message}")
        return
    spec = lease.spec
    writer.line("Lease:")
    writer.field("HolderIdentity", spec.holderIdentity or UNSET, 1)
    writer.field("AcquireTime", time_text(spec.acquireTime) if spec.acquireTime else UNSET, 1)
    writer.field("RenewTime", time_text(spec.renewTime) if spec.renewTime else UNSET, 1)


def _conditions(writer: Writer, node: Node) -> None:
    headings = ("Type", "Status", "LastHeartbeatTime", "LastTransitionTime", "Reason", "Message")
    rows = [
        (
            f"{c.type} ",
            f"{c.status} ",
            f"{time_text(c.lastHeartbeatTime)} ",
            f"{time_text(c.lastTransitionTime)} ",
            f"{c.reason} ",
            f"{c.message} ".rstrip(" "),
        )
        for c in node.status.conditions
    ]
    if rows:
        writer.table("Conditions:", headings, rows)


def _machine(writer: Writer, node: Node) -> None:
    writer.line("Addresses:")
    for address in node.status.addresses:
        writer.field(address.type, address.address, 1)
    for title, amounts in (
        ("Capacity", node.status.capacity),
        ("Allocatable", node.status.allocatable),
    ):
        if amounts:
            writer.line(f"{title}:")
        for name in sorted(amounts):
            writer.field(name, amounts[name], 1)
    info = node.status.nodeInfo
    writer.line("System Info:")
    writer.fields(
        {
            "Machine ID": info.machineID,
            "System UUID": info.systemUUID,
            "Boot ID": info.bootID,
            "Kernel Version": info.kernelVersion,
            "OS Image": info.osImage,
            "Operating System": info.operatingSystem,
            "Architecture": info.architecture,
            "Container Runtime Version": info.containerRuntimeVersion,
            "Kubelet Version": info.kubeletVersion,
        },
        1,
    )
    writer.fields(
        {
            "PodCIDR": node.spec.podCIDR or None,
            "PodCIDRs": ",".join(node.spec.podCIDRs) or None,
            "ProviderID": node.spec.providerID or None,
        }
    )


def _pods(writer: Writer, node: Node, pods: Iterable[Pod], now: float) -> None:
    listed = tuple(pods)
    writer.field("Non-terminated Pods", f"({len(listed)} in total)")
    heads = "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge"
    writer.line(heads, 1)
    dashes = ["-" * len(head) for head in heads.split("\t")]
    writer.line("\t".join(dashes), 1)
    for pod in listed:
        cells = [
            _share(node, name, amounts.get(name, Fraction()))
            for name in ("cpu", "memory")
            for amounts in (pod_amounts(pod, "requests"), pod_amounts(pod, "limits"))
        ]
        meta = pod.metadata
        old = age(meta.creationTimestamp, now)
        writer.line("\t".join((meta.namespace, meta.name, "", *cells, old)), 1)


def _share(node: Node, name: str, amount: Fraction) -> str:
    """Write an amount, and how much it is of what the node can give."""
    whole = quantity.parse(node.status.allocatable.get(name, "0"))[0]
    percent = int(amount * 100 / whole) if whole else 0
    return f"{amount_text(name, amount)} ({percent}%)"


def amount_text(name: str, amount: Fraction) -> str:
    """Write an amount with the suffixes that its resource is counted in."""
    return quantity.format_quantity(amount, "DecimalSI" if name == "cpu" else "BinarySI")


def pod_amounts(pod: Pod, which: str) -> Mapping[str, Fraction]:
    """Return what a Pod asks for, or may use, with the overhead of its class."""
    return {name: quantity.parse(text)[0] for name, text in total(pod, which).items()}


def _allocated(writer: Writer, node: Node, pods: Iterable[Pod]) -> None:
    sums: dict[str, dict[str, Fraction]] = {"requests": {}, "limits": {}}
    for pod in pods:
        for which, into in sums.items():
            for name, amount in pod_amounts(pod, which).items():
                into[name] = into.get(name, Fraction()) + amount
    writer.line("Allocated resources:")
    writer.line("(Total limits may be over 100 percent, i.e., overcommitted.)", 1)
    writer.line("Resource\tRequests\tLimits", 1)
    writer.line("--------\t--------\t------", 1)
    others = sorted(n for n in node.status.allocatable if n.startswith("hugepages-"))
    for name in (*COUNTED, *others):
        shares = [_share(node, name, sums[w].get(name, Fraction())) for w in ("requests", "limits")]
        writer.line("\t".join((name, *shares)), 1)
