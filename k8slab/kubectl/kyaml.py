r"""KYAML: YAML that cannot be misread, as `-o kyaml` prints it.

    ---
    {
      data: {
        k: "v",
        lines: "\
           a\n\
           b\n\
          ",
      },
    }

Braces and brackets show what belongs together, so indentation means nothing; every text has
quotation marks; a key has them if a reader of YAML could take it for something else than a text.

Rule of use: `document(data)` is one document, with its "---".

Upstream: sigs.k8s.io/yaml/kyaml
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.yaml_text import reads_as_text

_KEY = re.compile(r"\w(?:[\w./-]*\w)?")
# What some reader of YAML takes for a truth value, a number or nothing.
_WORDS = ("y", "n", "t", "f", "yes", "no", "on", "off", "true", "false", "null", "inf", "nan")
_ESCAPES = {
    **{"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\0", "\a": "\\a", "\b": "\\b"},
    **{"\v": "\\v", "\f": "\\f", "\x1b": "\\e", "\x85": "\\N", "\xa0": "\\_"},
    **{"\u2028": "\\L", "\u2029": "\\P", "\ufeff": "\\ufeff"},
}
_TO_ESCAPE = re.compile('[\\\\"\x00-\x08\x0a-\x1f\x7f-\xa0\u2028\u2029\ufeff]')


def document(data: Any) -> str:
    """Return plain data as one document of KYAML."""
    return f"---\n{_value(data, 0)}\n"


def _value(data: Any, depth: int) -> str:
    if data is None:
        return "null"
    if isinstance(data, bool):
        return "true" if data else "false"
    if isinstance(data, str):
        return _lines(data, depth) if "\n" in data else f'"{_escaped(data)}"'
    if isinstance(data, Mapping):
        return _mapping(data, depth)
    if isinstance(data, Sequence):
        return _list(data, depth)
    is_whole = abs(data) < 1e21 and data == int(data)
    return str(int(data) if is_whole else data)


def _mapping(data: Mapping[str, Any], depth: int) -> str:
    if not data:
        return "{}"
    blanks = "  " * (depth + 1)
    fields = [f"{blanks}{_key(key)}: {_value(data[key], depth + 1)},\n" for key in sorted(data)]
    return "".join(["{\n", *fields, "  " * depth, "}"])


def _list(data: Sequence[Any], depth: int) -> str:
    """Write a list; one of lists and objects alone has its brackets beside theirs."""
    if not data:
        return "[]"
    if all(isinstance(item, Mapping | list | tuple) for item in data):
        return "[" + ", ".join(_value(item, depth) for item in data) + "]"
    blanks = "  " * (depth + 1)
    items = [f"{blanks}{_value(item, depth + 1)},\n" for item in data]
    return "".join(["[\n", *items, "  " * depth, "]"])


def _lines(text: str, depth: int) -> str:
    """Write a text of several lines, each on one of its own."""
    blanks = "  " * (depth + 1)
    lines = []
    for line in re.findall(r"[^\n]*\n|[^\n]+", text):
        sign = "\\" if line[:1] in (" ", "\t") else " "
        lines.append(f"{blanks}{sign}{_escaped(line)}\\\n")
    return "".join(['"\\\n', *lines, blanks, '"'])


def _key(key: str) -> str:
    plain = _KEY.fullmatch(key) and key.lower() not in _WORDS
    if plain and reads_as_text(key.replace("_", "") or key):
        return key
    return '"' + _escaped(key).replace("\t", "\\t") + '"'


def _escaped(text: str) -> str:
    return _TO_ESCAPE.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    sign = match.group()
    return _ESCAPES.get(sign) or f"\\x{ord(sign):02x}"
