"""`kubectl diff`: what `kubectl apply` would change, as `diff -u` shows it.

For each object of the files the API server is asked, in a dry run, what would become of it. Both
texts are compared line by line; of Secrets it is shown that values differ, not which they are.

Rule of use: the exit code is 0 if nothing would change, 1 if something would, above 1 for errors.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/diff/diff.go
"""

from __future__ import annotations

from collections.abc import Mapping
from difflib import unified_diff
from typing import Any

from k8slab.api.errors import ApiError
from k8slab.api.meta import timestamp
from k8slab.api.yaml_text import dump
from k8slab.client import APPLY_PATCH
from k8slab.kubectl import errors
from k8slab.kubectl.apply import change_of
from k8slab.kubectl.changing import is_not_found, send
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import CommandError, Exit
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.last_applied import last_applied, without_last_applied
from k8slab.kubectl.manifests import FILES, objects_in
from k8slab.kubectl.printers import plain, without_books
from k8slab.kubectl.resources import Found, get_object

LIVE, MERGED = "/tmp/LIVE-1000000001", "/tmp/MERGED-1000000002"  # where kubectl puts the texts
CONTEXT = 3  # lines around a change
Plain = dict[str, Any]


async def diff(call: Invocation) -> None:
    """Print what would change."""
    try:
        texts = await _texts(call)
    except errors.KNOWN_ERRORS as error:
        raise Exit(errors.report(error)[0], 2) from None
    shown = [unified(name, *texts[name], call.now) for name in sorted(texts)]
    found = "".join(shown)
    call.print(found, end="")
    if found:
        raise Exit("", 1)


async def _texts(call: Invocation) -> dict[str, tuple[str, str]]:
    """Return for each object its file's name, its text now, and its text after an apply."""
    if not call.flags.all("filename"):
        raise CommandError("must specify one of -f and -k")
    texts = {}
    for target in objects_in(call):
        if isinstance(target, Exception):
            raise target
        live, merged = await _both(call, target)
        if target.resource.builtin_kind == "Secret":
            live, merged = masked(live, merged)
        named = f"{target.resource.version}.{target.resource.kind}.{target.namespace}.{target.name}"
        name = f"{target.resource.group}.{named}" if target.resource.group else named
        texts[name] = (dump(live) if live else ""), dump(merged)
    return texts


async def _both(call: Invocation, target: Found) -> tuple[Plain, Plain]:
    """Return an object as it is, {} if it is not there, and as it would be."""
    asked: Plain = {"dry_run": True, "field_validation": "Strict"}
    on_server = call.flags.on("server-side")
    try:
        live = await get_object(call, target.resource, target.name, target.namespace)
    except ApiError as error:
        if not is_not_found(error):
            raise
        if not on_server:
            merged = await send(call, "create", target, target.obj, **asked)
            return {}, without_books(plain(merged))
        live = None
    if on_server:
        asked["field_manager"] = call.flags.text("field-manager") or "kubectl"
        asked["force"] = call.flags.on("force-conflicts")
        change, type_ = target.obj, APPLY_PATCH
    else:
        before = last_applied(live) or {}
        change, type_ = change_of(target, before, without_last_applied(target.obj), live)
    merged = live
    if change:
        merged = await send(call, "patch", target, change, patch_type=type_, **asked)
    return (without_books(plain(live)) if live is not None else {}), without_books(plain(merged))


def masked(live: Plain, merged: Plain) -> tuple[Plain, Plain]:
    """Return two versions of a Secret without its values, but with whether they differ."""
    before, after = live.get("data") or {}, merged.get("data") or {}
    shown: tuple[Plain, Plain] = ({}, {})
    for values, others, mark, out in (
        (before, after, "*** (before)", shown[0]),
        (after, before, "*** (after)", shown[1]),
    ):
        for key, value in values.items():
            differs = key in others and others[key] != value
            out[key] = mark if differs else "***"
    return _with(live, shown[0]), _with(merged, shown[1])


def _with(secret: Plain, data: Mapping[str, str]) -> Plain:
    return {**secret, "data": dict(data)} if data else secret


def unified(name: str, live: str, merged: str, now: float) -> str:
    """Return what `diff -u -N` prints of two texts, "" if they are the same."""
    at = f"{timestamp(now).replace('T', ' ').removesuffix('Z')}.000000000 +0000"
    lines = list(
        unified_diff(
            live.splitlines(),
            merged.splitlines(),
            f"{LIVE}/{name}",
            f"{MERGED}/{name}",
            at,
            at,
            n=CONTEXT,
            lineterm="",
        )
    )
    if not lines:
        return ""
    return "".join(f"{line}\n" for line in (f"diff -u -N {LIVE}/{name} {MERGED}/{name}", *lines))


DIFF = Command(
    diff,
    (
        *FILES,
        Flag("field-manager"),
        Flag("selector", "l"),
        Flag("concurrency", kind="int", default="1"),
        Flag("prune-allowlist", kind="list"),
        flag_on("server-side"),
        flag_on("force-conflicts"),
        flag_on("show-managed-fields"),
        flag_on("prune"),
    ),
)
