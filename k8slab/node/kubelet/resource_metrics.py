"""/metrics/resource: what the node's containers use, as the kubelet tells whoever scrapes it.

    container_cpu_usage_seconds_total{container="web",namespace="default",pod="web-1"} 1.5 30000

Each line is a name, labels, a value and a time in milliseconds. CPU is the seconds used since the
container started: whoever wants a rate looks twice.

Rule of use: `resource_metrics(stats, now)` is the text; a metrics server reads it.

Upstream: pkg/kubelet/metrics/collectors/resource_metrics.go
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from k8slab.node.interfaces import ContainerStats

HELP = {
    "container_cpu_usage_seconds_total": (
        "counter",
        "Cumulative cpu time consumed by the container in core-seconds",
    ),
    "container_memory_working_set_bytes": (
        "gauge",
        "Current working set of the container in bytes",
    ),
    "container_start_time_seconds": (
        "gauge",
        "Start time of the container since unix epoch in seconds",
    ),
    "node_cpu_usage_seconds_total": (
        "counter",
        "Cumulative cpu time consumed by the node in core-seconds",
    ),
    "node_memory_working_set_bytes": ("gauge", "Current working set of the node in bytes"),
}


def resource_metrics(stats: Sequence[ContainerStats], now: float) -> str:
    """Return the text of /metrics/resource at a time in virtual seconds."""
    samples: dict[str, list[tuple[str, float]]] = {name: [] for name in HELP}
    for found in stats:
        labels = (
            f'{{container="{found.name}",namespace="{found.pod.namespace}",pod="{found.pod.name}"}}'
        )
        samples["container_cpu_usage_seconds_total"].append((labels, found.cpu_seconds))
        samples["container_memory_working_set_bytes"].append((labels, found.memory))
        samples["container_start_time_seconds"].append((labels, found.started_at))
    samples["node_cpu_usage_seconds_total"].append(("", sum(s.cpu_seconds for s in stats)))
    samples["node_memory_working_set_bytes"].append(("", sum(s.memory for s in stats)))
    return "".join(f"{line}\n" for line in _lines(samples, round(now * 1000)))


def _lines(samples: dict[str, list[tuple[str, float]]], time: int) -> Iterable[str]:
    for name, (kind, text) in HELP.items():
        if samples[name]:
            yield f"# HELP {name} [STABLE] {text}"
            yield f"# TYPE {name} {kind}"
        for labels, value in samples[name]:
            yield f"{name}{labels} {value:.9g} {time}"
