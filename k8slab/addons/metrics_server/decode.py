"""Reads /metrics/resource, the text in which a kubelet says what its containers use.

Rule of use: `decode(text)` gives a `Batch`; what is not known in it is passed over.

Upstream: sigs.k8s.io/metrics-server/pkg/scraper/client/resource/decode.go
"""

from __future__ import annotations

import re

import msgspec

LINE = re.compile(r"(\w+)(?:\{(.*)\})? (\S+) (\d+)")
LABEL = re.compile(r'(\w+)="([^"]*)"')
FIELDS = {
    "container_cpu_usage_seconds_total": "cpu_seconds",
    "container_memory_working_set_bytes": "memory",
    "container_start_time_seconds": "started_at",
    "node_cpu_usage_seconds_total": "cpu_seconds",
    "node_memory_working_set_bytes": "memory",
}


class Point(msgspec.Struct, frozen=True):
    """What had been used by a time: CPU seconds since the start, and bytes of memory."""

    time: float  # virtual seconds, as all times
    cpu_seconds: float = 0.0
    memory: float = 0.0
    started_at: float = 0.0


class Batch(msgspec.Struct, frozen=True):
    """One answer of a kubelet: the node, and its containers by (namespace, Pod) and name."""

    node: Point
    pods: dict[tuple[str, str], dict[str, Point]]


def decode(text: str) -> Batch:
    """Return what a kubelet told."""
    node = Point(0.0)
    pods: dict[tuple[str, str], dict[str, Point]] = {}
    for name, labels, value, time in LINE.findall(text):
        field = FIELDS.get(name)
        if field is None:
            continue
        change = {field: float(value), "time": int(time) / 1000}
        if name.startswith("node_"):
            node = msgspec.structs.replace(node, **change)
            continue
        of = dict(LABEL.findall(labels))
        containers = pods.setdefault((of["namespace"], of["pod"]), {})
        known = containers.get(of["container"], Point(0.0))
        containers[of["container"]] = msgspec.structs.replace(known, **change)
    return Batch(node, pods)
