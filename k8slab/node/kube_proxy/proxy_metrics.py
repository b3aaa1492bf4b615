"""What kube-proxy counts of its own work: /metrics and /proxyMode on 127.0.0.1:10249.

    curl localhost:10249/proxyMode          iptables
    curl localhost:10249/metrics            kubeproxy_sync_proxy_rules_iptables_total{...} 47

The families are those that can be true here: changes, syncs full and partial, failures, rules,
health checks. A duration is that of the write alone.

Rule of use: the proxier counts, `text` writes it down when somebody asks.

Upstream: pkg/proxy/metrics/metrics.go, cmd/kube-proxy/app/server.go (serveMetrics)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.api.meta import EPOCH
from k8slab.node import http
from k8slab.node.machine import Machine
from k8slab.sim import Simulation

ADDRESS, PORT = "127.0.0.1", 10249  # --metrics-bind-address

Labels = tuple[tuple[str, str], ...]
COUNTERS: Mapping[str, str] = {
    "sync_proxy_rules_service_changes_total": "Cumulative proxy rules Service changes",
    "sync_proxy_rules_endpoint_changes_total": "Cumulative proxy rules Endpoint changes",
    "sync_proxy_rules_iptables_partial_restore_failures_total": (
        "Cumulative proxy iptables partial restore failures"
    ),
    "sync_proxy_rules_nftables_sync_failures_total": "Cumulative proxy nftables sync failures",
    "proxy_healthz_total": "Cumulative proxy healthz HTTP status",
    "proxy_livez_total": "Cumulative proxy livez HTTP status",
}
GAUGES: Mapping[str, str] = {
    "sync_proxy_rules_iptables_total": "Total number of iptables rules owned by kube-proxy",
    "sync_proxy_rules_last_queued_timestamp_seconds": (
        "The last time a sync of proxy rules was queued"
    ),
    "sync_proxy_rules_last_timestamp_seconds": (
        "The last time proxy rules were successfully synced"
    ),
}
DURATIONS: Mapping[str, str] = {
    "sync_full_proxy_rules_duration_seconds": "SyncProxyRules latency in seconds for full resyncs",
    "sync_partial_proxy_rules_duration_seconds": (
        "SyncProxyRules latency in seconds for partial resyncs"
    ),
}


class ProxyMetrics:
    """Counters, gauges and durations by name and labels."""

    def __init__(self, sim: Simulation) -> None:
        self._sim = sim
        self._values: dict[tuple[str, Labels], float] = {}

    def count(self, name: str, **labels: str) -> None:
        """Count one more."""
        self._add(name, 1, labels)

    def set(self, name: str, value: float, **labels: str) -> None:
        """Set a gauge."""
        self._values[name, tuple(labels.items())] = value

    def set_to_now(self, name: str, **labels: str) -> None:
        """Set a gauge to the time as other machines count it, in seconds since 1970."""
        self.set(name, EPOCH.timestamp() + self._sim.now, **labels)

    def observe(self, name: str, seconds: float, **labels: str) -> None:
        """Add to a duration."""
        self._add(f"{name}_sum", seconds, labels)
        self._add(f"{name}_count", 1, labels)

    def _add(self, name: str, amount: float, labels: Mapping[str, str]) -> None:
        key = (name, tuple(labels.items()))
        self._values[key] = self._values.get(key, 0) + amount

    def text(self) -> str:
        """Return all of it in the form that Prometheus reads."""
        lines = []
        for kind, families in (("counter", COUNTERS), ("gauge", GAUGES)):
            for name, about in families.items():
                lines += self._family(name, kind, about, (name,))
        for name, about in DURATIONS.items():
            lines += self._family(name, "histogram", about, (f"{name}_sum", f"{name}_count"))
        return "".join(f"{line}\n" for line in lines)

    def _family(self, name: str, kind: str, about: str, samples: tuple[str, ...]) -> list[str]:
        lines = [
            f"kubeproxy_{sample}{_labelled(labels)} {value:.15g}"
            for sample in samples
            for (known, labels), value in self._values.items()
            if known == sample
        ]
        head = [f"# HELP kubeproxy_{name} [ALPHA] {about}", f"# TYPE kubeproxy_{name} {kind}"]
        return [*head, *lines] if lines else []


def _labelled(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""


async def serve(sim: Simulation, machine: Machine, pages: Mapping[str, Callable[[], str]]) -> None:
    """Answer on the port for ever; each path has a page."""
    listener = machine.net.listen(ADDRESS, PORT, owner=sim.group)

    def answer(request: http.Request) -> http.Response:
        page = pages.get(request.path)
        return http.text(page()) if page is not None else http.text("404 page not found\n", 404)

    while True:
        connection = await listener.accept()
        sim.spawn(http.serve_connection(connection, answer), "kube-proxy: metrics")
