"""sh: runs the tree of commands that syntax.py makes.

`sh -c 'script'`, `sh file` and `sh` with a script on its input. Each command is a child process
of the container; a pipeline's commands run side by side; `&` runs beside the script. As process 1
of a container the shell ignores SIGTERM unless the script has a trap, as every process 1 does:
such a Pod takes its whole grace period to end.

Rule of use: time passes only in commands, and a little in each turn of a loop, so that
`while true; do :; done` cannot stop the clock.

Upstream: busybox shell/ash.c evaltree
"""

from __future__ import annotations

import re
from collections.abc import Coroutine
from fnmatch import fnmatchcase
from typing import Any

from k8slab.node.interfaces import Program
from k8slab.node.runtime.images.busybox import builtins, conditions, redirect
from k8slab.node.runtime.images.busybox.expand import ExpansionError, fields, text
from k8slab.node.runtime.images.busybox.flow import Break, Continue, Exit, Return
from k8slab.node.runtime.images.busybox.syntax import (
    AndOr,
    Case,
    Command,
    Condition,
    For,
    Function,
    If,
    Loop,
    Pipeline,
    Sequence,
    Simple,
    parse,
)
from k8slab.node.runtime.images.busybox.tokens import WORD, ShellSyntaxError, tokenize
from k8slab.node.runtime.images.busybox.variables import Variables
from k8slab.node.runtime.process import NOT_FOUND, SIGNALS, Process
from k8slab.node.runtime.streams import Capture, Output, Pipe
from k8slab.sim import Signal, Task

Streams = tuple[Pipe | None, Output, Output]

FORK_EXEC = 0.001  # s, from the command's name until it runs
LONGEST_TURN = 0.25  # s, of a loop that does nothing but turn
SYNTAX_ERROR = 2  # exit code
_ONLY_INPUT = re.compile(r"\s*<\s*([^\s;|&<>]+)\s*")


class Shell(Variables):
    """One shell: what it remembers, its functions, traps and background jobs."""

    def __init__(self, process: Process, parameters: list[str], name: str = "sh") -> None:
        super().__init__(process, parameters, name)
        self.functions: dict[str, Command] = {}
        self.traps: dict[str, str] = {}
        self.jobs: dict[int, Task[Any]] = {}
        self._replace = False  # whether the next program takes the shell's place
        self._tested = 0  # how many conditions surround the command: -e is off there

    async def capture(self, script: str) -> str:
        """Run commands in a subshell and return what they printed; `<file` is bash's `cat file`."""
        if file := _ONLY_INPUT.fullmatch(script):
            script = f"cat {file[1]}"
        out = Capture()
        shell = self.subshell()
        streams = (self.process.stdin, out, self.process.stderr)
        self.status = await shell.run_to_end(parse(script), streams)
        return out.text

    # -- running

    def subshell(self) -> Shell:
        """Return a copy: what it changes stays there."""
        copy = Shell(self.process, list(self.positional), self.name)
        self.copy_to(copy)
        copy.functions, copy._tested = dict(self.functions), self._tested
        return copy

    async def run_to_end(
        self, program: Sequence, streams: Streams, *, replace: bool = False
    ) -> int:
        """Run a program and return the exit code of the shell.

        `replace` lets the only command take the shell's place, as `exec` does.
        """
        self._replace = replace
        try:
            code = await self.sequence(program, streams)
        except Exit as end:
            code = end.code
        except (Break, Continue, Return):
            code = self.status
        except (ExpansionError, ShellSyntaxError) as error:
            streams[2].write(f"{self.name}: {error}\n")
            code = SYNTAX_ERROR
        if handler := self.traps.pop("EXIT", ""):
            self.status = code
            await self.run_to_end(parse(handler), streams)
        return code

    async def sequence(self, node: Sequence, streams: Streams) -> int:
        """Run commands one after another."""
        for command, background in node.items:
            if background:
                self.start_job(command, streams)
            else:
                self.status = await self.and_or(command, streams)
        return self.status

    def start_job(self, command: AndOr, streams: Streams) -> None:
        """Run a command beside the script."""
        shell = self.subshell()
        program = Sequence(((command, False),))
        pid = self.process.container.pids.next_pid()
        job = self.process.spawn(shell.run_to_end(program, streams), f"job {pid}")
        job.watched = True
        self.jobs[pid] = job
        self.last_job = pid
        self.status = 0

    async def and_or(self, node: AndOr, streams: Streams) -> int:
        """Run `a && b || c`."""
        self._tested += bool(node.rest)
        status = await self.pipeline(node.first, streams, last=not node.rest)
        for number, (operator, command) in enumerate(node.rest):
            if number == len(node.rest) - 1:
                self._tested -= 1
            if (status == 0) == (operator == "&&"):
                last = number == len(node.rest) - 1
                status = await self.pipeline(command, streams, last=last)
        return status

    async def pipeline(self, node: Pipeline, streams: Streams, *, last: bool) -> int:
        """Run `a | b | c` side by side; the status is that of the last."""
        self._tested += node.negated
        if len(node.commands) == 1:
            status = await self.command(node.commands[0], streams)
        else:
            status = await self._piped(node.commands, streams)
        self._tested -= node.negated
        self.status = status = int(not status) if node.negated else status
        await self.check_traps(streams)
        if status and last and self.options.get("e") and not self._tested and not node.negated:
            raise Exit(status)
        return status

    async def _piped(self, commands: tuple[Command, ...], streams: Streams) -> int:
        stdin, out, err = streams
        tasks = []
        for command in commands[:-1]:
            pipe = Pipe(self.process.sim)
            stage = self.subshell()._stage(command, (stdin, pipe, err))
            tasks.append(self.process.spawn(stage, "pipe"))
            stdin = pipe
        status = await self.subshell()._stage(commands[-1], (stdin, out, err))
        for task in tasks:  # a writer whose reader has gone ends at its next line
            await task
        return status

    async def _stage(self, command: Command, streams: Streams) -> int:
        program = Sequence(((AndOr(Pipeline((command,))), False),))
        try:
            return await self.run_to_end(program, streams)
        except BrokenPipeError:
            return 128 + 13
        finally:
            if isinstance(streams[0], Pipe):
                streams[0].reader_gone = True
            if isinstance(streams[1], Pipe):
                streams[1].close()

    async def command(self, node: Command, streams: Streams) -> int:
        """Run one command of any kind."""
        if isinstance(node, Simple):
            return await self.simple(node, streams)
        if isinstance(node, Condition):
            return await self._conditional(node, streams)
        if isinstance(node, If):
            return await self.if_command(node, streams)
        if isinstance(node, Loop):
            return await self.loop(node, streams)
        if isinstance(node, For):
            return await self.for_command(node, streams)
        if isinstance(node, Case):
            return await self.case(node, streams)
        if isinstance(node, Function):
            self.functions[node.name] = node.body
            return 0
        streams = await redirect.apply(self, node.redirects, streams)
        if node.subshell:
            return await self.subshell().run_to_end(node.body, streams)
        return await self.sequence(node.body, streams)

    async def _conditional(self, node: Condition, streams: Streams) -> int:
        """Answer [[ ... ]]."""
        if self.options.get("x"):
            streams[2].write(f"+ [[ {node.inside.strip()} ]]\n")
        try:
            return int(not await conditions.holds(self, conditions.parse(node.inside)))
        except (ValueError, ShellSyntaxError) as error:
            streams[2].write(f"{self.name}: {error}\n")
            return SYNTAX_ERROR

    async def condition(self, node: Sequence, streams: Streams) -> bool:
        """Run commands whose failure is an answer, no error."""
        self._tested += 1
        try:
            return await self.sequence(node, streams) == 0
        finally:
            self._tested -= 1

    async def if_command(self, node: If, streams: Streams) -> int:
        """Run the first clause whose condition holds."""
        for condition, body in node.clauses:
            if await self.condition(condition, streams):
                return await self.sequence(body, streams)
        return await self.sequence(node.otherwise, streams) if node.otherwise else 0

    async def loop(self, node: Loop, streams: Streams) -> int:
        """Run `while` or `until`."""
        status = busy = 0
        while True:
            before = self.process.sim.now
            if await self.condition(node.condition, streams) == node.until:
                return status
            keep, status = await self.turn(self.sequence(node.body, streams))
            if not keep:
                return status
            busy = busy + 1 if self.process.sim.now - before < 10 * FORK_EXEC else 0
            if busy:  # a loop that never waits takes its node's time, not the lab's
                await self.process.sleep(min(FORK_EXEC * busy, LONGEST_TURN))

    async def for_command(self, node: For, streams: Streams) -> int:
        """Run the body once for each word."""
        words = self.positional if node.words is None else await fields(self, node.words)
        status = 0
        for word in words:
            self.assign(node.name, word)
            keep, status = await self.turn(self.sequence(node.body, streams))
            if not keep:
                break
        return status

    async def turn(self, body: Coroutine[Any, Any, int]) -> tuple[bool, int]:
        """Run a loop's body once; False means: leave the loop."""
        try:
            return True, await body
        except Break as found:
            if found.levels > 1:
                raise Break(found.levels - 1) from None
            return False, 0
        except Continue as found:
            if found.levels > 1:
                raise Continue(found.levels - 1) from None
            return True, 0

    async def case(self, node: Case, streams: Streams) -> int:
        """Run the first branch with a pattern that matches."""
        word = await text(self, node.word)
        for patterns, body in node.branches:
            for pattern in patterns:
                if fnmatchcase(word, await text(self, pattern)):
                    return await self.sequence(body, streams)
        return 0

    # -- simple commands

    async def simple(self, node: Simple, streams: Streams) -> int:
        """Run a builtin, a function or a program."""
        self.status = 0 if not node.words else self.status
        values = {}
        for name, word in node.assignments:
            self.arrays.pop(name, None)
            if word[:1] == "(":
                self.arrays[name] = await self._array(word)
            else:
                values[name] = await text(self, word)
        words = await fields(self, node.words)
        if self.options.get("x"):
            shown = [f"{name}={value}" for name, value in values.items()] + words
            streams[2].write(f"+ {' '.join(shown)}\n")
        try:
            streams = await redirect.apply(self, node.redirects, streams)
        except OSError as error:
            streams[2].write(f"{self.name}: {error}\n")
            return 1
        if not words:
            for name, value in values.items():
                self.assign(name, value)
            return self.status
        if words[0] in self.functions:
            return await self._call(words, streams)
        builtin = builtins.find(words[0])
        if builtin is not None:
            for name, value in values.items():
                self.assign(name, value)
            return await builtin(self, words, streams)
        return await self.external(words, {**self.exported, **values}, streams)

    async def _array(self, word: str) -> list[str]:
        """Return the elements of a list in parentheses."""
        tokens = [token.text for token in tokenize(word[1:-1]) if token.kind == WORD]
        return await fields(self, tokens)

    async def _call(self, words: list[str], streams: Streams) -> int:
        outer, self.positional = self.positional, words[1:]
        try:
            return await self.command(self.functions[words[0]], streams)
        except Return as found:
            return found.code
        finally:
            self.positional = outer

    async def external(self, words: list[str], env: dict[str, str], streams: Streams) -> int:
        """Run a program of the image as a child process."""
        await self.process.sleep(FORK_EXEC)
        program = self.process.find(words[0])
        if program is None:
            streams[2].write(f"{self.name}: {words[0]}: not found\n")
            return NOT_FOUND
        if self._replace:
            self.exported = env
            return await self.become(program, words, streams)
        child = self.process.child(tuple(words), env=env, streams=streams)
        return await child.run(program)

    async def become(self, program: Program, words: list[str], streams: Streams) -> int:
        """Let a program take the place of this shell's process, as execve does."""
        process = self.process
        process.args, process.env = tuple(words), self.exported
        process.stdin, process.stdout, process.stderr = streams
        process.handles_sigterm = False
        process.handlers.clear()
        # The kernel drops a signal that its first process did not handle: none waits for the next.
        process.terminated = Signal(process.sim, "SIGTERM")
        return await program(process) or 0

    async def check_traps(self, streams: Streams) -> None:
        """Run the handler of a signal that came meanwhile."""
        if not self.process.terminated.is_set:
            return
        number = self.process.signal
        name = next((name for name, other in SIGNALS.items() if other == number), "")
        if handler := self.traps.pop(name, ""):
            await self.sequence(parse(handler), streams)
