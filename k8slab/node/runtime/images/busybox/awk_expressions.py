"""awk's expressions: from tokens to a tree, and the tokens themselves.

A node is a tuple whose first element names it: ("binary", "+", left, right), ("field", node).

Rule of use: `awk_syntax` builds rules and statements on this.

Upstream: busybox editors/awk.c (parse_expr), POSIX awk
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

Node = tuple[Any, ...]
WORDS = (
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "in", "print", "printf",
    "next", "exit", "return", "break", "continue", "delete", "getline",
)  # fmt: skip
FUNCTIONS = (
    "length", "substr", "index", "split", "sub", "gsub", "match", "toupper", "tolower", "sprintf",
    "int", "sqrt", "exp", "log", "sin", "cos", "rand", "srand", "system", "close",
)  # fmt: skip
_TOKEN = re.compile(
    r"""(?P<space>[ \t\r]+|\\\n|\#[^\n]*)
    |(?P<number>\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+)
    |(?P<string>"(?:\\.|[^"\\])*")
    |(?P<name>[A-Za-z_]\w*)
    |(?P<sign>\+\+|--|&&|\|\||\*\*|!~|[-+*/%^=!<>]=|>>|[-+*/%^!<>=~?:,;(){}\[\]$\n|])""",
    re.VERBOSE,
)
_REGEX = re.compile(r"/((?:\\.|\[(?:\\.|[^\]])*\]|[^/\\\n])*)/")
_BEFORE_REGEX = ("(", ",", "{", "}", ";", "\n", "~", "!~", "!", "&&", "||", "=", "")
ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "^=")
COMPARING = ("<", "<=", "==", "!=", ">", ">=")


class AwkError(ValueError):
    """The program is none; the message is awk's."""


class Token(msgspec.Struct, frozen=True):
    """A piece of the program."""

    kind: str
    text: str


def tokens_of(text: str) -> list[Token]:
    """Return the pieces of a program. Raises AwkError."""
    found: list[Token] = []
    at = 0
    while at < len(text):
        before = found[-1] if found else Token("", "")
        wants_regex = before.text in _BEFORE_REGEX if before.kind != "string" else False
        match = _REGEX.match(text, at) if text[at] == "/" and wants_regex else None
        if match is not None:
            found.append(Token("regex", match[1].replace("\\/", "/")))
        else:
            match = _TOKEN.match(text, at)
            if match is None:
                raise AwkError("cmd. line:1: Unexpected token")
            if match.lastgroup != "space":
                found.append(Token(str(match.lastgroup), match[0]))
        at = match.end()
    return found


class Expressions:
    """Reads tokens one after the other."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = [*tokens, Token("end", "")]
        self._at = 0
        self._no_in = 0  # inside of for (...): `in` belongs to the loop

    # -- tokens

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _is(self, *texts: str) -> bool:
        return self._now.kind in ("sign", "name") and self._now.text in texts

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, *texts: str) -> bool:
        if self._is(*texts):
            self._at += 1
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._skip(text):
            raise AwkError("cmd. line:1: Unexpected token")

    def _blank(self) -> None:
        while self._skip("\n"):
            pass

    def _newlines(self) -> None:
        while self._skip("\n", ";"):
            pass

    # -- expressions, from the loosest operator to the tightest

    def _expression(self, *, no_greater: bool = False) -> Node:
        left = self._choice(no_greater)
        if self._is(*ASSIGNING) and left[0] in ("variable", "field", "element"):
            sign = self._take().text
            return "assign", sign[:-1], left, self._expression(no_greater=no_greater)
        return left

    def _choice(self, no_greater: bool) -> Node:
        condition = self._or(no_greater)
        if not self._skip("?"):
            return condition
        yes = self._expression(no_greater=no_greater)
        self._expect(":")
        return "choice", condition, yes, self._expression(no_greater=no_greater)

    def _or(self, no_greater: bool) -> Node:
        left = self._and(no_greater)
        while self._skip("||"):
            self._blank()
            left = "or", left, self._and(no_greater)
        return left

    def _and(self, no_greater: bool) -> Node:
        left = self._in(no_greater)
        while self._skip("&&"):
            self._blank()
            left = "and", left, self._in(no_greater)
        return left

    def _in(self, no_greater: bool) -> Node:
        left = self._match(no_greater)
        while self._skip("in"):
            left = "in", left, self._take().text
        return left

    def _match(self, no_greater: bool) -> Node:
        left = self._comparison(no_greater)
        while self._is("~", "!~"):
            negated = self._take().text == "!~"
            left = "match", left, self._comparison(no_greater), negated
        return left

    def _comparison(self, no_greater: bool) -> Node:
        left = self._concatenation(no_greater)
        if self._is(*COMPARING) and not (no_greater and self._is(">")):
            sign = self._take().text
            return "compare", sign, left, self._concatenation(no_greater)
        return left

    def _concatenation(self, no_greater: bool) -> Node:
        left = self._sum()
        while self._begins_operand():
            left = "concatenation", left, self._sum()
        return left

    def _begins_operand(self) -> bool:
        if self._now.kind in ("number", "string", "regex"):
            return True
        if self._now.kind == "name":
            return self._now.text not in WORDS
        return self._is("$", "(", "!", "-", "+", "++", "--") and not self._is("-", "+", "!")

    def _sum(self) -> Node:
        left = self._product()
        while self._is("+", "-"):
            left = "binary", self._take().text, left, self._product()
        return left

    def _product(self) -> Node:
        left = self._unary()
        while self._is("*", "/", "%"):
            left = "binary", self._take().text, left, self._unary()
        return left

    def _unary(self) -> Node:
        if self._is("!", "-", "+"):
            return "unary", self._take().text, self._unary()
        return self._power()

    def _power(self) -> Node:
        base = self._postfix()
        if self._skip("^", "**"):
            return "binary", "^", base, self._unary()
        return base

    def _postfix(self) -> Node:
        if self._is("++", "--"):
            sign = self._take().text[0]
            return "assign", sign, self._postfix(), ("number", 1.0)
        operand = self._primary()
        if self._is("++", "--") and operand[0] in ("variable", "field", "element"):
            return "step", self._take().text[0], operand
        return operand

    def _primary(self) -> Node:
        token = self._take()
        if token.kind == "number":
            return "number", float(token.text)
        if token.kind == "string":
            return "string", _unquoted(token.text[1:-1])
        if token.kind == "regex":
            return "regex", token.text
        if token.text == "$":
            return "field", self._postfix() if self._is("++", "--") else self._primary()
        if token.text == "(":
            return self._group()
        if token.kind != "name" or token.text in WORDS:
            raise AwkError("cmd. line:1: Unexpected token")
        if self._is("["):
            return "element", token.text, self._index()
        if token.text in FUNCTIONS or self._is("("):
            return "call", token.text, self._arguments()
        return "variable", token.text

    def _group(self) -> Node:
        inside = [self._expression()]
        while self._skip(","):
            inside.append(self._expression())
        self._expect(")")
        if len(inside) > 1 and self._skip("in"):
            return "in", ("group", inside), self._take().text
        return ("group", inside) if len(inside) > 1 else ("group", inside[:1])

    def _index(self) -> Node:
        self._expect("[")
        inside = [self._expression()]
        while self._skip(","):
            inside.append(self._expression())
        self._expect("]")
        return "group", inside

    def _arguments(self) -> list[Node]:
        found: list[Node] = []
        if not self._skip("("):
            return found
        while not self._skip(")"):
            found.append(self._expression())
            self._skip(",")
        return found


def _unquoted(text: str) -> str:
    known = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b"}
    return re.sub(
        r"\\(.)",
        lambda found: known.get(found[1], found[1] if found[1] in '"\\/' else found[0]),
        text,
        flags=re.DOTALL,
    )
