"""`kubectl top`: what Pods and nodes use, as a metrics server says.

    top pods -n shop --containers --sort-by=memory
    top nodes

Rule of use: a cluster without the Metrics API is told by the API server's NotFound.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/top, pkg/metricsutil
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8slab.api import quantity
from k8slab.api.core import Node
from k8slab.api.errors import ApiError
from k8slab.api.metrics import NodeMetrics, PodMetrics
from k8slab.api.scheme import resource_for
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import get_object, list_objects
from k8slab.kubectl.tabwriter import TABLE, lines

MEBIBYTE = 1024 * 1024
UNAVAILABLE = "Metrics API not available"
Used = tuple[int, int]  # millicores, bytes
Row = tuple[tuple[str, ...], Used]  # by which names, how much


async def top_pods(call: Invocation) -> None:
    """Print what Pods, or their containers, use."""
    _check_order(call)
    flags = call.flags
    everywhere, apart = flags.on("all-namespaces"), flags.on("containers")
    found = await _metrics(call, PodMetrics, "" if everywhere else call.namespace)
    if not found:
        where = "" if everywhere else f" in {call.namespace} namespace."
        return call.say(f"No resources found{where}")
    rows: list[Row] = []
    for pod in found:
        meta = pod.metadata
        start = (meta.namespace,) if everywhere else ()
        used = [(container.name, used_of(container.usage)) for container in pod.containers]
        if apart:
            rows += [((*start, meta.name, name), amount) for name, amount in used]
        else:
            rows.append(((*start, meta.name), total(amount for _, amount in used)))
    heads = [*(["NAMESPACE"] if everywhere else []), *(["POD"] if apart else []), "NAME"]
    table = [[*heads, "CPU(cores)", "MEMORY(bytes)"]] if not flags.on("no-headers") else []
    table += [[*names, *_amounts(used)] for names, used in _sorted(call, rows)]
    if flags.on("sum"):
        blank = [""] * len(heads)
        everything = total(used for _, used in rows)
        table += [[*blank, "________", "________"], [*blank, *_amounts(everything)]]
    _print(call, table)


async def top_nodes(call: Invocation) -> None:
    """Print what nodes use, and how much that is of what they have."""
    _check_order(call)
    found = {each.metadata.name: used_of(each.usage) for each in await _metrics(call, NodeMetrics)}
    if not found:
        raise CommandError("metrics not available yet")
    nodes: dict[str, Node] = {node.metadata.name: node for node in await list_objects(call, "Node")}
    rows: list[Row] = [((name,), used) for name, used in found.items() if name in nodes]
    field = "capacity" if call.flags.on("show-capacity") else "allocatable"
    table = []
    if not call.flags.on("no-headers"):
        table.append(["NAME", "CPU(cores)", "CPU(%)", "MEMORY(bytes)", "MEMORY(%)"])
    for (name,), used in _sorted(call, rows):
        cpu, memory = _amounts(used)
        there = used_of(getattr(nodes[name].status, field))
        shares = [
            f"{100 * a // b}%" if b else "<unknown>" for a, b in zip(used, there, strict=True)
        ]
        table.append([name, cpu, shares[0], memory, shares[1]])
    if not call.words and not call.flags.text("selector"):
        table += [[name, *["<unknown>"] * 4] for name in sorted(nodes) if name not in found]
    _print(call, table)


def _share(used: int, there: int) -> str:
    return f"{100 * used // there}%" if there else "<unknown>"


async def _metrics(call: Invocation, kind: type[Any], namespace: str = "") -> list[Any]:
    """Return the metrics that the words ask for. Raises ApiError, CommandError."""
    resource = resource_for(kind)
    try:
        if call.words:
            return [await get_object(call, resource, call.words[0])]
        listing = await call.request(
            "list",
            resource,
            namespace=namespace,
            label_selector=call.flags.text("selector"),
        )
    except ApiError as error:
        named = error.status.details is not None and error.status.details.name
        if error.reason in ("NotFound", "ServiceUnavailable") and not named:
            raise CommandError(UNAVAILABLE) from None
        raise
    return list(listing.items)


def used_of(usage: Mapping[str, str]) -> Used:
    """Return millicores and bytes.

    >>> used_of({"cpu": "0.25", "memory": "1Mi"})
    (250, 1048576)
    """
    return quantity.milli_value(usage.get("cpu", "0")), quantity.value(usage.get("memory", "0"))


def total(amounts: Iterable[Used]) -> Used:
    """Return the sum."""
    listed = tuple(amounts)
    return sum(cpu for cpu, _ in listed), sum(memory for _, memory in listed)


def _check_order(call: Invocation) -> None:
    if call.flags.text("sort-by") not in ("", "cpu", "memory"):
        raise CommandError("--sort-by accepts only cpu or memory")


def _sorted(call: Invocation, rows: list[Row]) -> list[Row]:
    order = call.flags.text("sort-by")
    rows = sorted(rows)
    if order:
        rows.sort(key=lambda row: row[1][0 if order == "cpu" else 1], reverse=True)
    return rows


def _amounts(used: Used) -> list[str]:
    return [f"{used[0]}m", f"{used[1] // MEBIBYTE}Mi"]


def _print(call: Invocation, table: list[list[str]]) -> None:
    call.print(lines("".join("\t".join(row) + "\n" for row in table), TABLE), end="")


_FLAGS = (
    Flag("selector", "l"),
    Flag("sort-by"),
    flag_on("no-headers"),
    flag_on("use-protocol-buffers", default="true"),
)
_POD_FLAGS = (
    *_FLAGS,
    Flag("field-selector"),
    flag_on("all-namespaces", "A"),
    flag_on("containers"),
    flag_on("sum"),
)
COMMANDS = {
    "top pod": Command(top_pods, _POD_FLAGS),
    "top node": Command(top_nodes, (*_FLAGS, flag_on("show-capacity"))),
}
ALIASES = {
    **{f"top {word}": "top pod" for word in ("pods", "po")},
    **{f"top {word}": "top node" for word in ("nodes", "no")},
}
