"""From the text of an expression to its tree.

    expression  condition ["?" expression ":" expression]
    operators   ||   &&   == != < <= > >= in   + -   * / %   ! -
    member      value, then any of  .field  .method(...)  [index]  .?field

The tree has a few shapes only: operators are calls ("_+_"), and `has(a.b)` is a look whether there
is a field.

Rule of use: `parse(text)`; each node knows its place in the text, for messages.

Upstream: github.com/google/cel-go/parser/gen/CEL.g4
"""

from __future__ import annotations

import re
from typing import Any, TypeAlias

import msgspec

_TOKEN = re.compile(
    r"""\s+|//[^\n]*
    |(?P<float>\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)
    |(?P<int>0[xX][0-9a-fA-F]+u?|\d+[uU]?)
    |(?P<string>[rR]?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
        |"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<name>[_a-zA-Z]\w*|`[^`]+`)
    |(?P<sign>\|\||&&|==|!=|<=|>=|\.\?|\[\?|[-+*/%!<>?:.,(){}\[\]])""",
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|.)")
_PLAIN = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
# By how tightly they bind: the loosest first.
BINARY = (("||",), ("&&",), ("==", "!=", "<", "<=", ">", ">=", "in"), ("+", "-"), ("*", "/", "%"))
STARTS = (  # what a value may begin with, as the compiler lists it
    "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, "
    "BYTES, IDENTIFIER}"
)
MAX_DEPTH = 40  # of brackets in brackets


class CelSyntaxError(ValueError):
    """A text that is no expression; `at` is where."""

    def __init__(self, why: str, at: int) -> None:
        super().__init__(why)
        self.at = at


class Literal(msgspec.Struct, frozen=True):
    """A number, a text, true, false or null."""

    value: Any
    at: int = 0


class Name(msgspec.Struct, frozen=True):
    """A variable."""

    name: str
    at: int = 0


class Select(msgspec.Struct, frozen=True):
    """A field; `test` asks only whether it is there, `optional` takes its absence well."""

    of: Node
    field: str
    at: int = 0
    test: bool = False
    optional: bool = False


class Call(msgspec.Struct, frozen=True):
    """A function, a method (`target`) or an operator."""

    function: str
    args: tuple[Node, ...]
    target: Node | None = None
    at: int = 0


class ListOf(msgspec.Struct, frozen=True):
    """A list that is written out."""

    items: tuple[Node, ...]
    at: int = 0


class MapOf(msgspec.Struct, frozen=True):
    """A map that is written out."""

    entries: tuple[tuple[Node, Node], ...]
    at: int = 0


Node: TypeAlias = Literal | Name | Select | Call | ListOf | MapOf


def parse(text: str) -> Node:
    """Return the tree of an expression; CelSyntaxError if it is none."""
    parser = _Parser(text)
    try:
        tree = parser.expression()
    except RecursionError:  # a very long row of operators
        raise CelSyntaxError("expression recursion limit exceeded", 0) from None
    parser.expect_end()
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = _tokens(text)
        self._next = 0
        self._depth = 0

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise CelSyntaxError("expression recursion limit exceeded", self._at)
        found = self._binary(0)
        if self._take("?"):
            at = self._at
            yes = self._binary(0)
            self._expect(":")
            found = Call("_?_:_", (found, yes, self.expression()), at=at)
        self._depth -= 1
        return found

    def _binary(self, level: int) -> Node:
        if level == len(BINARY):
            return self._unary()
        found = self._binary(level + 1)
        while self._peek in BINARY[level]:
            at, sign = self._at, self._advance()
            found = Call(f"_{sign}_", (found, self._binary(level + 1)), at=at)
        return found

    def _unary(self) -> Node:
        at = self._at
        if self._take("!"):
            return Call("!_", (self._unary(),), at=at)
        if self._take("-"):
            operand = self._unary()
            is_number = isinstance(operand, Literal) and isinstance(operand.value, int | float)
            if is_number and not isinstance(operand.value, bool):  # type: ignore[union-attr]
                return Literal(-operand.value, at)  # type: ignore[union-attr]
            return Call("-_", (operand,), at=at)
        return self._member()

    def _member(self) -> Node:
        found = self._primary()
        while True:
            at = self._at
            if self._take(".?"):
                found = Select(found, self._identifier(), at, optional=True)
            elif self._take("."):
                name = self._identifier()
                opened = self._at
                if self._take("("):
                    found = Call(name, self._arguments(")"), found, opened)
                else:
                    found = Select(found, name, at)
            elif self._take("[?"):
                found = Call("_[?_]", (found, self._until("]")), at=at)
            elif self._take("["):
                found = Call("_[_]", (found, self._until("]")), at=at)
            else:
                return found

    def _until(self, end: str) -> Node:
        found = self.expression()
        self._expect(end)
        return found

    def _primary(self) -> Node:
        kind, value, at = self._tokens[self._next]
        if kind in ("int", "float", "string"):
            self._next += 1
            return Literal(value, at)
        if kind == "name":
            self._next += 1
            if value in ("true", "false", "null"):
                return Literal({"true": True, "false": False, "null": None}[value], at)
            opened = self._at
            if self._take("("):
                return _has(Call(value, self._arguments(")"), at=opened))
            return Name(value, at)
        if self._take("("):
            return self._until(")")
        if self._take("["):
            return ListOf(self._arguments("]"), at)
        if self._take("{"):
            return self._map(at)
        found = self._peek or "<EOF>"
        raise CelSyntaxError(f"Syntax error: mismatched input '{found}' expecting {STARTS}", at)

    def _map(self, at: int) -> Node:
        entries: list[tuple[Node, Node]] = []
        while not self._take("}"):
            key = self.expression()
            self._expect(":")
            entries.append((key, self.expression()))
            if not self._take(","):
                self._expect("}")
                break
        return MapOf(tuple(entries), at)

    def _arguments(self, end: str) -> tuple[Node, ...]:
        found: list[Node] = []
        while not self._take(end):
            found.append(self.expression())
            if not self._take(","):
                self._expect(end)
                break
        return tuple(found)

    # -- tokens

    @property
    def _peek(self) -> str:
        kind, value, _ = self._tokens[self._next]
        return value if kind in ("sign", "name") else ""

    @property
    def _at(self) -> int:
        return self._tokens[self._next][2]

    def _advance(self) -> str:
        self._next += 1
        return str(self._tokens[self._next - 1][1])

    def _take(self, sign: str) -> bool:
        kind, value, _ = self._tokens[self._next]
        if kind == "sign" and value == sign:
            self._next += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if not self._take(sign):
            found = self._peek or str(self._tokens[self._next][1] or "<EOF>")
            raise CelSyntaxError(
                f"Syntax error: mismatched input '{found}' expecting '{sign}'", self._at
            )

    def _identifier(self) -> str:
        kind, value, at = self._tokens[self._next]
        if kind != "name":
            raise CelSyntaxError("Syntax error: no viable alternative at input '.'", at)
        self._next += 1
        return str(value).strip("`")

    def expect_end(self) -> None:
        kind, value, at = self._tokens[self._next]
        if kind != "end":
            raise CelSyntaxError(f"Syntax error: mismatched input '{value}' expecting <EOF>", at)


def _has(call: Call) -> Node:
    """Return what `has(a.b)` is short for."""
    if call.function != "has" or len(call.args) != 1:
        return call
    field = call.args[0]
    if not isinstance(field, Select):
        raise CelSyntaxError("invalid argument to has() macro", call.at)
    return Select(field.of, field.field, call.at, test=True)


def _tokens(text: str) -> list[tuple[str, Any, int]]:
    found: list[tuple[str, Any, int]] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise CelSyntaxError(f"Syntax error: token recognition error at: '{text[at]}'", at)
        kind = match.lastgroup
        if kind is not None:
            found.append((kind, _value(kind, match.group()), at))
        at = match.end()
    return [*found, ("end", "", at)]


def _value(kind: str, text: str) -> Any:
    if kind == "int":
        return int(text.rstrip("uU"), 0) if text[:2] in ("0x", "0X") else int(text.rstrip("uU"))
    if kind == "float":
        return float(text)
    if kind != "string":
        return text
    is_raw = text[0] in "rR"
    text = text[1:] if is_raw else text
    size = 3 if text[:3] in ('"""', "'''") and len(text) >= 6 else 1
    inner = text[size:-size]
    return inner if is_raw else _ESCAPE.sub(_unescaped, inner)


def _unescaped(match: re.Match[str]) -> str:
    code = match.group(1)
    if len(code) == 1:
        return _PLAIN.get(code, code)
    return chr(int(code[1:], 16) if code[0] in "xuU" else int(code, 8))
