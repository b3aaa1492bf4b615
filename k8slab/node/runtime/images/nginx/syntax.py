r"""The form of nginx's configuration: words, `;`, and blocks in braces.

`parse` reads a text into a tree of directives and says what is wrong with its form; whether a
directive exists, and where, is checked by the table of directives.

    >>> found, = parse("server { listen 80; }  # the first", "my.conf")
    >>> found.name, [str(inner) for inner in found.block]
    ('server', ['listen 80'])

Rule of use: an error's message is what nginx prints after [emerg].

Upstream: nginx src/core/ngx_conf_file.c
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

SPECIAL = ";{}"


class ConfigError(Exception):
    """The configuration cannot be used; the message is nginx's own."""


class Directive(msgspec.Struct, frozen=True):
    """One directive: a name, its arguments, and what stands in its block."""

    name: str
    args: tuple[str, ...]
    file: str
    line: int
    block: tuple[Directive, ...] | None = None  # None: it ended with a semicolon

    @property
    def where(self) -> str:
        """Where it stands, as error messages say it."""
        return f"{self.file}:{self.line}"

    def __str__(self) -> str:
        return " ".join((self.name, *self.args))


class _Token(msgspec.Struct, frozen=True):
    text: str
    line: int
    special: bool = False


def parse(text: str, file: str) -> tuple[Directive, ...]:
    """Return the directives of a file. Raises ConfigError."""
    return _Parser(text, file).directives()


class _Parser:
    def __init__(self, text: str, file: str) -> None:
        self._file = file
        self._tokens = list(_tokens(text, file))
        self._at = 0
        self._last_line = text.count("\n") + 1

    def directives(self, depth: int = 0) -> tuple[Directive, ...]:
        """Read up to the end of the block, at depth 0 to the end of the file."""
        found: list[Directive] = []
        words: list[_Token] = []
        while self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._at += 1
            if not token.special:
                words.append(token)
            elif token.text == "}":
                if words or not depth:
                    raise self._error('unexpected "}"', token.line)
                return tuple(found)
            elif not words:
                raise self._error(f'unexpected "{token.text}"', token.line)
            else:
                block = self.directives(depth + 1) if token.text == "{" else None
                name, *args = (word.text for word in words)
                found.append(Directive(name, tuple(args), self._file, token.line, block))
                words = []
        if words or depth:
            expected = '";" or "}"' if words else '"}"'
            raise self._error(f"unexpected end of file, expecting {expected}", self._last_line)
        return tuple(found)

    def _error(self, what: str, line: int) -> ConfigError:
        return ConfigError(f"{what} in {self._file}:{line}")


def _tokens(text: str, file: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        letter = text[at]
        if letter.isspace():
            line += letter == "\n"
            at += 1
        elif letter == "#":
            at = text.find("\n", at) % (len(text) + 1)
        elif letter in SPECIAL:
            yield _Token(letter, line, special=True)
            at += 1
        else:
            word, end = _quoted(text, at) if letter in "\"'" else _bare(text, at)
            yield _Token(word, line)
            line += text.count("\n", at, end)
            at = end


def _bare(text: str, at: int) -> tuple[str, int]:
    """Read a word up to a blank or a special letter; the braces of `${name}` belong to it."""
    word = ""
    while at < len(text) and not text[at].isspace() and text[at] not in ";{":
        if text.startswith("${", at):
            end = text.find("}", at) + 1 or len(text)
            word += text[at:end]
            at = end
        elif text[at] == "\\" and at + 1 < len(text):
            word += _escaped(text[at + 1])
            at += 2
        else:
            word += text[at]
            at += 1
    return word, at


def _quoted(text: str, at: int) -> tuple[str, int]:
    quote, at, word = text[at], at + 1, ""
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and at + 1 < len(text):
            word += _escaped(text[at + 1])
            at += 2
        else:
            word += text[at]
            at += 1
    return word, at + 1


def _escaped(letter: str) -> str:
    """Return what a backslash and a letter stand for; the backslash of a pattern stays."""
    known = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "'": "'", "\\": "\\"}
    return known.get(letter, f"\\{letter}")
