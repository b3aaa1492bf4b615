"""The scheduler's decisions alone, without API server and binding, at three sizes of cluster.

Rates are Pods per CPU second, so that other programs on the machine change them little. The peer
is the least that kube-scheduler's own performance tests accept in CI with 5,000 nodes; it was
measured on other machines, so the ratio says how far off we are, not who is faster.
"""

import time
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from benchmarks.measure import Row
from k8slab.api.core import Node, Pod, Service
from k8slab.control_plane.scheduler.framework.snapshot import Handle, Objects, Snapshot
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.profile import make_framework
from k8slab.control_plane.scheduler.schedule_one import feasible_nodes_to_find, schedule_pod

SIZES = (100, 1000, 5000)  # nodes
PODS, MANY_PODS = 1000, 10_000
ROUNDS = 2
ZONE = "topology.kubernetes.io/zone"
LIKES = {"matchLabels": {"app": "a"}}
SPREAD = {
    "topologySpreadConstraints": [
        {
            "topologyKey": ZONE,
            "maxSkew": 5,
            "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": LIKES,
        }
    ]
}
NEAR = {
    "affinity": {
        "podAffinity": {
            "requiredDuringSchedulingIgnoredDuringExecution": [
                {"topologyKey": ZONE, "labelSelector": LIKES}
            ]
        }
    }
}
# Kinds of Pods, what their spec says beside the containers, and the floor (Pods/s) of the test:
# SchedulingBasic, TopologySpreading, SchedulingPodAffinity.
KINDS: tuple[tuple[str, Mapping[str, Any], bool, float], ...] = (
    ("", {}, False, 680.0),
    (" that a Service spreads", {}, True, 460.0),
    (" with a hard spread", SPREAD, False, 460.0),
    (" near each other", NEAR, False, 35.0),
)


def rows() -> Iterator[Row]:
    """Measure each kind of Pods at each size, then ten thousand of them on the largest."""
    for kind, spec, served, floor in KINDS:
        for size in SIZES:
            taken = min(decide(size, PODS, spec, served) for _ in range(ROUNDS))
            rate = PODS / taken
            yield Row(f"decisions{kind}, {size} nodes", rate, "Pods/s", "floor", floor)
    for kind, spec, served, floor in KINDS:
        rate = MANY_PODS / decide(SIZES[-1], MANY_PODS, spec, served)
        yield Row(f"{MANY_PODS:,} Pods{kind}, {SIZES[-1]} nodes", rate, "Pods/s", "floor", floor)


def decide(size: int, count: int, spec: Mapping[str, Any], served: bool) -> float:
    """Decide on all Pods, each counted on its node before the next; return the CPU seconds."""
    snapshot = Snapshot(NodeInfo(node(index)) for index in range(size))
    framework = make_framework(Handle(snapshot, Objects.of([service()] if served else [])))
    pods = [pod(index, spec) for index in range(count)]
    start, began = 0, time.process_time()
    for each in pods:
        decision = schedule_pod(
            framework, PodInfo(each), start=start, enough=feasible_nodes_to_find
        )
        info = snapshot.nodes[decision.node]
        info.add_pod(decision.pod.assumed_on(decision.node))
        snapshot.note_pods(info)
        start = (start + decision.evaluated) % size
    return time.process_time() - began


def node(index: int) -> Node:
    """Make a node in one of three zones."""
    labels = {
        "kubernetes.io/hostname": f"node-{index}",
        "topology.kubernetes.io/zone": f"zone-{index % 3}",
    }
    return msgspec.convert(
        {
            "metadata": {"name": f"node-{index}", "labels": labels},
            "status": {"allocatable": {"cpu": "4", "memory": "32Gi", "pods": "110"}},
        },
        Node,
    )


def pod(index: int, spec: Mapping[str, Any]) -> Pod:
    """Make a Pod as upstream's benchmark has it."""
    requests = {"cpu": "100m", "memory": "500Mi"}
    return msgspec.convert(
        {
            "metadata": {"name": f"pod-{index}", "namespace": "default", "labels": {"app": "a"}},
            "spec": {"containers": [{"name": "c", "resources": {"requests": requests}}], **spec},
        },
        Pod,
    )


def service() -> Service:
    """Make a Service that selects all the Pods."""
    return msgspec.convert(
        {
            "metadata": {"name": "a", "namespace": "default"},
            "spec": {"selector": {"app": "a"}},
        },
        Service,
    )
