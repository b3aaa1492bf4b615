"""Nodes of a template, walked with data.

Rule of use: `Template.render(data)`; RunError says at which part of the template what went wrong.

Upstream: text/template/exec.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from k8slab.kubectl.go_template.errors import NAME, FunctionError, RunError
from k8slab.kubectl.go_template.functions import FUNCTIONS, MISSING, go_text
from k8slab.kubectl.go_template.parsing import (
    Action,
    Branch,
    Call,
    Function,
    Jump,
    Literal,
    Path,
    Pipe,
    Text,
)


class Template:
    """A template that has been read."""

    def __init__(self, text: str, parts: Mapping[str, tuple[Any, ...]], *, strict: bool) -> None:
        self.text = text
        self.parts = parts
        self.strict = strict

    def render(self, data: Any) -> str:
        """Return the text for an object; raises RunError, with what had been written."""
        run = _Run(self, data)
        try:
            run.walk(self.parts[NAME], data)
        except RunError as error:
            error.written = "".join(run.out)
            raise
        return "".join(run.out)


class _JumpError(Exception):
    """Leaves a loop, or one turn of it."""


class _Run:
    """One run of a template: its data, its variables, what has been written."""

    def __init__(self, template: Template, data: Any) -> None:
        self.template = template
        self.data = data
        self.names: list[tuple[str, Any]] = [("$", data)]
        self.out: list[str] = []

    def walk(self, nodes: Iterable[Any], dot: Any) -> None:
        for node in nodes:
            if isinstance(node, Text):
                self.out.append(node.text)
            elif isinstance(node, Action):
                value = self.pipe(node.pipe, dot)
                if not node.pipe.names:
                    self.out.append("<no value>" if value is None else go_text(value))
            elif isinstance(node, Branch):
                self.branch(node, dot)
            elif isinstance(node, Call):
                self.call(node, dot)
            elif isinstance(node, Jump):
                raise _JumpError(node.word)

    def branch(self, node: Branch, dot: Any) -> None:
        depth = len(self.names)
        if node.word == "range":
            self.loop(node, dot)
        else:
            value = self.pipe(node.pipe, dot)
            inner = value if node.word == "with" and value else dot
            self.walk(node.then if value else node.otherwise, inner)
        del self.names[depth:]

    def loop(self, node: Branch, dot: Any) -> None:
        names = node.pipe.names
        value = self.pipe(Pipe(node.pipe.commands), dot)
        if isinstance(value, Mapping):
            turns = [(key, value[key]) for key in sorted(value)]
        elif isinstance(value, list | tuple):
            turns = list(enumerate(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            turns = [(number, number) for number in range(value)]
        elif value is None or value is MISSING:
            turns = []
        else:
            first = node.pipe.commands[0][0]
            raise self.error(first, f"range can't iterate over {go_text(value)}")
        if not turns:
            return self.walk(node.otherwise, dot)
        depth = len(self.names)
        for key, item in turns:
            given = (item,) if len(names) == 1 else (key, item)
            for name, each in zip(names, given, strict=False):
                self.give(name, each, assigns=node.pipe.assigns)
            try:
                self.walk(node.then, item)
            except _JumpError as jump:
                if str(jump) == "break":
                    break
            finally:
                del self.names[depth:]
        return None

    def call(self, node: Call, dot: Any) -> None:
        if node.name not in self.template.parts:
            raise self.error(node, f'template "{node.name}" not defined')
        data = MISSING if node.pipe is None else self.pipe(node.pipe, dot)
        names, self.names = self.names, [("$", data)]
        self.walk(self.template.parts[node.name], data)
        self.names = names

    def give(self, name: str, value: Any, *, assigns: bool) -> None:
        """Give a variable its value: a new one, or one that is there."""
        if not assigns:
            self.names.append((name, value))
            return
        for place in range(len(self.names) - 1, -1, -1):
            if self.names[place][0] == name:
                self.names[place] = (name, value)
                return

    def pipe(self, pipe: Pipe, dot: Any) -> Any:
        value: Any = MISSING
        for place, command in enumerate(pipe.commands):
            value = self.command(command, dot, (value,) if place else ())
        for name in pipe.names:
            self.give(name, value, assigns=pipe.assigns)
        return value

    def command(self, command: tuple[Any, ...], dot: Any, piped: tuple[Any, ...]) -> Any:
        first, *rest = command
        if not isinstance(first, Function):
            if rest or piped:
                raise self.error(first, _no_function(first))
            if isinstance(first, Literal) and first.source == "nil":
                raise self.error(first, "nil is not a command")
            return self.operand(first, dot)
        if first.name in ("and", "or"):
            value: Any = MISSING
            for value in (*(self.operand(each, dot) for each in rest), *piped):
                if bool(value) == (first.name == "or"):
                    break
            return value
        values = [self.operand(each, dot) for each in rest]
        try:
            return FUNCTIONS[first.name](*values, *piped)
        except FunctionError as error:
            raise self.error(first, f"error calling {first.name}: {error}", command) from None
        except (TypeError, AttributeError):
            count = len(values) + len(piped)
            problem = f"wrong type or number of args for {first.name}: got {count}"
            raise self.error(first, problem, command) from None

    def operand(self, node: Any, dot: Any) -> Any:
        if isinstance(node, Literal):
            return node.value
        if isinstance(node, Function):
            return self.command((node,), dot, ())
        if isinstance(node.start, Pipe):
            value = self.pipe(node.start, dot)
        elif node.start == ".":
            value = dot
        else:
            value = next(v for name, v in reversed(self.names) if name == node.start)
        for name in node.fields:
            value = self.field(node, value, name)
        return value

    def field(self, node: Path, value: Any, name: str) -> Any:
        if value is MISSING:
            return MISSING
        if value is None:
            raise self.error(node, f"nil pointer evaluating interface {{}}.{name}")
        if not isinstance(value, Mapping):
            raise self.error(node, f"can't evaluate field {name} in type interface {{}}")
        if name not in value and self.template.strict:
            raise self.error(node, f'map has no entry for key "{name}"')
        return value.get(name, MISSING)

    def error(self, node: Any, problem: str, command: tuple[Any, ...] = ()) -> RunError:
        """Return what is wrong, with the place in the template."""
        text, at = self.template.text, node.at
        source = node.source
        if command:
            source = text[at : command[-1].at + len(command[-1].source)]
        elif isinstance(node, Path) and len(node.fields) > 1:  # Go points to the second field
            at += source.index(f".{node.fields[1]}", 1)
        line, begin = text.count("\n", 0, at) + 1, text.rfind("\n", 0, at) + 1
        shown = source if len(source) <= 20 else f"{source[:20]}..."
        where = f"{NAME}:{line}:{at - begin}"
        return RunError(f'template: {where}: executing "{NAME}" at <{shown}>: {problem}')


def _no_function(node: Any) -> str:
    if isinstance(node, Path) and node.fields:
        return f"{node.fields[-1]} is not a method but has arguments"
    return f"can't give argument to non-function {node.source}"
