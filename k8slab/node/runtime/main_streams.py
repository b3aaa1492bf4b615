"""The streams of a container's main process: what it prints is kept, and shown to who is attached.

With `stdin: true` the process has an input, which stays open until an attached client ends it (or,
with `stdinOnce`, until the first client leaves). With `tty: true` a terminal is in between.

Rule of use: one for each start of a container; `attach` lasts as long as its caller waits.

Upstream: containerd internal/cri/io/container_io.go
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from k8slab.node.interfaces import ContainerConfig, Streams
from k8slab.node.runtime.streams import Lines, Output, Pipe
from k8slab.node.runtime.terminal import Terminal
from k8slab.sim import Simulation

Log = Callable[[str, str], None]  # stream, line


class MainStreams:
    """Input and outputs of one main process, and the clients that are attached to them."""

    def __init__(self, sim: Simulation, config: ContainerConfig, log: Log) -> None:
        self._sim = sim
        self._once = config.stdin_once
        self._clients: list[Streams] = []
        out = Tee(Lines(partial(log, "stdout")), self._clients, "stdout")
        self.stdin: Pipe | None = None
        self.stdout: Output = out
        self.stderr: Output = Tee(Lines(partial(log, "stderr")), self._clients, "stderr")
        if config.tty:
            terminal = Terminal(sim, out)
            self.stdin = terminal if config.stdin else None
            self.stdout = self.stderr = terminal.output
        elif config.stdin:
            self.stdin = Pipe(sim)

    async def attach(self, client: Streams, wait: Callable[[], Awaitable[object]]) -> None:
        """Show a client what is printed, and type what it types, until `wait()` is over."""
        self._clients.append(client)
        stdin = self.stdin
        if stdin is not None and client.stdin is not None:
            self._sim.spawn(self._pass_on(client.stdin, stdin), "attached input").watched = True
        try:
            await wait()
        finally:
            self._clients.remove(client)

    async def _pass_on(self, source: Pipe, stdin: Pipe) -> None:
        while (text := await source.read_some()) is not None:
            stdin.write(text)
        if self._once:
            stdin.close()


class Tee:
    """An output that is kept as lines and shown to all clients."""

    def __init__(self, lines: Lines, clients: list[Streams], name: str) -> None:
        self._lines = lines
        self._clients = clients
        self._name = name

    def write(self, text: str) -> None:
        """Keep the text and show it."""
        self._lines.write(text.replace("\r\n", "\n"))
        for client in self._clients:
            output: Output = getattr(client, self._name)
            output.write(text)

    def close(self) -> None:
        """Keep a last line that never ended."""
        self._lines.close()
