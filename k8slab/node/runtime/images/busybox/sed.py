"""sed: edits lines by a small program.

Commands: s///[gpiN], y///, d, p, q, =, n, N, h, H, g, G, x, a, i, c, {...}; addresses: N, $, /re/,
first~step, and two of them with a comma, the second also +N; `!`. -n prints only what p prints, -i
writes the files back.

Rule of use: `sed_syntax.compile_script` reads the program, `Editor` runs it over the lines.

Upstream: busybox editors/sed.c
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from k8slab.node.runtime.images.busybox.arguments import contents
from k8slab.node.runtime.images.busybox.sed_syntax import (
    Address,
    Command,
    Following,
    SedError,
    compile_script,
)
from k8slab.node.runtime.process import Process


async def sed(process: Process) -> int:
    """Edit lines: -n quiet, -E extended patterns, -e script, -f file, -i in place."""
    found, scripts, rest = _scripts(process)
    try:
        if not scripts:
            scripts.append(rest.pop(0))
        program = compile_script("\n".join(scripts), "r" in found or "E" in found)
    except (SedError, IndexError, re.error) as error:
        process.error(f"sed: {error or 'usage: sed [-inrE] script [file]...'}")
        return 1
    quiet = "n" in found
    if "i" not in found:
        text, code = await contents(process, rest)
        process.stdout.write(Editor(program, quiet).run(text))
        return code
    code = 0
    for path in rest:
        process.args = ("sed", path)
        text, failed = await contents(process, [path])
        code = failed or code
        if not failed:
            process.write(path, Editor(program, quiet).run(text))
    return code


def _scripts(process: Process) -> tuple[dict[str, str], list[str], list[str]]:
    """Read the options, -e and -f as often as they come."""
    flags: dict[str, str] = {}
    scripts: list[str] = []
    rest: list[str] = []
    words = list(process.args[1:])
    while words:
        word = words.pop(0)
        if word in ("-e", "--expression") and words:
            scripts.append(words.pop(0))
        elif word == "-f" and words:
            scripts.append(process.read(words.pop(0)))
        elif re.fullmatch(r"-[nrEis]+e?", word):
            flags |= dict.fromkeys(word.strip("-e"), "")
            if word.endswith("e") and words:
                scripts.append(words.pop(0))
        else:
            rest.append(word)
    return flags, scripts, rest


class Editor:
    """One run over a text."""

    def __init__(self, program: Sequence[Command], quiet: bool) -> None:
        self._program = program
        self._quiet = quiet
        self._out: list[str] = []
        self._number = 0
        self._lines: list[str] = []
        self._after: list[str] = []
        self._quit = False
        self._held = ""  # the hold space

    def run(self, text: str) -> str:
        """Return what is printed."""
        self._lines = text.splitlines()
        while self._number < len(self._lines) and not self._quit:
            self._number += 1
            line = self._do(self._program, self._lines[self._number - 1])
            if line is not None and not self._quiet:
                self._out.append(line)
            self._out += self._after
            self._after = []
        return "".join(f"{line}\n" for line in self._out)

    def _do(self, program: Sequence[Command], line: str) -> str | None:
        """Return what the commands make of a line, None if nothing is left of it."""
        for command in program:
            if self._selects(command, line) == command.negated:
                continue
            if command.name == "{":
                inner = self._do(command.block, line)
                if inner is None or self._quit:
                    return inner
                line = inner
            elif command.name == "d":
                return None
            elif command.name == "c":
                self._out.append(command.text)
                return None
            elif command.name == "q":
                self._quit = True
                return line
            elif command.name in ("n", "N"):
                if self._number == len(self._lines):
                    return line
                self._number += 1
                following = self._lines[self._number - 1]
                if command.name == "n":
                    self._out += [] if self._quiet else [line]
                line = following if command.name == "n" else f"{line}\n{following}"
            else:
                line = self._edit(command, line)
        return line

    def _edit(self, command: Command, line: str) -> str:
        if command.name == "p":
            self._out.append(line)
        elif command.name == "=":
            self._out.append(str(self._number))
        elif command.name == "i":
            self._out.append(command.text)
        elif command.name == "a":
            self._after.append(command.text)
        elif command.name == "y":
            return line.translate(command.table)
        elif command.name == "s":
            return self._substitute(command, line)
        elif command.name in "hHgGx":
            return self._hold(command.name, line)
        return line

    def _hold(self, name: str, line: str) -> str:
        """Exchange with the hold space: h and H put a line there, g and G get it, x swaps."""
        if name == "x":
            self._held, line = line, self._held
        elif name in "hH":
            self._held = line if name == "h" else f"{self._held}\n{line}"
        else:
            line = self._held if name == "g" else f"{line}\n{self._held}"
        return line

    def _substitute(self, command: Command, line: str) -> str:
        assert command.pattern is not None
        which = int("".join(filter(str.isdigit, command.flags)) or 1)
        seen = 0

        def replaced(found: re.Match[str]) -> str:
            nonlocal seen
            seen += 1
            if seen < which or (seen > which and "g" not in command.flags):
                return found[0]
            return _filled(command.text, found)

        new = command.pattern.sub(replaced, line)
        if seen >= which and "p" in command.flags:
            self._out.append(new)
        return new

    def _selects(self, command: Command, line: str) -> bool:
        addresses = command.addresses
        if len(addresses) < 2:
            return not addresses or self._at(addresses[0], line)
        first, last = addresses
        if command.until < 0:
            if not self._at(first, line):
                return False
            command.until = 0
            if isinstance(last, Following):
                command.until = self._number + last.lines if last.lines else -1
            elif isinstance(last, int):
                command.until = last if last > self._number else -1
            elif last == "$":
                command.until = len(self._lines)
            return True
        ends = self._at(last, line) if command.until == 0 else self._number >= command.until
        if ends:
            command.until = -1
        return True

    def _at(self, address: Address, line: str) -> bool:
        if isinstance(address, int):
            return self._number == address
        if isinstance(address, tuple):
            start, step = address
            return self._number >= start and (self._number - start) % max(step, 1) == 0
        if isinstance(address, re.Pattern):
            return address.search(line) is not None
        return address == "$" and self._number == len(self._lines)


def _filled(text: str, found: re.Match[str]) -> str:
    def part(escape: re.Match[str]) -> str:
        if escape[0] == "&":
            return found[0]
        letter = escape[1]
        if letter.isdigit():
            return found[int(letter)] or ""
        return {"n": "\n", "t": "\t"}.get(letter, letter)

    return re.sub(r"\\(.)|&", part, text, flags=re.DOTALL)
