"""Two hundred clients at once for half a minute: writers, and watchers that must miss nothing.

A third of the watchers read slowly, another third leaves and comes back, at times too late. Raises
if a copy that a watcher kept differs from what is stored at the end, if a request was answered with
5xx, if a watch is left behind, or if the server keeps memory when its past is forgotten. A short
load comes first, so that what is made once is made.
"""

import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.measure import Row
from k8slab import Cluster
from k8slab.cluster.forgetting import keep_minutes

SECONDS, WRITERS, WATCHERS = 30, 80, 120
WARM_UP = 3  # s
KEPT = 20.0  # virtual s of the past, so that who stays away longer has to list again
MOST_KEPT = 0.03  # of the memory blocks before; timers that are due later, tables that have grown
STATM = Path("/proc/self/statm")


def rows() -> Iterator[Row]:
    """Run the load and count."""
    cluster = Cluster(workers=1, seed=1)
    cluster.settle()
    keep_minutes(cluster.sim, cluster.world.etcd, KEPT)
    with cluster.serve(speed=10.0) as url:
        port = url.rpartition(":")[2]
        load(port, WARM_UP, 1)
        before = blocks(cluster), resident()
        found = load(port, SECONDS, 2)
        left, after = left_behind(cluster), resident()
        kept = blocks(cluster) / before[0] - 1.0
    problems = {"wrong": found["wrong"], "refused": found["refused"], "left": left}
    if any(problems.values()) or kept > MOST_KEPT:
        raise AssertionError(f"the load was not borne: {problems}, {kept:.1%} of memory is kept")
    yield Row(
        f"requests, {WRITERS} writers, {WATCHERS} watchers", found["requests"] / SECONDS, "/s"
    )
    yield Row("events told", found["events"] / SECONDS, "/s")
    yield Row("times that a watcher left and came back", found["left"], "")
    yield Row("  and was told that its version is too old", found["expired"], "")
    yield Row("watchers that missed something", found["wrong"], "")
    yield Row("memory of the process before the load", before[1], "MB")
    yield Row("memory of the process after the load", after, "MB")
    yield Row("blocks kept when the past is forgotten", 100 * kept, "%")


def load(port: str, seconds: float, seed: int) -> dict[str, Any]:
    """Let all clients do their work, from a process of their own; leave no objects."""
    words = ("benchmarks.load_client", port, str(seconds), str(WRITERS), str(WATCHERS), str(seed))
    command = [sys.executable, "-m", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def blocks(cluster: Cluster) -> int:
    """Return how many blocks of memory Python uses once the cluster has forgotten its past."""
    with cluster.turn:
        cluster.run(3 * KEPT)
        gc.collect()
        return sys.getallocatedblocks()


def resident() -> float:
    """Return the memory of this process, in MB: what it has now, elsewhere the most it had."""
    if STATM.exists():
        return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    import resource  # not on Windows

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def left_behind(cluster: Cluster) -> int:
    """Return how many watches the API server still has for clients that left, after a while."""
    for _ in range(100):
        with cluster.turn:
            assert cluster.world.api.server is not None
            cache = cluster.world.api.server.registries["", "configmaps"].cache
            found = [each for beside in cache._watchers.values() for each in beside]
            open_ = [w for w in found if w.wanted.namespace == "default" and not w.stream.closed]
        if not open_:
            return 0
        time.sleep(0.05)
    return len(open_)
