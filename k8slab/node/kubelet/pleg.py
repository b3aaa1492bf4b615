"""The Pod lifecycle event generator: noticing that something happened to a container.

The runtime says when a container changes state; the kubelet notices at its next relist, one a
second, as upstream's does by listing. No change, no relist: an idle node costs nothing.

Rule of use: `status(uid)` for a fresh snapshot; `on_change` is told uids, at whole seconds.

Upstream: pkg/kubelet/pleg/generic.go
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.node.interfaces import ContainerStatus, RuntimeService
from k8slab.node.kubelet.container import PodRuntimeStatus
from k8slab.sim import Simulation, Timer

RELIST_PERIOD = 1.0  # s, kubelet.go genericPlegRelistPeriod


class Pleg:
    """What the runtime has, by Pod."""

    def __init__(
        self, sim: Simulation, runtime: RuntimeService, on_change: Callable[[str], None]
    ) -> None:
        self._sim = sim
        self._runtime = runtime
        self._on_change = on_change
        self._origin = sim.now  # relists come at whole periods from here
        self._changed: dict[str, int] = {}  # sandbox id and what caused the change
        self._timer: Timer | None = None
        self._uids: dict[str, str] = {}  # sandbox id to uid
        self._stopped = False

    def start(self) -> None:
        """Begin to listen."""
        self._runtime.subscribe(self._heard)

    def stop(self) -> None:
        """Stop listening: the kubelet is gone."""
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()

    def status(self, uid: str) -> PodRuntimeStatus:
        """Return what the runtime has of the Pod right now."""
        sandboxes = [s for s in self._runtime.sandboxes() if s.config.uid == uid]
        sandboxes.reverse()
        containers: list[ContainerStatus] = []
        for sandbox in sandboxes:
            self._uids[sandbox.id] = uid
            containers += reversed(self._runtime.containers(sandbox.id))
        return PodRuntimeStatus(tuple(sandboxes), tuple(containers))

    def forget(self, sandbox_id: str) -> None:
        """Drop a removed sandbox."""
        self._uids.pop(sandbox_id, None)

    def _heard(self, sandbox_id: str) -> None:
        if self._stopped:
            return
        self._changed.setdefault(sandbox_id, self._sim.cause)
        if self._timer is None:
            periods = (self._sim.now - self._origin) // RELIST_PERIOD + 1
            when = self._origin + periods * RELIST_PERIOD
            self._timer = self._sim.at(max(when, self._sim.now), self._relist, "kubelet: relist")

    def _relist(self) -> None:
        self._timer = None
        changed, self._changed = self._changed, {}
        for sandbox_id, cause in changed.items():
            uid = self._uids.get(sandbox_id) or self._look_up(sandbox_id)
            if uid:
                self._sim.cause = cause
                self._on_change(uid)

    def _look_up(self, sandbox_id: str) -> str:
        for sandbox in self._runtime.sandboxes():
            self._uids[sandbox.id] = sandbox.config.uid
        return self._uids.get(sandbox_id, "")
