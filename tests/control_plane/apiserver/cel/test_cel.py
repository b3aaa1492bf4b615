"""CEL as rules of the API use it: what expressions come to, and how they fail."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.control_plane.apiserver.cel import (
    CelError,
    CelSyntaxError,
    Optional,
    evaluate,
    parse,
    undeclared,
)

SELF = {"a": 3, "name": "web", "list": (1, 2, 3), "map": {"x": "y"}, "a-b": 1, "items": ({"n": 1},)}


def value(text: str, **variables: Any) -> Any:
    return evaluate(parse(text), {"self": SELF, **variables})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3 - 4 / 2", 5),
        ("-7 / 2", -3),
        ("-7 % 2", -1),
        ("1.5 + 2.5", 4.0),
        ("self.a <= 3 && self.a > 2", True),
        ("1 < 1.5", True),
        ("'a' + \"b\" + r'\\n'", "ab\\n"),
        ("self.name == 'web' ? 'yes' : 'no'", "yes"),
        ("has(self.name) && !has(self.none)", True),
        ("size(self.list) == 3 && self.name.size() == 3", True),
        ("self.list.all(x, x > 0)", True),
        ("self.list.exists(x, x == 2)", True),
        ("self.list.exists_one(x, x > 2)", True),
        ("self.map.all(k, self.map[k] == 'y')", True),
        ("self.list.map(x, x * 2)", (2, 4, 6)),
        ("self.list.map(x, x > 1, x * 2)", (4, 6)),
        ("self.list.filter(x, x > 1)", (2, 3)),
        ("self.items[0].n", 1),
        ("2 in self.list && 'x' in self.map && !('y' in self.map)", True),
        ("self.a__dash__b", 1),
        ("self.`a-b`", 1),
        ("self.name.matches('^w.b$')", True),
        ("'a,b'.split(',')", ("a", "b")),
        ("['a', 'b'].join('-')", "a-b"),
        ("'abc'.substring(1, 2)", "b"),
        ("'Abc'.lowerAscii().startsWith('ab')", True),
        ("{'a': 1}.a", 1),
        ("[1, 2] == [1, 2.0]", True),
        ("1 == '1'", False),
        ("null == null", True),
        ("int('7') + 1", 8),
        ("string(3)", "3"),
        ("duration('90m') == duration('1h30m')", True),
        ("timestamp('2026-01-01T00:00:00Z') < timestamp('2026-01-01T00:00:00.5Z')", True),
        ("quantity('1Gi').isGreaterThan(quantity('1G'))", True),
        ("isQuantity('1Gx')", False),
        ("sets.contains(self.list, [3, 1])", True),
        ("self.?none.orValue(5)", 5),
        ("type(self.a)", "int"),
        ("1 / 0 == 1 || true", True),
        ("false && self.none", False),
        ("[0, 1].exists(x, 1 / x == 1)", True),
    ],
)
def test_an_expression_has_a_value(text: str, expected: Any) -> None:
    found = value(text)
    assert found == expected
    assert isinstance(found, bool) == isinstance(expected, bool)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("self.none", "no such key: none"),
        ("self.list[3]", "index out of bounds: 3"),
        ("1 / 0", "division by zero"),
        ("1 < 'a'", "no such overload"),
        ("1 + 1.0", "no such overload"),
        ("1 && true", "no such overload"),
        ("self.a.size()", "no such overload"),
        ("int('x')", 'strconv.ParseInt: parsing "x": invalid syntax'),
    ],
)
def test_an_expression_fails_in_cels_words(text: str, why: str) -> None:
    with pytest.raises(CelError) as failed:
        value(text)
    assert str(failed.value) == why


@pytest.mark.parametrize(
    ("text", "why", "at"),
    [
        ("self.a <", "mismatched input '<EOF>' expecting {", 8),
        ("(1", "mismatched input '<EOF>' expecting ')'", 2),
        ("1 2", "mismatched input '2' expecting <EOF>", 2),
        ("a @ b", "token recognition error at: '@'", 2),
        ("has(self)", "invalid argument to has() macro", 3),
    ],
)
def test_text_that_is_no_expression_is_refused(text: str, why: str, at: int) -> None:
    with pytest.raises(CelSyntaxError) as refused:
        parse(text)
    assert why in str(refused.value)
    assert refused.value.at == at


def test_names_that_nobody_declared_are_found_with_their_places() -> None:
    tree = parse("self.all(x, x > y) && foo(self) && self.bar() && sets.contains([1], [z])")
    assert list(undeclared(tree, ("self",))) == [("y", 16), ("foo", 25), ("bar", 43), ("z", 69)]


def test_deep_brackets_are_refused_not_crashed_on() -> None:
    with pytest.raises(CelSyntaxError, match="recursion limit"):
        parse("(" * 5000 + "1" + ")" * 5000)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with contextlib.suppress(CelSyntaxError, CelError):
        evaluate(parse(text), {"self": SELF, "oldSelf": Optional()})


whole = st.integers(-1000, 1000)


@given(whole, whole.filter(bool))
def test_quotient_and_rest_belong_together(one: int, other: int) -> None:
    text = "a == a / b * b + a % b && (a % b == 0 || (a % b < 0) == (a < 0))"
    assert evaluate(parse(text), {"a": one, "b": other}) is True
