"""What the shell makes of a word: variables, $(commands), $((sums)), quotes, splitting.

`fields` turns the words of a command into its arguments; `text` turns a word into one string,
for assignments, redirections and `case`.

Rule of use: the shell is asked for values (`value`) and to run commands (`capture`).

Upstream: busybox shell/ash.c expandarg
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Protocol

import msgspec

from k8slab.node.runtime.images.busybox.arithmetic import ExpressionError, evaluate
from k8slab.node.runtime.images.busybox.tokens import closing

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]|[?#@*$!-]")
_BRACED = re.compile(r"(#?)([A-Za-z_][A-Za-z0-9_]*|[0-9]+|[?#@*$!-])(:?[-=?+]|%%?|##?)?(.*)", re.S)
_PATTERN = re.compile(r"[*?]")
_ESCAPED_IN_QUOTES = '$`"\\\n'


_ELEMENT = re.compile(r"(#?)([A-Za-z_]\w*)\[(.+)\]", re.S)


class ExpansionError(Exception):
    """The shell stops at such a word; the message is ash's."""


class Values(Protocol):
    """What expansion needs of the shell."""

    arrays: dict[str, list[str]]

    def value(self, name: str, *, optional: bool = False) -> str | None:
        """Return a variable or special parameter, None if it is not set.

        Raises ExpansionError for one that is not set under `set -u`, unless it is optional.
        """

    def assign(self, name: str, value: str) -> None:
        """Set a variable."""

    def parameters(self) -> list[str]:
        """Return the positional parameters."""

    def glob(self, pattern: str) -> list[str]:
        """Return the files that a pattern means."""

    async def capture(self, script: str) -> str:
        """Run commands and return what they printed."""


class Piece(msgspec.Struct, frozen=True):
    """A part of a word: what is in `split` separates arguments in it."""

    text: str
    split: str = ""  # the shell's IFS, "" for what stands in quotes
    more: tuple[str, ...] | None = None  # "$@": each its own argument
    bare: bool = False  # outside of quotes: * and ? stand for files


async def fields(shell: Values, words: Iterable[str]) -> list[str]:
    """Return the arguments that the words stand for."""
    found: list[str] = []
    for word in words:
        pieces = await _pieces(shell, word)
        arguments = _arguments(pieces)
        if any(piece.bare and _PATTERN.search(piece.text) for piece in pieces):
            arguments = [path for word in arguments for path in shell.glob(word) or [word]]
        found += arguments
    return found


async def text(shell: Values, word: str, *, document: bool = False) -> str:
    """Return what the word stands for, in one piece."""
    pieces = await _pieces(shell, word, in_quotes=document)
    return "".join(" ".join(p.more) if p.more is not None else p.text for p in pieces)


def _arguments(pieces: list[Piece]) -> list[str]:
    done: list[str] = []
    current: str | None = None
    for piece in pieces:
        if piece.more is not None:
            for number, each in enumerate(piece.more):
                if number and current is not None:
                    done.append(current)
                    current = None
                current = (current or "") + each
        elif piece.split:
            parts = split_fields(piece.text, piece.split)
            if current is not None and (not parts or piece.text[:1] in piece.split) and piece.text:
                done.append(current)
                current = None
            for part in parts[:-1]:
                done.append((current or "") + part)
                current = None
            if parts:
                current = (current or "") + parts[-1]
                if piece.text[-1:] in piece.split:
                    done.append(current)
                    current = None
        else:
            current = (current or "") + piece.text
    return done if current is None else [*done, current]


def split_fields(text: str, separators: str, most: int = 0) -> list[str]:
    """Cut a text where one of the shell's IFS is; blanks among them count as one.

    >>> split_fields(" a  b ", " "), split_fields("a,,b", ",")
    (['a', 'b'], ['a', '', 'b'])
    """
    blanks = "".join(char for char in separators if char.isspace())
    others = "".join(char for char in separators if not char.isspace())
    text = text.strip(blanks) if blanks else text
    if not text:
        return []
    if not separators:
        return [text]
    blank, other = (f"[{re.escape(chars)}]" for chars in (blanks or "\0", others or "\0"))
    return re.split(f"{blank}*{other}{blank}*|{blank}+", text, maxsplit=max(most - 1, 0))


async def _pieces(shell: Values, word: str, *, in_quotes: bool = False) -> list[Piece]:
    found: list[Piece] = []
    at = 0
    while at < len(word):
        char = word[at]
        if char == "\\" and at + 1 < len(word):
            keep = in_quotes and word[at + 1] not in _ESCAPED_IN_QUOTES
            found.append(Piece(word[at : at + 2] if keep else word[at + 1]))
            at += 2
        elif char == "'" and not in_quotes:
            end = closing(word, at)
            found.append(Piece(word[at + 1 : end - 1]))
            at = end
        elif char == '"' and not in_quotes:
            end = closing(word, at)
            inner = await _pieces(shell, word[at + 1 : end - 1], in_quotes=True)
            found += inner or [Piece("")]
            at = end
        elif char in "$`":
            end, piece = await _dollar(shell, word, at, in_quotes)
            found.append(piece)
            at = end
        else:
            end = _plain(word, at, in_quotes)
            found.append(Piece(word[at:end], bare=not in_quotes))
            at = end
    return found


async def _dollar(shell: Values, word: str, at: int, quoted: bool) -> tuple[int, Piece]:
    """Expand what begins with $ or a backquote; returns the index behind it."""
    split = "" if quoted else separators(shell)
    if word[at] == "`":
        end = closing(word, at)
        return end, Piece(await _command(shell, word[at + 1 : end - 1]), split)
    if word.startswith("$((", at):
        end = closing(word, at)
        expression = await text(shell, word[at + 3 : end - 2], document=True)
        return end, Piece(str(arithmetic(shell, expression)), split)
    if word.startswith("$(", at):
        end = closing(word, at)
        return end, Piece(await _command(shell, word[at + 2 : end - 1]), split)
    if word.startswith("${", at):
        end = closing(word, at)
        return end, await _braced(shell, word[at + 2 : end - 1], split)
    name = _NAME.match(word, at + 1)
    if name is None:
        return at + 1, Piece("$")
    if name[0] in "@*" and quoted:
        parameters = tuple(shell.parameters())
        more = parameters if name[0] == "@" else (" ".join(parameters),)
        return name.end(), Piece("", more=more)
    return name.end(), Piece(shell.value(name[0]) or "", split)


def separators(shell: Values) -> str:
    """Return what separates the fields of an expansion."""
    own = shell.value("IFS", optional=True)
    return " \t\n" if own is None else own


async def _command(shell: Values, script: str) -> str:
    return (await shell.capture(script)).rstrip("\n")


async def _braced(shell: Values, inside: str, split: str) -> Piece:
    element = _ELEMENT.fullmatch(inside)
    if element is not None:
        return await _element(shell, element, split)
    found = _BRACED.fullmatch(inside)
    if found is None:
        raise ExpansionError("syntax error: bad substitution")
    length, name, operator, word = found.groups()
    value = shell.value(name, optional=bool(operator) and operator[0] not in "%#")
    if length and not operator:
        return Piece(str(len(value or "")))
    if not operator:
        return Piece(value or "", split)
    if operator[0] in "%#":
        return Piece(_trim(value or "", operator, await text(shell, word)), split)
    empty = value is None or (operator[0] == ":" and not value)
    if operator[-1] == "+":
        return Piece("" if empty else await text(shell, word), split)
    if not empty:
        return Piece(value or "", split)
    other = await text(shell, word)
    if operator[-1] == "?":
        raise ExpansionError(f"{name}: {other or 'parameter not set'}")
    if operator[-1] == "=":
        shell.assign(name, other)
    return Piece(other, split)


async def _element(shell: Values, found: re.Match[str], split: str) -> Piece:
    """Expand ${name[index]}, ${name[@]} and ${#name[@]}."""
    length, name, index = found.groups()
    single = shell.value(name, optional=True)
    elements = shell.arrays.get(name, [] if single is None else [single])
    if index not in "@*":
        at = arithmetic(shell, await text(shell, index, document=True))
        value = elements[at] if -len(elements) <= at < len(elements) else ""
        return Piece(str(len(value)) if length else value, split)
    if length:
        return Piece(str(len(elements)))
    if split:
        return Piece(" ".join(elements), split)
    more = tuple(elements) if index == "@" else (" ".join(elements),)
    return Piece("", more=more)


def _trim(value: str, operator: str, pattern: str) -> str:
    """Cut the shortest (one sign) or longest (two) match off the end (%) or the start (#)."""
    cuts = range(len(value) + 1)
    if operator in ("%", "##"):  # the shortest end, or the longest start, comes first
        cuts = cuts[::-1]
    for cut in cuts:
        part = value[cut:] if operator[0] == "%" else value[:cut]
        if fnmatchcase(part, pattern):
            return value[:cut] if operator[0] == "%" else value[cut:]
    return value


def _plain(word: str, at: int, in_quotes: bool) -> int:
    special = "\\$`" if in_quotes else "\\$`'\""
    while at < len(word) and word[at] not in special:
        at += 1
    return at


def arithmetic(shell: Values, expression: str) -> int:
    """Return the value of an integer expression, which may assign. Raises ExpansionError."""
    try:
        return evaluate(expression, shell.value, shell.assign)
    except ExpressionError as error:
        raise ExpansionError(str(error)) from None
