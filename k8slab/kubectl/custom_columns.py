"""Tables of the reader's own making: `-o custom-columns=NAME:.metadata.name,IMAGE:.spec.image`.

Each column is a heading and a JSONPath; several values are joined by commas, none is "<none>".

Rule of use: `parse(spec)` once, `render(columns, data)` for an object or a List.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/customcolumn.go
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import msgspec

from k8slab.api import jsonpath
from k8slab.kubectl.errors import CommandError
from k8slab.kubectl.go_template import go_text
from k8slab.kubectl.tabwriter import TABLE, lines

PATH = re.compile(r"\{\.?[^{}]+\}|\.?[^{}]+")
NO_PATH = (
    "unexpected path string, expected a 'name1.name2' or '.name1.name2' or '{name1.name2}' or "
    "'{.name1.name2}'"
)
_NO_LINE = (
    "invalid template, missing {} line. Expected format is one line of space separated headers, "
    "one line of space separated column specs."
)


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
        columns.append(_column(header, path))
    return columns


def parse_file(read_file: Callable[[str], str], path: str) -> list[Column]:
    """Return the columns of a file: a line of headings, and a line of paths."""
    if not path:
        raise CommandError("custom-columns format specified but no custom columns given")
    try:
        lines_of_file = read_file(path).splitlines()
    except OSError:
        problem = f"open {path}: no such file or directory"
        raise CommandError(f"error reading template {path}, {problem}") from None
    if not lines_of_file:
        raise CommandError(_NO_LINE.format("header"))
    headers, paths = lines_of_file[0].split(), "".join(lines_of_file[1:2]).split()
    if not paths:
        raise CommandError(_NO_LINE.format("spec"))
    if len(headers) != len(paths):
        raise CommandError(
            f"number of headers ({len(headers)}) and field specifications ({len(paths)}) don't "
            "match"
        )
    return [_column(header, path) for header, path in zip(headers, paths, strict=True)]


def _column(header: str, path: str) -> Column:
    if not PATH.fullmatch(path):
        raise CommandError(NO_PATH)
    try:
        return Column(header, jsonpath.relaxed(path))
    except jsonpath.JsonPathError as error:
        raise CommandError(str(error)) from None


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
    return ",".join(map(go_text, values)) or "<none>"
