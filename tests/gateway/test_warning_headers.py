from __future__ import annotations

import pytest

from k8slab.gateway.warning_headers import MOST_IN_ALL, headers_of


def test_quotes_and_backslashes_are_escaped() -> None:
    assert headers_of(['a "b" \\']) == (("Warning", '299 - "a \\"b\\" \\\\"'),)


@pytest.mark.parametrize("text", ["a\nb", "a\x7fb", "a\x85b", "\ud83d", ""])
def test_what_no_header_can_have_is_not_sent(text) -> None:
    assert headers_of([text, "seen"]) == (("Warning", '299 - "seen"'),)


def test_few_long_warnings_stay_whole_and_many_are_cut() -> None:
    whole = ["x" * 2000, "y" * 2000]
    assert [len(header) for _, header in headers_of(whole)] == [2008, 2008]
    many = [f"{number:04}" + "z" * 996 for number in range(50)]
    headers = headers_of(many)
    assert {len(header) for _, header in headers} == {256 + 8}
    assert len(headers) == MOST_IN_ALL // 256
