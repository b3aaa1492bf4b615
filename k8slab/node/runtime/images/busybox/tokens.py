"""The shell's tokens: words, operators, newlines, here-documents.

A word ends at a blank or an operator, unless that is quoted or inside $(...), ${...} or
backquotes. Nothing is taken out of a word here.

Rule of use: syntax.py is the only caller, but for `closing`, which expand.py needs too.

Upstream: busybox shell/ash.c readtoken1
"""

from __future__ import annotations

import re

import msgspec

WORD, OPERATOR, NEWLINE, HEREDOC = "word", "operator", "newline", "heredoc"
CONDITION = "condition"  # what stands between [[ and ]]
BEFORE_COMMAND = ("if", "elif", "while", "until", "then", "else", "do", "!", "{")
_OPERATORS = re.compile(r"[0-9]?(?:>>|>&|<&|>\||<>|<<-?|[<>])|&&|\|\||;;|[;&|()]")
ARRAY = re.compile(r"[A-Za-z_]\w*=")  # before a parenthesis: bash's arrays
_BLANK = " \t"
_ENDS_WORD = " \t\n;&|<>()"


class ShellSyntaxError(Exception):
    """The text is no shell program."""


class Token(msgspec.Struct, frozen=True):
    """One token; `body` is the text of a here-document."""

    kind: str
    text: str
    body: str = ""
    literal: bool = False


def tokenize(text: str) -> list[Token]:
    """Return the tokens of a program. Raises ShellSyntaxError."""
    text = text.replace("\\\n", "")
    tokens: list[Token] = []
    at = 0
    documents: list[tuple[int, str]] = []  # where a here-document's token is, how it ends
    while at < len(text):
        char = text[at]
        if char in _BLANK:
            at += 1
        elif char == "#":
            at = _end_of_line(text, at)
        elif char == "\n":
            tokens.append(Token(NEWLINE, "\n"))
            at += 1
            for place, end in documents:
                at = _read_document(text, at, tokens, place, end)
            documents.clear()
        elif operator := _OPERATORS.match(text, at):
            at = operator.end()
            if operator[0].lstrip("0") in ("<<", "<<-"):
                at, end = _word(text, _skip_blanks(text, at))
                documents.append((len(tokens), end))
                tokens.append(Token(HEREDOC, operator[0]))
            else:
                tokens.append(Token(OPERATOR, operator[0]))
        else:
            at, word = _word(text, at)
            if word == "[[" and _begins_command(tokens):
                at, inside = _condition(text, at)
                tokens.append(Token(CONDITION, "[[", inside))
            else:
                tokens.append(Token(WORD, word))
    return tokens


def _begins_command(tokens: list[Token]) -> bool:
    return not tokens or tokens[-1].kind != WORD or tokens[-1].text in BEFORE_COMMAND


def _condition(text: str, at: int) -> tuple[int, str]:
    """Read up to the brackets that close a condition."""
    start = at
    while at < len(text):
        if text.startswith("]]", at) and text[at - 1].isspace():
            return at + 2, text[start:at]
        at = at + 2 if text[at] == "\\" else closing(text, at)
    raise ShellSyntaxError('syntax error: unexpected end of file (expecting "]]")')


def closing(text: str, at: int) -> int:
    """Return the index behind what opens at `at`: a quote, $(...), ${...}, backquotes.

    Raises ShellSyntaxError if it never closes.
    """
    char = text[at]
    if char == "'":
        return _find(text, "'", at + 1)
    if char == "`":
        return _find(text, "`", at + 1)
    if char == '"':
        return _nested(text, at + 1, '"')
    if text.startswith("${", at):
        return _nested(text, at + 2, "}")
    if text.startswith("$(", at):
        return _nested(text, at + 2, ")")
    return at + 1


def _nested(text: str, at: int, end: str) -> int:
    """Return the index behind `end`, passing over everything that opens meanwhile."""
    while at < len(text):
        char = text[at]
        if char == end:
            return at + 1
        if char == "\\":
            at += 2
        elif char == "'" and end == '"':
            at += 1
        elif char == "(" and end == ")":
            at = _nested(text, at + 1, ")")
        else:
            at = closing(text, at)
    what = "quoted string" if end == '"' else end
    raise ShellSyntaxError(f"syntax error: unterminated {what}")


def _find(text: str, end: str, at: int) -> int:
    found = text.find(end, at)
    if found < 0:
        raise ShellSyntaxError("syntax error: unterminated quoted string")
    return found + 1


def _word(text: str, at: int) -> tuple[int, str]:
    start = at
    while at < len(text) and text[at] not in _ENDS_WORD:
        at = at + 2 if text[at] == "\\" else closing(text, at)
    if text[at : at + 1] == "(" and ARRAY.fullmatch(text, start, at):
        at = _nested(text, at + 1, ")")
    return at, text[start:at]


def _read_document(text: str, at: int, tokens: list[Token], place: int, end: str) -> int:
    literal = end[:1] in "'\"\\"
    strip = tokens[place].text.endswith("-")
    lines = []
    while at < len(text):
        stop = _end_of_line(text, at)
        line = text[at:stop]
        at = stop + 1
        line = line.lstrip("\t") if strip else line
        if line == end.strip("'\"\\"):
            break
        lines.append(line + "\n")
    tokens[place] = Token(HEREDOC, "<<", "".join(lines), literal)
    return at


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at


def _end_of_line(text: str, at: int) -> int:
    found = text.find("\n", at)
    return len(text) if found < 0 else found
