"""The rules of fields are about fields that are there."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.field_rules.choices import CHOICES
from k8slab.api.field_rules.required import REQUIRED
from k8slab.api.openapi_schemas import collect
from k8slab.api.scheme import KINDS, OTHER_VERSIONS

SCHEMAS: dict[str, Any] = {}
for kind in (*KINDS, *OTHER_VERSIONS):
    collect(kind.type, SCHEMAS)


def properties(package: str, struct: str) -> Any:
    found = [name for name in SCHEMAS if name.endswith(f".{package}.{struct}")]
    return SCHEMAS[found[0]]["properties"] if found else {}


@pytest.mark.parametrize("package", REQUIRED)
def test_what_must_be_there_is_a_field(package: str) -> None:
    for struct, fields in REQUIRED[package].items():
        assert set(fields.split()) <= set(properties(package, struct)), struct


@pytest.mark.parametrize("package", CHOICES)
def test_words_belong_to_a_field_of_text_and_are_sorted(package: str) -> None:
    for row, words in CHOICES[package].items():
        struct, _, field = row.partition(".")
        schema = properties(package, struct)[field.removesuffix("[]")]
        schema = schema["items"] if field.endswith("[]") else schema
        assert (schema["type"], schema["enum"]) == ("string", sorted(words)), row
