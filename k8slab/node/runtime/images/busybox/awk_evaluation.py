"""awk's memory and the values of its expressions.

Rule of use: `Evaluator` is half of the interpreter; statements are in awk.py.

Upstream: busybox editors/awk.c (evaluate)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from k8slab.node.runtime.images.busybox.awk_expressions import AwkError, Node
from k8slab.node.runtime.images.busybox.awk_syntax import Rule
from k8slab.node.runtime.images.busybox.awk_values import (
    BUILTINS,
    Read,
    Value,
    compared,
    computed,
    is_number,
    number,
    parts_of,
    text,
    truth,
)
from k8slab.node.runtime.images.busybox.text import classes

SUBSEP = "\x1c"
KINDS = ("BEGIN", "END", "line")  # of rules; any other is a function


class Jump(Exception):  # noqa: N818 (no error: next, exit, break, continue, return)
    """A way out of what is being done."""

    def __init__(self, kind: str, value: Value = "") -> None:
        super().__init__(kind)
        self.kind = kind
        self.value = value


class Evaluator:
    """Variables, arrays, the fields of the present line."""

    def __init__(
        self,
        rules: Iterable[Rule],
        env: Mapping[str, str],
        write: Callable[[str, str, bool], object],  # where, what, and whether behind what is there
    ) -> None:
        self._rules = list(rules)
        self._functions = {rule.kind: rule for rule in self._rules if rule.kind not in KINDS}
        self._write = write
        self._written: dict[str, None] = {}  # files that were opened
        self._fields: list[str] = [""]
        self.variables: dict[str, Value] = {
            "FS": " ", "OFS": " ", "ORS": "\n", "NR": 0.0, "FNR": 0.0, "SUBSEP": SUBSEP,
            "RSTART": 0.0, "RLENGTH": -1.0,
        }  # fmt: skip
        self._arrays: dict[str, dict[str, Value]] = {
            "ENVIRON": {name: Read(text) for name, text in env.items()}
        }

    def _do(self, node: Node) -> None:
        """Do a statement; a function's body is one."""
        raise NotImplementedError

    # -- the line and its fields

    def _split(self, line: str) -> None:
        self._fields = [line, *parts_of(line, text(self.variables["FS"]))]
        self.variables["NF"] = float(len(self._fields) - 1)

    def _set_field(self, at: int, value: Value) -> None:
        if at == 0:
            self._split(text(value))
            return
        self._fields += [""] * (at + 1 - len(self._fields))
        self._fields[at] = text(value)
        self._join()

    def _join(self) -> None:
        self.variables["NF"] = float(len(self._fields) - 1)
        self._fields[0] = text(self.variables["OFS"]).join(self._fields[1:])

    # -- expressions

    def _value(self, node: Node) -> Value:
        result: Value = getattr(self, f"_{node[0]}")(*node[1:])
        return result

    def _number(self, value: float) -> Value:
        return value

    def _string(self, value: str) -> Value:
        return value

    def _regex(self, pattern: str) -> Value:
        return float(re.search(classes(pattern), self._fields[0]) is not None)

    def _field(self, node: Node) -> Value:
        at = int(number(self._value(node)))
        return Read(self._fields[at]) if at < len(self._fields) else Read("")

    def _variable(self, name: str) -> Value:
        return self.variables.get(name, Read(""))

    def _element(self, name: str, index: Node) -> Value:
        return self._arrays.setdefault(name, {}).setdefault(self._key(index), Read(""))

    def _group(self, nodes: list[Node]) -> Value:
        values = [self._value(node) for node in nodes]
        return values[0] if len(values) == 1 else SUBSEP.join(map(text, values))

    def _key(self, index: Node) -> str:
        return text(self._value(index))

    def _assign(self, sign: str, target: Node, node: Node) -> Value:
        value = self._value(node)
        if sign:
            value = computed(sign, number(self._value(target)), number(value))
        self._put(target, value)
        return value

    def _step(self, sign: str, target: Node) -> Value:
        old = number(self._value(target))
        self._put(target, computed(sign, old, 1.0))
        return old

    def _put(self, target: Node, value: Value) -> None:
        kind, name, *rest = target
        if kind == "field":
            self._set_field(int(number(self._value(name))), value)
        elif kind == "element":
            self._arrays.setdefault(name, {})[self._key(rest[0])] = value
        else:
            self.variables[name] = value
            if name == "NF":
                count = int(number(value))
                self._fields = (self._fields + [""] * count)[: count + 1]
                self._join()

    def _choice(self, condition: Node, yes: Node, no: Node) -> Value:
        return self._value(yes if truth(self._value(condition)) else no)

    def _or(self, left: Node, right: Node) -> Value:
        return float(truth(self._value(left)) or truth(self._value(right)))

    def _and(self, left: Node, right: Node) -> Value:
        return float(truth(self._value(left)) and truth(self._value(right)))

    def _in(self, key: Node, array: str) -> Value:
        return float(self._key(key) in self._arrays.get(array, {}))

    def _match(self, left: Node, right: Node, negated: bool) -> Value:
        found = re.search(self._pattern(right), text(self._value(left)))
        return float((found is None) == negated)

    def _pattern(self, node: Node) -> str:
        return classes(node[1] if node[0] == "regex" else text(self._value(node)))

    def _compare(self, sign: str, left: Node, right: Node) -> Value:
        a, b = self._value(left), self._value(right)
        if not (is_number(a) and is_number(b)):
            return float(compared(sign, text(a), text(b)))
        return float(compared(sign, number(a), number(b)))

    def _concatenation(self, left: Node, right: Node) -> Value:
        return text(self._value(left)) + text(self._value(right))

    def _binary(self, sign: str, left: Node, right: Node) -> Value:
        return computed(sign, number(self._value(left)), number(self._value(right)))

    def _unary(self, sign: str, node: Node) -> Value:
        value = self._value(node)
        if sign == "!":
            return float(not truth(value))
        return -number(value) if sign == "-" else number(value)

    # -- functions

    def _call(self, name: str, nodes: list[Node]) -> Value:
        if name in self._functions:
            return self._own(self._functions[name], nodes)
        if name in ("sub", "gsub"):
            return self._substitute(nodes, all_=name == "gsub")
        if name == "split":
            separator = self._pattern(nodes[2]) if len(nodes) > 2 else text(self.variables["FS"])
            parts = parts_of(text(self._value(nodes[0])), separator)
            self._arrays[nodes[1][1]] = {str(at): Read(p) for at, p in enumerate(parts, 1)}
            return float(len(parts))
        if name == "length" and nodes and nodes[0][0] == "variable" and nodes[0][1] in self._arrays:
            return float(len(self._arrays[nodes[0][1]]))
        if name == "match":
            found = re.search(self._pattern(nodes[1]), text(self._value(nodes[0])))
            self.variables["RSTART"] = float(found.start() + 1 if found else 0)
            self.variables["RLENGTH"] = float(len(found[0]) if found else -1)
            return self.variables["RSTART"]
        values = [self._value(node) for node in nodes]
        if name not in BUILTINS:
            raise AwkError(f"cmd. line:1: Call to undefined function: {name}")
        return BUILTINS[name](values or [self._fields[0]])

    def _substitute(self, nodes: list[Node], *, all_: bool) -> Value:
        target = nodes[2] if len(nodes) > 2 else ("field", ("number", 0.0))
        by = text(self._value(nodes[1]))

        def filled(found: re.Match[str]) -> str:
            return re.sub(r"\\?&", lambda mark: found[0] if mark[0] == "&" else "&", by)

        old = text(self._value(target))
        new, count = re.subn(self._pattern(nodes[0]), filled, old, count=0 if all_ else 1)
        if count:
            self._put(target, new)
        return float(count)

    def _own(self, function: Rule, nodes: list[Node]) -> Value:
        """Call a function of the program's own; arrays are handed on as they are."""
        names = function.parameters
        outer = {name: self.variables.get(name) for name in names}
        arrays = {name: self._arrays.get(name) for name in names}
        for name, node in zip(names, nodes, strict=False):
            if node[0] == "variable" and node[1] in self._arrays:
                self._arrays[name] = self._arrays[node[1]]
            else:
                self.variables[name] = self._value(node)
        for name in names[len(nodes) :]:
            self.variables.pop(name, None)
            self._arrays.pop(name, None)
        try:
            if function.body is not None:
                self._do(function.body)
        except Jump as jump:
            if jump.kind != "return":
                raise
            return jump.value
        finally:
            _restore(self.variables, outer)
            _restore(self._arrays, arrays)
        return ""


def _restore(table: dict[str, Any], saved: Mapping[str, Any]) -> None:
    for name, value in saved.items():
        if value is None:
            table.pop(name, None)
        else:
            table[name] = value
