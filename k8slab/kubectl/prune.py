"""`kubectl apply --prune`: what was applied once, is chosen, and stands in no file any more, goes.

Only objects that kubectl applied are looked at, of the kinds that people mostly apply, or of those
that --prune-allowlist names.

Rule of use: `allowed(call)` before anything is applied, `prune` afterwards.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/apply/prune.go, pkg/util/prune
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from k8slab.api.meta import DeleteOptions
from k8slab.api.scheme import KINDS, Resource
from k8slab.kubectl.changing import show
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.last_applied import LAST_APPLIED
from k8slab.kubectl.resources import Found

ALWAYS = (
    *("ConfigMap", "Endpoints", "Namespace", "PersistentVolumeClaim", "PersistentVolume", "Pod"),
    *("ReplicationController", "Secret", "Service", "Job", "CronJob", "Ingress"),
    *("DaemonSet", "Deployment", "ReplicaSet", "StatefulSet"),
)
NEEDS_ALL = (
    "all resources selected for prune without explicitly passing --all. To prune all resources, "
    "pass the --all flag. If you did not mean to prune all resources, specify a label selector"
)


def allowed(call: Invocation) -> tuple[Resource, ...]:
    """Return the kinds that are pruned, none if nothing is; raises CommandError."""
    flags = call.flags
    if not flags.on("prune"):
        return ()
    if flags.on("all") and flags.text("selector"):
        raise CommandError("cannot set --all and --selector at the same time")
    if not flags.on("all") and not flags.text("selector"):
        raise CommandError(NEEDS_ALL)
    if flags.on("server-side"):
        raise CommandError(
            "--prune is in alpha and doesn't currently work on objects created by server-side apply"
        )
    named = [kind for given in flags.all("prune-allowlist") for kind in given.split(",")]
    if not named:
        return tuple(row for row in KINDS if row.kind in ALWAYS)
    return tuple(_kind(name) for name in named)


def _kind(name: str) -> Resource:
    parts = name.split("/")
    if len(parts) != 3:
        raise CommandError(
            f"invalid GroupVersionKind format: {name}, please follow <group/version/kind>"
        )
    group, version, kind = "" if parts[0] == "core" else parts[0], parts[1], parts[2]
    for row in KINDS:
        if (row.group, row.version, row.kind) == (group, version, kind):
            return row
    raise CommandError(f'no matches for kind "{kind}" in group "{group}"')


async def prune(call: Invocation, kinds: Sequence[Resource], applied: Sequence[str]) -> None:
    """Delete what was applied once and has none of these uids now. Raises ApiError."""
    for resource in sorted(kinds, key=lambda row: not row.namespaced):
        listing = await call.request(
            "list",
            resource,
            namespace=call.namespace,
            label_selector=call.flags.text("selector"),
        )
        for obj in listing.items:
            meta = obj.metadata
            if meta.uid in applied or LAST_APPLIED not in meta.annotations:
                continue
            fields: dict[str, Any] = {"namespace": meta.namespace, "name": meta.name}
            if call.sends:
                options = DeleteOptions(propagationPolicy="Background")
                await call.request("delete", resource, body=options, **fields)
            show(call, Found(resource, meta.namespace, meta.name), obj, "pruned")
