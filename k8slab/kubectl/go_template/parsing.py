"""Tokens of a template, made into nodes.

    Text, Action(pipe), Branch(word, pipe, then, otherwise), Call of a named template, Jump

A Pipe is a row of commands, each with its operands; what it declares has a name. An operand is a
literal, a path (from ".", a variable or a pipe in parentheses), or a function's name.

Rule of use: `parse_text(text)` returns the named parts, the whole one under "output".

Upstream: text/template/parse
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from typing import Literal as OneOf

import msgspec

from k8slab.kubectl.go_template.errors import NAME, TemplateError
from k8slab.kubectl.go_template.functions import FUNCTIONS
from k8slab.kubectl.go_template.lexing import Token, line_of, tokens


class Text(msgspec.Struct, frozen=True):
    """What is written as it stands."""

    text: str


class Literal(msgspec.Struct, frozen=True):
    """A value: a text, a number, true, false or nil."""

    value: Any
    at: int
    source: str


class Path(msgspec.Struct, frozen=True):
    """Fields below a start: "." or a variable, or a pipe in parentheses."""

    start: Any  # "." or "$name", or a Pipe
    fields: tuple[str, ...]
    at: int
    source: str


class Function(msgspec.Struct, frozen=True):
    """The name of a function."""

    name: str
    at: int
    source: str


class Pipe(msgspec.Struct, frozen=True):
    """Commands, each given the value of the one before it; `names` get the value."""

    commands: tuple[tuple[Any, ...], ...]
    names: tuple[str, ...] = ()
    assigns: bool = False  # "=", and not ":="


class Action(msgspec.Struct, frozen=True):
    """A pipe whose value is written, unless it has a name."""

    pipe: Pipe


class Branch(msgspec.Struct, frozen=True):
    """if, with or range, and what is written otherwise."""

    word: str
    pipe: Pipe
    then: tuple[Any, ...]
    otherwise: tuple[Any, ...]


class Call(msgspec.Struct, frozen=True):
    """A named template, with its data."""

    name: str
    pipe: Pipe | None
    at: int
    source: str


class Jump(msgspec.Struct, frozen=True):
    """break or continue."""

    word: OneOf["break", "continue"]


def parse_text(text: str) -> Mapping[str, tuple[Any, ...]]:
    """Return the nodes of a template and of those that it defines, by name."""
    parser = _Parser(text)
    body, end = parser.nodes()
    if end:
        parser.fail(f"unexpected {{{{{end}}}}}")
    return {**parser.defined, NAME: body}


ENDS = ("end", "else")
BRANCHES = ("if", "with", "range")


class _Parser:
    """Reads tokens from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = list(tokens(text))
        self.place = 0
        self.defined: dict[str, tuple[Any, ...]] = {}
        self.variables = ["$"]

    def fail(self, problem: str, at: int | None = None) -> Any:
        place = len(self.text) if at is None else at
        raise TemplateError(line_of(self.text, place), problem)

    def peek(self) -> Token:
        if self.place < len(self.tokens):
            return self.tokens[self.place]
        return Token("eof", "", len(self.text))

    def take(self) -> Token:
        token = self.peek()
        self.place += 1
        return token

    def skip(self) -> Token:
        """Return the next token that is no blank, without taking it."""
        while self.peek().kind == "blank":
            self.place += 1
        return self.peek()

    def nodes(self) -> tuple[tuple[Any, ...], str]:
        """Return nodes up to {{end}}, {{else}} or the end of the text, and which it was."""
        found: list[Any] = []
        while (token := self.take()).kind != "eof":
            if token.kind == "text":
                found.append(Text(token.text))
                continue
            word = self.skip()
            if word.text in ENDS and word.kind == "identifier":
                self.take()
                return tuple(found), word.text
            found += self.action(word)
        return tuple(found), ""

    def action(self, word: Token) -> list[Any]:
        if word.kind != "identifier" or word.text in FUNCTIONS:
            pipe = self.pipe("command")
            self.close("command")
            return [Action(pipe)]
        if word.text in BRANCHES:
            self.take()
            return [self.branch(word.text)]
        if word.text in ("define", "block", "template"):
            self.take()
            return self.named(word.text)
        if word.text in ("break", "continue"):
            self.take()
            self.close(word.text)
            return [Jump(word.text)]  # type: ignore[arg-type]
        pipe = self.pipe("command")
        self.close("command")
        return [Action(pipe)]

    def branch(self, word: str) -> Branch:
        depth = len(self.variables)
        pipe = self.pipe(word)
        self.close(word)
        then, end = self.nodes()
        otherwise: tuple[Any, ...] = ()
        if end == "else":
            following = self.skip()
            if following.text in ("if", "with") and following.kind == "identifier":
                self.take()
                otherwise, end = (self.branch(following.text),), "end"
                del self.variables[depth:]
                return Branch(word, pipe, then, otherwise)
            self.close("else")
            otherwise, end = self.nodes()
        del self.variables[depth:]
        if end != "end":
            self.fail("unexpected EOF")
        self.close("end")
        return Branch(word, pipe, then, otherwise)

    def named(self, word: str) -> list[Any]:
        name = self.skip()
        if name.kind not in ("string", "raw"):
            self.fail(f'unexpected "{name.text}" in {word} clause', name.at)
        self.take()
        text = str(literal(name))
        pipe = None
        if word != "define" and self.skip().kind != "close":
            pipe = self.pipe(word)
        self.close(word)
        if word == "template":
            return [Call(text, pipe, name.at, f"{{{{template {name.text}}}}}")]
        body, end = self.nodes()
        if end != "end":
            self.fail("unexpected EOF")
        self.close("end")
        self.defined[text] = body
        return [Call(text, pipe, name.at, name.text)] if word == "block" else []

    def close(self, context: str) -> None:
        token = self.skip()
        if token.kind != "close":
            self.fail(f'unexpected "{token.text}" in {context}', token.at)
        self.take()

    def pipe(self, context: str) -> Pipe:
        names, assigns = self.declared(context)
        commands = []
        while True:
            commands.append(self.command())
            if self.skip().text != "|":
                break
            self.take()
        if len(commands) > 1 and commands[-1] == ():
            commands.pop()
        if commands == [()]:
            self.fail(f"missing value for {context}", self.peek().at)
        if not assigns:
            self.variables += names
        return Pipe(tuple(commands), tuple(names), assigns)

    def declared(self, context: str) -> tuple[list[str], bool]:
        """Return the variables at the beginning of a pipe that it gives a value."""
        start, names = self.place, []
        while self.skip().kind == "variable":
            names.append(self.take().text)
            sign = self.skip()
            if sign.kind == "declare" or sign.text == "=":
                self.take()
                return names, sign.text == "="
            if sign.text != "," or context != "range" or len(names) > 1:
                break
            self.take()
        self.place = start
        return [], False

    def command(self) -> tuple[Any, ...]:
        operands: list[Any] = []
        while self.skip().kind not in ("close", "eof") and self.peek().text not in ("|", ")"):
            operands.append(self.operand())
        return tuple(operands)

    def operand(self) -> Any:
        token = self.take()
        start: Any = "."
        if token.text == "(":
            start = self.pipe("parenthesized pipeline")
            if self.skip().text != ")":
                self.fail("unclosed left paren", self.peek().at)
            self.take()
        elif token.kind == "variable":
            if token.text not in self.variables:
                self.fail(f'undefined variable "{token.text}"', token.at)
            start = token.text
        elif token.kind == "identifier":
            if token.text in ("true", "false", "nil"):
                value = {"true": True, "false": False}.get(token.text)
                return Literal(value, token.at, token.text)
            if token.text not in FUNCTIONS:
                self.fail(f'function "{token.text}" not defined', token.at)
            return Function(token.text, token.at, token.text)
        elif token.kind in ("string", "raw", "char", "number"):
            return Literal(literal(token), token.at, token.text)
        elif token.kind != "field" and token.text != ".":
            self.fail(f'unexpected "{token.text}" in operand', token.at)
        fields = [token.text[1:]] if token.kind == "field" else []
        while self.peek().kind == "field":
            fields.append(self.take().text[1:])
        last = self.tokens[self.place - 1]
        return Path(start, tuple(fields), token.at, self.text[token.at : last.at + len(last.text)])


def literal(token: Token) -> Any:
    """Return the value that a token stands for."""
    if token.kind == "raw":
        return token.text[1:-1]
    if token.kind == "string":
        return msgspec.json.decode(token.text.replace("\\'", "'").encode())
    if token.kind == "char":
        return ord(msgspec.json.decode(f'"{token.text[1:-1]}"'.encode()))
    try:
        return int(token.text, 0)
    except ValueError:
        return float(token.text)
