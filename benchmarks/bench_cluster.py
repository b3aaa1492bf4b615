"""The whole engine: booting, an application, requests, an hour without work, thousands of Pods.

Times are CPU seconds of this process, so that other programs on the machine change them little.
The same Deployment is measured at two sizes: the ratio of the costs of one Pod says whether
anything grows faster than the cluster does.
"""

import gc
import time
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial

from benchmarks.measure import Row
from k8slab import Cluster
from k8slab.api.apps import Deployment

HOUR = 3600.0  # virtual seconds
REQUESTS = 50
SIZES = ((100, 1000), (200, 2000))  # nodes, Pods
MEMORY_PODS = 300
SHOP = {"frontend": 3, "cart": 2, "catalogue": 2, "payment": 1, "database": 1}
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - {{name: nginx, image: nginx, ports: [{{containerPort: 80}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}}}
spec:
  selector: {{app: {name}}}
  ports: [{{port: 80}}]
---
"""


def rows() -> Iterator[Row]:
    """Measure a small cluster, then larger ones."""
    yield Row("boot 4 nodes", min(cpu(lambda: Cluster(workers=3)) for _ in range(3)), "s")
    cluster = Cluster(workers=3)
    yield Row("5 Deployments and Services to Ready", cpu(lambda: deploy(cluster, SHOP)), "s")
    taken = min(cpu(partial(ask, cluster)) for _ in range(3))
    yield Row("request by name, with its journey", taken / REQUESTS * 1e3, "ms")
    yield Row("an hour without work, 4 nodes", cpu(lambda: cluster.run(HOUR)), "s")
    yield Row("memory of a Pod, all its history", bytes_per_pod(), "B")
    yield from sizes()


def sizes() -> Iterator[Row]:
    """Measure one Deployment with a Service at each size, from nothing to Ready."""
    before: float | None = None
    for nodes, pods in SIZES:
        started = time.process_time()
        cluster = Cluster(workers=nodes)
        yield Row(f"boot {nodes} nodes", time.process_time() - started, "s")
        taken = cpu(partial(deploy, cluster, {"web": pods}))
        yield Row(f"{pods:,} Pods on {nodes} nodes to Ready", taken, "s")
        peer = "" if before is None else f"with {SIZES[0][1]:,} Pods"
        yield Row("  of which one Pod", taken / pods * 1e3, "ms", peer, before)
        before = taken / pods * 1e3
    yield Row(f"an hour without work, {nodes} nodes", cpu(partial(cluster.run, HOUR)), "s")


def cpu(work: Callable[[], object]) -> float:
    """Give the CPU time of one run, in seconds, with other runs' garbage gone."""
    gc.collect()
    started = time.process_time()
    work()
    return time.process_time() - started


def deploy(cluster: Cluster, replicas: dict[str, int]) -> None:
    """Apply a Deployment and a Service for each name and wait until all Pods are ready."""
    cluster.apply("".join(MANIFEST.format(name=n, replicas=c) for n, c in replicas.items()))
    for name, count in replicas.items():
        cluster.run_until(partial(is_ready, name=name, count=count), timeout=3600)


def is_ready(cluster: Cluster, name: str, count: int) -> bool:
    """Say whether the Deployment's status has so many ready Pods."""
    found = cluster.view.get(Deployment, name)
    return found is not None and found.status.readyReplicas == count


def ask(cluster: Cluster) -> None:
    """Send requests to a Service by its name, one after the other."""
    for _ in range(REQUESTS):
        assert cluster.request("deployment/frontend", "http://catalogue").ok


def bytes_per_pod() -> float:
    """Give what each Pod of a Deployment adds to a cluster of 10 nodes, trace and history too."""
    cluster = Cluster(workers=10)
    gc.collect()
    tracemalloc.start()
    deploy(cluster, {"web": MEMORY_PODS})
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / MEMORY_PODS
