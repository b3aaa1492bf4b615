"""The shell's grammar: from text to a tree of commands.

`parse(text)` gives a `Sequence`. Words stay as they were typed, quotes and dollars included;
expand.py takes them apart when the command runs, because only then are variables known.

Rule of use: a text that is no shell program raises ShellSyntaxError in ash's words.

Upstream: busybox shell/ash.c, POSIX Shell Command Language
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Union

import msgspec

from k8slab.node.runtime.images.busybox.tokens import (
    CONDITION,
    HEREDOC,
    NEWLINE,
    OPERATOR,
    WORD,
    ShellSyntaxError,
    Token,
    tokenize,
)

NOT_FIRST = frozenset(("then", "elif", "else", "fi", "do", "done", "esac"))  # they end a list
ENDS = frozenset(("then", "elif", "else", "fi", "do", "done", "esac", "}", ")", ";;"))


class Redirect(msgspec.Struct, frozen=True):
    """`2>file`, `<file`, `2>&1`, or a here-document with its text."""

    fd: int
    operator: str  # > >> < <& >& <<
    target: str
    literal: bool = False  # a here-document whose end was quoted


class Simple(msgspec.Struct, frozen=True):
    """`X=1 command words`."""

    assignments: tuple[tuple[str, str], ...] = ()
    words: tuple[str, ...] = ()
    redirects: tuple[Redirect, ...] = ()


class Condition(msgspec.Struct, frozen=True):
    """`[[ ... ]]`: what stands between the brackets, for conditions.py."""

    inside: str


class Pipeline(msgspec.Struct, frozen=True):
    """`! a | b | c`."""

    commands: tuple[Command, ...]
    negated: bool = False


class AndOr(msgspec.Struct, frozen=True):
    """`a && b || c`: the first, then operators with what follows them."""

    first: Pipeline
    rest: tuple[tuple[str, Pipeline], ...] = ()


class Sequence(msgspec.Struct, frozen=True):
    """Commands one after another; the second of a pair says: in the background."""

    items: tuple[tuple[AndOr, bool], ...] = ()


class If(msgspec.Struct, frozen=True):
    """Conditions with what each runs, and what runs otherwise."""

    clauses: tuple[tuple[Sequence, Sequence], ...]
    otherwise: Sequence | None = None


class Loop(msgspec.Struct, frozen=True):
    """`while` or `until`."""

    condition: Sequence
    body: Sequence
    until: bool = False


class For(msgspec.Struct, frozen=True):
    """`for name in words`; without words it is the positional parameters."""

    name: str
    words: tuple[str, ...] | None
    body: Sequence


class Case(msgspec.Struct, frozen=True):
    """`case word in pattern | pattern) ... ;; esac`."""

    word: str
    branches: tuple[tuple[tuple[str, ...], Sequence], ...]


class Block(msgspec.Struct, frozen=True):
    """`( ... )` in a subshell, `{ ...; }` in this one; also what redirects a compound command."""

    body: Sequence
    subshell: bool = False
    redirects: tuple[Redirect, ...] = ()


class Function(msgspec.Struct, frozen=True):
    """`name() { ...; }`."""

    name: str
    body: Command


Command = Union[  # noqa: UP007 (a forward reference)
    Simple, Condition, If, Loop, For, Case, Block, Function
]


def parse(text: str) -> Sequence:
    """Return the program's tree. Raises ShellSyntaxError."""
    parser = _Parser(tokenize(text))
    program = parser.sequence()
    if parser.token.kind != "":
        raise parser.unexpected()
    return program


class _Parser:
    """Recursive descent; `token` is the one that comes next."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def token(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else Token("", "")

    def take(self) -> Token:
        token = self.token
        self._at += 1
        return token

    def accept(self, *texts: str) -> str:
        """Take the token if it is one of these (unquoted) texts."""
        token = self.token
        return self.take().text if token.kind != "" and token.text in texts else ""

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise self.unexpected(text)

    def unexpected(self, expected: str = "") -> ShellSyntaxError:
        token = self.token
        found = {"": "end of file", NEWLINE: "newline"}.get(token.kind, f'"{token.text}"')
        tail = f' (expecting "{expected}")' if expected else ""
        return ShellSyntaxError(f"syntax error: unexpected {found}{tail}")

    def skip_newlines(self) -> None:
        while self.token.kind == NEWLINE:
            self.take()

    # -- lists

    def sequence(self) -> Sequence:
        items: list[tuple[AndOr, bool]] = []
        self.skip_newlines()
        while self.token.kind != "" and self.token.text not in ENDS:
            command = self.and_or()
            background = bool(self.accept("&"))
            items.append((command, background))
            if not background and not self.accept(";") and self.token.kind != NEWLINE:
                break
            self.skip_newlines()
        return Sequence(tuple(items))

    def body(self) -> Sequence:
        """A list that must not be empty."""
        found = self.sequence()
        if not found.items:
            raise self.unexpected()
        return found

    def and_or(self) -> AndOr:
        first = self.pipeline()
        rest = []
        while operator := self.accept("&&", "||"):
            self.skip_newlines()
            rest.append((operator, self.pipeline()))
        return AndOr(first, tuple(rest))

    def pipeline(self) -> Pipeline:
        negated = bool(self.accept("!"))
        commands = [self.command()]
        while self.accept("|"):
            self.skip_newlines()
            commands.append(self.command())
        return Pipeline(tuple(commands), negated)

    # -- commands

    def command(self) -> Command:
        if self.token.kind == CONDITION:
            return Condition(self.take().body)
        word = self.token.text
        compounds: dict[str, Callable[[], Command]] = {
            "if": self.if_command, "while": self.loop, "until": self.loop, "for": self.for_command,
            "case": self.case, "{": self.block, "(": self.block,
        }  # fmt: skip
        compound = compounds.get(word) if self.token.kind != "" else None
        if compound is None:
            return self.simple()
        node = compound()
        redirects = self.redirects()
        if not redirects:
            return node
        inner = node.body if isinstance(node, Block) and not node.redirects else None
        if inner is None:
            inner = Sequence(((AndOr(Pipeline((node,))), False),))
        return Block(inner, isinstance(node, Block) and node.subshell, redirects)

    def if_command(self) -> If:
        clauses = []
        self.take()
        while True:
            condition = self.body()
            self.expect("then")
            clauses.append((condition, self.body()))
            if not self.accept("elif"):
                break
        otherwise = self.body() if self.accept("else") else None
        self.expect("fi")
        return If(tuple(clauses), otherwise)

    def loop(self) -> Loop:
        until = self.take().text == "until"
        condition = self.body()
        return Loop(condition, self.do_group(), until)

    def for_command(self) -> For:
        self.take()
        name = self.take().text
        self.skip_newlines()
        words: tuple[str, ...] | None = None
        if self.accept("in"):
            found = []
            while self.token.kind == WORD:
                found.append(self.take().text)
            words = tuple(found)
        self.accept(";")
        self.skip_newlines()
        return For(name, words, self.do_group())

    def do_group(self) -> Sequence:
        self.expect("do")
        body = self.body()
        self.expect("done")
        return body

    def case(self) -> Case:
        self.take()
        word = self.take().text
        self.skip_newlines()
        self.expect("in")
        self.skip_newlines()
        branches = []
        while not self.accept("esac"):
            self.accept("(")
            patterns = [self.take().text]
            while self.accept("|"):
                patterns.append(self.take().text)
            self.expect(")")
            branches.append((tuple(patterns), self.sequence()))
            self.accept(";;")
            self.skip_newlines()
            if self.token.kind == "":
                raise self.unexpected("esac")
        return Case(word, tuple(branches))

    def block(self) -> Block:
        subshell = self.take().text == "("
        body = self.body()
        self.expect(")" if subshell else "}")
        return Block(body, subshell)

    def simple(self) -> Command:
        assignments: list[tuple[str, str]] = []
        words: list[str] = []
        redirects: list[Redirect] = []
        while True:
            found = self.redirects()
            redirects += found
            token = self.token
            if token.kind != WORD:
                break
            name, equals, value = token.text.partition("=")
            if not words and equals and name.isidentifier():
                assignments.append((name, value))
            elif not words and token.text in NOT_FIRST:
                raise self.unexpected()
            else:
                words.append(token.text)
            self.take()
            if len(words) == 1 and not assignments and self.accept("("):
                self.expect(")")
                self.skip_newlines()
                return Function(words[0], self.command())
        if not (assignments or words or redirects):
            raise self.unexpected()
        return Simple(tuple(assignments), tuple(words), tuple(redirects))

    def redirects(self) -> tuple[Redirect, ...]:
        found = []
        while self.token.kind in (OPERATOR, HEREDOC) and self.token.text.lstrip("012")[:1] in "<>":
            token = self.token
            operator = token.text.lstrip("0123456789")
            if not operator:
                break
            fd = int(token.text[: -len(operator)] or (0 if operator[0] == "<" else 1))
            self.take()
            if token.kind == HEREDOC:
                found.append(Redirect(0, "<<", token.body, token.literal))
            elif self.token.kind != WORD:
                raise self.unexpected()
            else:
                found.append(Redirect(fd, operator, self.take().text))
        return tuple(found)
