"""The columns that `kubectl get` shows of a kind that was defined: its own, or its age.

    additionalPrinterColumns: [{name: Spec, type: string, jsonPath: .spec.cronSpec}]

Rule of use: a path that leads nowhere gives an empty cell; a date is shown as an age.

Upstream: staging/src/k8s.io/apiextensions-apiserver/pkg/registry/customresource/tableconvertor
"""

from __future__ import annotations

from typing import Any

import msgspec

from k8slab.api import jsonpath
from k8slab.api.apiextensions import CustomResourceColumnDefinition
from k8slab.api.custom import Custom
from k8slab.api.duration import age
from k8slab.control_plane.apiserver.custom_resources.reading import document_of
from k8slab.control_plane.apiserver.table_printers.columns import (
    NAME,
    Cells,
    Printer,
    column,
)

AGE = CustomResourceColumnDefinition(
    name="Age",
    type="date",
    description="How long ago the object was created.",
    jsonPath=".metadata.creationTimestamp",
)


def printer_of(type_: type[Custom]) -> Printer:
    """Return the printer of a kind."""
    columns = type_.__definition__.columns or (AGE,)
    paths = [jsonpath.relaxed(one.jsonPath) for one in columns]

    def cells(obj: Custom, now: float) -> Cells:
        document = document_of(obj)
        found = (
            cell(one, _first(path, document), now) for one, path in zip(columns, paths, strict=True)
        )
        return (obj.metadata.name, *found)

    headings = (
        column(
            one.name,
            one.description
            or f"Custom resource definition column (in JSONPath format): {one.jsonPath}",
            type=one.type,
            format=one.format,
            priority=one.priority,
        )
        for one in columns
    )
    return Printer((NAME, *headings), cells)


def _age(text: str, now: float) -> str:
    try:
        return age(text, now)
    except ValueError:
        return "<invalid>"


def _first(path: jsonpath.Template, document: Any) -> Any:
    try:
        found = path.results(document)
    except jsonpath.JsonPathError:
        return None
    values = found[0] if found else []
    return values[0] if values else None


def cell(column: CustomResourceColumnDefinition, value: Any, now: float) -> Any:
    """Return what a table shows of a value; `now` in virtual seconds.

    >>> cell(CustomResourceColumnDefinition(type="integer"), 3, 0.0)
    3
    """
    if value is None:
        return None
    kind = column.type
    if kind == "string":
        return value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if kind == "date":
        return _age(value, now) if isinstance(value, str) else None
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "integer":
        return int(value) if number else None
    if kind == "number":
        return float(value) if number else None
    return value if isinstance(value, bool) else None
