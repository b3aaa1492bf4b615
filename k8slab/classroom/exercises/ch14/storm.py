"""Exercise 14.4: every change writes the rules of every node, and a hundred Pods are about to go.

Somebody has set kube-proxy's minSyncPeriod to 0s. The check lets the learner repair it, deletes the
market, and counts how often each node wrote its rules. Any period that gathers changes and is not
late is right, in either mode; a cluster without kube-proxy is none.

Rule of use: only what the nodes do counts, not what the ConfigMap says.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.apps import DaemonSet, Deployment
from k8slab.api.core import Node, Pod, Service
from k8slab.api.pods import is_pod_ready
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch14.settings import (
    NAME,
    NAMESPACE,
    STALLS,
    Storm,
    configure,
    market,
    settings,
    storm,
)
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair, nothing
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (4, 15)
MOST_WRITES = 5  # of one node in the storm
LATEST = 3.0  # virtual seconds


def world(seed: int) -> Cluster:
    """Return a market of a hundred stalls, and proxies that write at every change."""
    cluster = boot(seed)
    configure(cluster, "iptables", "0s")
    cluster.apply(market())
    cluster.settle(3)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get daemonsets -n kube-system",
        seeds=SEEDS,
        attempt=attempt_of(world, nothing, _judge),
        praise="Repaired: the changes of a moment are written together, and none of them is late.",
    )


def _judge(cluster: Cluster, before: None) -> Finding:
    return _broken(cluster) or _count(cluster, storm(cluster))


def _broken(cluster: Cluster) -> Finding | None:
    """Say what is missing that must be there, before the storm."""
    view = cluster.view
    if view.get(Deployment, "stalls") is None or view.get(Service, "market") is None:
        return wrong("The market is gone. The storm is not yours to make: leave the stalls there.")
    stalls = sum(is_pod_ready(pod) for pod in view.list(Pod, "default", labels="app=stalls"))
    if stalls < STALLS:
        return wrong(f"{stalls} of {STALLS} stalls are left. A small storm is no repair.")
    if view.get(DaemonSet, NAME, NAMESPACE) is None:
        return wrong(
            "The DaemonSet kube-proxy is gone. The rules stay as they are for ever, which costs "
            "no write, and soon leads every connection to Pods that are gone.",
            2,
        )
    pods = view.list(Pod, NAMESPACE, labels="k8s-app=kube-proxy")
    nodes = {node.metadata.name for node in view.list(Node)}
    lost = sorted(nodes - {pod.spec.nodeName for pod in pods if is_pod_ready(pod)})
    if lost:
        return wrong(
            f"kube-proxy does not run on {', '.join(lost)}. Its container may have refused the "
            "configuration: `kubectl logs` of its Pod says so.",
            2,
        )
    return None


def _count(cluster: Cluster, burst: Storm) -> Finding:
    """Say how often the nodes wrote."""
    counts = ", ".join(f"{node} {count}" for node, count in burst.writes.items())
    evidence = (seen(cluster, f"writes in the storm: {counts}; the last {burst.late:.1f} s late"),)
    if burst.most > MOST_WRITES:
        config = settings(cluster)
        own = config.get(str(config.get("mode") or "iptables")) or {}
        if own.get("minSyncPeriod") not in ("0s", "0", 0):
            return wrong(
                "The ConfigMap has another period, and the nodes still write at every change. "
                "kube-proxy reads its configuration when it starts.",
                0,
                evidence,
            )
        return wrong(
            f"A node still wrote its rules {burst.most} times in the storm. How long kube-proxy "
            "gathers changes is `minSyncPeriod`, in the section of its mode; 0s is not at all.",
            0,
            evidence,
        )
    if burst.late > LATEST:
        return almost(
            f"Few writes, and the last came {burst.late:.1f} s after the last change. All the "
            "while the nodes sent connections to Pods that were gone. Gather for less long.",
            0,
            evidence,
        )
    return right("", evidence)


EXERCISE = Exercise(
    key="14.4",
    title="The storm",
    points=3,
    hints=(
        "What kube-proxy was told is in the ConfigMap kube-proxy of kube-system. Which field says "
        "how long it waits between two writes?",
        "Give minSyncPeriod its usual 1s. The ConfigMap is only read when kube-proxy starts: "
        "`kubectl rollout restart` gives a DaemonSet new Pods.",
        "patched(conf.replace('minSyncPeriod: 0s', ...)), or its like in JSON, then kubectl "
        "rollout restart daemonset kube-proxy -n kube-system.",
    ),
    grade=grade,
    world=world,
)
