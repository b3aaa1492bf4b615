"""YAML as kubectl reads and writes it.

Interface: ``parse`` (text to plain data, one item for each document), ``dump`` (plain data to
text), ``line_of`` (where in the text a field stands).
Rule: kubectl turns YAML 1.1 into JSON before anything else sees it, so unquoted ``yes`` is true,
``0644`` is 420, ``1:30`` and dates are text, and keys are always text.

Upstream: vendor/sigs.k8s.io/yaml/goyaml.v2/resolve.go
"""

import base64
import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import yaml
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

try:  # the parser in C is ten times faster, but not everywhere available
    from yaml import CBaseLoader as _BaseLoader
    from yaml import CSafeDumper as _BaseDumper
except ImportError:
    from yaml import BaseLoader as _BaseLoader  # type: ignore[assignment]
    from yaml import SafeDumper as _BaseDumper  # type: ignore[assignment]

Path: TypeAlias = Sequence[str | int]

_TAG = "tag:yaml.org,2002:"
_PLAIN = "plain"  # our tag for an unquoted scalar without a tag of its own

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(
        ("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True
    ),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE"), False),
    **dict.fromkeys(("off", "Off", "OFF"), False),
}
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INTEGER = re.compile(r"([-+]?)(0[bB][01]+|0[xX][0-9a-fA-F]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_BASE_60 = re.compile(r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")


class YamlError(ValueError):
    """Text that is not YAML, or YAML that is not JSON; ``line`` counts from 1."""

    def __init__(self, reason: str, line: int) -> None:
        super().__init__(f"yaml: line {line}: {reason}")
        self.reason = reason
        self.line = line


def parse(text: str, *, duplicates: bool = False) -> list[Any]:
    """Return the documents of a text, empty ones left out; YamlError if they cannot be read.

    A key that comes twice is an error, unless ``duplicates`` lets the last one win as kubectl does.
    """
    documents = (_Builder(duplicates).build(node) for node in _documents(text))
    return [document for document in documents if document is not None]


def line_of(text: str, path: Path, document: int = 0) -> int | None:
    """Return the line (from 1) of a field in the nth non-empty document, or of what encloses it."""
    nodes = [node for node in _documents(text) if not _is_null(node)]
    if document >= len(nodes):
        return None
    node, line = nodes[document], nodes[document].start_mark.line
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        line, node = found
    return int(line) + 1


def dump(data: Any) -> str:
    """Write plain data as kubectl prints it: keys sorted, lists not indented, lines of about 80."""
    events = _Writer().document(data)
    return str(yaml.emit(events, Dumper=_BaseDumper, allow_unicode=True))


def resolve(text: str) -> Any:
    """Return what an unquoted scalar means: None, a bool, an int, a float or the text itself."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "+-.0123456789":
        return text
    digits = text.replace("_", "")
    match = _INTEGER.fullmatch(digits)
    if match is not None:
        number = _integer(*match.groups())
        return number if -(2**63) <= number < 2**64 else float(number)
    if _FLOAT.fullmatch(digits) is not None:
        number_with_point = float(digits)
        if abs(number_with_point) == float("inf"):
            return text
        # JSON does not tell 1.0 from 1, so an integer field may be written either way.
        is_whole = number_with_point.is_integer() and abs(number_with_point) < 1e21
        return int(number_with_point) if is_whole else number_with_point
    if _INFINITE.fullmatch(text) is not None:
        raise ValueError(f"{text} is not a number that JSON can hold")
    return text


def natural_order(key: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sort key under which "a2" comes before "a10", and signs before letters."""
    order: list[tuple[int, int, str]] = []
    for part in re.findall(r"[0-9]+|.", key, re.DOTALL):
        if part[0].isdecimal():
            order.append((0, int(part), part))
        else:
            order.append((2, 0, part) if part.isalpha() else (0, -1, part))
    return tuple(order)


class _Loader(_BaseLoader):
    def resolve(self, kind: type[Node], value: Any, implicit: Any) -> Any:
        if kind is ScalarNode and implicit[0]:
            return _PLAIN
        return super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]


def _documents(text: str) -> Iterator[Node]:
    loader = _Loader(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            assert node is not None
            yield node
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark is not None else 1
        raise YamlError(error.problem or "cannot be read", line) from None
    except yaml.YAMLError as error:
        raise YamlError(str(error).splitlines()[0], 1) from None
    finally:
        loader.dispose()


class _Builder:
    """Makes plain data of nodes, each node once: aliases share, and cannot blow up."""

    def __init__(self, duplicates: bool) -> None:
        self._duplicates = duplicates
        self._built: dict[int, Any] = {}
        self._open: list[int] = []

    def build(self, node: Node) -> Any:
        if id(node) in self._built:
            return self._built[id(node)]
        if id(node) in self._open:
            raise YamlError("an anchor contains itself", node.start_mark.line + 1)
        self._open.append(id(node))
        if isinstance(node, MappingNode):
            built: Any = self._mapping(node)
        elif isinstance(node, SequenceNode):
            built = [self.build(item) for item in node.value]
        else:
            built = _scalar(node)
        self._open.pop()
        self._built[id(node)] = built
        return built

    def _mapping(self, node: MappingNode) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        own: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _PLAIN and key_node.value == "<<":
                sources = self.build(value_node)
                for source in sources if isinstance(sources, list) else [sources]:
                    merged = {**source, **merged}
                continue
            key = _key(key_node)
            if key in own and not self._duplicates:
                raise YamlError(f'key "{key}" already set in map', key_node.start_mark.line + 1)
            own[key] = self.build(value_node)
        return {**merged, **own}


def _scalar(node: Node) -> Any:
    text = node.value
    if node.tag == _TAG + "binary":
        return base64.b64decode(text).decode()
    if node.tag not in (_PLAIN, _TAG + "int", _TAG + "float", _TAG + "bool", _TAG + "null"):
        return text
    try:
        return resolve(text)
    except ValueError as error:
        raise YamlError(str(error), node.start_mark.line + 1) from None


def _key(node: Node) -> str:
    if not isinstance(node, ScalarNode):
        raise YamlError("a key must be text, not a list or a map", node.start_mark.line + 1)
    key = _scalar(node)
    if isinstance(key, bool):
        return "true" if key else "false"
    if key is None:
        raise YamlError("a key must be text, not null", node.start_mark.line + 1)
    return str(key)


def _integer(sign: str, digits: str) -> int:
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdecimal():
        digits = "0o" + digits[1:]
    return int(digits, 0) * (-1 if sign == "-" else 1)


def _is_null(node: Node) -> bool:
    return bool(node.tag == _PLAIN and node.value in _WORDS and _WORDS[node.value] is None)


def _child(node: Node, step: str | int) -> tuple[int, Node] | None:
    if isinstance(node, MappingNode):
        for key_node, value_node in node.value:
            if key_node.value == step:
                return key_node.start_mark.line, value_node
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        return node.value[step].start_mark.line, node.value[step]
    return None


class _Writer:
    """Turns plain data into YAML's events; words and orders of keys that come again are kept."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._texts: dict[str, ScalarEvent] = {}
        self._orders: dict[tuple[str, ...], list[str]] = {}

    def document(self, data: Any) -> list[Event]:
        self._events = [StreamStartEvent(), DocumentStartEvent(explicit=False)]
        self._add(data)
        return [*self._events, DocumentEndEvent(explicit=False), StreamEndEvent()]

    def _add(self, data: Any) -> None:
        events = self._events
        if isinstance(data, str):
            events.append(self._text(data))
        elif isinstance(data, dict):
            events.append(MappingStartEvent(None, None, True, flow_style=not data))
            for key in self._sorted(tuple(data)):
                events.append(self._text(key))
                self._add(data[key])
            events.append(MappingEndEvent())
        elif isinstance(data, list | tuple):
            events.append(SequenceStartEvent(None, None, True, flow_style=not data))
            for item in data:
                self._add(item)
            events.append(SequenceEndEvent())
        else:
            events.append(ScalarEvent(None, None, (True, False), _constant(data)))

    def _text(self, text: str) -> ScalarEvent:
        event = self._texts.get(text)
        if event is None:
            plain = reads_as_text(text)
            style = "|" if "\n" in text else None if plain else '"'
            event = ScalarEvent(None, None, (plain, True), text, style=style)
            self._texts[text] = event
        return event

    def _sorted(self, keys: tuple[str, ...]) -> list[str]:
        order = self._orders.get(keys)
        if order is None:
            order = self._orders[keys] = sorted(keys, key=natural_order)
        return order


def _constant(value: float | bool | None) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    is_whole = abs(value) < 1e21 and value == int(value)
    return str(int(value) if is_whole else value)


def reads_as_text(text: str) -> bool:
    """Say whether an unquoted scalar is a text to every reader of YAML 1.1."""
    # A date is text for kubectl too, but other readers of YAML 1.1 take it for a time.
    try:
        is_text = isinstance(resolve(text), str)
    except ValueError:
        is_text = False
    return is_text and not _BASE_60.fullmatch(text) and not _DATE.fullmatch(text)
