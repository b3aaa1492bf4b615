"""Server-side Tables: the API server decides which columns `kubectl get` shows.

`table(resource, objects, now=...)` makes the Table of objects of one kind. Each kind has its
columns and a pure function from an object to its cells in `table_printers/`; a kind without one
gets its name and its age. So a client need not know a kind to print it.

Rule of use: cells are text, numbers or truth values; all that depends on time comes in as `now`.

Upstream: pkg/printers/internalversion/printers.go, pkg/printers/tablegenerator.go
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from k8slab.api.custom import Custom
from k8slab.api.meta import ListMeta, Object
from k8slab.api.scheme import Resource
from k8slab.api.table import PartialObjectMetadata, Table, TableRow
from k8slab.client import WatchEvent
from k8slab.control_plane.apiserver.custom_resources.columns import printer_of
from k8slab.control_plane.apiserver.table_printers import PRINTERS
from k8slab.control_plane.apiserver.table_printers.columns import DEFAULT, conditions_of


def table(
    resource: Resource,
    objects: Sequence[Object],
    *,
    now: float,
    resource_version: str = "",
    include_object: str = "Metadata",
) -> Table:
    """Return the Table of some objects; `now` in virtual seconds.

    `include_object` says what each row carries: "Metadata", the whole "Object" or "None".
    """
    printer = printer_of(resource.type) if issubclass(resource.type, Custom) else None
    printer = printer or PRINTERS.get(resource.kind, DEFAULT)
    rows = tuple(
        TableRow(
            cells=printer.cells(obj, now),
            conditions=conditions_of(obj),
            object=_object(obj, include_object),
        )
        for obj in objects
    )
    if len(objects) == 1 and not resource_version:
        resource_version = objects[0].metadata.resourceVersion
    metadata = ListMeta(resourceVersion=resource_version)
    return Table(metadata=metadata, columnDefinitions=printer.columns, rows=rows)


def of_event(
    resource: Resource, event: WatchEvent, *, now: float, include_object: str = "Metadata"
) -> WatchEvent:
    """Return what a watch reports with a Table of one row instead of the object."""
    if not isinstance(event.object, resource.type):
        return event  # an error, or a bookmark
    row = table(resource, (event.object,), now=now, include_object=include_object)
    return replace(event, object=row)


def _object(obj: Object, include: str) -> Object | None:
    if include == "None":
        return None
    return obj if include == "Object" else PartialObjectMetadata(metadata=obj.metadata)
