r"""The text of a template, cut into tokens: text, and what stands between {{ and }}.

    tokens("a {{.b | len}}")   ->   text "a ", open, field ".b", char "|", identifier "len", close

A blank trimmed by {{- or -}} is in no token; neither is a comment.

Rule of use: `tokens(text)`; TemplateError in Go's words.

Upstream: text/template/parse/lex.go
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

import msgspec

from k8slab.kubectl.go_template.errors import TemplateError

_INSIDE = re.compile(
    r"""
      (?P<string>"(?:\\.|[^"\\\n])*")
    | (?P<raw>`[^`]*`)
    | (?P<char>'(?:\\.|[^'\\])+')
    | (?P<field>\.[A-Za-z_]\w*)
    | (?P<variable>\$\w*)
    | (?P<number>[-+]?(?:0x[0-9a-fA-F]+|\d+\.?\d*(?:[eE][-+]?\d+)?|\.\d+))
    | (?P<identifier>[A-Za-z_]\w*)
    | (?P<declare>:=)
    | (?P<sign>[=|(),.])
    | (?P<blank>\s+)
    """,
    re.VERBOSE,
)


class Token(msgspec.Struct, frozen=True):
    """One piece of a template; `at` is where it begins in the text."""

    kind: str
    text: str
    at: int


def line_of(text: str, at: int) -> int:
    """Return the number of the line of a place."""
    return text.count("\n", 0, at) + 1


def tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of a template; TemplateError if an action is not closed."""
    at = 0
    while at < len(text):
        start = text.find("{{", at)
        if start < 0:
            yield Token("text", text[at:], at)
            return
        trims = re.match(r"\{\{-\s", text[start:]) is not None
        before = text[at:start].rstrip() if trims else text[at:start]
        if before:
            yield Token("text", before, at)
        inside = start + (3 if trims else 2)
        comment = re.compile(r"\s*/\*.*?\*/(\s-)?\}\}", re.DOTALL).match(text, inside)
        if comment is not None:
            at = _behind(text, comment.end(), comment.group(1) is not None)
            continue
        yield Token("open", "{{", start)
        at = yield from _action(text, inside)


def _action(text: str, at: int) -> Generator[Token, None, int]:
    """Yield what stands in an action and its close; return the place behind it."""
    while True:
        closing = re.compile(r"(\s-)?\}\}").match(text, at)
        if closing is not None:
            yield Token("close", "}}", at)
            return _behind(text, closing.end(), closing.group(1) is not None)
        found = _INSIDE.match(text, at)
        if at >= len(text):
            raise TemplateError(line_of(text, at), "unclosed action")
        if found is None:
            if text[at] in "\"'`":
                names = {'"': "quoted string", "`": "raw quoted string", "'": "character constant"}
                raise TemplateError(line_of(text, at), f"unterminated {names[text[at]]}")
            problem = f"unexpected {_quoted(text[at])} in command"
            if not text[at].isascii() or text[at] not in "{}[]<>!&%*+-/:;?@#^~\\":
                problem = f"unrecognized character in action: U+{ord(text[at]):04X}"
            raise TemplateError(line_of(text, at), problem)
        yield Token(str(found.lastgroup), found.group(), at)
        at = found.end()


def _quoted(sign: str) -> str:
    return f'"{sign}"'


def _behind(text: str, at: int, trims: bool) -> int:
    """Return the place behind an action, and behind the blanks that it trims."""
    while trims and at < len(text) and text[at].isspace():
        at += 1
    return at
