"""`kubectl cordon`, `uncordon` and `drain`: take a node out of service, gently.

A cordoned node gets no new Pods. Draining evicts those it has: Pods of DaemonSets stay (they would
come back at once), static Pods stay, and Pods that nobody would make anew need --force. An eviction
that a budget forbids is tried again until it succeeds.

Rule of use: `obstacles(pods, ...)` is a pure function: why a drain cannot begin.

Upstream: staging/src/k8s.io/kubectl/pkg/drain
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from k8slab.api import labels
from k8slab.api.core import Node, Pod
from k8slab.api.meta import controller_of, seconds
from k8slab.api.pods import is_pod_terminal
from k8slab.client import STRATEGIC_PATCH
from k8slab.kubectl.changing import send
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.delete import WEEK
from k8slab.kubectl.errors import CommandError, Exit, raise_all
from k8slab.kubectl.evicting import EXPIRED, PodsRemain, delete_all, evict_all, name_of
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.resources import Finder, Found, list_objects

MIRROR = "kubernetes.io/config.mirror"
DAEMON_SETS = "cannot delete DaemonSet-managed Pods (use --ignore-daemonsets to ignore)"
UNMANAGED = "cannot delete Pods that declare no controller (use --force to override)"
LOCAL = "cannot delete Pods with local storage (use --delete-emptydir-data to override)"
WARNINGS: Mapping[str, str] = {
    DAEMON_SETS: "ignoring DaemonSet-managed Pods",
    UNMANAGED: "deleting Pods that declare no controller",
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
    if call.words and call.flags.text("selector"):
        raise CommandError(
            "cannot specify both a node name and a --selector option\n"
            f"See 'kubectl {call.path} -h' for help and examples"
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
    """Cordon nodes and evict their Pods; a node that cannot be drained does not stop the others."""
    try:
        labels.parse(call.flags.text("pod-selector"))
    except ValueError:
        problem = "--pod-selector=<pod_selector> must be a valid label selector"
        raise CommandError(problem) from None
    nodes = await _nodes(call)
    for target in nodes:
        await _cordon(call, target, True)
    pending: list[tuple[str, tuple[str, ...]]] = []
    for target in nodes:
        try:
            await _drain(call, target)
        except PodsRemain as error:
            text = _together(error.problems)
            call.say(
                f'error: unable to drain node "{target.name}" due to error: {text}, continuing '
                "command..."
            )
            pending.append((target.name, error.problems))
        else:
            call.print(f"node/{target.name} drained{call.dry_run_note}")
    if pending:
        lines = [f" {name}" for name, _ in pending]
        problems = list(pending[0][1])
        if len(pending) > 1:
            problems = [_together(each) for _, each in pending]
        problems = [f"error: {text}" if text == EXPIRED else text for text in problems]
        raise Exit("\n".join(["There are pending nodes to be drained:", *lines, *problems, ""]))


async def _drain(call: Invocation, target: Found) -> None:
    """Evict or delete what is to go; raises PodsRemain."""
    made = await _plan(call, target.name)
    if made.obstacles:
        raise PodsRemain([f"{why}: {', '.join(pods)}" for why, pods in made.obstacles.items()])
    if made.warnings:
        call.warn("; ".join(f"{why}: {', '.join(p)}" for why, p in made.warnings.items()))
    until = call.now + (call.flags.seconds("timeout") or WEEK)
    try:
        if call.flags.on("disable-eviction"):
            await delete_all(call, made.evict, until)
        else:
            await evict_all(call, made.evict, until)
    except PodsRemain as error:
        left = (await _plan(call, target.name)).evict
        call.say(
            f'There are pending pods in node "{target.name}" when an error occurred: '
            + "\n".join([_together(error.problems), *(f"pod/{p.metadata.name}" for p in left)])
        )
        raise


async def _plan(call: Invocation, node: str) -> Plan:
    flags = call.flags
    pods: tuple[Pod, ...] = await list_objects(
        call, "Pod", labels=flags.text("pod-selector"), fields=f"spec.nodeName={node}"
    )
    waited = flags.number("skip-wait-for-delete-timeout")
    return plan(
        [pod for pod in pods if not waited or not _is_deleted_for(pod, call.now, waited)],
        ignore_daemon_sets=flags.on("ignore-daemonsets"),
        force=flags.on("force"),
        delete_local=flags.on("delete-emptydir-data"),
    )


def _is_deleted_for(pod: Pod, now: float, span: int) -> bool:
    deleted = pod.metadata.deletionTimestamp
    return deleted is not None and now - seconds(deleted) > span


def _together(problems: Sequence[str]) -> str:
    """Return problems as Go writes an aggregate."""
    return problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"


def plan(pods: Sequence[Pod], *, ignore_daemon_sets: bool, force: bool, delete_local: bool) -> Plan:
    """Return which Pods are to be evicted, and what stands against it."""
    evict: list[Pod] = []
    obstacles: dict[str, list[str]] = {}
    warnings: dict[str, list[str]] = {}
    allowed = {DAEMON_SETS: ignore_daemon_sets, UNMANAGED: force, LOCAL: delete_local}
    for pod in pods:
        if MIRROR in pod.metadata.annotations:
            continue
        reasons = _reasons(pod)
        forbidden = [reason for reason in reasons if not allowed[reason]]
        if forbidden:
            obstacles.setdefault(forbidden[0], []).append(name_of(pod))
            continue
        for reason in reasons:
            if reason in WARNINGS:
                warnings.setdefault(WARNINGS[reason], []).append(name_of(pod))
        if DAEMON_SETS not in reasons:
            evict.append(pod)
    return Plan(tuple(evict), _frozen(obstacles), _frozen(warnings))


def _reasons(pod: Pod) -> tuple[str, ...]:
    """Return why the Pod cannot simply be evicted, () if it can."""
    owner = controller_of(pod)
    if is_pod_terminal(pod):
        return ()
    if owner is not None and owner.kind == "DaemonSet":
        return (DAEMON_SETS,)
    local = any(volume.emptyDir is not None for volume in pod.spec.volumes)
    return (*([LOCAL] if local else []), *([UNMANAGED] if owner is None else []))


def _frozen(groups: Mapping[str, list[str]]) -> dict[str, tuple[str, ...]]:
    return {why: tuple(names) for why, names in groups.items()}


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
