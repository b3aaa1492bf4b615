"""`kubectl rollout`: how far a change of a workload's template has come, and the way back.

`history` lists revisions; `undo` puts an earlier template back; `restart` changes an annotation of
the template, which makes new Pods; `pause` and `resume` hold a Deployment still.

Rule of use: a Deployment's revisions are its ReplicaSets, those of others ControllerRevisions.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/rollout, pkg/polymorphichelpers
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from k8slab.api import codec
from k8slab.api.core import PodTemplateSpec
from k8slab.api.meta import timestamp
from k8slab.api.scheme import resource_for
from k8slab.client import JSON_PATCH, STRATEGIC_PATCH
from k8slab.kubectl.changing import CHANGE, send, show
from k8slab.kubectl.command_line import Flag
from k8slab.kubectl.describe.pods import describe_template
from k8slab.kubectl.describe.writer import Writer
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.last_applied import LAST_APPLIED
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found
from k8slab.kubectl.revisions import (
    REVISION,
    objects_of_revisions,
    replica_sets_of,
    revision_of,
    revisions,
    template_of_revision,
    without_hash,
)
from k8slab.kubectl.tabwriter import lines
from k8slab.kubectl.targets import targets

RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"
ROLLBACK_WARNING = (
    "resource {plural}/{name} was previously managed with 'kubectl apply'. Rolling back will not "
    "update the kubectl.kubernetes.io/last-applied-configuration annotation, which may cause "
    "unexpected behavior on future 'kubectl apply' operations. Consider using 'kubectl apply' with "
    "your previous configuration file instead."
)
NO_REVISION = "unable to find the specified revision"
ROLLABLE = ("Deployment", "DaemonSet", "StatefulSet")
KEPT_ANNOTATIONS = (
    LAST_APPLIED,
    REVISION,
    "deployment.kubernetes.io/revision-history",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deprecated.deployment.rollback.to",
)


async def _each(call: Invocation, act: Callable[[Invocation, Found], Awaitable[None]]) -> None:
    if not call.words and not call.flags.all("filename"):
        raise CommandError("required resource not specified")
    found, errors = await targets(call, whole_kinds=True)
    for target in found:
        try:
            await act(call, target)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


async def history(call: Invocation) -> None:
    """Print the revisions of a workload, or the template of one."""
    await _each(call, _history)


async def _history(call: Invocation, target: Found) -> None:
    if target.resource.kind not in ROLLABLE:
        raise CommandError(f'no history viewer has been implemented for "{_group_kind(target)}"')
    wanted = call.flags.number("revision")
    if wanted < 0:
        raise CommandError("revision must be a positive integer: %v")
    if call.flags.text("output"):
        return await _print_revisions(call, target, wanted)
    if wanted:
        template = await template_of_revision(call, target.obj, wanted)
        if template is None:
            raise CommandError(NO_REVISION)
        call.print(f"{target.title} with revision #{wanted}\n{_template(template)}")
        return
    rows = ["REVISION\tCHANGE-CAUSE"]
    rows += [
        f"{number}\t{cause or '<none>'}" for number, cause in await revisions(call, target.obj)
    ]
    call.print(f"{target.title} \n{lines(''.join(row + chr(10) for row in rows))}")


async def _print_revisions(call: Invocation, target: Found, wanted: int) -> None:
    """Print the objects that keep the revisions, or the one that keeps the wanted one."""
    kept = await objects_of_revisions(call, target.obj)
    if wanted and wanted not in kept:
        raise CommandError(NO_REVISION)
    for number in sorted(kept):
        if wanted in (0, number):
            obj = kept[number]
            if not isinstance(obj, dict):  # a ReplicaSet
                target = replace(target, resource=resource_for(obj), name=obj.metadata.name)
            show(call, target, obj, "")


def _template(template: PodTemplateSpec) -> str:
    writer = Writer()
    describe_template(writer, template)
    return writer.raw()


async def undo(call: Invocation) -> None:
    """Put an earlier template back."""
    await _each(call, _undo)


async def _undo(call: Invocation, target: Found) -> None:
    obj = target.obj
    if target.resource.kind not in ROLLABLE:
        raise CommandError(f'no rollbacker has been implemented for "{_group_kind(target)}"')
    if LAST_APPLIED in obj.metadata.annotations:
        call.warn(ROLLBACK_WARNING.format(plural=target.resource.plural, name=target.name))
    if target.resource.kind == "Deployment":
        done = await _undo_deployment(call, target)
    else:
        done = await _undo_revision(call, target)
    show(call, target, obj, done)


async def _undo_deployment(call: Invocation, target: Found) -> str:
    deployment, to = target.obj, call.flags.number("to-revision")
    if to < 0:
        raise CommandError(f"unable to find specified revision {to} in history")
    if deployment.spec.paused and call.dry_run != "client":
        raise CommandError(
            "you cannot rollback a paused deployment; resume it first with 'kubectl rollout "
            "resume' and try again"
        )
    sets = await replica_sets_of(call, deployment)
    ordered = sorted(sets, key=revision_of)
    if to:
        chosen = next((rs for rs in ordered if revision_of(rs) == to), None)
        if chosen is None:
            raise CommandError(f"unable to find specified revision {to} in history")
    elif len(ordered) < 2:
        raise CommandError(f'no rollout history found for deployment "{target.name}"')
    else:
        chosen = ordered[-2]
    if call.dry_run == "client":
        return _template(chosen.spec.template)
    template = without_hash(chosen.spec.template)
    if template == without_hash(deployment.spec.template):
        return f"skipped rollback (current template already matches revision {revision_of(chosen)})"
    annotations = {
        k: v for k, v in deployment.metadata.annotations.items() if k in KEPT_ANNOTATIONS
    }
    for key, value in chosen.metadata.annotations.items():
        if key not in KEPT_ANNOTATIONS:
            annotations[key] = value
    change = [
        {"op": "replace", "path": "/spec/template", "value": codec.to_dict(template)},
        {"op": "replace", "path": "/metadata/annotations", "value": annotations},
    ]
    await send(call, "patch", target, change, patch_type=JSON_PATCH)
    return "rolled back"


async def _undo_revision(call: Invocation, target: Found) -> str:
    known = await revisions(call, target.obj)
    to = call.flags.number("to-revision")
    numbers = [number for number, _ in known]
    if to and to not in numbers:
        raise CommandError(f"unable to find specified revision {to} in history")
    if not to and len(numbers) < 2:
        raise CommandError("no last revision to roll back to")
    number = to or numbers[-2]
    template = await template_of_revision(call, target.obj, number)
    if template is None:
        raise CommandError(f"unable to find specified revision {number} in history")
    if template == target.obj.spec.template:
        return f"skipped rollback (current template already matches revision {number})"
    if call.dry_run != "client":
        change = [{"op": "replace", "path": "/spec/template", "value": codec.to_dict(template)}]
        await send(call, "patch", target, change, patch_type=JSON_PATCH)
    return "rolled back"


async def restart(call: Invocation) -> None:
    """Have all Pods replaced by new ones of the same kind."""
    await _each(call, _restart)


async def _restart(call: Invocation, target: Found) -> None:
    if target.resource.kind not in ROLLABLE:
        raise CommandError(f"{_title(target)} restarting is not supported")
    if getattr(target.obj.spec, "paused", False):
        raise CommandError(
            f"{_title(target)} can't restart paused deployment (run rollout resume first)"
        )
    change = {
        "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: timestamp(call.now)}}}}
    }
    if call.dry_run != "client":
        await send(call, "patch", target, change, patch_type=STRATEGIC_PATCH)
    show(call, target, target.obj, "restarted")


async def pause(call: Invocation) -> None:
    """Hold a Deployment still."""
    await _each(call, _pause)


async def resume(call: Invocation) -> None:
    """Let a Deployment go on."""
    await _each(call, _pause)


async def _pause(call: Invocation, target: Found) -> None:
    wanted = call.path.endswith("pause")
    word = "pausing" if wanted else "resuming"
    if target.resource.kind != "Deployment":
        raise CommandError(f"{_title(target)} {word} is not supported")
    if target.obj.spec.paused == wanted:
        state = "already" if wanted else "not"
        raise CommandError(f"{_title(target)} is {state} paused")
    if call.dry_run != "client":
        change = {"spec": {"paused": True if wanted else None}}
        await send(call, "patch", target, change, patch_type=STRATEGIC_PATCH)
    show(call, target, target.obj, "paused" if wanted else "resumed")


def _title(target: Found) -> str:
    return f'{target.resource.group_resource} "{target.name}"'


def _group_kind(target: Found) -> str:
    resource = target.resource
    return f"{resource.kind}.{resource.group}" if resource.group else resource.kind


_FLAGS = (*FILES, *CHANGE, *SELECTORS)
COMMANDS = {
    "rollout history": Command(history, (*_FLAGS, Flag("revision", kind="int", default="0"))),
    "rollout undo": Command(undo, (*_FLAGS, Flag("to-revision", kind="int", default="0"))),
    "rollout restart": Command(restart, _FLAGS),
    "rollout pause": Command(pause, _FLAGS),
    "rollout resume": Command(resume, _FLAGS),
}
