"""A past that ends: for a cluster that is served for days.

A lab keeps every revision of every object and every record of the trace, so that `cluster.at` and
`cluster.why` reach back to the first second. A server that nobody asks about its past would grow
for ever. So it forgets: every five minutes, what was written before the last time.

On a real cluster kube-apiserver has etcd compacted (--etcd-compaction-interval).

Rule of use: `keep_minutes(sim, etcd)` once; it goes on for as long as the clock does.

Upstream: staging/src/k8s.io/apiserver/pkg/storage/etcd3/compact.go
"""

from __future__ import annotations

from contextlib import suppress

from k8slab.control_plane.etcd import Compacted, Endpoint, Unavailable
from k8slab.sim import Simulation

INTERVAL = 300.0  # s, kube-apiserver --etcd-compaction-interval


def keep_minutes(sim: Simulation, etcd: Endpoint, interval: float = INTERVAL) -> None:
    """From now on keep between one and two intervals (virtual seconds) of the past."""
    revision, record = 0, 0

    def forget() -> None:
        nonlocal revision, record
        # Nothing was written since, or etcd is away and will be asked the next time.
        with suppress(Compacted, Unavailable):
            if revision:
                etcd.server.compact(revision)
        sim.trace.forget(record)
        with suppress(Unavailable):
            revision = etcd.server.revision
        record = len(sim.trace)
        sim.after(interval, forget, "the past is forgotten")

    forget()
