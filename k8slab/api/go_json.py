"""JSON as the API server reads it, with the complaints of Go's decoder.

    {"a": 1           unexpected end of JSON input
    {a: 1}            invalid character 'a' looking for beginning of object key string
    {"a": 1} x        invalid character 'x' after top-level value

Rule of use: `decode(text)` raises ValueError in those words; what is fine costs nothing more.

Upstream: encoding/json/scanner.go of Go's standard library
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

END = "unexpected end of JSON input"
_BLANK = " \t\r\n"
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_WORDS = {"t": "true", "f": "false", "n": "null"}


def decode(text: bytes) -> Any:
    """Return the value of a JSON text; ValueError in Go's words if it is none.

    >>> decode(b'[1, 2')
    Traceback (most recent call last):
    ValueError: unexpected end of JSON input
    """
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(complaint(text.decode("utf-8", "replace")) or str(error)) from None


def complaint(text: str) -> str:
    """Return what Go says about a text that is no JSON, "" if nothing is wrong with it.

    >>> complaint('{"a" 1}')
    "invalid character '1' after object key"
    """
    try:
        end = _value(text, _skip(text, 0), 0)
        end = _skip(text, end)
        if end < len(text):
            _refuse(text, end, "after top-level value")
    except ValueError as error:
        return str(error)
    return ""


def _value(text: str, at: int, depth: int) -> int:
    """Return where the value that begins at `at` ends."""
    if depth > 200:  # Python would run out of stack soon after
        raise ValueError("exceeded max depth")
    first = text[at : at + 1]
    if first in _WORDS:
        return _word(text, at, _WORDS[first])
    if first == '"':
        return _string(text, at)
    if first in ("{", "["):
        return _members(text, at, depth, is_object=first == "{")
    match = _NUMBER.match(text, at)
    if match is None:
        _refuse(text, at, "looking for beginning of value")
        raise AssertionError
    return match.end()


def _members(text: str, at: int, depth: int, *, is_object: bool) -> int:
    close, after = ("}", "object key:value pair") if is_object else ("]", "array element")
    at = _skip(text, at + 1)
    if text[at : at + 1] == close:
        return at + 1
    while True:
        if is_object:
            if text[at : at + 1] != '"':
                _refuse(text, at, "looking for beginning of object key string")
            at = _skip(text, _string(text, at))
            if text[at : at + 1] != ":":
                _refuse(text, at, "after object key")
            at = _skip(text, at + 1)
        at = _skip(text, _value(text, at, depth + 1))
        if text[at : at + 1] == close:
            return at + 1
        if text[at : at + 1] != ",":
            _refuse(text, at, f"after {after}")
        at = _skip(text, at + 1)


def _string(text: str, at: int) -> int:
    match = _STRING.match(text, at)
    if match is not None:
        return match.end()
    for place in range(at + 1, len(text)):
        if text[place] < " ":
            _refuse(text, place, "in string literal")
    raise ValueError(END)


def _word(text: str, at: int, word: str) -> int:
    for index, letter in enumerate(word):
        if text[at + index : at + index + 1] != letter:
            _refuse(text, at + index, f"in literal {word} (expecting '{letter}')")
    return at + len(word)


def _skip(text: str, at: int) -> int:
    while text[at : at + 1] in _BLANK and at < len(text):
        at += 1
    return at


def _refuse(text: str, at: int, where: str) -> None:
    if at >= len(text):
        raise ValueError(END)
    sign = text[at]
    plain = json.dumps(sign, ensure_ascii=not sign.isprintable())[1:-1]
    shown = "'\\''" if sign == "'" else "'\"'" if sign == '"' else f"'{plain}'"
    raise ValueError(f"invalid character {shown} {where}")
