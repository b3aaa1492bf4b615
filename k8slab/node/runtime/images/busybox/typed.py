"""A shell that reads its commands from its input: one at a time, as they come.

A command that is not complete yet goes on with the next line. On a terminal the shell asks for each
with a prompt, `/ # `, and goes on after an error; with another input an error is its end.

Rule of use: for `sh` without a script; the shell stays the same from command to command.

Upstream: busybox shell/ash.c cmdloop
"""

from __future__ import annotations

from k8slab.node.runtime.images.busybox.expand import ExpansionError
from k8slab.node.runtime.images.busybox.flow import Break, Continue, Exit, Return
from k8slab.node.runtime.images.busybox.shell import SYNTAX_ERROR, Shell, Streams
from k8slab.node.runtime.images.busybox.syntax import Sequence, parse
from k8slab.node.runtime.images.busybox.tokens import ShellSyntaxError

INCOMPLETE = ("unterminated", "unexpected end of file")


async def read_and_run(shell: Shell, streams: Streams) -> int:
    """Run commands until the input ends or one of them is `exit`; return the exit code."""
    stdin, stdout, _ = streams
    if stdin is None:
        return 0
    is_terminal = getattr(stdin, "is_terminal", False)
    text = ""
    while True:
        if is_terminal:
            stdout.write("> " if text else f"{shell.process.working_dir or '/'} # ")
        line = await stdin.read_line()
        if line is None:
            if is_terminal:
                stdout.write("\n")
            return _failed(shell, text, streams) if text.strip() else await end(shell, streams)
        text += line + "\n"
        try:
            program = parse(text)
        except ShellSyntaxError as error:
            if any(word in str(error) for word in INCOMPLETE):
                continue
            shell.status = _failed(shell, text, streams)
            text = ""
            if not is_terminal:
                return shell.status
            continue
        text = ""
        try:
            await _run(shell, program, streams)
        except Exit as exited:
            shell.status = exited.code
            return await end(shell, streams)


async def end(shell: Shell, streams: Streams) -> int:
    """Run what the shell shall do at its end, and return its exit code."""
    code = shell.status
    await shell.run_to_end(Sequence(()), streams)
    return code


async def _run(shell: Shell, program: Sequence, streams: Streams) -> None:
    try:
        await shell.sequence(program, streams)
    except (Break, Continue, Return):
        return
    except (ExpansionError, ShellSyntaxError) as error:
        streams[2].write(f"{shell.name}: {error}\n")
        shell.status = SYNTAX_ERROR


def _failed(shell: Shell, text: str, streams: Streams) -> int:
    try:
        parse(text)
    except ShellSyntaxError as error:
        streams[2].write(f"{shell.name}: {error}\n")
    return SYNTAX_ERROR
