"""`kubectl delete`: ask for the end of objects, and wait until they are gone.

An object that was deleted may stay for a while: a Pod until its kubelet has stopped it, a Namespace
until it is empty. `delete` watches until the object is gone, unless --wait=false.

Rule of use: --now is a grace of one second; --force with a grace of 0 waits for nobody.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/delete/delete.go
"""

from __future__ import annotations

from typing import Any

from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, Object
from k8slab.kubectl.changing import DRY_RUN, is_not_found
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.errors import KNOWN_ERRORS, CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES, objects_in
from k8slab.kubectl.raw import raw
from k8slab.kubectl.resources import (
    MUST_SPECIFY,
    SELECTORS,
    Finder,
    Found,
    kind_of,
    selections,
)
from k8slab.kubectl.watching import changes

IMMEDIATE = (
    "Immediate deletion does not wait for confirmation that the running resource has been "
    "terminated. The resource may continue to run on the cluster indefinitely."
)
WEEK = 7 * 24 * 3600.0  # s, how long a delete without --timeout waits
_CASCADE = {"background": "Background", "foreground": "Foreground", "orphan": "Orphan"}
_CASCADE_OLD = {"true": "background", "false": "orphan"}


async def delete(call: Invocation) -> None:
    """Delete the objects that the words or files mean."""
    if call.flags.given("raw"):
        return await raw(call)
    output = call.flags.text("output")
    if output not in ("", "name"):
        raise CommandError(f"unexpected -o output mode: {output}. We only support '-o name'")
    grace = _grace(call)
    options = DeleteOptions(gracePeriodSeconds=grace, propagationPolicy=_policy(call))
    errors: list[Exception] = []
    found = await _targets(call, errors)
    if call.flags.on("force") and grace == 0 and found:
        call.warn(IMMEDIATE)
    deleted: list[tuple[Found, str]] = []
    for target in found:
        try:
            uid = await _delete(call, target, options)
        except KNOWN_ERRORS as error:
            if not (call.flags.on("ignore-not-found") and _absent(error)):
                errors.append(error)
            continue
        deleted.append((target, uid))
    if not found and not errors:
        call.print("No resources found")
    if call.dry_run == "none" and _waits(call, grace):
        await _wait(call, deleted)
    raise_all(errors)


def _grace(call: Invocation) -> int | None:
    flags = call.flags
    grace = flags.number("grace-period")
    if flags.on("now"):
        if flags.given("grace-period"):
            raise CommandError("--now and --grace-period cannot be specified together")
        return 1
    if grace == 0 and not flags.on("force"):
        # kubectl deletes with the shortest grace there is and waits, rather than lose track.
        return 1
    if grace < 0 and flags.on("force"):
        return 0
    if grace > 0 and flags.on("force"):
        raise CommandError("--force and --grace-period greater than 0 cannot be specified together")
    return grace if grace >= 0 else None


def _policy(call: Invocation) -> str:
    given = call.flags.text("cascade")
    given = _CASCADE_OLD.get(given, given)
    if given not in _CASCADE:
        raise CommandError(
            f'invalid cascade value ({given}). Must be "background", "foreground", or "orphan"'
        )
    return _CASCADE[given]


def _waits(call: Invocation, grace: int | None) -> bool:
    if call.flags.given("wait"):
        return call.flags.on("wait")
    return not (call.flags.on("force") and grace == 0)


async def _targets(call: Invocation, errors: list[Exception]) -> list[Found]:
    """Return what is to be deleted; names are not looked up before."""
    if call.flags.all("filename"):
        listed = list(objects_in(call))
        errors += [item for item in listed if isinstance(item, Exception)]
        return [item for item in listed if isinstance(item, Found)]
    if not call.words:
        raise CommandError(MUST_SPECIFY)
    if call.flags.on("all") and (call.flags.text("selector") or call.flags.text("field-selector")):
        raise CommandError("setting 'all' parameter but found a non empty selector. ")
    finder = Finder(call)
    wanted = finder.check(selections(call.words, call.custom))
    found: list[Found] = []
    for selection in wanted:
        if selection.names:
            where = call.namespace if selection.resource.namespaced else ""
            found += [Found(selection.resource, where, name) for name in selection.names]
            continue
        if not (call.flags.given("selector") or call.flags.given("field-selector")):
            _check_all(call)
        for listing in await finder.ask(selection):
            found += [
                Found(selection.resource, o.metadata.namespace, o.metadata.name)
                for o in listing.items
            ]
    errors += finder.errors
    return found


def _check_all(call: Invocation) -> None:
    if not call.flags.on("all"):
        raise CommandError("resource(s) were provided, but no name was specified")


async def _delete(call: Invocation, target: Found, options: DeleteOptions) -> str:
    """Delete one object, say so, and return its uid."""
    fields: dict[str, Any] = {"namespace": target.namespace, "name": target.name}
    if call.dry_run == "client":
        obj = await call.request("get", target.resource, **fields)
    else:
        obj = await call.request("delete", target.resource, body=options, **fields)
    if call.flags.text("output") == "name":
        call.print(target.title)
    else:
        at_once = call.flags.on("force") and options.gracePeriodSeconds == 0
        forced = "force " if call.path == "delete" and at_once else ""
        where = f" from {target.namespace} namespace" if target.namespace else ""
        kind = kind_of(target.resource)
        call.print(f'{kind} "{target.name}" {forced}deleted{where}{call.dry_run_note}')
    return obj.metadata.uid if isinstance(obj, Object) else ""


async def delete_now(call: Invocation, target: Found, uid: str) -> None:
    """Delete an object, say so, and wait until it is gone."""
    given = call.flags.number("grace-period")
    options = DeleteOptions(gracePeriodSeconds=given if given >= 0 else None)
    await _delete(call, target, options)
    await _wait(call, [(target, uid)])


async def _wait(call: Invocation, deleted: list[tuple[Found, str]]) -> None:
    timeout = call.flags.seconds("timeout") or WEEK
    until = call.now + timeout
    for target, uid in deleted:
        if not await gone(call, target, uid, until):
            raise CommandError(
                f"timed out waiting for the condition on {target.resource.plural}/{target.name}"
            )


async def gone(call: Invocation, target: Found, uid: str, until: float) -> bool:
    """Say whether an object is gone before a moment (virtual seconds), waiting as long."""
    scope: dict[str, Any] = {
        "namespace": target.namespace,
        "field_selector": f"metadata.name={target.name}",
    }
    while True:
        listing = await call.request("list", target.resource, **scope)
        if not any(not uid or obj.metadata.uid == uid for obj in listing.items):
            return True
        version = listing.resource_version
        async for event in changes(call, target.resource, scope, version, until):
            if event.type == "DELETED":
                return True
        if call.now >= until:
            return False


def _absent(error: Exception) -> bool:
    return isinstance(error, ApiError) and is_not_found(error)


DELETE = Command(
    delete,
    (
        *SELECTORS,
        *FILES,
        *DRY_RUN,
        Flag("output", "o"),
        Flag("raw"),
        Flag("grace-period", kind="int", default="-1"),
        Flag("timeout", kind="duration", default="0s"),
        Flag("cascade", default="background", bare="background"),
        flag_on("all"),
        flag_on("now"),
        flag_on("force"),
        flag_on("ignore-not-found"),
        flag_on("wait", default="true"),
        flag_on("interactive", "i"),
    ),
)
