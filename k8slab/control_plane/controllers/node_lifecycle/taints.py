"""The taints that a node's conditions ask for, and how fast nodes may get them.

`no_schedule_taints` keeps new Pods away, at once. `no_execute_taint` drives Pods away, and is
given slowly: many silent nodes at the same time rather mean that the network broke, so
`zone_state` and `eviction_rate` slow it down or stop it.

Rule of use: pure functions over nodes.

Upstream: pkg/controller/nodelifecycle/node_lifecycle_controller.go
"""

from __future__ import annotations

from collections.abc import Iterable

from k8slab.api.core import Node, Taint
from k8slab.api.meta import timestamp
from k8slab.control_plane.controllers.node_lifecycle.health import ready_status

NOT_READY = "node.kubernetes.io/not-ready"
UNREACHABLE = "node.kubernetes.io/unreachable"
UNSCHEDULABLE = "node.kubernetes.io/unschedulable"
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"
BY_CONDITION = {
    ("Ready", "False"): NOT_READY,
    ("Ready", "Unknown"): UNREACHABLE,
    ("MemoryPressure", "True"): "node.kubernetes.io/memory-pressure",
    ("DiskPressure", "True"): "node.kubernetes.io/disk-pressure",
    ("NetworkUnavailable", "True"): "node.kubernetes.io/network-unavailable",
    ("PIDPressure", "True"): "node.kubernetes.io/pid-pressure",
}
MANAGED = (*BY_CONDITION.values(), UNSCHEDULABLE)

EVICTION_RATE = 0.1  # nodes per s and zone, --node-eviction-rate
SECONDARY_EVICTION_RATE = 0.01  # --secondary-node-eviction-rate
UNHEALTHY_ZONE_THRESHOLD = 0.55  # --unhealthy-zone-threshold
LARGE_CLUSTER_SIZE = 50  # nodes, --large-cluster-size-threshold

REGION, ZONE = "topology.kubernetes.io/region", "topology.kubernetes.io/zone"


def no_schedule_taints(node: Node, now: float) -> tuple[Taint, ...]:
    """Return the node's taints with those NoSchedule ones that its conditions ask for."""
    wanted = [
        BY_CONDITION[condition.type, condition.status]
        for condition in node.status.conditions
        if (condition.type, condition.status) in BY_CONDITION
    ]
    if node.spec.unschedulable:
        wanted.append(UNSCHEDULABLE)
    return _with(node.spec.taints, wanted, MANAGED, NO_SCHEDULE, now)


def no_execute_taint(node: Node) -> str:
    """Return the key of the NoExecute taint that the node's Ready condition asks for, or ""."""
    return BY_CONDITION.get(("Ready", ready_status(node)), "")


def with_no_execute(node: Node, key: str, now: float) -> tuple[Taint, ...]:
    """Return the node's taints with this NoExecute one of the two, or with neither for ""."""
    wanted = [key] if key else []
    return _with(node.spec.taints, wanted, (NOT_READY, UNREACHABLE), NO_EXECUTE, now)


def has_no_execute(node: Node) -> str:
    """Return the key of the node's NoExecute taint of the two, or ""."""
    for taint in node.spec.taints:
        if taint.effect == NO_EXECUTE and taint.key in (NOT_READY, UNREACHABLE):
            return taint.key
    return ""


def _with(
    taints: tuple[Taint, ...],
    wanted: Iterable[str],
    managed: tuple[str, ...],
    effect: str,
    now: float,
) -> tuple[Taint, ...]:
    keep = list(wanted)
    kept = tuple(t for t in taints if t.effect != effect or t.key not in managed or t.key in keep)
    present = [t.key for t in kept if t.effect == effect]
    since = timestamp(now)
    added = [Taint(key=key, effect=effect, timeAdded=since) for key in keep if key not in present]
    return (*kept, *added) if added or len(kept) != len(taints) else taints


# -- how fast


def zone_of(node: Node) -> str:
    """Return the zone (with its region) in which the node counts."""
    labels = node.metadata.labels
    return f"{labels.get(REGION, '')}:{labels.get(ZONE, '')}"


def zone_state(ready: int, not_ready: int) -> str:
    """Return Normal, PartialDisruption or FullDisruption."""
    if ready == 0 and not_ready > 0:
        return "FullDisruption"
    if not_ready > 2 and not_ready / (ready + not_ready) >= UNHEALTHY_ZONE_THRESHOLD:
        return "PartialDisruption"
    return "Normal"


def zone_states(nodes: Iterable[Node]) -> dict[str, str]:
    """Return the state of each zone."""
    counts: dict[str, list[int]] = {}
    for node in nodes:
        count = counts.setdefault(zone_of(node), [0, 0])
        count[ready_status(node) != "True"] += 1
    return {zone: zone_state(ready, not_ready) for zone, (ready, not_ready) in counts.items()}


def eviction_rate(state: str, cluster_size: int) -> float:
    """Return how many nodes of a zone in this state may be tainted NoExecute in a second."""
    if state != "PartialDisruption":
        return EVICTION_RATE
    return SECONDARY_EVICTION_RATE if cluster_size > LARGE_CLUSTER_SIZE else 0.0


def all_disrupted(states: Iterable[str]) -> bool:
    """Say whether every zone is fully disrupted: then the fault is here, and nobody is evicted."""
    known = list(states)
    return bool(known) and all(state == "FullDisruption" for state in known)
