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
        last: LogLine | None,
    ) -> None:
        self._sim = sim
        self._runtime = runtime
        self._container = container
        self._form = form
        self._first = first  # what the options ask for of the past
        self._last = last  # line that was read

    async def batch(self) -> str:
        """Return what was printed since the last call, waiting for it; "" at the end."""
        first, self._first = self._first, ""
        if first:
            return first
        while True:
            ended = not self._runs()
            new = self._new_lines()
            if new or ended:
                return self._form(new)
            await self._sim.sleep(POLL, "log follower")

    def _new_lines(self) -> list[LogLine]:
        """Return what came after the last line; old lines may have been dropped meanwhile."""
        lines = self._runtime.log(self._container.id)
        start = len(lines)
        while start and lines[start - 1] is not self._last:
            start -= 1
        self._last = lines[-1] if lines else None
        return lines[start:]

    def _runs(self) -> bool:
        return any(
            status.id == self._container.id and status.state == RUNNING
            for status in self._runtime.containers(self._container.sandbox_id)
        )
