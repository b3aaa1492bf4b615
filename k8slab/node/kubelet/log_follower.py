"""A followed log: what a container prints, as it prints it, until it has ended.

Rule of use: `batch` again and again, until it gives nothing.

Upstream: staging/src/k8s.io/kubelet, pkg/kubelet/kuberuntime/logs/logs.go (ReadLogs)
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.node.interfaces import RUNNING, ContainerStatus, LogLine, RuntimeService
from k8slab.sim import Simulation

POLL = 0.1  # s, how soon a new line is seen; upstream is told by inotify


class LogFollower:
    """One reader of one container's log."""

    def __init__(
        self,
        sim: Simulation,
        runtime: RuntimeService,
        container: ContainerStatus,
        form: Callable[[list[LogLine]], str],
        first: str,
        read: int,
    ) -> None:
        self._sim = sim
        self._runtime = runtime
        self._container = container
        self._form = form
        self._first = first  # what the options ask for of the past
        self._read = read  # lines

    async def batch(self) -> str:
        """Return what was printed since the last call, waiting for it; "" at the end."""
        first, self._first = self._first, ""
        if first:
            return first
        while True:
            ended = not self._runs()
            lines = self._runtime.log(self._container.id)
            new = lines[self._read :]
            self._read = len(lines)
            if new or ended:
                return self._form(new)
            await self._sim.sleep(POLL, "log follower")

    def _runs(self) -> bool:
        return any(
            status.id == self._container.id and status.state == RUNNING
            for status in self._runtime.containers(self._container.sandbox_id)
        )
