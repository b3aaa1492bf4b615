"""Tables: what `kubectl get` prints, worked out by the API server.

Interface: ``Table`` with its columns and rows, ``PartialObjectMetadata`` (the object of a row, when
only its metadata was asked for).
Rule: a column with a priority above 0 is shown only when somebody asks for a wide table.

Upstream: staging/src/k8s.io/apimachinery/pkg/apis/meta/v1/types.go
"""

from typing import Any

from k8slab.api.meta import ListMeta, Object
from k8slab.api.struct import Part, always


class TableColumnDefinition(Part):
    """One column: its heading, and what its cells are."""

    name: str = always("")
    type: str = always("")
    format: str = always("")
    description: str = always("")
    priority: int = always(0)


class TableRowCondition(Part):
    """A mark on a row, such as that its object has come to an end."""

    type: str = always("")
    status: str = always("")
    reason: str = ""
    message: str = ""


class TableRow(Part):
    """The cells of one object."""

    cells: tuple[Any, ...] = always(())
    conditions: tuple[TableRowCondition, ...] = ()
    object: Any = None


class Table(Part):
    """Objects as rows of cells."""

    apiVersion: str = always("meta.k8s.io/v1")
    kind: str = always("Table")
    metadata: ListMeta = always(ListMeta())
    columnDefinitions: tuple[TableColumnDefinition, ...] = always(())
    rows: tuple[TableRow, ...] = always(())


class PartialObjectMetadata(Object):
    """An object of any kind of which only the metadata are told."""

    apiVersion: str = always("meta.k8s.io/v1")
    kind: str = always("PartialObjectMetadata")
