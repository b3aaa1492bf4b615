"""When a node runs short of memory, disk or process ids, and which Pod goes then.

    available < threshold  --grace period over?-->  evict one Pod, look again
            |
            +--> the condition (MemoryPressure ...), kept for a while after it was last true

A hard threshold acts at once and gives a Pod one second, a soft one waits for its grace period.
Pods that use more than they asked for go first, then those of low priority, then the greediest.

Rule of use: pure; amounts in bytes (or process ids), times in virtual seconds.

Upstream: pkg/kubelet/eviction/helpers.go, pkg/kubelet/eviction/eviction_manager.go
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache

import msgspec

from k8slab.api.core import Pod, Taint
from k8slab.api.quantity import format_quantity, value
from k8slab.api.taints import tolerates
from k8slab.node.kubelet.admission import Rejection, pod_requests
from k8slab.node.kubelet.preemption import is_critical

REASON = "Evicted"
MEMORY, DISK, PIDS = "MemoryPressure", "DiskPressure", "PIDPressure"
CONDITION_OF = {
    "memory.available": MEMORY,
    "nodefs.available": DISK,
    "imagefs.available": DISK,
    "pid.available": PIDS,
}
RESOURCE_OF = {
    "memory.available": "memory",
    "nodefs.available": "ephemeral-storage",
    "imagefs.available": "ephemeral-storage",
    "pid.available": "pids",
}


class Threshold(msgspec.Struct, frozen=True):
    """How little of something is too little: an amount, or a part of all there is."""

    signal: str
    value: str  # "100Mi" or "10%"
    grace: float = 0.0  # s that it has to last; 0 is a hard threshold
    reclaim: str = ""  # how much more than the value is to be won back

    def quantity(self, capacity: int, *, with_reclaim: bool = False) -> int:
        """Return the amount below which the threshold is met."""
        more = _amount(self.reclaim, capacity) if with_reclaim and self.reclaim else 0
        return _amount(self.value, capacity) + more


class Observation(msgspec.Struct, frozen=True):
    """What there is of one thing, and how much of it is left."""

    available: int
    capacity: int


class PodUse(msgspec.Struct, frozen=True):
    """What one Pod uses."""

    pod: Pod
    memory: Mapping[str, int] = {}  # bytes by container
    disk: Mapping[str, int] = {}  # bytes by container: what it wrote, and its log
    volumes: Mapping[str, int] = {}  # bytes by emptyDir volume
    processes: int = 0

    def of(self, resource: str) -> int:
        """Return all that the Pod uses of a resource."""
        if resource == "memory":
            return sum(self.memory.values())
        if resource == "pids":
            return self.processes
        return sum(self.disk.values()) + sum(self.volumes.values())


class PressureState(msgspec.Struct, frozen=True):
    """What is remembered from one look at the node to the next."""

    first_met: Mapping[Threshold, float] = {}
    last_true: Mapping[str, float] = {}  # by condition
    acted_on: tuple[Threshold, ...] = ()

    def conditions(self, now: float, transition_period: float) -> list[str]:
        """Return the conditions that are true, or were within the period."""
        return [c for c, at in self.last_true.items() if now - at < transition_period]


def thresholds_of(
    hard: Mapping[str, str],
    soft: Mapping[str, str],
    grace: Mapping[str, float],
    reclaim: Mapping[str, str],
) -> tuple[Threshold, ...]:
    """Return the thresholds that a kubelet's settings name. Raises ValueError."""
    found = [Threshold(signal, text, 0.0, reclaim.get(signal, "")) for signal, text in hard.items()]
    for signal, text in soft.items():
        if signal not in grace:
            raise ValueError(
                f"grace period must be specified for the soft eviction threshold {signal}"
            )
        found.append(Threshold(signal, text, grace[signal], reclaim.get(signal, "")))
    return tuple(found)


def met(
    thresholds: Iterable[Threshold],
    observations: Mapping[str, Observation],
    *,
    with_reclaim: bool = False,
) -> list[Threshold]:
    """Return the thresholds that are met now, however long."""
    return [
        threshold
        for threshold in thresholds
        if (seen := observations.get(threshold.signal)) is not None
        and seen.available < threshold.quantity(seen.capacity, with_reclaim=with_reclaim)
    ]


def observe(
    state: PressureState,
    thresholds: Iterable[Threshold],
    observations: Mapping[str, Observation],
    now: float,
) -> PressureState:
    """Return the state after one look; `acted_on` are the thresholds to act on now."""
    seen = dict.fromkeys(met(thresholds, observations))
    seen.update(dict.fromkeys(met(state.acted_on, observations, with_reclaim=True)))
    first = {threshold: state.first_met.get(threshold, now) for threshold in seen}
    last = {**state.last_true, **{CONDITION_OF[threshold.signal]: now for threshold in seen}}
    due = [t for t, at in first.items() if now - at >= t.grace]
    due.sort(key=lambda t: t.signal != "memory.available")
    return PressureState(first, last, tuple(due))


def rank(uses: Iterable[PodUse], resource: str) -> list[PodUse]:
    """Return the Pods in the order in which they would be evicted."""

    def key(use: PodUse) -> tuple[bool, int, int]:
        used, priority = use.of(resource), use.pod.spec.priority or 0
        if resource == "pids":
            return False, priority, -used
        excess = used - pod_requests(use.pod).get(resource, 0)
        return excess <= 0, priority, -excess

    return sorted(uses, key=key)


def message(
    use: PodUse,
    resource: str,
    thresholds: Sequence[Threshold],
    observations: Mapping[str, Observation],
) -> str:
    """Return why the Pod is evicted, as its status and its Event say it."""
    text = f"The node was low on resource: {resource}. "
    threshold = next((t for t in thresholds if RESOURCE_OF[t.signal] == resource), None)
    if threshold is not None:
        seen = observations[threshold.signal]
        limit = quantity_text(threshold.quantity(seen.capacity))
        text += f"Threshold quantity: {limit}, available: {quantity_text(seen.available)}. "
    used = {"memory": use.memory, "ephemeral-storage": use.disk}.get(resource, {})
    for container in (*use.pod.spec.containers, *use.pod.spec.initContainers):
        asked = container.resources.requests.get(resource, "0")
        if used.get(container.name, 0) > value(asked):
            text += (
                f"Container {container.name} was using {quantity_text(used[container.name])}, "
                f"request is {asked}, has larger consumption of {resource}. "
            )
    return text


def over_its_limits(use: PodUse) -> str:
    """Return why the Pod must go for what it wrote to the node's disk, "" if it need not."""
    for volume in use.pod.spec.volumes:
        limit = volume.emptyDir.sizeLimit if volume.emptyDir is not None else None
        if limit and 0 < value(limit) < use.volumes.get(volume.name, 0):
            return f'Usage of EmptyDir volume "{volume.name}" exceeds the limit "{limit}". '
    limits = {
        container.name: container.resources.limits["ephemeral-storage"]
        for container in use.pod.spec.containers
        if "ephemeral-storage" in container.resources.limits
    }
    total = sum(value(limit) for limit in limits.values())
    if limits and use.of("ephemeral-storage") > total:
        shown = quantity_text(total)
        return f"Pod ephemeral local storage usage exceeds the total limit of containers {shown}. "
    for name, limit in limits.items():
        if value(limit) < use.disk.get(name, 0):
            return f'Container {name} exceeded its local ephemeral storage limit "{limit}". '
    return ""


def refusal(pod: Pod, conditions: Sequence[str]) -> Rejection | None:
    """Return why a new Pod is turned away while the node is under pressure."""
    if not conditions or is_critical(pod):
        return None
    if list(conditions) == [MEMORY]:
        taint = Taint(key="node.kubernetes.io/memory-pressure", effect="NoSchedule")
        if pod.status.qosClass != "BestEffort" or tolerates(pod.spec.tolerations, taint):
            return None
    return Rejection(REASON, f"The node had condition: [{' '.join(conditions)}]. ")


def quantity_text(amount: int) -> str:
    """Write an amount of bytes as Kubernetes does.

    >>> quantity_text(100 << 20), quantity_text(1500)
    ('100Mi', '1500')
    """
    return format_quantity(Fraction(amount), "BinarySI")


@lru_cache(maxsize=1024)  # the same few settings are asked for at every Pod
def _amount(text: str, capacity: int) -> int:
    if text.endswith("%"):
        return int(capacity * Fraction(text[:-1]) / 100)
    return value(text)
