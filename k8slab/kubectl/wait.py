"""`kubectl wait`: until a condition holds, a field has a value, or an object is gone.

    --for=condition=Ready  --for=condition=Progressing=False  --for=delete  --for=create
    --for=jsonpath='{.status.phase}'=Running

Rule of use: each object is waited for in turn, all within one --timeout (30 s).

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/wait/wait.go
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.api import codec, jsonpath
from k8slab.api.errors import ApiError
from k8slab.kubectl.changing import show
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.custom_columns import NO_PATH, PATH
from k8slab.kubectl.delete import WEEK, gone
from k8slab.kubectl.errors import CommandError, raise_all
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.manifests import FILES
from k8slab.kubectl.resources import SELECTORS, Finder, Found
from k8slab.kubectl.targets import targets
from k8slab.kubectl.watching import changes

Holds = Callable[[Any], bool]
POLL = 1.0  # s, between looks for an object that is to be created


async def wait(call: Invocation) -> None:
    """Wait for each object."""
    wanted = call.flags.text("for")
    if not wanted:
        raise CommandError("unrecognized condition: []")
    holds = condition(wanted)
    timeout = call.flags.seconds("timeout")
    until = call.now + (WEEK if timeout < 0 else timeout)
    if wanted == "create" and call.words:
        await _created(call, until)
    found, errors = await _find(call, wanted)
    for target in found:
        if holds is None and wanted != "create":
            met = await gone(call, target, target.obj.metadata.uid, until)
        else:
            met = holds is None or await _met(call, target, holds, until)
        if not met:
            what = f"{target.resource.plural}/{target.name}"
            errors.append(CommandError(f"timed out waiting for the condition on {what}"))
        else:
            show(call, target, target.obj, "condition met")
    raise_all(errors)
    if not found and wanted != "delete":
        raise CommandError("no matching resources found")


async def _find(call: Invocation, wanted: str) -> tuple[list[Found], list[Exception]]:
    found, met = await targets(call)
    return found, [e for e in met if not (wanted == "delete" and _is_not_found(e))]


def _is_not_found(error: Exception) -> bool:
    return isinstance(error, ApiError) and error.reason == "NotFound"


async def _created(call: Invocation, until: float) -> None:
    while True:
        found = await Finder(call).find(call.words)
        if found:
            return
        if call.now >= until:
            raise CommandError("timed out waiting for the condition")
        await call.around.sleep(min(POLL, until - call.now))


async def _met(call: Invocation, target: Found, holds: Holds, until: float) -> bool:
    if holds(target.obj):
        return True
    scope = {"namespace": target.namespace, "field_selector": f"metadata.name={target.name}"}
    listing = await call.request("list", target.resource, **scope)
    if any(holds(obj) for obj in listing.items):
        return True
    version = listing.resource_version
    async for event in changes(call, target.resource, scope, version, until):
        if event.type == "DELETED":
            raise CommandError(f"{target.resource.plural}/{target.name} was deleted")
        if holds(event.object):
            return True
    return False


def condition(text: str) -> Holds | None:
    """Return a function that says whether what --for names holds; None for delete and create."""
    if text in ("delete", "create"):
        return None
    word, _, rest = text.partition("=")
    if word == "condition" and rest:
        name, _, value = rest.partition("=")
        return _has_condition(name, value or "true")
    if word == "jsonpath" and rest:
        return _has_field(rest)
    raise CommandError(f'unrecognized condition: "{text}"')


def _has_condition(name: str, value: str) -> Holds:
    def holds(obj: Any) -> bool:
        status = getattr(obj, "status", None)
        observed = getattr(status, "observedGeneration", 0)
        if observed and observed < obj.metadata.generation:
            return False  # the condition is about an older spec
        return any(
            c.type.lower() == name.lower() and c.status.lower() == value.lower()
            for c in getattr(status, "conditions", ())
        )

    return holds


def _has_field(text: str) -> Holds:
    path, found, value = text.partition("}=")
    path = f"{path}}}" if found else text
    if not found and "=" in text and not text.endswith("}"):
        path, _, value = text.partition("=")
    path = path.strip("'\"")
    if not PATH.fullmatch(path):
        raise CommandError(NO_PATH)
    try:
        template = jsonpath.relaxed(path)
    except jsonpath.JsonPathError as error:
        raise CommandError(str(error)) from None
    wanted = value.strip("'\"")

    def holds(obj: Any) -> bool:
        try:
            values = [v for group in template.results(codec.to_dict(obj)) for v in group]
        except jsonpath.JsonPathError:
            return False
        if not wanted:
            return bool(values)
        return len(values) == 1 and _text(values[0]) == wanted

    return holds


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


WAIT = Command(
    wait,
    (
        *FILES,
        *SELECTORS,
        Flag("for"),
        Flag("output", "o"),
        Flag("timeout", kind="duration", default="30s"),
        flag_on("all"),
        flag_on("local"),
    ),
)
