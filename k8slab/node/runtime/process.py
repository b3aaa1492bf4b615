"""A process in a container: what a program can see and do.

This is the `Process` of `interfaces.py` in full. Beside the arguments, the environment, the
network and the log, it has what a small program wants: files by path, child processes, input.

    async def main(process: Process) -> int:
        process.log(f"hello from {process.hostname}")
        await process.sleep(3)
        return 0

Rule of use: a program keeps its state in local variables; the next start begins anew.

Upstream: Linux fork(2), execve(2), signal(7)
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from k8slab.linux.netns import NetNamespace
from k8slab.linux.tcp import Connection
from k8slab.linux.tcp_open import Listener
from k8slab.linux.udp import UdpSocket
from k8slab.node.folder import Bulk, Folder, size_of
from k8slab.node.interfaces import Program
from k8slab.node.runtime.streams import Output, Pipe
from k8slab.sim import Group, Signal, Simulation, Task

if TYPE_CHECKING:
    from k8slab.node.runtime.container import Container

TRACEBACK_LINES = 12  # of a crash, kept in the log
NOT_FOUND, CRASHED = 127, 1  # exit codes
_PROC_ROOT = re.compile(r"/proc/(\d+)/root(?=/|$)")
MUCH = 1 << 20  # bytes of a file at which the node looks how full its disk is
SIGNALS = {"HUP": 1, "INT": 2, "QUIT": 3, "KILL": 9, "USR1": 10, "TERM": 15, "WINCH": 28}


class Process:
    """One process; the first of a container has pid 1."""

    def __init__(
        self,
        container: Container,
        args: tuple[str, ...],
        env: Mapping[str, str],
        streams: tuple[Pipe | None, Output, Output],
        group: Group,
    ) -> None:
        self.container = container
        self.sim: Simulation = container.sandbox.net.sim
        self.name = container.config.name
        self.args = args
        self.env = env
        self.hostname = container.sandbox.config.hostname or container.sandbox.config.name
        self.net: NetNamespace = container.sandbox.net
        self.stdin, self.stdout, self.stderr = streams
        self.group = group  # its tasks; its sockets belong to the group too
        self.working_dir = container.config.working_dir or container.image.working_dir
        self.handles_sigterm = False
        # set when SIGTERM (or the image's stop signal) arrives, if the program handles it
        self.terminated = Signal(self.sim, "SIGTERM")
        self.signal = SIGNALS["TERM"]  # which it was that set `terminated`
        self.handlers: dict[int, Callable[[], object]] = {}  # of other signals, by number
        self._memory = 0
        self.pid = container.begin(self)

    # -- output and time

    def log(self, line: str) -> None:
        """Print a line."""
        self.stdout.write(line + "\n")

    def error(self, line: str) -> None:
        """Print a line to stderr."""
        self.stderr.write(line + "\n")

    async def sleep(self, seconds: float) -> None:
        """Let virtual time pass."""
        await self.sim.sleep(seconds, f"{self.name}: sleep")

    async def compute(self, seconds: float) -> None:
        """Work for so many CPU seconds; longer on the clock if the CPU limit throttles it."""
        cpu, limit = self.container.cpu, self.container.config.resources.cpu_limit
        work = cpu.begin(self.sim.now, seconds, limit)
        try:
            await self.sim.sleep(work.end - self.sim.now, self.name)
        finally:
            cpu.finish(work, self.sim.now)

    def spawn(self, coroutine: Coroutine[Any, Any, Any], name: str) -> Task[Any]:
        """Run something beside, as a thread of this process."""
        return self.sim.spawn(coroutine, f"{self.name}: {name}", self.group)

    # -- signals

    def handle_sigterm(self) -> None:
        """Keep SIGTERM from ending the process: it will watch `terminated` itself."""
        self.handles_sigterm = True

    def on_signal(self, name: str, handler: Callable[[], object]) -> None:
        """Have `handler` called when the signal arrives: SIGHUP for one, to read files again."""
        self.handlers[SIGNALS[name]] = handler

    async def until_sigterm(self) -> int:
        """Wait for SIGTERM and return 0, as a server does that shuts down in good order."""
        self.handle_sigterm()
        await self.terminated.wait()
        return 0

    # -- memory

    @property
    def memory(self) -> int:
        """Bytes in use; above the container's limit it is killed with OOMKilled."""
        return self._memory

    @memory.setter
    def memory(self, used: int) -> None:
        self._memory = used
        self.container.usage_changed("memory")
        if self.container.over_limit:
            self.container.out_of_memory = True
            self.container.kill(SIGNALS["KILL"])

    # -- files

    def folder(self, path: str) -> tuple[Folder, str]:
        """Return the folder that is mounted there (or the container's own disk) and the rest."""
        container, path = self._root_of(self.absolute(path))
        mount, rest = container.mount_of(path)
        return (mount.folder if mount else container.disk), rest

    def read(self, path: str) -> str:
        """Return a file's contents. Raises FileNotFoundError."""
        folder, rest = self.folder(path)
        return str(folder.read(rest))

    def write(self, path: str, contents: str | Bulk, *, append: bool = False) -> None:
        """Write or extend a file. Raises PermissionError where nothing may be written."""
        folder, rest = self._writable(path)
        if isinstance(contents, str) and append:
            contents = str(folder.files.get(rest.strip("/"), "")) + contents
        folder.write(rest, contents)
        if size_of(contents) >= MUCH:
            self.container.usage_changed("disk")

    def remove(self, path: str) -> None:
        """Remove a file. Raises FileNotFoundError, PermissionError where nothing may be written."""
        folder, rest = self._writable(path)
        folder.remove(rest)

    def _writable(self, path: str) -> tuple[Folder, str]:
        container, path = self._root_of(self.absolute(path))
        mount, rest = container.mount_of(path)
        if mount.read_only if mount is not None else container.config.read_only_root:
            raise PermissionError("Read-only file system")
        return (mount.folder if mount is not None else container.disk), rest

    def _root_of(self, path: str) -> tuple[Container, str]:
        """Return whose file system is meant: below /proc/7/root it is that of process 7."""
        found = _PROC_ROOT.match(path)
        other = self.container.pids.processes.get(int(found[1])) if found is not None else None
        if found is None or other is None:
            return self.container, path
        return other.container, path[found.end() :] or "/"

    def exists(self, path: str) -> bool:
        """Say whether there is a file or a folder with that path."""
        folder, rest = self.folder(path)
        if not rest or rest in folder.files or folder.list(rest):
            return True
        at = self.absolute(path)
        return any(mount == at or mount.startswith(f"{at}/") for mount in self.mounts())

    def mounts(self) -> list[str]:
        """Return the paths at which volumes are mounted."""
        return [mount.container_path for mount in self.container.config.mounts]

    def absolute(self, path: str) -> str:
        """Return the path from the root, with `.` and `..` taken out."""
        parts: list[str] = []
        whole = path if path.startswith("/") else f"{self.working_dir}/{path}"
        for part in whole.split("/"):
            if part == "..":
                parts[-1:] = []
            elif part not in ("", "."):
                parts.append(part)
        return "/" + "/".join(parts)

    # -- network

    def listen(self, port: int, ip: str = "0.0.0.0") -> Listener:
        """Open a TCP port. Raises k8slab.linux.errors.AddressInUse."""
        return self.net.listen(ip, port, owner=self.group)

    async def connect(self, host: str, port: int, timeout: float | None = None) -> Connection:
        """Open a connection to a name or an address. Raises NetworkError."""
        ip = await self.resolve(host)
        return await self.net.connect(ip, port, timeout=timeout, owner=self.group)

    def udp(self, port: int = 0) -> UdpSocket:
        """Open a UDP socket. Raises k8slab.linux.errors.AddressInUse."""
        return self.net.udp("0.0.0.0", port, owner=self.group)

    async def resolve(self, host: str) -> str:
        """Return the address of a name, by /etc/hosts and the container's resolv.conf.

        Raises what k8slab.linux.resolver raises for a name that does not resolve.
        """
        from k8slab.node.runtime.resolve import address_of

        return await address_of(self, host)

    # -- children

    def find(self, executable: str) -> Program | None:
        """Return the program that the container's $PATH has under this name."""
        return self.container.image.find(executable)

    def child(
        self,
        args: tuple[str, ...],
        *,
        env: Mapping[str, str] | None = None,
        streams: tuple[Pipe | None, Output, Output] | None = None,
    ) -> Process:
        """Return a new process that inherits everything that is not given."""
        child = Process(
            self.container,
            args,
            self.env if env is None else env,
            streams or (self.stdin, self.stdout, self.stderr),
            self.group,
        )
        child.working_dir = self.working_dir
        return child

    async def run(self, program: Program) -> int:
        """Run a program as this process and return its exit code; a crash is 1 and a traceback."""
        try:
            code = await program(self)
        except SystemExit as end:
            return _code(end.code, self)
        except BrokenPipeError:
            return 128 + 13  # SIGPIPE
        except Exception as error:
            for line in crash_report(error):
                self.error(line)
            return CRASHED
        finally:
            self.container.end(self.pid)
        return code or 0


def crash_report(error: Exception) -> list[str]:
    """Return the last lines of the traceback, without the runtime's own frames."""
    stack = error.__traceback__
    if stack is not None and stack.tb_next is not None:
        stack = stack.tb_next
    text = "".join(traceback.format_exception(type(error), error, stack))
    lines = text.rstrip("\n").split("\n")
    return lines if len(lines) <= TRACEBACK_LINES else [lines[0], *lines[1 - TRACEBACK_LINES :]]


def _code(given: object, process: Process) -> int:
    """Return the exit code of SystemExit, which may hold a message instead."""
    if given is None or isinstance(given, int):
        return given or 0
    process.error(str(given))
    return CRASHED
