"""KYAML is YAML, and cannot be misread."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api.yaml_text import parse
from k8slab.kubectl.kyaml import document

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cn")), max_size=12)
PLAIN: Any = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, PLAIN, max_size=4))
def test_every_reader_of_yaml_reads_it_back(data: dict[str, Any]) -> None:
    assert parse(document(data)) == [data]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "{}"),
        (
            {"b": 1, "a": [True, None, "x"]},
            '{\n  a: [\n    true,\n    null,\n    "x",\n  ],\n  b: 1,\n}',
        ),
        ({"a": [{"b": 1}, {}]}, "{\n  a: [{\n    b: 1,\n  }, {}],\n}"),
        ({"a": "1\n 2"}, '{\n  a: "\\\n     1\\n\\\n    \\ 2\\\n    ",\n}'),
        ({"no": 1, "1": 2, "a.b/c": 3, "_x": 4, "a b": 5}, None),
    ],
)
def test_it_is_written_as_kubectl_writes_it(data: Any, text: str | None) -> None:
    keys = '{\n  "1": 2,\n  _x: 4,\n  "a b": 5,\n  a.b/c: 3,\n  "no": 1,\n}'
    assert document(data) == f"---\n{text or keys}\n"
