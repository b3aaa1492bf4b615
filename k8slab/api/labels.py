"""Label selectors: which objects are meant.

Interface: ``parse`` ("app=web,tier in (a,b),!x"), ``from_label_selector`` (from an object),
``from_labels`` (from a plain map), and ``Selector`` with ``matches`` and ``str``.
Rule: no selector (None) matches nothing, an empty one everything.

>>> parse("app=web,tier notin (db)").matches({"app": "web"})
True

Upstream: staging/src/k8s.io/apimachinery/pkg/labels/selector.go
"""

import re
from collections.abc import Iterable, Mapping

import msgspec

from k8slab.api.errors import go_value
from k8slab.api.label_syntax import key_errors, value_errors
from k8slab.api.meta import LabelSelector

_BINARY = ("in", "notin", "=", "==", "!=", "gt", "lt")
_OPERATORS = {"In": "in", "NotIn": "notin", "Exists": "exists", "DoesNotExist": "!"}
_TOKEN = re.compile(r"\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)")
_SYMBOLS = frozenset("=!(),<>")
_END = ""


class Requirement(msgspec.Struct, frozen=True):
    """One test of one label; ``values`` are sorted and few."""

    key: str
    operator: str  # in, notin, =, ==, !=, exists, !, gt, lt
    values: tuple[str, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether the labels pass; an absent label passes notin, != and ! only."""
        value = labels.get(self.key)
        if self.operator in ("=", "==", "in"):
            return value is not None and value in self.values
        if self.operator in ("!=", "notin"):
            return value is None or value not in self.values
        if self.operator == "exists":
            return value is not None
        if self.operator == "!":
            return value is None
        return value is not None and _compare(value, self.operator, self.values[0])

    def __str__(self) -> str:
        values = ",".join(self.values)
        if self.operator in ("in", "notin"):
            return f"{self.key} {self.operator} ({values})"
        if self.operator in ("exists", "!"):
            return self.operator.removeprefix("exists") + self.key
        sign = {"gt": ">", "lt": "<"}.get(self.operator, self.operator)
        return f"{self.key}{sign}{values}"


class Selector(msgspec.Struct, frozen=True):
    """Requirements, sorted by key, that must all hold; with ``nothing`` set it never matches."""

    requirements: tuple[Requirement, ...] = ()
    nothing: bool = False

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Say whether an object with these labels is meant."""
        if self.nothing:
            return False
        for requirement in self.requirements:  # noqa: SIM110 (runs for every Pod and Service)
            if not requirement.matches(labels):
                return False
        return True

    @property
    def is_empty(self) -> bool:
        """Whether everything is meant."""
        return not self.nothing and not self.requirements

    def __str__(self) -> str:
        return ",".join(str(requirement) for requirement in self.requirements)


def parse(text: str) -> Selector:
    """Return the selector that kubectl -l and the API's labelSelector mean; ValueError if none."""
    return _selector(_Parser(text).requirements())


def from_labels(labels: Mapping[str, str]) -> Selector:
    """Return the selector that wants exactly these labels; an empty map matches everything."""
    return _selector(Requirement(key, "=", (value,)) for key, value in labels.items())


def from_label_selector(selector: LabelSelector | None) -> Selector:
    """Return the selector that an object carries: None matches nothing, an empty one everything."""
    if selector is None:
        return Selector(nothing=True)
    wanted = [Requirement(key, "=", (value,)) for key, value in selector.matchLabels.items()]
    for expression in selector.matchExpressions:
        operator = _OPERATORS.get(expression.operator)
        if operator is None:
            raise ValueError(f'"{expression.operator}" is not a valid label selector operator')
        wanted.append(Requirement(expression.key, operator, tuple(sorted(set(expression.values)))))
    return _selector(wanted)


class _Parser:
    """Reads the grammar one requirement at a time; error texts name what was found instead."""

    def __init__(self, text: str) -> None:
        self._tokens: list[str] = [*_TOKEN.findall(text), _END]
        self._next = 0

    def requirements(self) -> list[Requirement]:
        found: list[Requirement] = []
        while self._peek() != _END:
            if self._peek() != "!" and not self._is_identifier():
                self._fail("found '{}', expected: !, identifier, or 'end of string'")
            try:
                found.append(self._requirement())
            except ValueError as error:
                raise ValueError(f"unable to parse requirement: {error}") from None
            separator = self._take()
            if separator == _END:
                break
            if separator != ",":
                raise ValueError(f"found '{separator}', expected: ',' or 'end of string'")
            if self._peek() != "!" and not self._is_identifier():
                self._fail("found '{}', expected: identifier after ','")
        return found

    def _requirement(self) -> Requirement:
        negated = self._peek() == "!"
        if negated:
            self._take()
        if not self._is_identifier():
            self._fail("found '{}', expected: identifier")
        key = self._take()
        _check("<nil>", key, key_errors(key))
        # "!key" ends here; upstream lets an operator follow it, and forgets the "!".
        if self._peek() in (_END, ","):
            return Requirement(key, "!" if negated else "exists")
        sign = self._take()
        operator = {">": "gt", "<": "lt"}.get(sign, sign)
        if operator not in _BINARY or sign in ("gt", "lt"):
            raise ValueError(f"found '{sign}', expected: {', '.join(_BINARY)}")
        values = self._values() if operator in ("in", "notin") else [self._exact_value()]
        return _checked(Requirement(key, operator, tuple(sorted(set(values)))))

    def _exact_value(self) -> str:
        if self._peek() in (_END, ","):
            return ""
        if not self._is_identifier():
            self._fail("found '{}', expected: identifier")
        return self._take()

    def _values(self) -> list[str]:
        if self._peek() != "(":
            self._fail("found '{}' expected: '('")
        self._take()
        if not self._is_identifier() and self._peek() not in (",", ")"):
            self._fail("found '{}', expected: ',', ')' or identifier")
        values: list[str] = []
        while True:
            # Two commas in a row, or one next to a parenthesis, have an empty value between them.
            values.append(self._take() if self._is_identifier() else "")
            if self._peek() == ")":
                self._take()
                return values
            if self._peek() != ",":
                self._fail("found '{}', expected: ',' or ')'")
            self._take()
            if not self._is_identifier() and self._peek() not in (",", ")"):
                self._fail("found '{}', expected: ',', or identifier")

    def _peek(self) -> str:
        return self._tokens[self._next]

    def _take(self) -> str:
        self._next += 1
        return self._tokens[self._next - 1]

    def _is_identifier(self) -> bool:
        token = self._peek()
        return token != _END and token[0] not in _SYMBOLS

    def _fail(self, template: str) -> None:
        raise ValueError(template.format(self._peek()))


def _checked(requirement: Requirement) -> Requirement:
    for index, value in enumerate(requirement.values):
        path = f"values[{index}]"
        if requirement.operator in ("gt", "lt") and _integer(value) is None:
            why = "for 'Gt', 'Lt' operators, the value must be an integer"
            _check(path, value, [why])
        _check(f"{path}[{requirement.key}]", value, value_errors(value))
    return requirement


def _check(path: str, value: str, errors: list[str]) -> None:
    if errors:
        raise ValueError(f"{path}: Invalid value: {go_value(value)}: {'; '.join(errors)}")


def _compare(value: str, operator: str, bound: str) -> bool:
    left, right = _integer(value), _integer(bound)
    if left is None or right is None:
        return False
    return left > right if operator == "gt" else left < right


def _integer(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[-+]?[0-9]+", text) else None


def _selector(requirements: Iterable[Requirement]) -> Selector:
    return Selector(tuple(sorted(requirements, key=lambda requirement: requirement.key)))
