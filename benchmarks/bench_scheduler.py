"""The scheduler's decisions alone, without API server and binding, at three sizes of cluster.

The peer is the least that kube-scheduler's own performance tests accept in CI; it was measured on
other machines, so the ratio says how far off we are, not who is faster.
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from benchmarks.measure import Row, seconds
from k8slab.api.core import Node, Pod, Service
from k8slab.control_plane.scheduler.framework.snapshot import Handle, Objects, Snapshot
from k8slab.control_plane.scheduler.framework.types import NodeInfo, PodInfo
from k8slab.control_plane.scheduler.profile import make_framework
from k8slab.control_plane.scheduler.schedule_one import feasible_nodes_to_find, schedule_pod

SIZES = (100, 1000, 5000)  # nodes
PODS = 1000
FLOOR = 680.0  # Pods/s that SchedulingBasic must reach with 5,000 nodes
SPREADING_FLOOR = 460.0  # Pods/s, of TopologySpreading
ROUNDS = 2


def rows() -> Iterator[Row]:
    """Measure plain Pods, and Pods of a Service, which are spread over hosts and zones."""
    for size in SIZES:
        rate = PODS / seconds(partial(decide, size), ROUNDS)
        yield Row(f"decisions, {size} nodes", rate, "Pods/s", "floor of 5,000 nodes", FLOOR)
    for size in SIZES:
        rate = PODS / seconds(partial(decide, size, spread=True), ROUNDS)
        yield Row(
            f"decisions that spread, {size} nodes",
            rate,
            "Pods/s",
            "floor of 5,000 nodes",
            SPREADING_FLOOR,
        )


def decide(size: int, *, spread: bool = False) -> None:
    """Decide on all Pods; each is counted on its node before the next."""
    snapshot = Snapshot(NodeInfo(node(index)) for index in range(size))
    framework = make_framework(Handle(snapshot, Objects.of([service()] if spread else [])))
    to_find = feasible_nodes_to_find(size)
    start = 0
    for index in range(PODS):
        decision = schedule_pod(framework, PodInfo(pod(index)), start=start, to_find=to_find)
        snapshot.nodes[decision.node].add_pod(decision.pod.assumed_on(decision.node))
        start = (start + decision.evaluated) % size


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


def pod(index: int) -> Pod:
    """Make a Pod as upstream's benchmark has it."""
    requests = {"cpu": "100m", "memory": "500Mi"}
    return msgspec.convert(
        {
            "metadata": {"name": f"pod-{index}", "namespace": "default", "labels": {"app": "a"}},
            "spec": {"containers": [{"name": "c", "resources": {"requests": requests}}]},
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
