"""Watching what the node has left, and ending Pods before it runs out.

The kubelet looks every ten seconds. Here it looks only when something may be different: a program
uses more memory, an image arrived, much was written; and, once the node is under pressure, every
ten seconds until it no longer is. At most one Pod goes at a time; the next look waits until its
containers have ended.

Rule of use: `consider` whenever use may have changed; `refusal` before a new Pod is taken on.

Upstream: pkg/kubelet/eviction/eviction_manager.go
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from k8slab.api.core import ObjectReference, Pod, PodCondition
from k8slab.node.folder import Folder
from k8slab.node.kubelet import eviction
from k8slab.node.kubelet.admission import Rejection
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.eviction import Observation, PodUse, PressureState, Threshold
from k8slab.node.kubelet.kubelet_pods import Eviction
from k8slab.node.kubelet.pod_workers import PodWorkers
from k8slab.node.kubelet.preemption import is_critical
from k8slab.sim import Group, Task

MONITORING_PERIOD = 10.0  # s, kubelet.go evictionMonitoringPeriod
CLEANUP_TIMEOUT, CLEANUP_POLL = 30.0, 1.0  # s, podCleanupTimeout, podCleanupPollFreq
IMMEDIATELY = 1.0  # s, immediateEvictionGracePeriodSeconds
MAX_PIDS = 32768  # kernel.pid_max


class EvictionManager:
    """The node's pressure, and what is done about it."""

    def __init__(
        self,
        deps: Dependencies,
        group: Group,
        workers: PodWorkers,
        volumes: Callable[[Pod], Mapping[str, Folder]],
        on_change: Callable[[], None],
    ) -> None:
        config = deps.config
        self._deps = deps
        self._group = group
        self._workers = workers
        self._volumes = volumes  # the emptyDir volumes of a Pod
        self._on_change = on_change  # of the node's conditions
        self._thresholds = eviction.thresholds_of(
            config.eviction_hard,
            config.eviction_soft,
            config.eviction_soft_grace_period,
            config.eviction_minimum_reclaim,
        )
        self._state = PressureState()
        self._conditions: list[str] = []
        self._since = deps.sim.now
        self._task: Task[None] | None = None
        self._stopped = False

    # -- asking

    def conditions(self) -> list[str]:
        """Return the conditions of pressure that the node had at the last look."""
        return self._conditions

    def refusal(self, pod: Pod) -> Rejection | None:
        """Return why a new Pod is turned away, None if the node can bear it."""
        return eviction.refusal(pod, self._conditions)

    def observations(self, uses: Iterable[PodUse] | None = None) -> dict[str, Observation]:
        """Return what the node has, and has left, by eviction signal."""
        deps = self._deps
        disk = deps.config.ephemeral_storage
        used = sum(size for _, size in deps.images.images())
        uses = self._uses() if uses is None else uses
        used += sum(use.of("ephemeral-storage") for use in uses)
        pids = sum(found.processes for found in deps.runtime.container_stats())
        on_disk = Observation(disk - used, disk)
        return {
            "memory.available": self._memory(),
            "nodefs.available": on_disk,
            "imagefs.available": on_disk,  # one disk holds everything
            "pid.available": Observation(MAX_PIDS - pids, MAX_PIDS),
        }

    # -- the loop

    def consider(self, resource: str) -> None:
        """Have a look taken at the next tick if there is too little "memory" or "disk"."""
        if self._task is None and not self._stopped and self._is_amiss(resource):
            label = f"kubelet {self._deps.node_name}: eviction"
            self._task = self._deps.sim.spawn(self._run(), label, self._group)

    def start(self) -> None:
        """Begin to listen to the runtime."""
        self._deps.runtime.subscribe_usage(self.consider)

    def stop(self) -> None:
        """Stop listening: the kubelet is gone."""
        self._stopped = True

    def _is_amiss(self, resource: str) -> bool:
        if resource == "memory":
            return bool(eviction.met(self._thresholds, {"memory.available": self._memory()}))
        uses = self._uses()
        if eviction.met(self._thresholds, self.observations(uses)):
            return True
        return any(eviction.over_its_limits(use) for use in uses)

    def _memory(self) -> Observation:
        capacity = self._deps.machine.memory
        used = sum(found.memory for found in self._deps.runtime.container_stats())
        return Observation(capacity - used, capacity)

    async def _run(self) -> None:
        """Look every ten seconds until the node is well again."""
        sim = self._deps.sim
        ticks = (sim.now - self._since) // MONITORING_PERIOD + 1
        await sim.sleep(self._since + ticks * MONITORING_PERIOD - sim.now, "kubelet: eviction")
        while True:
            evicted = self._synchronize()
            if evicted:
                await self._wait_for(evicted)
                continue
            if not self._state.first_met and not self._conditions:
                break
            await sim.sleep(MONITORING_PERIOD, "kubelet: eviction")
        self._task = None

    async def _wait_for(self, evicted: list[Pod]) -> None:
        deadline = self._deps.sim.now + CLEANUP_TIMEOUT
        uids = [pod.metadata.uid for pod in evicted]
        while any(self._workers.has_containers(uid) for uid in uids):
            if self._deps.sim.now >= deadline:
                return
            await self._deps.sim.sleep(CLEANUP_POLL, "kubelet: eviction")

    def _synchronize(self) -> list[Pod]:
        """Take one look, and return the Pods that have to go for it."""
        uses = self._uses()
        now, observations = self._deps.sim.now, self.observations(uses)
        self._state = eviction.observe(self._state, self._thresholds, observations, now)
        period = self._deps.config.eviction_pressure_transition_period
        before, self._conditions = self._conditions, self._state.conditions(now, period)
        if self._conditions != before:
            self._on_change()
        greedy = [(use.pod, eviction.over_its_limits(use)) for use in uses]
        evicted = [pod for pod, why in greedy if why and self._evict(pod, why, IMMEDIATELY, None)]
        if evicted or not self._state.acted_on:
            return evicted
        return self._reclaim(self._state.acted_on, observations, uses)

    def _reclaim(
        self,
        thresholds: tuple[Threshold, ...],
        observations: Mapping[str, Observation],
        uses: list[PodUse],
    ) -> list[Pod]:
        threshold = thresholds[0]
        resource = eviction.RESOURCE_OF[threshold.signal]
        name = self._deps.node_name
        about = ObjectReference(kind="Node", name=name, uid=name)
        text = f"Attempting to reclaim {resource}"
        self._deps.recorder.event_about(about, "Warning", "EvictionThresholdMet", text)
        if resource == "ephemeral-storage" and self._clean_up():
            return []
        for use in eviction.rank(uses, resource):
            why = eviction.message(use, resource, thresholds, observations)
            hard = threshold.grace == 0
            grace = IMMEDIATELY if hard else self._deps.config.eviction_max_pod_grace_period
            condition = PodCondition(
                type="DisruptionTarget",
                status="True",
                reason="TerminationByKubelet",
                message=why,
            )
            if self._evict(use.pod, why, grace, condition):
                return [use.pod]
        return []

    def _clean_up(self) -> bool:
        """Remove the images that nobody uses; say whether that was enough."""
        used = [found.config.image for found in self._deps.runtime.containers()]
        self._deps.images.remove_unused(used)
        return not eviction.met(self._thresholds, self.observations(), with_reclaim=True)

    def _evict(self, pod: Pod, why: str, grace: float, condition: PodCondition | None) -> bool:
        """End the Pod and say why; False if it is too important."""
        if is_critical(pod):
            return False
        self._deps.recorder.event(pod, "Warning", eviction.REASON, why)
        verdict = Eviction(eviction.REASON, why, condition)
        self._workers.evict(pod.metadata.uid, verdict, grace)
        return True

    def _uses(self) -> list[PodUse]:
        """Return what each Pod that runs here uses."""
        runtime = self._deps.runtime
        by_pod: dict[str, list[tuple[str, int, int, int]]] = {}
        for found in runtime.container_stats():
            row = (found.name, found.memory, runtime.disk_usage(found.id), found.processes)
            by_pod.setdefault(found.pod.uid, []).append(row)
        return [self._use(pod, by_pod.get(pod.metadata.uid, ())) for pod in self._workers.running()]

    def _use(self, pod: Pod, rows: Iterable[tuple[str, int, int, int]]) -> PodUse:
        rows = list(rows)
        volumes = self._volumes(pod)
        return PodUse(
            pod,
            memory={name: memory for name, memory, _, _ in rows},
            disk={name: disk for name, _, disk, _ in rows},
            volumes={name: folder.size() for name, folder in volumes.items()},
            processes=sum(processes for _, _, _, processes in rows),
        )
