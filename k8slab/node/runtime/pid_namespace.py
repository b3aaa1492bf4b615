"""The process ids that processes see of one another.

A container has its own namespace, in which its main process is number 1. It may share another:
that of its Pod (`shareProcessNamespace`), in which number 1 is the pause process, or that of the
container that an ephemeral container was aimed at (`targetContainerName`).

Rule of use: numbers are never used twice in one namespace.

Upstream: Linux pid_namespaces(7), the CRI's NamespaceOption
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from k8slab.node.runtime.process import Process

PAUSE = ("/pause",)


class PidNamespace:
    """Processes by their ids."""

    def __init__(self, *, pause: bool = False) -> None:
        self.processes: dict[int, Process] = {}
        self._pause = pause  # a Pod's namespace: its first process only waits
        self._next = 2 if pause else 1

    def next_pid(self) -> int:
        """Return a process id that was never used here."""
        pid = self._next
        self._next += 1
        return pid

    def command_lines(self) -> list[tuple[int, tuple[str, ...]]]:
        """Return what runs, by process id."""
        pause = [(1, PAUSE)] if self._pause else []
        return pause + [(pid, each.args) for pid, each in sorted(self.processes.items())]
