"""`kubectl scale`: one number of a workload.

It is written through the scale subresource, which every workload with replicas has; so a DaemonSet
cannot be scaled, and the API server says so.

Rule of use: --current-replicas changes nothing unless that many are wanted now.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/scale/scale.go
"""

from __future__ import annotations

from k8slab.client import MERGE_PATCH
from k8slab.kubectl.changing import CHANGE, send, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Found
from k8slab.kubectl.targets import targets


async def scale(call: Invocation) -> None:
    """Set the number of replicas of each object."""
    if not call.flags.given("replicas"):
        raise CommandError('required flag(s) "replicas" not set')
    replicas = call.flags.number("replicas")
    if replicas < 0:
        raise CommandError(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0"
        )
    found, errors = await targets(call)
    for target in found:
        try:
            await _scale(call, target, replicas)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)
    if not found:
        raise CommandError("no objects passed to scale")


async def _scale(call: Invocation, target: Found, replicas: int) -> None:
    expected = call.flags.number("current-replicas")
    version = call.flags.text("resource-version")
    if expected >= 0 or version or call.dry_run != "client":
        now = await send(call, "get", target, None, subresource="scale")
        found = now.metadata.resourceVersion
        if expected >= 0 and now.spec.replicas != expected:
            raise CommandError(f"Expected replicas to be {expected}, was {now.spec.replicas}")
        if version not in ("", found):
            raise CommandError(f"Expected resource version to be {version}, was {found}")
    if call.dry_run != "client":
        change = {"spec": {"replicas": replicas}}
        await send(call, "patch", target, change, subresource="scale", patch_type=MERGE_PATCH)
    show(call, target, target.obj, "scaled")


SCALE = Command(
    scale,
    (
        *FILES,
        *CHANGE,
        *SELECTORS,
        Flag("replicas", kind="int", default="0"),
        Flag("current-replicas", kind="int", default="-1"),
        Flag("resource-version"),
        Flag("timeout", kind="duration", default="0s"),
        flag_on("all"),
    ),
)
