"""`kubectl events`: what components said, the oldest first, of a namespace or of one object.

Rule of use: -w goes on with what is said next, until the time for watching is over.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/events
"""

from __future__ import annotations

from typing import Any

from k8slab.api.core import Event
from k8slab.api.scheme import resource_for
from k8slab.kubectl.command_line import Flag, flag_on
from k8slab.kubectl.describe.events import interval, last_seen
from k8slab.kubectl.errors import BareError, CommandError
from k8slab.kubectl.invocation import Command, Invocation
from k8slab.kubectl.printers import list_of, plain, printer_for
from k8slab.kubectl.resources import split_name
from k8slab.kubectl.tabwriter import TABLE, lines
from k8slab.kubectl.watching import changes

HEADINGS = ("LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE")


async def events(call: Invocation) -> None:
    """Print the Events."""
    everywhere = call.flags.on("all-namespaces")
    scope: dict[str, Any] = {
        "namespace": "" if everywhere else call.namespace,
        "field_selector": _about(call),
    }
    listing = await call.request("list", resource_for(Event), **scope)
    found = sorted(filter(_wanted(call), listing.items), key=last_seen)
    if call.flags.text("output") == "name":
        return  # kubectl prints nothing at all
    if call.flags.text("output") and found:
        write = printer_for(call)
        assert write is not None
        return call.print(write(list_of([plain(event) for event in found]), True), end="")
    if not found and not call.flags.on("watch"):
        where = "" if everywhere else f" in {call.namespace} namespace"
        return call.say(f"No events found{where}.")
    _print(call, found, headings=not call.flags.on("no-headers"))
    if not call.flags.on("watch"):
        return
    until, version = call.now + call.around.watch_seconds, listing.resource_version
    async for event in changes(call, resource_for(Event), scope, version, until):
        if event.type != "DELETED" and _wanted(call)(event.object):
            _print(call, [event.object], headings=False)


def _about(call: Invocation) -> str:
    if not call.flags.text("for"):
        return ""
    if "/" not in call.flags.text("for"):
        raise CommandError("--for must be in resource/name form")
    try:
        resource, name = split_name(call.flags.text("for"), call.custom)
    except CommandError as error:
        raise BareError(error.message) from None
    return f"involvedObject.kind={resource.kind},involvedObject.name={name}"


def _wanted(call: Invocation) -> Any:
    types = [word.lower() for given in call.flags.all("types") for word in given.split(",")]
    for word in types:
        if word not in ("normal", "warning"):
            raise CommandError("valid --types are Normal or Warning")
    return lambda event: not types or event.type.lower() in types


def _print(call: Invocation, found: list[Event], *, headings: bool) -> None:
    everywhere = call.flags.on("all-namespaces")
    rows = [("NAMESPACE", *HEADINGS) if everywhere else HEADINGS] if headings else []
    for event in found:
        about = event.involvedObject
        row = (
            interval(event, call.now),
            event.type,
            event.reason,
            f"{about.kind}/{about.name}",
            event.message.strip(),
        )
        rows.append((event.metadata.namespace, *row) if everywhere else row)
    call.print(lines("".join("\t".join(row) + "\n" for row in rows), TABLE), end="")


EVENTS = Command(
    events,
    (
        Flag("for"),
        Flag("types", kind="list"),
        Flag("output", "o"),
        Flag("template"),
        Flag("chunk-size", kind="int", default="500"),
        flag_on("all-namespaces", "A"),
        flag_on("watch", "w"),
        flag_on("no-headers"),
        flag_on("show-managed-fields"),
    ),
)
