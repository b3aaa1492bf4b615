"""Redirection: `>file`, `>>file`, `<file`, `2>&1`, here-documents.

Rule of use: `apply` gives new streams and leaves the old ones as they are; a file that cannot be
opened is an OSError in ash's words.

Upstream: busybox shell/ash.c redirect
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.node.runtime.images.busybox.expand import text
from k8slab.node.runtime.images.busybox.syntax import Redirect
from k8slab.node.runtime.process import Process
from k8slab.node.runtime.streams import Discard, Output, Pipe

if TYPE_CHECKING:
    from k8slab.node.runtime.images.busybox.shell import Shell, Streams


class FileOutput:
    """Text goes to the end of a file."""

    def __init__(self, process: Process, path: str) -> None:
        self._process = process
        self._path = path

    def write(self, text: str) -> None:
        """Append the text."""
        self._process.write(self._path, text, append=True)

    def close(self) -> None:
        """Nothing is buffered."""


async def apply(shell: Shell, redirects: tuple[Redirect, ...], streams: Streams) -> Streams:
    """Return the streams as the redirections leave them. Raises OSError."""
    stdin, out, err = streams
    for each in redirects:
        if each.operator == "<<":
            body = each.target if each.literal else await text(shell, each.target, document=True)
            stdin = Pipe(shell.process.sim, body)
            continue
        target = await text(shell, each.target)
        if each.operator.startswith("<"):
            stdin = open_input(shell.process, target)
        else:
            if each.operator == ">&" and target in "12":
                output = out if target == "1" else err
            else:
                output = open_output(shell.process, target, each.operator == ">>", (out, err))
            out, err = (out, output) if each.fd == 2 else (output, err)
    return stdin, out, err


def open_input(process: Process, path: str) -> Pipe:
    """Return a file's contents as an input. Raises FileNotFoundError."""
    if path == "/dev/null":
        return Pipe(process.sim, "")
    try:
        return Pipe(process.sim, process.read(path))
    except FileNotFoundError:
        raise FileNotFoundError(f"can't open {path}: no such file") from None


def open_output(process: Process, path: str, append: bool, own: tuple[Output, Output]) -> Output:
    """Open a file for writing. Raises OSError."""
    main = process.container.pids.processes.get(1, process)
    devices: dict[str, Output] = {
        "/dev/null": Discard(),
        "/dev/stdout": own[0],
        "/dev/stderr": own[1],
        "/proc/1/fd/1": main.stdout,
        "/proc/1/fd/2": main.stderr,
    }
    if path in devices:
        return devices[path]
    try:
        process.write(path, "", append=append)
    except PermissionError as error:
        raise OSError(f"can't create {path}: {error}") from None
    return FileOutput(process, path)
