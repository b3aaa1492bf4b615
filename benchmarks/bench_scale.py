"""A thousand nodes: thirty thousand Pods to Ready, and what a day costs when nothing happens.

This takes some minutes. The Pods are those of Deployments of a thousand, without Services: what
these cost is in bench_services. Times are CPU seconds of this process, and the ratio of the costs
of one Pod says what grows faster than the cluster does.
"""

import gc
import resource
import sys
import time
from collections.abc import Iterator, Mapping
from functools import partial

from benchmarks.bench_cluster import MANIFEST, cpu, is_ready
from benchmarks.measure import Row
from k8slab import Cluster

NODES, IDLE_NODES = 1000, 500
FEW, MANY = 1500, 30_000  # Pods
EACH = 1000  # Pods of a Deployment, at most
DAY = 86_400.0  # virtual seconds


def rows() -> Iterator[Row]:
    """Measure few Pods, then many, then the day."""
    few = cpu_of_a_pod(FEW)
    yield Row(f"a Pod, {FEW:,} on {NODES:,} nodes", few * 1e3, "ms")
    began, before = time.perf_counter(), peak()
    many = cpu_of_a_pod(MANY)
    yield Row(f"{MANY:,} Pods on {NODES:,} nodes to Ready", many * MANY, "s")
    yield Row("  on the clock", time.perf_counter() - began, "s")
    yield Row("  of which one Pod", many * 1e3, "ms", f"with {FEW:,} Pods", few * 1e3)
    yield Row("  most memory", max(peak(), before) / 2**20, "MiB")
    gc.collect()
    cluster = Cluster(workers=IDLE_NODES)
    yield Row(f"a day without work, {IDLE_NODES} nodes", cpu(lambda: cluster.run(DAY)), "s")


def cpu_of_a_pod(pods: int) -> float:
    """Give the CPU time (s) of each of so many Pods on a new cluster, until all are ready."""
    cluster = Cluster(workers=NODES)
    sizes = {f"web-{first // EACH}": min(EACH, pods - first) for first in range(0, pods, EACH)}
    return cpu(lambda: deploy(cluster, sizes)) / pods


def deploy(cluster: Cluster, replicas: Mapping[str, int]) -> None:
    """Apply a Deployment for each name and wait until all Pods are ready."""
    deployment = MANIFEST.split("---")[0]
    cluster.apply("---".join(deployment.format(name=n, replicas=c) for n, c in replicas.items()))
    for name, count in replicas.items():
        cluster.run_until(partial(is_ready, name=name, count=count), timeout=7200)


def peak() -> int:
    """Give the most memory that this process has had, in bytes."""
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
