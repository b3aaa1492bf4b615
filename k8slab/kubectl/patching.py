"""`kubectl patch` and `kubectl replace`: change some fields of an object, or all of it.

A patch is JSON or YAML: strategic by default, --type=merge (RFC 7386) or --type=json (RFC 6902).

Rule of use: a patch that changes nothing says "(no change)".

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/{patch,replace}
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8slab.api import codec, go_json
from k8slab.api.errors import ApiError, bad_request
from k8slab.api.yaml_text import YamlError, parse
from k8slab.client import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from k8slab.kubectl.changing import CHANGE, check_output, patched, send, show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.delete import delete_now
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all, while_doing
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.last_applied import LAST_APPLIED, with_last_applied
from k8slab.kubectl.manifests import FILES, objects_in
from k8slab.kubectl.raw import raw
from k8slab.kubectl.resources import Found, get_object
from k8slab.kubectl.targets import targets

TYPES = {"json": JSON_PATCH, "merge": MERGE_PATCH, "strategic": STRATEGIC_PATCH}


async def patch(call: Invocation) -> None:
    """Patch each object."""
    kind = call.flags.text("type").lower()
    if kind not in TYPES:
        raise CommandError(
            f'--type must be one of [json merge strategic], not "{call.flags.text("type")}"'
        )
    change = _change(call)
    check_output(call)
    if call.local and call.words:
        raise CommandError("cannot specify --local and server resources")
    found, errors = await targets(call)
    for target in found:
        try:
            await _patch(call, target, change, TYPES[kind])
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


def _change(call: Invocation) -> Any:
    text = call.flags.text("patch")
    if text and call.flags.text("patch-file"):
        raise CommandError("cannot specify --patch and --patch-file together")
    if call.flags.given("patch-file"):
        path = call.flags.text("patch-file")
        try:
            text = call.around.read_file(path)
        except OSError:
            problem = f"open {path}: no such file or directory"
            raise CommandError(f"unable to read patch file: {problem}") from None
    if not text:
        raise CommandError(
            "must specify --patch or --patch-file containing the contents of the patch"
        )
    if text.lstrip().startswith("{"):
        try:
            return go_json.decode(text.encode())
        except ValueError as error:
            raise bad_request(f"error decoding patch: {error}") from None
    try:
        documents = parse(text)
    except YamlError as error:
        raise CommandError(f'unable to parse "{text}": {error}') from None
    if len(documents) != 1 or not isinstance(documents[0], dict | list):
        is_json = call.flags.text("type").lower() == "json"
        wanted = "[]handlers.jsonPatchOp" if is_json else "map[string]interface {}"
        raise bad_request(
            f"error decoding patch: json: cannot unmarshal value into Go value of type {wanted}"
        )
    return documents[0]


async def _patch(call: Invocation, target: Found, change: Any, type_: str) -> None:
    subresource = call.flags.text("subresource")
    stored = await patched(
        call, target, change, type_, field_validation="Warn", subresource=subresource
    )
    if isinstance(stored, dict):
        same = stored == (target.data or codec.to_dict(target.obj))
    else:
        same = stored.metadata.resourceVersion == target.obj.metadata.resourceVersion
    if subresource == "scale":
        scale = msgspec.structs.replace(target.resource, singular="scale", group="autoscaling")
        target = msgspec.structs.replace(target, resource=scale)
    show(call, target, stored, "patched (no change)" if same else "patched")


async def replace(call: Invocation) -> None:
    """Replace each object in the files."""
    if call.flags.given("raw"):
        return await raw(call)
    if not call.flags.all("filename"):
        raise CommandError("must specify one of -f and -k")
    check_output(call)
    errors: list[Exception] = []
    for target in objects_in(call):
        if isinstance(target, Exception):
            errors.append(target)
            continue
        try:
            await _replace(call, target)
        except KNOWN_ERRORS as error:
            errors.append(error)
    raise_all(errors)


async def _replace(call: Invocation, target: Found) -> None:
    body = target.obj
    try:
        live = await get_object(call, target.resource, target.name, target.namespace)
        if call.flags.on("force"):
            await delete_now(call, target, live.metadata.uid)
            stored = await send(call, "create", target, body)
            return show(call, target, stored, "replaced")
        if call.flags.on("save-config") or (
            LAST_APPLIED in (body.get("metadata", {}).get("annotations") or {})
        ):
            body = with_last_applied(body)
        stored = live
        if call.dry_run != "client":
            stored = await send(call, "update", target, body)
    except ApiError as error:
        raise while_doing("replacing", target.source, error) from None
    show(call, target, stored, "replaced")


PATCH = Command(
    patch,
    (
        *FILES,
        *CHANGE,
        Flag("patch", "p"),
        Flag("patch-file"),
        Flag("type", default="strategic"),
        Flag("subresource"),
        flag_on("local"),
    ),
)
REPLACE = Command(
    replace,
    (
        *FILES,
        *CHANGE,
        Flag("grace-period", kind="int", default="-1"),
        Flag("timeout", kind="duration", default="0s"),
        Flag("cascade", default="background", bare="background"),
        Flag("raw"),
        flag_on("force"),
        flag_on("wait"),
    ),
)
