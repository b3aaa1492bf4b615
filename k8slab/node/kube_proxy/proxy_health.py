"""Whether kube-proxy keeps up: /healthz and /livez on port 10256.

A change that has been waiting for longer than `timeout` makes both answer 503. /healthz also does
so for a node that is on its way out, so that load balancers leave it in time; /livez does not: a
restart of kube-proxy would not help.

Rule of use: `queued` when a change is heard of, `updated` when it is written.

Upstream: pkg/proxy/healthcheck/proxy_health.go
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from k8slab.api.core import Node
from k8slab.api.meta import micro_timestamp
from k8slab.node import http
from k8slab.node.kube_proxy.proxy_metrics import ProxyMetrics
from k8slab.node.machine import Machine
from k8slab.sim import Simulation

PORT = 10256  # --healthz-bind-address
TO_BE_DELETED = "ToBeDeletedByClusterAutoscaler"
HEADERS = {"Content-Type": "application/json", "X-Content-Type-Options": "nosniff"}


class ProxierHealth(msgspec.Struct, frozen=True):
    """How it stands with the rules of one family."""

    lastUpdated: str  # noqa: N815 (as it is in the answer)
    healthy: bool


class ProxyHealthServer:
    """What kube-proxy says of itself."""

    def __init__(
        self,
        sim: Simulation,
        machine: Machine,
        timeout: float,
        node: Callable[[], Node | None],
        metrics: ProxyMetrics | None = None,
    ) -> None:
        self._sim = sim
        self._machine = machine
        self._timeout = timeout  # s
        self._node = node
        self._metrics = metrics or ProxyMetrics(sim)
        self._updated: dict[str, float] = {}  # family -> when its rules were last written
        self._pending: dict[str, float] = {}  # family -> since when a change waits

    def queued(self, family: str) -> None:
        """Note that a change waits to be written."""
        self._pending.setdefault(family, self._sim.now)

    def updated(self, family: str) -> None:
        """Note that everything is written."""
        self._pending.pop(family, None)
        self._updated[family] = self._sim.now

    def answer(self, path: str) -> http.Response:
        """Return what an HTTP client gets."""
        if path not in ("/healthz", "/livez"):
            return http.text("404 page not found\n", 404)
        now = self._sim.now
        status = {
            family: ProxierHealth(micro_timestamp(when), not self._is_late(family))
            for family, when in self._updated.items()
        }
        healthy = all(each.healthy for each in status.values())
        eligible = {"nodeEligible": is_eligible(self._node())} if path == "/healthz" else {}
        well = healthy and all(eligible.values())
        # If all is well, there was nothing that had to be written since.
        last = now if well else max(self._updated.values(), default=0.0)
        times = {"lastUpdated": micro_timestamp(last), "currentTime": micro_timestamp(now)}
        body = msgspec.json.encode({**times, **eligible, "healthy": healthy, "status": status})
        code = 200 if well else 503
        self._metrics.count(f"proxy_{path[1:]}_total", code=str(code))
        return http.Response(code, body, HEADERS)

    def _is_late(self, family: str) -> bool:
        return self._sim.now - self._pending.get(family, self._sim.now) >= self._timeout

    async def run(self) -> None:
        """Answer on the port, for ever."""
        listener = self._machine.net.listen("0.0.0.0", PORT, owner=self._sim.group)
        while True:
            connection = await listener.accept()
            serving = http.serve_connection(connection, lambda request: self.answer(request.path))
            self._sim.spawn(serving, "kube-proxy: health check")


def is_eligible(node: Node | None) -> bool:
    """Say whether new connections may be sent to the node: it exists and is to stay."""
    if node is None or node.metadata.deletionTimestamp is not None:
        return False
    return all(taint.key != TO_BE_DELETED for taint in node.spec.taints)
