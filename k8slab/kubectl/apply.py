"""`kubectl apply`: make the objects what the manifests say, and leave alone what they do not say.

An object that is not there is created. One that is there is patched by what differs between the
manifest, the manifest applied last, and the object; nothing to patch is "unchanged".

Rule of use: --server-side leaves all of that to the API server.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/apply/{apply,patcher}.go
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8slab.api import codec
from k8slab.api.errors import ApiError
from k8slab.api.labels import parse as parse_selector
from k8slab.api.meta import Object
from k8slab.client import APPLY_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from k8slab.kubectl import three_way
from k8slab.kubectl.changing import CHANGE, check_output, is_not_found, send, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all, while_doing
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.last_applied import LAST_APPLIED, last_applied, with_last_applied
from k8slab.kubectl.manifests import FILES, objects_in
from k8slab.kubectl.printers import compact_json
from k8slab.kubectl.prune import allowed, prune
from k8slab.kubectl.resources import Found, group_version_resource

MISSING_ANNOTATION = (
    "resource {plural}/{name} is missing the kubectl.kubernetes.io/last-applied-configuration "
    "annotation which is required by kubectl apply. kubectl apply should only be used on resources "
    "created declaratively by either kubectl create --save-config or kubectl apply. The missing "
    "annotation will be patched automatically."
)

FORCE_ALONE = "--force-conflicts only works with --server-side"
CLIENT_ON_SERVER = (
    "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)"
)
CONFLICT = """\
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"""

Plain = dict[str, Any]


async def apply(call: Invocation) -> None:
    """Apply all objects in the files, in their order, and report each."""
    _check(call)
    check_output(call)
    prunable = allowed(call)
    listed = list(objects_in(call))
    errors = [item for item in listed if isinstance(item, Exception)]
    found = [item for item in listed if isinstance(item, Found)]
    if call.flags.text("selector"):
        chosen = parse_selector(call.flags.text("selector"))
        found = [t for t in found if chosen.matches(t.obj["metadata"].get("labels") or {})]
    if not found and not errors:
        raise CommandError("no objects passed to apply")
    one = _apply_on_server if call.flags.on("server-side") else _apply
    applied: list[str] = []
    for target in found:
        try:
            applied.append(await one(call, target))
        except KNOWN_ERRORS as error:
            errors.append(error)  # type: ignore[arg-type]
    raise_all(errors)
    await prune(call, prunable, applied)


def _check(call: Invocation) -> None:
    """Raise CommandError for words and flags that do not go together."""
    flags = call.flags
    on_server, dry_run = flags.on("server-side"), call.dry_run
    if call.words:
        raise CommandError(
            f"Unexpected args: [{' '.join(call.words)}]\n"
            "See 'kubectl apply -h' for help and examples"
        )
    for holds, problem in (
        (flags.on("force-conflicts") and not on_server, FORCE_ALONE),
        (dry_run == "client" and on_server, CLIENT_ON_SERVER),
        (flags.on("force") and on_server, "--force cannot be used with --server-side"),
        (flags.on("force") and dry_run == "server", "--dry-run=server cannot be used with --force"),
        (not flags.all("filename"), "must specify one of -f and -k"),
    ):
        if holds:
            raise CommandError(problem)


async def _apply(call: Invocation, target: Found) -> str:
    """Apply an object and return its uid."""
    if not target.name:
        raise CommandError(
            f"error when retrieving current configuration of:\n{_describe(target)}\nfrom server "
            f'for: "{target.source}": resource name may not be empty'
        )
    try:
        live = await call.request(
            "get", target.resource, namespace=target.namespace, name=target.name
        )
    except ApiError as error:
        if not is_not_found(error):
            doing = f"retrieving current configuration of:\n{_describe(target)}\nfrom server for:"
            raise while_doing(doing, target.source, error) from None
        return await _create(call, target)
    await _patch(call, target, live)
    return str(live.metadata.uid)


async def _create(call: Invocation, target: Found) -> str:
    body = with_last_applied(target.obj)
    stored: Any = body
    if call.dry_run != "client":
        try:
            stored = await send(call, "create", target, body)
        except ApiError as error:
            raise while_doing("creating", target.source, error) from None
    show(call, target, stored, "created")
    return "" if stored is body else str(stored.metadata.uid)


async def _patch(call: Invocation, target: Found, live: Object) -> None:
    if LAST_APPLIED not in live.metadata.annotations:
        call.warn(MISSING_ANNOTATION.format(plural=target.resource.plural, name=target.name))
    change, type_ = change_of(target, last_applied(live) or {}, with_last_applied(target.obj), live)
    if not change:
        return show(call, target, live, "unchanged")
    stored: Any = live
    if call.dry_run != "client":
        try:
            stored = await send(call, "patch", target, change, patch_type=type_)
        except ApiError as error:
            patching = while_doing("patching", target.source, error)
            doing = f"applying patch:\n{compact_json(change)}\nto:\n{_describe(target)}\nfor:"
            raise while_doing(doing, target.source, patching) from None
    show(call, target, stored, "configured")


def change_of(target: Found, before: Plain, wanted: Plain, live: Object) -> tuple[Plain, str]:
    """Return the patch that makes of the live object what is wanted, and its type.

    What was there `before`, and is wanted no more, goes; what others added stays.
    """
    is_custom = target.resource.is_custom  # nobody knows how its lists are merged
    compare = three_way.merge_patch if is_custom else three_way.patch
    change = compare(before, wanted, msgspec.json.decode(codec.to_json(live)))
    change.pop("status", None)
    return change, MERGE_PATCH if is_custom else STRATEGIC_PATCH


async def _apply_on_server(call: Invocation, target: Found) -> str:
    force = call.flags.on("force-conflicts")
    fields: dict[str, Any] = {"patch_type": APPLY_PATCH, "force": force}
    manager = call.flags.text("field-manager") or "kubectl"
    try:
        stored = await send(call, "patch", target, target.obj, field_manager=manager, **fields)
    except ApiError as error:
        if error.reason != "Conflict":
            raise
        raise CommandError(f"{error.message}\n{CONFLICT}") from None
    show(call, target, stored, "serverside-applied")
    return ""


def _describe(target: Found) -> str:
    """Return kind and name as errors about an apply give them."""
    resource = target.resource
    version = f"{resource.group}/{resource.version}"
    return (
        f'Resource: "{group_version_resource(resource)}", GroupVersionKind: "{version}, '
        f'Kind={resource.kind}"\nName: "{target.name}", Namespace: "{target.namespace}"'
    )


APPLY = Command(
    apply,
    (
        *FILES,
        *CHANGE,
        Flag("selector", "l"),
        Flag("grace-period", kind="int", default="-1"),
        Flag("timeout", kind="duration", default="0s"),
        Flag("cascade", default="background", bare="background"),
        Flag("prune-allowlist", kind="list"),
        flag_on("server-side"),
        flag_on("force-conflicts"),
        flag_on("force"),
        flag_on("overwrite", default="true"),
        flag_on("openapi-patch", default="true"),
        flag_on("prune"),
        flag_on("all"),
        flag_on("wait"),
    ),
)
