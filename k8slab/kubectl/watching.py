"""`kubectl get -w`: a line for each change of an object, as it happens.

The list comes first, then the changes from its version on. kubectl would watch for ever; since a
cell of a notebook must end, watching stops after `watch_seconds` of virtual time.

Rule of use: the columns are as wide as the widest cell so far; nothing printed is taken back.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/get.go (watch)
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from msgspec.structs import replace

from k8slab.api.errors import ApiError
from k8slab.api.scheme import Resource
from k8slab.api.table import Table
from k8slab.client import WatchEvent
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.invocation import Invocation
from k8slab.kubectl.printers import Print, plain
from k8slab.kubectl.resources import Selection, kind_of
from k8slab.kubectl.tables import cells, look_of
from k8slab.kubectl.tabwriter import TABLE


async def watch(call: Invocation, wanted: list[Selection], write: Print | None) -> None:
    """Print what there is, and then what changes."""
    if len(wanted) > 1 or (wanted[0].names and len(wanted[0].names) > 1):
        raise CommandError("you may only specify a single resource type")
    selection, flags = wanted[0], call.flags
    scope: dict[str, Any] = {
        "namespace": "" if flags.on("all-namespaces") else call.namespace,
        "label_selector": flags.text("selector"),
        "field_selector": flags.text("field-selector"),
        "as_table": write is None and flags.text("output") != "name",
    }
    if selection.names:
        name = selection.names[0]
        await call.request("get", selection.resource, namespace=call.namespace, name=name)
        scope["field_selector"] = f"metadata.name={name}"
    listing = await call.request("list", selection.resource, **scope)
    lines = _Lines(call, selection, write)
    if not flags.on("watch-only"):
        lines.show_all(listing)
    version = listing.metadata.resourceVersion if scope["as_table"] else listing.resource_version
    until = call.now + call.around.watch_seconds
    async for event in changes(call, selection.resource, scope, version, until):
        lines.show(event.type, event.object)


async def changes(
    call: Invocation, resource: Resource, scope: dict[str, Any], version: str, until: float
) -> AsyncIterator[WatchEvent]:
    """Yield changes after `version` until a moment (virtual seconds), or until nobody serves."""
    stream = await call.request("watch", resource, resource_version=version, **scope)
    try:
        while call.now < until and not stream.closed:
            for event in await stream.batch(until - call.now):
                if event.type == "ERROR":
                    raise ApiError(event.object)
                if event.type != "BOOKMARK":
                    yield event
    finally:
        stream.close()


class _Lines:
    """Prints one object a line, columns lined up with the lines before."""

    def __init__(self, call: Invocation, selection: Selection, write: Print | None) -> None:
        self._call = call
        self._selection = selection
        self._write = write
        self._widths: list[int] = []
        self._first = True

    def show_all(self, listing: Any) -> None:
        """Print what there was before the first change."""
        if isinstance(listing, Table):
            if listing.rows:
                self.show("ADDED", listing)
        else:
            for obj in listing.items:
                self.show("ADDED", obj)

    def show(self, type_: str, thing: Any) -> None:
        """Print an object, or the rows of a table."""
        call, first = self._call, self._first
        self._first = False
        if isinstance(thing, Table):
            self._rows(type_, thing, first)
        elif self._write is not None:
            data = plain(thing)
            call.print(self._write(data, first), end="")
        else:
            call.print(f"{kind_of(self._selection.resource)}/{thing.metadata.name}")

    def _rows(self, type_: str, table: Table, first: bool) -> None:
        look = look_of(self._call.flags, self._selection.resource)
        headers = first and look.headers
        rows = cells(table, replace(look, headers=headers))
        if self._call.flags.on("output-watch-events"):
            marks = ["EVENT"] * headers + [type_] * len(table.rows)
            rows = [[mark, *row] for mark, row in zip(marks, rows, strict=True)]
        for row in rows:
            self._widths += [TABLE.min_width] * (len(row) - len(self._widths))
            wide = zip(self._widths, row, strict=True)
            self._widths = [max(width, len(cell) + TABLE.padding) for width, cell in wide]
        for row in rows:
            pairs = zip(row[:-1], self._widths, strict=False)
            self._call.print("".join(cell.ljust(width) for cell, width in pairs) + row[-1])
