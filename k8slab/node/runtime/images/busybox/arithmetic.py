r"""The shell's arithmetic: integers, C's operators, assignments.

    >>> values = {"n": "4"}
    >>> evaluate("n > 3 ? n * (2 + 1) : 0", values.get, values.__setitem__)
    12
    >>> evaluate("n += 2, n++", values.get, values.__setitem__), values["n"]
    (6, '7')

Rule of use: a variable is a number or an expression of its own; one that is not set is 0.

Upstream: busybox shell/math.c
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from functools import partial

Get = Callable[[str], str | None]
Set = Callable[[str, str], object]
Thunk = Callable[[], int]  # what is not needed is not computed: it may assign

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+|[A-Za-z_]\w*|<<=|>>=|\*\*|\+\+|--|&&|\|\||<<|>>|[-+*/%&|^=!<>]=|\S)"
)
ASSIGNING = ("=", "+=", "-=", "*=", "/=", "%=", "<<=", ">>=", "&=", "^=", "|=")
DEEPEST = 32  # expressions in variables in expressions


class ExpressionError(ValueError):
    """The expression cannot be computed; the message is the shell's."""


def divided(a: int, b: int) -> int:
    """Divide as C does: towards zero."""
    if not b:
        raise ExpressionError("divide by zero")
    quotient = abs(a) // abs(b)
    return quotient if (a < 0) == (b < 0) else -quotient


_BINARY: tuple[Mapping[str, Callable[[int, int], int]], ...] = (
    {"|": operator.or_},
    {"^": operator.xor},
    {"&": operator.and_},
    {"==": operator.eq, "!=": operator.ne},
    {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge},
    {"<<": operator.lshift, ">>": operator.rshift},
    {"+": operator.add, "-": operator.sub},
    {"*": operator.mul, "/": divided, "%": lambda a, b: a - b * divided(a, b)},
)
_OPERATIONS = {name: do for level in _BINARY for name, do in level.items()}


def evaluate(text: str, get: Get, put: Set, depth: int = 0) -> int:
    """Return the value of an expression. Raises ExpressionError."""
    return _Parser(text, get, put, depth).whole()()


class _Parser:
    """Precedence climbing over the tokens, from the loosest operator to the tightest."""

    def __init__(self, text: str, get: Get, put: Set, depth: int) -> None:
        self._tokens = _TOKEN.findall(text)
        self._at = 0
        self._get = get
        self._put = put
        self._depth = depth

    def whole(self) -> Thunk:
        if not self._tokens:
            return lambda: 0
        parsed = self._comma()
        if self._at < len(self._tokens):
            raise ExpressionError("arithmetic syntax error")
        return parsed

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _take(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1] if self._at <= len(self._tokens) else ""

    def _expect(self, token: str) -> None:
        if self._take() != token:
            raise ExpressionError("arithmetic syntax error")

    def _comma(self) -> Thunk:
        left = self._assignment()
        while self._peek() == ",":
            self._take()
            left = partial(lambda first, then: (first(), then())[1], left, self._assignment())
        return left

    def _assignment(self) -> Thunk:
        following = self._tokens[self._at + 1 : self._at + 2]
        if _is_name(self._peek()) and following and following[0] in ASSIGNING:
            name, sign = self._take(), self._take()
            value = self._assignment()
            return partial(self._assign, name, sign[:-1], value)
        return self._choice()

    def _choice(self) -> Thunk:
        condition = self._or()
        if self._peek() != "?":
            return condition
        self._take()
        yes = self._comma()
        self._expect(":")
        no = self._assignment()
        return lambda: yes() if condition() else no()

    def _or(self) -> Thunk:
        left = self._and()
        while self._peek() == "||":
            self._take()
            left = partial(lambda a, b: int(bool(a() or b())), left, self._and())
        return left

    def _and(self) -> Thunk:
        left = self._binary(0)
        while self._peek() == "&&":
            self._take()
            left = partial(lambda a, b: int(bool(a() and b())), left, self._binary(0))
        return left

    def _binary(self, level: int) -> Thunk:
        if level == len(_BINARY):
            return self._power()
        left = self._binary(level + 1)
        while self._peek() in _BINARY[level]:
            do = _BINARY[level][self._take()]
            right = self._binary(level + 1)
            left = partial(lambda do, a, b: int(do(a(), b())), do, left, right)
        return left

    def _power(self) -> Thunk:
        base = self._unary()
        if self._peek() != "**":
            return base
        self._take()
        exponent = self._power()
        return lambda: int(base() ** exponent())

    def _unary(self) -> Thunk:
        sign = self._peek()
        if sign in ("++", "--"):
            self._take()
            return partial(self._assign, self._take(), sign[0], lambda: 1)
        if sign not in ("-", "+", "!", "~"):
            return self._primary()
        self._take()
        operand = self._unary()
        if sign == "!":
            return lambda: int(not operand())
        return lambda: {"-": -operand(), "+": operand(), "~": ~operand()}[sign]

    def _primary(self) -> Thunk:
        token = self._take()
        if token == "(":
            inner = self._comma()
            self._expect(")")
            return inner
        if token[:1].isdigit():
            value = number(token)
            return lambda: value
        if not _is_name(token):
            raise ExpressionError("arithmetic syntax error")
        if self._peek() in ("++", "--"):
            sign = self._take()[0]
            return partial(self._step, token, sign)
        return partial(self._variable, token)

    def _variable(self, name: str) -> int:
        text = (self._get(name) or "0").strip()
        if re.fullmatch(r"[-+]?\d+", text):
            return number(text)
        if self._depth >= DEEPEST:
            raise ExpressionError("expression recursion loop detected")
        return evaluate(text, self._get, self._put, self._depth + 1)

    def _assign(self, name: str, sign: str, value: Thunk) -> int:
        new = value()
        if sign:
            new = _OPERATIONS[sign](self._variable(name), new)
        self._put(name, str(new))
        return new

    def _step(self, name: str, sign: str) -> int:
        old = self._variable(name)
        self._put(name, str(_OPERATIONS[sign](old, 1)))
        return old


def _is_name(token: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z_]\w*", token))


def number(text: str) -> int:
    """Read a number in C's way: 10, 0x1f, 017."""
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text.lstrip("+"))
    try:
        if digits[:2].lower() == "0x":
            return sign * int(digits, 16)
        return sign * int(digits, 8 if digits[:1] == "0" and len(digits) > 1 else 10)
    except ValueError:
        raise ExpressionError("arithmetic syntax error") from None
