r"""JSONPath templates, in kubectl's dialect: "{range .items[*]}{.metadata.name}{'\n'}{end}".

Text outside braces is copied. Inside, a path starts at the object ($ or .) or at the item of the
loop (@ or .), and walks by name, index, slice, "*", ".." (any depth) and "?(...)" (only items that
pass). `parse` returns a Template with `render` and `results`.

>>> parse("{.spec.replicas}x {.kind}").render({"kind": "Pod", "spec": {"replicas": 3}})
'3x Pod'

Rule of use: a name that is not there gives nothing; an index outside the list is an error.

Upstream: staging/src/k8s.io/client-go/util/jsonpath
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from k8slab.api.jsonpath_steps import (
    COMPARE,
    JsonPathError,
    Named,
    Path,
    Step,
    descend,
    everything,
    filtered,
    index,
    union,
)

__all__ = ["JsonPathError", "Loop", "Template", "parse", "relaxed"]

_NAME = re.compile(r"(?:\\.|[^\s.,\[\]{}$@])+")
_NAME_IN_FILTER = re.compile(r"(?:\\.|[^\s.,\[\]{}$@()=<>!])+")


class Loop(msgspec.Struct, frozen=True):
    """Parts that are written once for each value of a path."""

    over: Path
    parts: tuple[Any, ...]


class Template(msgspec.Struct, frozen=True):
    """Text, paths and loops."""

    parts: tuple[Any, ...]

    def render(self, data: Any, strict: bool = False) -> str:
        """Return the text for an object; with `strict` a name that is not there is an error."""
        return "".join(" ".join(map(_text, group)) for group in self.results(data, strict))

    def results(self, data: Any, strict: bool = False) -> list[list[Any]]:
        """Return the values of each part, one list a part."""
        return list(_walk(self.parts, data, data, strict))


def parse(template: str) -> Template:
    """Return the template; JsonPathError if it cannot be read."""
    return Template(_Parser(template).template())


def relaxed(path: str) -> Template:
    """Return a template from a path that may lack its braces or its first dot."""
    if path.startswith("{") and path.endswith("}"):
        path = path[1:-1]
    if path and path[0] not in ".$@[":
        path = f".{path}"
    return parse("{" + path + "}")


def _walk(parts: tuple[Any, ...], root: Any, here: Any, strict: bool) -> Iterator[list[Any]]:
    for part in parts:
        if isinstance(part, str):
            yield [part]
        elif isinstance(part, Path):
            yield part.find(root, here, strict)
        else:
            for value in part.over.find(root, here, strict):
                yield from _walk(part.parts, root, value, strict)


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    text = msgspec.json.encode(value, order="sorted").decode()
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


class _Parser:
    """Reads a template from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._name = _NAME

    def template(self) -> tuple[Any, ...]:
        parts, end = self._parts()
        if end:
            raise JsonPathError("not in range, nothing to end")
        return parts

    def _parts(self) -> tuple[tuple[Any, ...], bool]:
        """Return parts up to the end of the text or of a loop, and whether it was a loop's."""
        parts: list[Any] = []
        while self._at < len(self._text):
            start = self._text.find("{", self._at)
            if start < 0:
                start = len(self._text)
            if start > self._at:
                parts.append(self._text[self._at : start])
            self._at = start + 1
            if start == len(self._text):
                break
            if self._action(parts):
                return tuple(parts), True
        return tuple(parts), False

    def _action(self, parts: list[Any]) -> bool:
        """Read what stands between braces; say whether it ends a loop."""
        while True:
            self._blanks()
            if self._at >= len(self._text):
                raise JsonPathError("unclosed action")
            if self._take("}"):
                return False
            if self._word("end"):
                self._blanks()
                self._expect("}")
                return True
            if self._word("range"):
                self._blanks()
                over = self._path()
                self._blanks()
                self._expect("}")
                inner, ended = self._parts()
                if not ended:
                    raise JsonPathError("unclosed action")
                parts.append(Loop(over, inner))
                return False
            parts.append(self._quoted() if self._peek() in "'\"" else self._path())

    def _path(self) -> Path:
        at_root = self._take("$")
        if not at_root:
            self._take("@")
        steps: list[Step] = []
        while self._at < len(self._text):
            if self._take(".."):
                steps.append(descend)
                if self._peek() not in ".[":
                    steps.append(self._field())
            elif self._take("."):
                if self._peek() not in "}[ )=!<>,|":
                    steps.append(self._field())
            elif self._take("["):
                steps.append(self._bracket())
            else:
                break
        if not steps and not at_root and self._text[self._at - 1] not in ".@":
            name = _NAME.match(self._text, self._at)
            found = name.group() if name else self._peek()
            raise JsonPathError(f"unrecognized identifier {found}")
        return Path(tuple(steps), at_root)

    def _field(self) -> Step:
        if self._take("*"):
            return everything
        match = self._name.match(self._text, self._at)
        if match is None:
            raise JsonPathError(f"unrecognized character in action: U+{ord(self._peek()):04X}")
        self._at = match.end()
        return Named(re.sub(r"\\(.)", r"\1", match.group()))

    def _bracket(self) -> Step:
        if self._take("?("):
            self._name = _NAME_IN_FILTER
            test = self._filter()
            self._name = _NAME
            self._expect(")")
            self._expect("]")
            return test
        if self._take("*]"):
            return everything
        end = self._text.find("]", self._at)
        if end < 0:
            raise JsonPathError("unterminated array")
        body = self._text[self._at : end].strip()
        if body[:1] in ("'", '"'):
            names = re.findall(r"'([^']*)'|\"([^\"]*)\"", body)
            self._at = end + 1
            return union([Named(first or second) for first, second in names])
        self._at = end + 1
        return union([index(part.strip()) for part in body.split(",")])

    def _filter(self) -> Step:
        self._blanks()
        left = self._operand()
        self._blanks()
        sign = next((sign for sign in COMPARE if self._take(sign)), "")
        if not sign:
            return filtered(left, "exists", None)
        self._blanks()
        right = self._operand()
        self._blanks()
        return filtered(left, sign, right)

    def _operand(self) -> Any:
        if self._peek() in "'\"":
            return self._quoted()
        if self._peek() in "@.$":
            return self._path()
        match = re.compile(r"[^\s)\]=<>!]+").match(self._text, self._at)
        if match is None:
            raise JsonPathError("unterminated filter")
        self._at = match.end()
        word = match.group()
        try:
            return msgspec.json.decode(word)
        except msgspec.DecodeError:
            return word

    def _quoted(self) -> str:
        quote = self._text[self._at]
        match = re.compile(rf"{quote}((?:\\.|[^{quote}\\])*){quote}").match(self._text, self._at)
        if match is None:
            raise JsonPathError("unterminated quoted string")
        self._at = match.end()
        escapes = {"n": "\n", "t": "\t", "r": "\r"}
        return re.sub(r"\\(.)", lambda m: escapes.get(m.group(1), m.group(1)), match.group(1))

    def _peek(self) -> str:
        return self._text[self._at] if self._at < len(self._text) else "}"

    def _take(self, text: str) -> bool:
        if self._text.startswith(text, self._at):
            self._at += len(text)
            return True
        return False

    def _word(self, word: str) -> bool:
        match = re.compile(rf"{word}\b").match(self._text, self._at)
        if match is not None:
            self._at = match.end()
        return match is not None

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise JsonPathError(f"unclosed action, expected {text}")

    def _blanks(self) -> None:
        while self._at < len(self._text) and self._text[self._at].isspace():
            self._at += 1
