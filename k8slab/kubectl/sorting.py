"""`--sort-by`: objects in the order of one of their fields.

Numbers and quantities go by size, everything else by its text; a missing field comes first.

Rule of use: the field is a JSONPath, with or without braces and first dot.

Upstream: staging/src/k8s.io/kubectl/pkg/cmd/get/sorter.go
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from k8slab.api import codec, jsonpath, quantity
from k8slab.api.table import Table
from k8slab.kubectl.errors import CommandError


class NoSuchField(CommandError):  # noqa: N818 (it says what is wrong)
    """No object has the field to sort by."""


def order_by(objects: list[Any], field: str) -> list[int]:
    """Return the places of plain objects in the order of a field; CommandError if none has it."""
    keys = _keys(objects, field)
    return sorted(range(len(objects)), key=keys.__getitem__)


def sort_rows(table: Table, field: str) -> Table | None:
    """Return a table, whose rows carry their objects, sorted by a field of these.

    None if no object has the field: kubectl then prints no table at all.
    """
    try:
        keys = _keys([codec.to_dict(row.object) for row in table.rows], field)
    except NoSuchField:
        return None
    order = sorted(range(len(keys)), key=keys.__getitem__)
    return replace(table, rows=tuple(table.rows[index] for index in order))


def _keys(objects: list[Any], field: str) -> list[tuple[int, Any, str]]:
    try:
        path = jsonpath.relaxed(field)
    except jsonpath.JsonPathError as error:
        raise CommandError(str(error)) from None
    values = [_value(path, obj) for obj in objects]
    if objects and all(value is None for value in values):
        raise NoSuchField(
            f'couldn\'t find any field with path "{_braced(field)}" in the list of objects'
        )
    return [_key(value) for value in values]


def _braced(field: str) -> str:
    """Return a path as kubectl repeats it: ".a" is "{.a}"."""
    return field if field.startswith("{") else f"{{{field}}}"


def _value(path: jsonpath.Template, obj: Any) -> Any:
    try:
        return next((value for group in path.results(obj) for value in group), None)
    except jsonpath.JsonPathError:
        return None


def _key(value: Any) -> tuple[int, Any, str]:
    if value is None:
        return (0, 0, "")
    if isinstance(value, int | float):
        return (1, value, "")
    text = str(value)
    try:
        return (1, quantity.parse(text)[0], "")
    except ValueError:
        return (2, 0, text)
