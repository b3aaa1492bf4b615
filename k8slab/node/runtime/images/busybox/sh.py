"""The program `sh`: reads its options and a script, and runs it.

Options: -c, -e, -x, -u and combinations of them; a script's path; parameters. Without either, the
shell reads commands from its input, which for a container without -i is nothing: it ends at once.

Rule of use: programs of images; shell.py is the interpreter itself.

Upstream: busybox shell/ash.c procargs
"""

from __future__ import annotations

from k8slab.node.runtime.images.busybox.shell import SYNTAX_ERROR, Shell
from k8slab.node.runtime.images.busybox.syntax import Sequence, Simple, parse
from k8slab.node.runtime.images.busybox.tokens import ShellSyntaxError
from k8slab.node.runtime.images.busybox.typed import read_and_run
from k8slab.node.runtime.process import NOT_FOUND, Process


async def sh(process: Process) -> int:
    """Run a script."""
    letters, rest = _options(list(process.args[1:]))
    shell = Shell(process, [], process.args[0].rpartition("/")[2])
    shell.options = {letter: True for letter in letters if letter in "exu"}
    streams = (process.stdin, process.stdout, process.stderr)
    if "c" not in letters and not rest:
        return await read_and_run(shell, streams)
    try:
        script = _script(shell, letters, rest)
        program = parse(script)
    except FileNotFoundError:
        process.error(f"{shell.name}: can't open '{rest[0]}': No such file or directory")
        return NOT_FOUND
    except ShellSyntaxError as error:
        process.error(f"{shell.name}: {error}")
        return SYNTAX_ERROR
    if process.pid == 1:
        process.handle_sigterm()  # the kernel gives process 1 no default action
    only = _only_command(program)
    if only is not None and process.find(only.words[0].strip("'\"")):
        # the shell's last act is to become the program: `sh -c "nginx -g ..."` is nginx
        return await shell.run_to_end(program, streams, replace=True)
    return await shell.run_to_end(program, streams)


def _options(args: list[str]) -> tuple[str, list[str]]:
    letters = ""
    while args and args[0][:1] in "-+" and len(args[0]) > 1:
        if args[0] == "--":
            args.pop(0)
            break
        letters += args.pop(0)[1:]
    return letters, args


def _script(shell: Shell, letters: str, rest: list[str]) -> str:
    """Return the script's text; sets $0 and the parameters. Raises FileNotFoundError."""
    if "c" in letters:
        script, rest = (rest[0], rest[1:]) if rest else ("", [])
        if rest:
            shell.name, shell.positional = rest[0], rest[1:]
        return script
    script = shell.process.read(rest[0])
    shell.name, shell.positional = rest[0], rest[1:]
    return script


def _only_command(program: Sequence) -> Simple | None:
    """Return the command if the program is nothing but one, None otherwise."""
    if len(program.items) != 1 or program.items[0][1]:
        return None
    command = program.items[0][0]
    if command.rest or command.first.negated or len(command.first.commands) != 1:
        return None
    found = command.first.commands[0]
    return found if isinstance(found, Simple) and found.words else None
