"""A kernel for code that nobody trusts: with limits, and with no way out.

    with Kernel(Limits()) as kernel:
        kernel.run("1 / 0")         # "ZeroDivisionError: division by zero"
        kernel.value("1 + 1")       # "2"

What cells print is read and dropped. A cell that takes too long raises `HungError`, a kernel that
is gone `DiedError`; after either one the kernel was killed with all its processes and replaced.
With `isolated=True` it lives in a `sandbox`, which sees nothing of the machine; otherwise it is a
process with limits, like any other of this user's.

Rule of use: whatever a kernel sends was written by the learner, and may be anything.

Upstream: none (nbclient does this for code that is trusted)
"""

from __future__ import annotations

import ast
import contextlib
import json
import os
import queue
import signal
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from k8slab.classroom.grading import sandbox
from k8slab.classroom.grading.inside import ALONE, MEMORY, PROCESSES

START_LIMIT = 60.0  # s in which a kernel must answer for the first time
POLL = 0.05  # s between two looks at the clock
AT_A_TIME = 500  # outputs that are dropped between two such looks
LONGEST_ERROR = 300  # characters
LARGEST_MESSAGE = 20_000_000  # bytes that a kernel may send at once
LONGEST_VALUE = 5_000_000  # characters of a value
COUNTED_SINCE = (5, 14)  # the Linux that counts processes for each user namespace
NAME = "k8slab-grading"


class Limits(msgspec.Struct, frozen=True):
    """What one submission may use."""

    seconds: float = 20.0  # of wall time, per cell and per check
    memory: int = 4 << 30  # bytes, of one process and of all together
    processes: int = 200  # and threads, at a time
    total: float = 300.0  # s of wall time for everything in a notebook


class KernelError(Exception):
    """The kernel is not what it was."""


class HungError(KernelError):
    """A cell took too long."""


class DiedError(KernelError):
    """The kernel's process ended."""


class Kernel:
    """One kernel at a time, in a folder that goes with it."""

    def __init__(self, limits: Limits, *, isolated: bool = False) -> None:
        self.limits = limits
        self.isolated = isolated
        self._folder = tempfile.TemporaryDirectory(
            prefix="k8slab-grading-", ignore_cleanup_errors=True
        )
        self._context: Any = None
        self._manager: Any = None
        self._client: Any = None
        self.generation = 0  # which kernel this is, counted from 1

    def __enter__(self) -> Kernel:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self.stop()
        if self._context is not None:
            self._context.destroy(linger=0)
        self._folder.cleanup()

    @property
    def folder(self) -> Path:
        """The kernel's own folder on this machine."""
        return Path(self._folder.name)

    def start(self) -> None:
        """Start a kernel, in place of the one that there was."""
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        self.stop()
        folder = self.folder
        _write_spec(folder, self.isolated)
        for socket in folder.glob("*-ipc-*"):  # of the kernel before
            socket.unlink()
        manager = KernelManager(
            context=self._zmq(),
            kernel_name=NAME,
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder)]),
            connection_file=str(folder / "kernel.connection"),
            transport="tcp" if os.name == "nt" else "ipc",
        )
        manager.start_kernel(
            env=_environment(folder, self.limits, self.isolated),
            cwd=str(folder),
            stdout=-3,
            stderr=-3,
        )
        self._manager, self._client = manager, manager.blocking_client()
        self.generation += 1
        self._client.start_channels(stdin=False, hb=False, control=False)
        try:
            self._client.wait_for_ready(timeout=START_LIMIT)
        except RuntimeError as problem:
            self.stop()
            raise DiedError(f"no kernel could be started: {problem}") from None

    def stop(self) -> None:
        """Kill the kernel and every process of its group."""
        if self._manager is None:
            return
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)  # and its process group
        self._manager = self._client = None
        if not self.isolated:
            end_leftovers(f"HOME={self._folder.name}")

    def _zmq(self) -> Any:
        import zmq

        if self._context is None:
            self._context = zmq.Context()
            self._context.setsockopt(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        return self._context

    def run(self, code: str) -> str:
        """Run a cell and return what it raised, "" if nothing."""
        reply = self._execute(code, {})
        if reply.get("status") == "ok":
            return ""
        return _shorten(f"{reply.get('ename', 'Error')}: {reply.get('evalue', '')}")

    def value(self, expression: str, seconds: float | None = None) -> str:
        """Return the text that an expression gives; raises ValueError if there is none."""
        reply = self._execute("", {"it": expression}, seconds)
        found = _part(_part(reply, "user_expressions"), "it")
        if found.get("status") != "ok":
            raise ValueError(_shorten(f"{found.get('ename', '')}: {found.get('evalue', '')}"))
        shown = _part(found, "data").get("text/plain")
        longest = LONGEST_VALUE if str(shown)[:1] in ("'", '"') else LONGEST_ERROR
        if not isinstance(shown, str) or len(shown) > longest:
            raise ValueError("an answer that cannot be read")
        try:
            return str(ast.literal_eval(shown))
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            raise ValueError("an answer that cannot be read") from None

    def _execute(self, code: str, wanted: dict[str, str], seconds: float | None = None) -> Any:
        client = self._client
        limit = self.limits.seconds if seconds is None else seconds
        deadline = time.monotonic() + limit
        asked = client.execute(
            code, user_expressions=wanted, allow_stdin=False, stop_on_error=False
        )
        while True:
            _drop_outputs(client)
            reply = _reply(client)
            if _part(reply, "parent_header").get("msg_id") == asked:
                return _part(reply, "content")
            if not self._manager.is_alive():
                self.start()
                raise DiedError("The kernel's process ended.")
            if time.monotonic() > deadline:
                self.start()
                raise HungError(f"It was still running after {self.limits.seconds:g} s.")


def _part(message: Any, name: str) -> dict[str, Any]:
    """Return a part of a message that should have it, empty if it has not."""
    found = message.get(name) if isinstance(message, dict) else None
    return found if isinstance(found, dict) else {}


def _reply(client: Any) -> Any:
    try:
        return client.get_shell_msg(timeout=POLL)
    except queue.Empty:
        return None
    except Exception:  # the learner can send whatever they like in the kernel's name
        return None


def _drop_outputs(client: Any) -> None:
    """Take what was printed away, unread."""
    import zmq

    for _ in range(AT_A_TIME):
        try:
            client.iopub_channel.socket.recv_multipart(zmq.NOBLOCK)
        except zmq.ZMQError:
            return


def end_leftovers(mark: str) -> None:
    """Kill every process that was started with the mark in its environment, where /proc tells."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark.encode() in path.read_bytes().split(b"\0"):
                os.kill(int(path.parent.name), signal.SIGKILL)


def _write_spec(folder: Path, isolated: bool) -> None:
    command = [sys.executable, "-m", "k8slab.classroom.grading.inside", "-f", "{connection_file}"]
    if isolated:
        command = sandbox.command(folder, command)
    spec = {"argv": command, "display_name": NAME, "language": "python"}
    (folder / NAME).mkdir(exist_ok=True)
    (folder / NAME / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _environment(folder: Path, limits: Limits, isolated: bool) -> dict[str, str]:
    """Return the kernel's environment: what Python needs, and nothing of this process's own."""
    kept = ("PATH", "LANG", "SYSTEMROOT", "TEMP", "TMP")
    package = Path(__file__).resolve().parents[3]
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder),
        "K8SLAB_LEDGER": "off",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": str(package),
        "OPENBLAS_NUM_THREADS": "1",  # a thread per core would count as so many processes
        MEMORY: str(limits.memory),
        PROCESSES: str(limits.processes if isolated and _are_counted() else 0),
        ALONE: "" if isolated else "yes",
    }


def _are_counted() -> bool:
    """Say whether a sandbox has its own count of processes: as root, or with a newer Linux."""
    if os.getuid() == 0:
        return True
    numbers = os.uname().release.split("-")[0].split(".")[:2]
    return tuple(int(one) for one in numbers) >= COUNTED_SINCE


def _shorten(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable if len(printable) <= LONGEST_ERROR else f"{printable[:LONGEST_ERROR]}..."
