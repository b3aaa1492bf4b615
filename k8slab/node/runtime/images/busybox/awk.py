"""awk: a program of patterns and actions, run over the lines of its input.

All of the language but getline, commands (system, pipes) and random numbers.

Rule of use: `awk_syntax.parse` reads a program, `Interpreter` runs it.

Upstream: busybox editors/awk.c, POSIX awk
"""

from __future__ import annotations

import re
from functools import partial

from k8slab.node.runtime.images.busybox.arguments import contents
from k8slab.node.runtime.images.busybox.awk_evaluation import Evaluator, Jump
from k8slab.node.runtime.images.busybox.awk_expressions import AwkError, Node
from k8slab.node.runtime.images.busybox.awk_syntax import Rule, parse
from k8slab.node.runtime.images.busybox.awk_values import (
    Read,
    Value,
    number,
    text,
    truth,
)
from k8slab.node.runtime.images.busybox.standalone import formatted
from k8slab.node.runtime.process import Process


async def awk(process: Process) -> int:
    """Run a program over lines: -F gives the separator, -v sets a variable, -f reads a file."""
    words = list(process.args[1:])
    variables: dict[str, str] = {}
    program = None
    while words and words[0].startswith("-") and len(words[0]) > 1:
        option, value = words[0][:2], words[0][2:]
        words.pop(0)
        if option == "--":
            break
        value = value or (words.pop(0) if words else "")
        if option == "-F":
            variables["FS"] = value.encode().decode("unicode_escape")
        elif option == "-v":
            name, _, text = value.partition("=")
            variables[name] = text.encode().decode("unicode_escape")
        elif option == "-f":
            program = process.read(value)
    if program is None:
        if not words:
            process.error("awk: usage: awk [-F SEP] [-v VAR=VALUE] PROGRAM [FILE]...")
            return 1
        program = words.pop(0)
    try:
        run = Interpreter(parse(program), process.env, partial(_write, process))
        for name, text in variables.items():
            run.variables[name] = Read(text)
        if not run.needs_input:
            return run.run("")
        text, code = await contents(process, words)
        return run.run(text) or code
    except (AwkError, re.error, IndexError) as error:
        process.error(f"awk: {error}")
        return 1


def _write(process: Process, path: str, shown: str, again: bool) -> None:
    streams = {"/dev/stdout": process.stdout, "/dev/stderr": process.stderr}
    if path in streams:
        streams[path].write(shown)
    elif path != "/dev/null":
        process.write(path, shown, append=again)


class Interpreter(Evaluator):
    """One run of a program."""

    @property
    def needs_input(self) -> bool:
        """Whether there is more to do than what BEGIN does."""
        return any(rule.kind in ("line", "END") for rule in self._rules)

    def run(self, text: str) -> int:
        """Run over the lines of the text and return the exit code."""
        code: Value = 0.0
        try:
            self._all("BEGIN")
            for line in text.splitlines():
                self._line(line)
        except Jump as jump:
            code = jump.value
        try:
            self._all("END")
        except Jump as jump:
            code = jump.value
        return int(number(code))

    def _all(self, kind: str) -> None:
        for rule in self._rules:
            if rule.kind == kind and rule.body is not None:
                self._do(rule.body)

    def _line(self, line: str) -> None:
        for name in ("NR", "FNR"):
            self.variables[name] = number(self.variables[name]) + 1
        self._split(line)
        try:
            for rule in self._rules:
                if rule.kind == "line" and self._selected(rule):
                    self._do(rule.body or ("print", []))
        except Jump as jump:
            if jump.kind != "next":
                raise

    def _selected(self, rule: Rule) -> bool:
        if rule.until is None:
            return rule.pattern is None or truth(self._value(rule.pattern))
        if not rule.is_open:
            assert rule.pattern is not None
            if not truth(self._value(rule.pattern)):
                return False
            rule.is_open = True
        rule.is_open = not truth(self._value(rule.until))
        return True

    # -- statements

    def _do(self, node: Node) -> None:
        kind = node[0]
        if kind == "block":
            for each in node[1]:
                self._do(each)
        elif kind == "do":
            self._value(node[1])
        elif kind in ("print", "printf"):
            self._print(kind, *node[1:])
        elif kind == "if":
            chosen = node[2] if truth(self._value(node[1])) else node[3]
            if chosen is not None:
                self._do(chosen)
        elif kind in ("while", "for", "for in"):
            self._loop(node)
        elif kind == "delete":
            array = self._arrays.setdefault(node[1], {})
            if node[2] is None:
                array.clear()
            else:
                array.pop(self._key(node[2]), None)
        else:
            value = self._value(node[1]) if len(node) > 1 and node[1] is not None else ""
            raise Jump(kind, value)

    def _print(self, kind: str, items: list[Node], sign: str = "", where: Node = ()) -> None:
        values = [text(self._value(each)) for each in items] or [self._fields[0]]
        if kind == "printf":
            shown = formatted(values[0], values[1:], repeat=False)
        else:
            shown = text(self.variables["OFS"]).join(values) + text(self.variables["ORS"])
        path = text(self._value(where)) if sign else "/dev/stdout"
        again = sign == ">>" or path in self._written
        self._written[path] = None
        self._write(path, shown, again)

    def _loop(self, node: Node) -> None:
        kind, *parts = node
        if kind == "for in":
            name, array, body = parts
            for key in [*self._arrays.get(array, {})]:
                self.variables[name] = Read(key)
                if not self._turn(body):
                    return
            return
        first, condition, step, body = parts if kind == "for" else (None, parts[0], None, parts[1])
        if first is not None:
            self._do(first)
        while condition is None or truth(self._value(condition)):
            if not self._turn(body):
                return
            if step is not None:
                self._do(step)

    def _turn(self, body: Node) -> bool:
        """Do a loop's body once; False after a break."""
        try:
            self._do(body)
        except Jump as jump:
            if jump.kind not in ("break", "continue"):
                raise
            return jump.kind == "continue"
        return True
