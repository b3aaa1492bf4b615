"""Two hundred clients at once for half a minute: writers, and watchers that must miss nothing.

Raises if a copy that a watcher kept differs from what is stored at the end, if a request was
answered with 5xx, or if a watch is left behind.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.measure import Row
from k8slab import Cluster

SECONDS, WRITERS, WATCHERS = 30, 80, 120


def rows() -> Iterator[Row]:
    """Run the load and count."""
    cluster = Cluster(workers=1, seed=1)
    with cluster.serve(speed=10.0) as url:
        port = url.rpartition(":")[2]
        words = ("benchmarks.load_client", port, str(SECONDS), str(WRITERS), str(WATCHERS))
        command = [sys.executable, "-m", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        left = left_behind(cluster)
    problems = {"wrong": found["wrong"], "refused": found["refused"], "left": left}
    if any(problems.values()):
        raise AssertionError(f"the load was not borne: {problems}")
    yield Row(
        f"requests, {WRITERS} writers, {WATCHERS} watchers", found["requests"] / SECONDS, "/s"
    )
    yield Row("events told", found["events"] / SECONDS, "/s")
    yield Row("watchers that missed something", found["wrong"], "")


def left_behind(cluster: Cluster) -> int:
    """Return how many watches the API server still has for clients that left, after a while."""
    for _ in range(100):
        with cluster.turn:
            assert cluster.world.api.server is not None
            cache = cluster.world.api.server.registries["", "configmaps"].cache
            found = [each for listed in cache._watchers.values() for each in listed]
            open_ = [w for w in found if w.wanted.namespace == "default" and not w.stream.closed]
        if not open_:
            return 0
        time.sleep(0.05)
    return len(open_)
