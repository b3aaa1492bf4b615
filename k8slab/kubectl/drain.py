"""`kubectl cordon`, `uncordon` and `drain`: take a node out of service, gently.

A cordoned node gets no new Pods. Draining evicts those it has: Pods of DaemonSets stay (they would
come back at once), static Pods stay, and Pods that nobody would make anew need --force. An eviction
that a budget forbids is tried again until it succeeds.

Rule of use: `obstacles(pods, ...)` is a pure function: why a drain cannot begin.

Upstream: staging/src/k8s.io/kubectl/pkg/drain
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from k8slab.api.core import Node, Pod
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, ObjectMeta, controller_of
from k8slab.api.pods import is_pod_terminal
from k8slab.api.policy import Eviction
from k8slab.api.scheme import resource_for
from k8slab.client import STRATEGIC_PATCH
from k8slab.kubectl.changing import send
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.delete import WEEK, gone
from k8slab.kubectl.errors import CommandError, Exit, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import Finder, Found, list_objects

RETRY = 5.0  # s, between attempts at an eviction that a budget forbids
MIRROR = "kubernetes.io/config.mirror"
DAEMON_SETS = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
UNMANAGED = "cannot delete Pods that declare no controller (use --force to override)"
LOCAL = "cannot delete Pods with local storage (use --delete-emptydir-data to override)"
WARNINGS: Mapping[str, str] = {
    DAEMON_SETS: "ignoring DaemonSet-managed Pods",
    UNMANAGED: "deleting Pods that declare no controller",
    LOCAL: "deleting Pods with local storage",
}


class Plan(msgspec.Struct, frozen=True):
    """Which Pods go, what forbids it, and what is done all the same; names by reason."""

    evict: tuple[Pod, ...]
    obstacles: Mapping[str, tuple[str, ...]]
    warnings: Mapping[str, tuple[str, ...]]


async def cordon(call: Invocation) -> None:
    """Mark nodes as unschedulable, or as schedulable again."""
    for target in await _nodes(call):
        await _cordon(call, target, call.path == "cordon")


async def _nodes(call: Invocation) -> list[Found]:
    if not call.words and not call.flags.text("selector"):
        raise CommandError(
            f"USAGE: {call.path} NODE [flags]\nSee 'kubectl {call.path} -h' for help and examples"
        )
    finder = Finder(call)
    words = [word.removeprefix("node/").removeprefix("nodes/") for word in call.words]
    found = await finder.find(["nodes", *words])
    raise_all(finder.errors)
    return found


async def _cordon(call: Invocation, target: Found, wanted: bool) -> None:
    word = "cordoned" if wanted else "uncordoned"
    node: Node = target.obj
    if node.spec.unschedulable == wanted:
        call.print(f"node/{target.name} already {word}{call.dry_run_note}")
        return
    if call.dry_run != "client":
        change = {"spec": {"unschedulable": True if wanted else None}}
        await send(call, "patch", target, change, patch_type=STRATEGIC_PATCH)
    call.print(f"node/{target.name} {word}{call.dry_run_note}")


async def drain(call: Invocation) -> None:
    """Cordon nodes and evict their Pods."""
    nodes = await _nodes(call)
    for target in nodes:
        await _cordon(call, target, True)
    for index, target in enumerate(nodes):
        try:
            await _drain(call, target)
        except (CommandError, ApiError) as error:
            pending = "".join(f"\n {node.name}" for node in nodes[index:])
            text = str(error)
            call.say(
                f'error: unable to drain node "{target.name}" due to error: {text}, continuing '
                "command..."
            )
            raise Exit(f"There are pending nodes to be drained:{pending}\n{text}\n") from None
        call.print(f"node/{target.name} drained{call.dry_run_note}")


async def _drain(call: Invocation, target: Found) -> None:
    pods: tuple[Pod, ...] = await list_objects(
        call, "Pod", labels=call.flags.text("pod-selector"), fields=f"spec.nodeName={target.name}"
    )
    flags = call.flags
    made = plan(
        pods,
        ignore_daemon_sets=flags.on("ignore-daemonsets"),
        force=flags.on("force"),
        delete_local=flags.on("delete-emptydir-data"),
    )
    if made.obstacles:
        raise CommandError(", ".join(f"{why}: {', '.join(p)}" for why, p in made.obstacles.items()))
    if made.warnings:
        call.warn("; ".join(f"{why}: {', '.join(p)}" for why, p in made.warnings.items()))
    until = call.now + (flags.seconds("timeout") or WEEK)
    for pod in made.evict:
        call.print(f"evicting pod {_name(pod)}{call.dry_run_note}")
    if call.dry_run != "client":
        await _evict_all(call, list(made.evict), until)


async def _evict_all(call: Invocation, pods: list[Pod], until: float) -> None:
    """Evict all Pods, again and again those that budgets protect, and wait until they are gone."""
    waiting = pods
    while waiting:
        refused = [pod for pod in waiting if not await _evict(call, pod)]
        if refused and call.now + RETRY >= until:
            raise CommandError(f"global timeout reached: {call.flags.text('timeout')}")
        if refused:
            await call.around.sleep(RETRY)
        for pod in refused:
            call.print(f"evicting pod {_name(pod)}")
        waiting = refused
    for pod in pods:
        meta = pod.metadata
        target = Found(resource_for(Pod), meta.namespace, meta.name)
        if not await gone(call, target, meta.uid, until):
            raise CommandError(f"global timeout reached: {call.flags.text('timeout')}")
        call.print(f"pod/{meta.name} evicted")


async def _evict(call: Invocation, pod: Pod) -> bool:
    """Ask for one eviction; False if a budget forbids it now."""
    grace = call.flags.number("grace-period")
    options = DeleteOptions(gracePeriodSeconds=grace if grace >= 0 else None)
    meta = pod.metadata
    body = Eviction(
        metadata=ObjectMeta(name=meta.name, namespace=meta.namespace), deleteOptions=options
    )
    fields: dict[str, Any] = {"namespace": meta.namespace, "name": meta.name}
    try:
        await call.request("create", resource_for(Pod), subresource="eviction", body=body, **fields)
    except ApiError as error:
        if error.reason == "NotFound":
            return True
        if error.reason != "TooManyRequests":
            raise
        call.say(
            f'error when evicting pods/"{meta.name}" -n "{meta.namespace}" (will retry after 5s): '
            f"{error.message}"
        )
        return False
    return True


def plan(pods: Sequence[Pod], *, ignore_daemon_sets: bool, force: bool, delete_local: bool) -> Plan:
    """Return which Pods are to be evicted, and what stands against it."""
    evict: list[Pod] = []
    obstacles: dict[str, list[str]] = {}
    warnings: dict[str, list[str]] = {}
    allowed = {DAEMON_SETS: ignore_daemon_sets, UNMANAGED: force, LOCAL: delete_local}
    for pod in pods:
        if MIRROR in pod.metadata.annotations:
            continue
        reason = _reason(pod)
        if reason and not allowed[reason]:
            obstacles.setdefault(reason, []).append(_name(pod))
            continue
        if reason:
            warnings.setdefault(WARNINGS[reason], []).append(_name(pod))
        if reason != DAEMON_SETS:
            evict.append(pod)
    return Plan(tuple(evict), _frozen(obstacles), _frozen(warnings))


def _reason(pod: Pod) -> str:
    """Return why the Pod cannot simply be evicted, "" if it can."""
    owner = controller_of(pod)
    if is_pod_terminal(pod):
        return ""
    if owner is not None and owner.kind == "DaemonSet":
        return DAEMON_SETS
    if any(volume.emptyDir is not None for volume in pod.spec.volumes):
        return LOCAL
    return UNMANAGED if owner is None else ""


def _frozen(groups: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {why: tuple(names) for why, names in groups.items()}


def _name(pod: Pod) -> str:
    return f"{pod.metadata.namespace}/{pod.metadata.name}"


_FLAGS = (Flag("selector", "l"), Flag("dry-run", default="none", bare="unchanged"))
CORDON = Command(cordon, _FLAGS)
DRAIN = Command(
    drain,
    (
        *_FLAGS,
        Flag("grace-period", kind="int", default="-1"),
        Flag("timeout", kind="duration", default="0s"),
        Flag("pod-selector"),
        Flag("skip-wait-for-delete-timeout", kind="int", default="0"),
        flag_on("ignore-daemonsets"),
        flag_on("force"),
        flag_on("delete-emptydir-data"),
        flag_on("disable-eviction"),
    ),
)
