"""Looking back and living again: what an explanation, a past moment and a fork cost, and history.

A run of a few hundred Pods that come and go; history is all that is kept of it: the store's
revisions and the trace. Costs are of CPU time, so that other programs change them little.
"""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Row, bytes_kept
from k8slab import Cluster
from k8slab.api.core import Pod

PODS = 200
ROUNDS = 3


def rows() -> Iterator[Row]:
    """Measure a small run, then a larger one."""
    for pods in (10, PODS):
        cluster = run(pods)
        yield Row(f"run with {pods} Pods: records", len(cluster.trace), "")
        yield from of(cluster)
    yield Row("  of the saved run, the file", saved(cluster), "B")
    yield Row("memory of history, 1,000 events", history(), "B")


def of(cluster: Cluster) -> Iterator[Row]:
    """Measure one run."""
    pod = cluster.view.list(Pod, "default")[-1]
    other = "worker-1" if pod.spec.nodeName != "worker-1" else "worker-2"
    answer = cluster.request("node/worker-1", "http://10.96.0.10:9153")
    then = cluster.now - 1.0
    asked: dict[str, Callable[[], object]] = {
        "why a Pod is there": lambda: cluster.why(pod).text,
        "why of a field": lambda: cluster.why(pod, "spec.nodeName").text,
        "why not on a node": lambda: cluster.why_not(pod, other).text,
        "why of a request": lambda: cluster.why(answer).text,
        "kubectl get pods -A of the past": lambda: cluster.at(then).kubectl("get pods -A"),
        "fork, with all that happened": cluster.fork,
    }
    for name, work in asked.items():
        yield Row(f"  {name}", least(work), "ms")


def run(pods: int) -> Cluster:
    """Return a cluster in which so many Pods came, and half of them went."""
    cluster = Cluster(workers=4, seed=1)
    cluster.kubectl(f"create deployment web --image=nginx:1.27 --replicas={pods}")
    cluster.run_until("deployment/web available")
    cluster.kubectl(f"scale deployment web --replicas={pods // 2}")
    cluster.settle()
    return cluster


def history() -> float:
    """Return the bytes that stay of 1,000 events: trace and revisions of Pods that are gone."""
    cluster = Cluster(workers=4, seed=1)
    before = cluster.sim.events

    def work() -> Cluster:
        for _ in range(3):
            cluster.kubectl(f"create deployment web --image=nginx:1.27 --replicas={PODS // 4}")
            cluster.run_until("deployment/web available")
            cluster.kubectl("delete deployment web")
            cluster.run(120)  # nothing is left of them but history
        return cluster

    kept = bytes_kept(work)
    return kept / (cluster.sim.events - before) * 1000


def saved(cluster: Cluster) -> float:
    """Return the size of the saved run."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "run.k8slab"
        cluster.save(path)
        return path.stat().st_size


def least(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Return the CPU time of the best of some rounds, in milliseconds."""
    times = []
    for _ in range(rounds):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return min(times) * 1e3
