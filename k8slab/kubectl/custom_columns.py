"""Tables of the reader's own making: `-o custom-columns=NAME:.metadata.name,IMAGE:.spec.image`.

Each column is a heading and a JSONPath; several values are joined by commas, none is "<none>".

Rule of use: `parse(spec)` once, `render(columns, data)` for an object or a List.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from k8slab.api import jsonpath
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.tabwriter import TABLE, lines

_PATH = re.compile(r"\{?\.?[^{}]*\}?")


class Column(msgspec.Struct, frozen=True):
    """A heading, and where its cells come from."""

    header: str
    template: jsonpath.Template


def parse(spec: str) -> list[Column]:
    """Return the columns of a specification; CommandError in kubectl's words."""
    if not spec:
        raise CommandError("custom-columns format specified but no custom columns given")
    columns = []
    for part in spec.split(","):
        header, colon, path = part.partition(":")
        if not colon or not header or not path:
            raise CommandError(
                f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            )
        try:
            columns.append(Column(header, jsonpath.relaxed(path)))
        except jsonpath.JsonPathError as error:
            raise CommandError(str(error)) from None
    return columns


def render(columns: list[Column], data: Any, *, headers: bool = True) -> str:
    """Return the table of an object or a List."""
    objects = data["items"] if data.get("kind") == "List" else [data]
    rows = ["\t".join(column.header for column in columns)] if headers else []
    rows += ["\t".join(_cell(column, obj) for column in columns) for obj in objects]
    return lines("".join(row + "\n" for row in rows), TABLE)


def _cell(column: Column, obj: Any) -> str:
    try:
        values = [value for group in column.template.results(obj) for value in group]
    except jsonpath.JsonPathError:
        values = []
    return ",".join(map(_text, values)) or "<none>"


def _text(value: Any) -> str:
    """Write a value as Go prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(_text, value))}]"
    return str(value)
