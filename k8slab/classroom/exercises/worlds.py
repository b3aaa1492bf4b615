"""Building the clusters of exercises, and looking at what a Service answers with.

`boot` gives a cluster in which a manifest was applied and everything has come to rest; `members`
says which Pods the EndpointSlice controller has put behind a Service; `seen` writes down evidence.

Rule of use: worlds are made from the seed alone, so that every check gives the same verdict again.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from k8slab.api.core import Pod
from k8slab.api.discovery import EndpointSlice
from k8slab.api.pods import is_pod_active
from k8slab.classroom.verdicts import Evidence

if TYPE_CHECKING:
    from k8slab.cluster import Cluster
    from k8slab.cluster.view import View

WORKERS = 2
SERVICE_NAME = "kubernetes.io/service-name"  # the label that ties a slice to its Service
CLIENT = """---
apiVersion: v1
kind: Pod
metadata: {name: client}
spec:
  terminationGracePeriodSeconds: 1
  containers: [{name: client, image: "busybox:1.37", command: [sleep, "1000000"]}]
"""  # somebody in the cluster who can ask: `cluster.request("pod/client", url)`
QUIET = 3.0  # virtual seconds without a write, after which a world has come to rest


def boot(seed: int, manifest: str = "", workers: int = WORKERS) -> Cluster:
    """Return a cluster at rest in which the manifest was applied, if there is one."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=workers, seed=seed)
    for line in cluster.apply(manifest).splitlines() if manifest else ():
        if not line.endswith((" created", " configured", " unchanged")):
            raise AssertionError(f"the world of an exercise is wrong: {line}")
    cluster.settle(QUIET)
    return cluster


def members(view: View, service: str, namespace: str = "default") -> list[str]:
    """Return the sorted names of the Pods to which a Service sends new connections."""
    slices = view.list(EndpointSlice, namespace, labels=f"{SERVICE_NAME}={service}")
    return sorted(
        endpoint.targetRef.name
        for one in slices
        for endpoint in one.endpoints
        if endpoint.targetRef is not None and endpoint.conditions.ready
    )


def pods_with(view: View, labels: str, namespace: str = "default") -> list[Pod]:
    """Return the Pods with these labels that are not ending, sorted by name."""
    return [pod for pod in view.list(Pod, namespace, labels=labels) if is_pod_active(pod)]


def names(pods: Iterable[Pod]) -> list[str]:
    """Return the Pods' names, sorted."""
    return sorted(pod.metadata.name for pod in pods)


def seen(cluster: Cluster, text: str) -> Evidence:
    """Return what is so in the cluster now, as evidence."""
    return Evidence(cluster.seed, cluster.now, text)


def listed(found: Iterable[str]) -> str:
    """Return names as a phrase."""
    return ", ".join(found) or "nobody"
