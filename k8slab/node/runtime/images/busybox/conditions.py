r"""bash's conditions: [[ ... ]], in which words are not split and operators join parts.

    [[ -f $file && $name == web-* ]]      files, patterns
    [[ $HOSTNAME =~ -([0-9]+)$ ]]         a regular expression; its groups are in BASH_REMATCH

Rule of use: `parse` reads the text between the brackets, `holds` answers.

Upstream: bash execute_cmd.c (execute_cond_command), parse.y (parse_cond_command)
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from typing import Any, Protocol

from k8slab.node.runtime.images.busybox.expand import arithmetic, text
from k8slab.node.runtime.images.busybox.standalone import holds as test
from k8slab.node.runtime.images.busybox.text import classes
from k8slab.node.runtime.images.busybox.tokens import ShellSyntaxError, closing
from k8slab.node.runtime.process import Process

Node = tuple[Any, ...]
JOINS = ("&&", "||", "(", ")", "!")
NUMERIC = {"-eq": "==", "-ne": "!=", "-lt": "<", "-le": "<=", "-gt": ">", "-ge": ">="}


class Asking(Protocol):
    """What a condition needs of the shell."""

    process: Process
    arrays: dict[str, list[str]]

    def value(self, name: str, *, optional: bool = False) -> str | None:
        """Return a variable."""

    def assign(self, name: str, value: str) -> None:
        """Set a variable."""

    def parameters(self) -> list[str]:
        """Return the positional parameters."""

    def glob(self, pattern: str) -> list[str]:
        """Return the files that a pattern means."""

    async def capture(self, script: str) -> str:
        """Run commands and return what they printed."""


def words_of(inside: str) -> list[str]:
    """Return the words and operators between the brackets, quotes and dollars included."""
    words: list[str] = []
    at = 0
    while at < len(inside):
        if inside[at].isspace():
            at += 1
        elif inside.startswith(("&&", "||"), at):
            words.append(inside[at : at + 2])
            at += 2
        elif inside[at] in "()" and not (words and words[-1] == "=~"):
            words.append(inside[at])
            at += 1
        else:
            start = at
            regex = bool(words) and words[-1] == "=~"
            while at < len(inside) and not inside[at].isspace():
                if not regex and inside[at] in "()":
                    break
                at = at + 2 if inside[at] == "\\" else closing(inside, at)
            words.append(inside[start:at])
    return words


def parse(inside: str) -> Node:
    """Return the tree of a condition. Raises ShellSyntaxError."""
    words = words_of(inside)
    node, rest = _or(words)
    if rest:
        raise ShellSyntaxError(f"syntax error in conditional expression near `{rest[0]}'")
    return node


def _or(words: list[str]) -> tuple[Node, list[str]]:
    left, words = _and(words)
    while words[:1] == ["||"]:
        right, words = _and(words[1:])
        left = ("or", left, right)
    return left, words


def _and(words: list[str]) -> tuple[Node, list[str]]:
    left, words = _not(words)
    while words[:1] == ["&&"]:
        right, words = _not(words[1:])
        left = ("and", left, right)
    return left, words


def _not(words: list[str]) -> tuple[Node, list[str]]:
    if words[:1] == ["!"]:
        inner, words = _not(words[1:])
        return ("not", inner), words
    if words[:1] == ["("]:
        inner, words = _or(words[1:])
        if words[:1] != [")"]:
            raise ShellSyntaxError("syntax error in conditional expression: expected `)'")
        return inner, words[1:]
    count = 0
    while count < len(words) and words[count] not in JOINS:
        count += 1
    if not count or count > 3:
        raise ShellSyntaxError("syntax error in conditional expression")
    return ("test", *words[:count]), words[count:]


async def holds(shell: Asking, node: Node) -> bool:
    """Say whether a condition holds. Raises ValueError in the shell's words."""
    kind, *parts = node
    if kind == "not":
        return not await holds(shell, parts[0])
    if kind in ("and", "or"):
        first = await holds(shell, parts[0])
        return await holds(shell, parts[1]) if first == (kind == "and") else first
    if len(parts) == 3:
        return await _compared(shell, *parts)
    return test(shell.process, [await text(shell, word) for word in parts])


async def _compared(shell: Asking, left: str, operator: str, right: str) -> bool:
    value, other = await text(shell, left), await text(shell, right)
    if operator == "=~":
        found = re.search(classes(other), value)
        shell.arrays["BASH_REMATCH"] = (
            [found[0], *(group or "" for group in found.groups())] if found is not None else []
        )
        return found is not None
    if operator in ("=", "==", "!="):
        quoted = right[:1] in "\"'"
        same = value == other if quoted else fnmatchcase(value, other)
        return same == (operator != "!=")
    if operator in ("<", ">"):
        return value < other if operator == "<" else value > other
    if operator in NUMERIC:
        return bool(arithmetic(shell, f"({value or 0}) {NUMERIC[operator]} ({other or 0})"))
    return test(shell.process, [value, operator, other])
