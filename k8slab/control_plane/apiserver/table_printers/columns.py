"""What all printers are made of: columns, the pair of columns and cells, and shared cells.

`Printer(columns, cells)` belongs to one kind; `column` makes a heading, `wide` one that only wide
tables show. The rest writes what several kinds show alike: containers, images, selectors.

Rule of use: an absent value is "<none>", an unset one "<unset>", one not known yet "<unknown>".

Upstream: pkg/printers/internalversion/printers.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from k8slab.api import labels
from k8slab.api.core import Container, Pod
from k8slab.api.duration import age
from k8slab.api.meta import LabelSelector, Object
from k8slab.api.table import TableColumnDefinition, TableRowCondition

NONE, UNSET, UNKNOWN = "<none>", "<unset>", "<unknown>"
Cells = tuple[Any, ...]

_COMPLETED = {
    "Succeeded": TableRowCondition(
        type="Completed", status="True", reason="Succeeded", message="The pod has succeeded."
    ),
    "Failed": TableRowCondition(
        type="Completed", status="True", reason="Failed", message="The pod failed."
    ),
}


class Printer(msgspec.Struct, frozen=True):
    """The columns of a kind, and how an object becomes cells at a moment (virtual seconds)."""

    columns: tuple[TableColumnDefinition, ...]
    cells: Callable[[Any, float], Cells]


def column(
    name: str, description: str = "", *, type: str = "string", format: str = "", priority: int = 0
) -> TableColumnDefinition:
    """Return a column of every table."""
    return TableColumnDefinition(
        name=name, type=type, format=format, description=description, priority=priority
    )


def wide(name: str, description: str = "", *, type: str = "string") -> TableColumnDefinition:
    """Return a column of wide tables only."""
    return column(name, description, type=type, priority=1)


NAME = column("Name", "Which object it is, within its namespace.", format="name")
AGE = column("Age", "How long ago the object was created.")
CONTAINERS = wide("Containers", "Names of the containers in the Pod template.")
IMAGES = wide("Images", "Images of the containers in the Pod template.")
SELECTOR = wide("Selector", "Labels of the Pods that belong to it.")


def age_of(obj: Object, now: float) -> str:
    """Return the cell of the Age column."""
    return age(obj.metadata.creationTimestamp, now)


def name_and_age(obj: Object, now: float) -> Cells:
    """Return the cells of a kind that has no printer of its own."""
    return obj.metadata.name, age_of(obj, now)


DEFAULT = Printer((NAME, AGE), name_and_age)


def conditions_of(obj: Object) -> tuple[TableRowCondition, ...]:
    """Return the marks of a row: that a Pod has come to an end."""
    mark = _COMPLETED.get(obj.status.phase) if isinstance(obj, Pod) else None
    return () if mark is None else (mark,)


def container_cells(containers: Iterable[Container]) -> tuple[str, str]:
    """Return the names of containers and their images."""
    listed = tuple(containers)
    return ",".join(c.name for c in listed), ",".join(c.image for c in listed)


def selector_text(selector: LabelSelector | None) -> str:
    """Return a selector as text: "<none>" if it means everything, or if there is none."""
    return NONE if selector is None else str(labels.from_label_selector(selector)) or NONE


def labels_text(of: Mapping[str, str]) -> str:
    """Return labels as text, sorted."""
    return ",".join(f"{key}={of[key]}" for key in sorted(of)) or NONE


def shorten(texts: Iterable[str], limit: int = 3) -> str:
    """Return texts with commas between them, the first few if they are many."""
    listed = tuple(texts)
    if not listed:
        return NONE
    shown = ",".join(listed[:limit])
    return f"{shown} + {len(listed) - limit} more..." if len(listed) > limit else shown
