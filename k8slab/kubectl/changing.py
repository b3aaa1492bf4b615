"""What all commands that change objects share: dry runs, warnings, how a change is printed.

`show(call, found, obj, "created")` prints "deployment.apps/web created (dry run)", or the object in
the form that -o asks for. `send(call, verb, found, body)` asks the API server.

Rule of use: with --dry-run=client or --local nothing is sent, with --dry-run=server nothing kept.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/util, cli-runtime/pkg/resource/helper.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api import codec
from k8slab.api.diagnosis import unknown_fields
from k8slab.api.errors import ApiError
from k8slab.client import patch
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.printers import PRINT, plain, printer_for
from k8slab.kubectl.resources import Found

DRY_RUN = (
    Flag("dry-run", default="none", bare="unchanged"),
    Flag("field-manager"),
    Flag("validate", default="strict", bare="strict"),
)
CHANGE = (*PRINT, *DRY_RUN, flag_on("save-config"), flag_on("show-managed-fields"))
MANAGERS = {"apply": "kubectl-client-side-apply"}
_VALIDATION = {
    "true": "Strict",
    "strict": "Strict",
    "warn": "Warn",
    "false": "Ignore",
    "ignore": "Ignore",
}
FORMATS = (
    "go-template,go-template-file,json,jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,"
    "template,templatefile,yaml"
)


def validation(call: Invocation) -> str:
    """Return what shall become of unknown fields: Strict, Warn or Ignore."""
    given = call.flags.text("validate") if call.flags.has("validate") else "strict"
    if given not in _VALIDATION:
        raise CommandError(
            f'invalid - validate option "{given}"; must be one of: strict (or true), warn, ignore '
            "(or false)"
        )
    return _VALIDATION[given]


async def send(call: Invocation, verb: str, found: Found, body: Any, **fields: Any) -> Any:
    """Ask for a change of an object and return what became of it. Raises ApiError."""
    verb_of_manager = call.path.partition(" ")[0]
    given = call.flags.text("field-manager") if call.flags.has("field-manager") else ""
    manager = given or MANAGERS.get(verb_of_manager, f"kubectl-{verb_of_manager}")
    if verb in ("create", "update", "patch"):
        fields.setdefault("field_manager", manager)
        fields.setdefault("field_validation", validation(call))
    if fields.get("field_validation") == "Warn" and isinstance(body, dict):
        for field in unknown_fields(body, found.resource.type):
            call.warn(field)
    return await call.request(
        verb,
        found.resource,
        namespace=found.namespace,
        name="" if verb == "create" else found.name,
        body=body,
        **fields,
    )


async def patched(
    call: Invocation, found: Found, change: Any, patch_type: str, **fields: Any
) -> Any:
    """Return an object with a change: as stored, or as it would be if nothing shall be sent.

    Raises ApiError.
    """
    if call.sends:
        return await send(call, "patch", found, change, patch_type=patch_type, **fields)
    return patch.apply(found.data or codec.to_dict(found.obj), change, patch_type)


def show(call: Invocation, found: Found, obj: Any, done: str, *, note: bool = True) -> None:
    """Print what was done with an object, or the object itself if -o asks for it."""
    output = call.flags.text("output") if call.flags.has("output") else ""
    if output == "name":
        call.print(found.title)
        return
    write = printer_for(call, FORMATS) if output else None
    if write is None:
        call.print(f"{found.title} {done}{call.dry_run_note if note else ''}")
        return
    first = not any(stream == "out" for stream, _ in call.output)
    call.print(write(plain(obj), first), end="")


def check_output(call: Invocation) -> None:
    """Raise CommandError if -o names an unknown form, before anything is changed."""
    output = call.flags.text("output") if call.flags.has("output") else ""
    if output == "wide":
        raise CommandError(
            'unable to match a printer suitable for the output format "wide", allowed formats '
            f"are: {FORMATS}"
        )
    if output not in ("", "name"):
        printer_for(call, FORMATS)
    _ = call.dry_run


def is_not_found(error: ApiError) -> bool:
    """Say whether the refusal means that there is no such object."""
    return error.reason == "NotFound"
