"""The commands that are part of the shell itself.

`find(name)` gives a builtin: a coroutine of the shell, the words and the streams, whose result is
the status. Those that are also programs of their own (echo, test, ...) are in standalone.py.

Rule of use: a builtin changes the shell that it is given, never the process.

Upstream: busybox shell/ash.c builtintab
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from k8slab.node.runtime.images.busybox import standalone
from k8slab.node.runtime.images.busybox.expand import separators, split_fields
from k8slab.node.runtime.images.busybox.flow import Break, Continue, Exit, Return
from k8slab.node.runtime.images.busybox.syntax import parse
from k8slab.node.runtime.process import NOT_FOUND, SIGNALS

if TYPE_CHECKING:
    from k8slab.node.runtime.images.busybox.shell import Shell, Streams

USUAL_FOLDERS = ("/", "/tmp", "/root", "/home", "/etc", "/var", "/usr", "/opt", "/srv", "/mnt")
Builtin = Callable[["Shell", list[str], "Streams"], Awaitable[int]]


def find(name: str) -> Builtin | None:
    """Return the builtin of that name, None if there is none."""
    return _BUILTINS.get(name) or (_wrapped(name) if name in standalone.NAMES else None)


def _wrapped(name: str) -> Builtin:
    """Return a small tool as a builtin: it runs in no process of its own."""

    async def run(shell: Shell, words: list[str], streams: Streams) -> int:
        child = shell.process.child(tuple(words), env=shell.exported, streams=streams)
        try:
            return await standalone.NAMES[name](child)
        finally:
            shell.process.container.end(child.pid)

    return run


def _number(words: list[str], default: int) -> int:
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else default


async def _colon(shell: Shell, words: list[str], streams: Streams) -> int:
    return 0


async def _exit(shell: Shell, words: list[str], streams: Streams) -> int:
    raise Exit(_number(words, shell.status) & 0xFF)


async def _return(shell: Shell, words: list[str], streams: Streams) -> int:
    raise Return(_number(words, shell.status))


async def _break(shell: Shell, words: list[str], streams: Streams) -> int:
    raise Break(_number(words, 1))


async def _continue(shell: Shell, words: list[str], streams: Streams) -> int:
    raise Continue(_number(words, 1))


async def _cd(shell: Shell, words: list[str], streams: Streams) -> int:
    path = words[1] if len(words) > 1 else shell.value("HOME", optional=True) or "/"
    before = shell.process.working_dir
    if path == "-":
        path = shell.value("OLDPWD", optional=True) or before
        streams[1].write(f"{path}\n")
    place = shell.process.absolute(path)
    if not _is_folder(shell, place):
        streams[2].write(f"{shell.name}: cd: can't cd to {path}: No such file or directory\n")
        return 2
    shell.process.working_dir = place
    shell.exported["OLDPWD"], shell.exported["PWD"] = before, place
    return 0


def _is_folder(shell: Shell, place: str) -> bool:
    if place in USUAL_FOLDERS:
        return True
    folder, rest = shell.process.folder(place)
    return rest not in folder.files and shell.process.exists(place)


async def _export(shell: Shell, words: list[str], streams: Streams) -> int:
    for word in words[1:]:
        name, equals, value = word.partition("=")
        old = shell.variables.pop(name, shell.exported.get(name, ""))
        shell.exported[name] = value if equals else old
    return 0


async def _local(shell: Shell, words: list[str], streams: Streams) -> int:
    for word in words[1:]:
        name, _, value = word.partition("=")
        shell.assign(name, value)
    return 0


async def _unset(shell: Shell, words: list[str], streams: Streams) -> int:
    for name in words[1:]:
        shell.variables.pop(name, None)
        shell.exported.pop(name, None)
        shell.functions.pop(name, None)
    return 0


async def _set(shell: Shell, words: list[str], streams: Streams) -> int:
    rest = words[1:]
    if not rest:
        for name, value in sorted({**shell.exported, **shell.variables}.items()):
            streams[1].write(f"{name}='{value}'\n")
    while rest and rest[0][:1] in "-+" and rest[0] != "--":
        sign, letters = rest[0][0], rest[0][1:]
        if letters == "o":  # -o pipefail and the like: accepted
            rest = rest[1:]
            letters = ""
        for letter in letters:
            shell.options.pop(letter, None)
            if sign == "-":
                shell.options[letter] = True
        rest = rest[1:]
    if len(words) > 1 and (rest or words[-1] == "--"):
        shell.positional = rest[1:] if rest[:1] == ["--"] else rest
    return 0


async def _shift(shell: Shell, words: list[str], streams: Streams) -> int:
    shell.positional = shell.positional[_number(words, 1) :]
    return 0


async def _read(shell: Shell, words: list[str], streams: Streams) -> int:
    names = [word for word in words[1:] if not word.startswith("-")] or ["REPLY"]
    line = await streams[0].read_line() if streams[0] is not None else None
    if line is None:
        return 1
    values = split_fields(line, separators(shell), len(names))
    if len(names) == 1:
        values = [line.strip(separators(shell))]
    for number, name in enumerate(names):
        shell.assign(name, values[number] if number < len(values) else "")
    return 0


async def _eval(shell: Shell, words: list[str], streams: Streams) -> int:
    return await shell.sequence(parse(" ".join(words[1:])), streams)


async def _source(shell: Shell, words: list[str], streams: Streams) -> int:
    try:
        script = shell.process.read(words[1])
    except FileNotFoundError:
        streams[2].write(f"{shell.name}: .: can't open '{words[1]}'\n")
        raise Exit(2) from None
    return await shell.sequence(parse(script), streams)


async def _exec(shell: Shell, words: list[str], streams: Streams) -> int:
    if len(words) < 2:
        return 0
    program = shell.process.find(words[1])
    if program is None:
        streams[2].write(f"{shell.name}: exec: {words[1]}: not found\n")
        raise Exit(NOT_FOUND)
    raise Exit(await shell.become(program, words[1:], streams))


async def _trap(shell: Shell, words: list[str], streams: Streams) -> int:
    handler, names = (words[1], words[2:]) if len(words) > 2 else ("", words[1:])
    for name in names:
        short = {"0": "EXIT", "15": "TERM", "2": "INT"}.get(name, name.removeprefix("SIG"))
        if handler in ("", "-"):
            shell.traps.pop(short, None)
        else:
            shell.traps[short] = handler
        if short in SIGNALS:
            shell.process.handle_sigterm()
    return 0


async def _wait(shell: Shell, words: list[str], streams: Streams) -> int:
    """Wait for background jobs; a trapped signal ends the wait early."""
    from k8slab.sim import Signal

    wanted = [int(word) for word in words[1:] if word.isdigit()] or list(shell.jobs)
    status = 0
    for pid in wanted:
        job = shell.jobs.pop(pid, None)
        if job is None:
            continue
        if any(name in SIGNALS for name in shell.traps):
            either = Signal(shell.process.sim, "wait")
            job.on_done(either.set)
            watcher = shell.process.spawn(_forward(shell, either), "trap")
            await either.wait()
            watcher.kill()
            if not job.done:
                return 128 + shell.process.signal
        else:
            await _end_of(shell, job)
        status = job.result() if job.error is None else 128 + SIGNALS["TERM"]
    return status


async def _forward(shell: Shell, either: object) -> None:
    await shell.process.terminated.wait()
    either.set()  # type: ignore[attr-defined]


async def _end_of(shell: Shell, job: object) -> None:
    from k8slab.sim import Signal

    ended = Signal(shell.process.sim, "wait")
    job.on_done(ended.set)  # type: ignore[attr-defined]
    await ended.wait()


async def _kill(shell: Shell, words: list[str], streams: Streams) -> int:
    """Signal a job of this shell, or a process of the container."""
    rest = [word for word in words[1:] if not word.startswith("-")]
    status = 0
    for word in rest:
        job = shell.jobs.get(int(word)) if word.isdigit() else None
        if job is not None:
            job.kill()
        else:
            find_kill = _wrapped("kill")
            options = [option for option in words[1:] if option.startswith("-")]
            status = await find_kill(shell, ["kill", *options, word], streams)
    return status


async def _type(shell: Shell, words: list[str], streams: Streams) -> int:
    names = [word for word in words[1:] if not word.startswith("-")]
    found = [n for n in names if find(n) or n in shell.functions or shell.process.find(n)]
    for name in found:
        streams[1].write(f"{name}\n")
    return 0 if len(found) == len(names) else NOT_FOUND


async def _command(shell: Shell, words: list[str], streams: Streams) -> int:
    if words[1:2] and words[1] in ("-v", "-V"):
        return await _type(shell, words[1:], streams)
    return await shell.external(words[1:], shell.exported, streams)


_BUILTINS: dict[str, Builtin] = {
    ":": _colon, "exit": _exit, "return": _return, "break": _break, "continue": _continue,
    "cd": _cd, "export": _export, "readonly": _export, "local": _local, "unset": _unset,
    "set": _set, "shift": _shift, "read": _read, "eval": _eval, ".": _source, "source": _source,
    "exec": _exec, "trap": _trap, "wait": _wait, "kill": _kill, "type": _type,
    "command": _command,
}  # fmt: skip
