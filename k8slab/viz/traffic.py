"""Who talked to whom: the calls of a stretch of the trace, counted.

`traffic(trace, since)` gives an `Edge` for each pair: writes go from a component to the API server
and from there to etcd; news goes from the API server to each component that a write set going;
orders go from a kubelet to its container runtime. There are no others, and that is the lesson.

Rule of use: counts are of the trace alone: reads and news that changed nothing leave no record.

Upstream: none
"""

from __future__ import annotations

import math

import msgspec

from k8slab.sim import Record
from k8slab.viz.facts import TraceLike
from k8slab.viz.style import component_key

API, ETCD = "kube-apiserver", "etcd"
PER_NODE = ("kubelet", "kube-proxy", "kindnet", "containerd")


class Edge(msgspec.Struct, frozen=True):
    """So many messages from one component to another: "write", "news" or "order"."""

    source: str
    target: str
    kind: str
    messages: int


def traffic(trace: TraceLike, since: int = 0, until: float = math.inf) -> list[Edge]:
    """Count the messages after the record `since` up to a virtual time, busiest pairs first."""
    counts: dict[tuple[str, str, str], int] = {}
    told: set[tuple[str, int]] = set()

    def add(source: str, target: str, kind: str) -> None:
        counts[source, target, kind] = counts.get((source, target, kind), 0) + 1

    for record in trace.since(since):
        if record.time > until:
            break
        who = actor(record)
        if record.revision:
            add(API, ETCD, "write")
            if who != API:
                add(who, API, "write")
        if who.startswith("containerd/"):
            add(who.replace("containerd", "kubelet"), who, "order")
        elif _is_news(trace, record, who) and (who, record.cause) not in told:
            told.add((who, record.cause))
            add(API, who, "news")
    edges = [Edge(*pair, messages) for pair, messages in counts.items()]
    return sorted(edges, key=lambda e: (-e.messages, e.source, e.target, e.kind))


def actor(record: Record) -> str:
    """Return the component behind a record; controllers all live in the controller manager."""
    key = component_key(record.component)
    _, _, node = record.component.partition("/")
    return f"{key}/{node}" if key in PER_NODE and node else key


def _is_news(trace: TraceLike, record: Record, who: str) -> bool:
    """Say whether somebody else's write set this record off."""
    if not record.cause or who in (API, "you"):
        return False
    cause = trace[record.cause]
    return bool(cause.revision) and actor(cause) != who
