r"""Go templates, as much of them as `-o go-template` is used for in practice.

    {{.metadata.name}}   {{range .items}}{{.metadata.name}}{{"\n"}}{{end}}
    {{if .spec.paused}}..{{else}}..{{end}}   {{len .items}}   {{index .data "key"}}

`parse(text)` returns a Template with `render(data)`.

Rule of use: variables, pipes, `with` and functions other than these are refused by name.

Upstream: text/template of Go's standard library
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

_ACTION = re.compile(r"\{\{(-?)\s*(.*?)\s*(-?)\}\}", re.DOTALL)
_WORD = re.compile(r'"(?:\\.|[^"\\])*"|`[^`]*`|\S+')


class TemplateError(ValueError):
    """A template that cannot be read."""


class Block(msgspec.Struct, frozen=True):
    """A loop or a choice: the value it looks at, what is written, and what is written otherwise."""

    word: str  # range or if
    expression: tuple[str, ...]
    parts: tuple[Any, ...]
    otherwise: tuple[Any, ...]


class Template(msgspec.Struct, frozen=True):
    """Text, expressions and blocks."""

    parts: tuple[Any, ...]

    def render(self, data: Any) -> str:
        """Return the text for an object."""
        return _render(self.parts, data, data)


def parse(text: str) -> Template:
    """Return the template; TemplateError if it cannot be read."""
    tokens: list[Any] = []
    at = 0
    for match in _ACTION.finditer(text):
        before = text[at : match.start()]
        tokens.append(before.rstrip() if match.group(1) else before)
        tokens.append(tuple(_WORD.findall(match.group(2))))
        at = match.end()
        if match.group(3):
            at += len(text[at:]) - len(text[at:].lstrip())
    tokens.append(text[at:])
    parts, end = _parts(tokens)
    if end:
        raise TemplateError(f"unexpected {{{{{end}}}}}")
    return Template(parts)


def _parts(tokens: list[Any]) -> tuple[tuple[Any, ...], str]:
    """Return the parts up to {{end}}, {{else}} or the end of the text, and which it was."""
    parts: list[Any] = []
    while tokens:
        token = tokens.pop(0)
        if isinstance(token, str):
            parts.append(token)
            continue
        word = token[0] if token else ""
        if word in ("end", "else"):
            return tuple(parts), word
        if word in ("range", "if"):
            inner, end = _parts(tokens)
            otherwise: tuple[Any, ...] = ()
            if end == "else":
                otherwise, end = _parts(tokens)
            if end != "end":
                raise TemplateError("unexpected EOF")
            parts.append(Block(word, token[1:], inner, otherwise))
        elif word in ("with", "define", "template", "block") or word.startswith("$"):
            raise TemplateError(f"{word} is not among the parts of Go templates that the lab knows")
        elif not word.startswith("/*"):
            parts.append(token)
    return tuple(parts), ""


def _render(parts: tuple[Any, ...], root: Any, here: Any) -> str:
    out = []
    for part in parts:
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, Block):
            value = _value(part.expression, root, here)
            if not value:
                out.append(_render(part.otherwise, root, here))
            elif part.word == "if":
                out.append(_render(part.parts, root, here))
            else:
                items = [value[k] for k in sorted(value)] if isinstance(value, Mapping) else value
                out += [_render(part.parts, root, item) for item in items]
        else:
            out.append(_text(_value(part, root, here)))
    return "".join(out)


def _value(expression: tuple[str, ...], root: Any, here: Any) -> Any:
    word, rest = expression[0], expression[1:]
    if word == "len":
        return len(_value(rest, root, here) or ())
    if word == "index":
        value = _value(rest[:1], root, here)
        for key in rest[1:]:
            step = _value((key,), root, here)
            value = value[step] if isinstance(value, list | tuple) else (value or {}).get(step)
        return value
    if rest:
        raise TemplateError(f'function "{word}" not defined')
    if word[0] == '"':
        return msgspec.json.decode(word.encode())
    if word[0] == "`":
        return word[1:-1]
    if re.fullmatch(r"-?\d+", word):
        return int(word)
    if word[0] not in ".$":
        raise TemplateError(f'function "{word}" not defined')
    value = root if word[0] == "$" else here
    for name in word.lstrip("$").split("."):
        if name:
            value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _text(value: Any) -> str:
    if value is None:
        return "<no value>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return f"map[{' '.join(f'{key}:{_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list | tuple):
        return f"[{' '.join(map(_text, value))}]"
    return str(value)
