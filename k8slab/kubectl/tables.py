"""Tables as `kubectl get` prints them: the server's cells, with the columns that flags ask for.

-A puts NAMESPACE first, -L and --show-labels add columns, -o wide shows those of lower priority,
and the names of several kinds carry the kind: "pod/web".

Rule of use: `render(table, look)`; nothing here knows a kind.

Upstream: staging/src/k8s.io/cli-runtime/pkg/printers/tableprinter.go
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from k8slab.api.scheme import Resource
from k8slab.api.table import Table, TableRow
from k8slab.kubectl.command_line import Parsed
from k8slab.kubectl.resources import kind_of
from k8slab.kubectl.tabwriter import TABLE, lines

_BREAK = re.compile(r"[\f\n\r]")


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a table shows beside the plain columns."""

    wide: bool = False
    headers: bool = True
    namespaces: bool = False
    kind: str = ""  # put before each name
    labels: bool = False
    label_columns: tuple[str, ...] = ()


def look_of(flags: Parsed, resource: Resource, kinds: int = 1) -> Look:
    """Return how the flags of `get` want the table of a kind, one of so many."""
    columns = [label for given in flags.all("label-columns") for label in given.split(",")]
    return Look(
        wide=flags.text("output") == "wide",
        headers=not flags.on("no-headers"),
        namespaces=flags.on("all-namespaces") and resource.namespaced,
        kind=kind_of(resource) if kinds > 1 or flags.on("show-kind") else "",
        labels=flags.on("show-labels"),
        label_columns=tuple(columns),
    )


def render(table: Table, look: Look) -> str:
    """Return the lines of a table."""
    return lines("".join("\t".join(row) + "\n" for row in cells(table, look)), TABLE)


def cells(table: Table, look: Look) -> list[list[str]]:
    """Return the texts of a table, headings first."""
    shown = [
        index
        for index, column in enumerate(table.columnDefinitions)
        if look.wide or column.priority == 0
    ]
    rows = [_headings(table, look, shown)] if look.headers else []
    return rows + [_row(row, table, look, shown) for row in table.rows]


def _headings(table: Table, look: Look, shown: Iterable[int]) -> list[str]:
    headings = [table.columnDefinitions[index].name.upper() for index in shown]
    if look.namespaces:
        headings.insert(0, "NAMESPACE")
    headings += [label.rpartition("/")[2].upper() for label in look.label_columns]
    return [*headings, "LABELS"] if look.labels else headings


def _row(row: TableRow, table: Table, look: Look, shown: Iterable[int]) -> list[str]:
    texts = []
    for index in shown:
        cell = _cell(row.cells[index])
        if look.kind and table.columnDefinitions[index].format == "name":
            cell = f"{look.kind}/{cell}"
        texts.append(cell)
    meta = row.object.metadata
    if look.namespaces:
        texts.insert(0, meta.namespace)
    texts += [meta.labels.get(label, "") for label in look.label_columns]
    if look.labels:
        pairs = ",".join(f"{key}={meta.labels[key]}" for key in sorted(meta.labels))
        texts.append(pairs or "<none>")
    return texts


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    broken = _BREAK.search(text)
    return text if broken is None else text[: broken.start()] + "..."
