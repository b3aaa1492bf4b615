"""The last two answers of each kubelet, and the rates between them.

A container that has only just started has one answer; its start, when it had used nothing, stands
in for the other as soon as it is 10 s old. A Pod is told of only when all its containers can be.

Rule of use: `store` what a scrape brought, ask `node` and `pod`; None means not known yet.

Upstream: sigs.k8s.io/metrics-server/pkg/storage
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from k8slab.addons.metrics_server.decode import Batch, Point

FRESH_CONTAINER = 10.0  # s, freshContainerMinMetricsResolution


class Usage(msgspec.Struct, frozen=True):
    """What was used between two times: nanocores and bytes."""

    time: float
    window: float  # s
    cpu: int  # nanocores
    memory: int


class Storage:
    """What the metrics server remembers."""

    def __init__(self) -> None:
        self._last: dict[str, Batch] = {}
        self._previous: dict[str, Batch] = {}

    @property
    def is_ready(self) -> bool:
        """Whether there are two answers of somebody: what was used between them can be told."""
        return bool(self._previous)

    def store(self, batches: Mapping[str, Batch]) -> None:
        """Take over the answers of one round, by node; who did not answer is forgotten."""
        self._previous, self._last = self._last, dict(batches)

    def node(self, name: str) -> Usage | None:
        """Return what a node uses."""
        last, previous = self._last.get(name), self._previous.get(name)
        return None if last is None or previous is None else between(previous.node, last.node)

    def pod(self, namespace: str, name: str, node: str) -> dict[str, Usage] | None:
        """Return what each container of a Pod uses."""
        last, previous = self._last.get(node), self._previous.get(node)
        containers = last.pods.get((namespace, name)) if last is not None else None
        if not containers:
            return None
        known = previous.pods.get((namespace, name), {}) if previous is not None else {}
        found = {key: usage(known.get(key), point) for key, point in containers.items()}
        return {k: u for k, u in found.items() if u is not None} if all(found.values()) else None


def usage(previous: Point | None, last: Point) -> Usage | None:
    """Return what a container uses, None if it is too young to say."""
    if previous is not None and previous.started_at == last.started_at:
        return between(previous, last)
    if last.time - last.started_at < FRESH_CONTAINER:
        return None
    return between(Point(last.started_at, started_at=last.started_at), last)


def between(previous: Point, last: Point) -> Usage | None:
    """Return the rate between two points.

    >>> between(Point(10.0, cpu_seconds=1.0), Point(20.0, cpu_seconds=2.5, memory=100)).cpu
    150000000
    """
    window = last.time - previous.time
    used = last.cpu_seconds - previous.cpu_seconds
    if window <= 0 or used < 0:
        return None
    return Usage(last.time, window, round(used / window * 1e9), int(last.memory))
