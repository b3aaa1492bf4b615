"""A kernel for code that nobody trusts: limits on time, memory and files, and no way to stay.

    with Kernel(Limits()) as kernel:
        kernel.run("1 / 0")         # "ZeroDivisionError: division by zero"
        kernel.value("1 + 1")       # "2"

What cells print is read and dropped. A cell that takes too long raises `HungError`, a kernel that
is gone `DiedError`; after either one the kernel was killed with all its processes and replaced.

Rule of use: the kernel has its own folder and environment; it sees none of this process's.

Upstream: none (nbclient does this for code that is trusted)
"""

from __future__ import annotations

import ast
import json
import os
import queue
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from k8slab.classroom.grading.inside import MEMORY

START_LIMIT = 60.0  # s in which a kernel must answer for the first time
POLL = 0.05  # s between two looks at the clock
AT_A_TIME = 500  # outputs that are dropped between two such looks
LONGEST_ERROR = 300  # characters
NAME = "k8slab-grading"


class Limits(msgspec.Struct, frozen=True):
    """What one submission may use."""

    seconds: float = 20.0  # of wall time, per cell and per check
    memory: int = 4 << 30  # bytes of address space


class KernelError(Exception):
    """The kernel is not what it was."""


class HungError(KernelError):
    """A cell took too long."""


class DiedError(KernelError):
    """The kernel's process ended."""


class Kernel:
    """One kernel at a time, in a folder that goes with it."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._folder = tempfile.TemporaryDirectory(
            prefix="k8slab-grading-", ignore_cleanup_errors=True
        )
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
        self._folder.cleanup()

    def start(self) -> None:
        """Start a kernel, in place of the one that there was."""
        from jupyter_client.kernelspec import KernelSpecManager
        from jupyter_client.manager import KernelManager

        self.stop()
        folder = Path(self._folder.name)
        _write_spec(folder)
        manager = KernelManager(
            kernel_name=NAME,
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(folder)]),
            connection_file=str(folder / "kernel.connection"),
            transport="tcp" if os.name == "nt" else "ipc",
        )
        manager.start_kernel(
            env=_environment(folder, self.limits), cwd=str(folder), stdout=-3, stderr=-3
        )
        self._manager, self._client = manager, manager.blocking_client()
        self.generation += 1
        self._client.start_channels()
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

    def run(self, code: str) -> str:
        """Run a cell and return what it raised, "" if nothing."""
        reply = self._execute(code, {})
        if reply["status"] == "ok":
            return ""
        return _shorten(f"{reply.get('ename', 'Error')}: {reply.get('evalue', '')}")

    def value(self, expression: str, seconds: float | None = None) -> str:
        """Return the text that an expression gives; raises ValueError if there is none."""
        reply = self._execute("", {"it": expression}, seconds)
        found = reply.get("user_expressions", {}).get("it", {})
        if found.get("status") != "ok":
            raise ValueError(_shorten(f"{found.get('ename', '')}: {found.get('evalue', '')}"))
        shown = found.get("data", {}).get("text/plain", "")
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
            if reply is not None and reply["parent_header"].get("msg_id") == asked:
                return reply["content"]
            if not self._manager.is_alive():
                self.start()
                raise DiedError("The kernel's process ended.")
            if time.monotonic() > deadline:
                self.start()
                raise HungError(f"It was still running after {self.limits.seconds:g} s.")


def _reply(client: Any) -> Any:
    try:
        return client.get_shell_msg(timeout=POLL)
    except queue.Empty:
        return None


def _drop_outputs(client: Any) -> None:
    for _ in range(AT_A_TIME):
        try:
            client.get_iopub_msg(timeout=0)
        except queue.Empty:
            return


def _write_spec(folder: Path) -> None:
    command = [sys.executable, "-m", "k8slab.classroom.grading.inside", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": NAME, "language": "python"}
    (folder / NAME).mkdir(exist_ok=True)
    (folder / NAME / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")


def _environment(folder: Path, limits: Limits) -> dict[str, str]:
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
        MEMORY: str(limits.memory),
    }


def _shorten(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text)
    return printable if len(printable) <= LONGEST_ERROR else f"{printable[:LONGEST_ERROR]}..."
