"""One worker for each Pod: it lives as long as the Pod does on this node.

    syncing  --deletion, or nothing left to run-->  terminating  -->  terminated  -->  finished

A worker makes one pass after another over its Pod, never two at a time; news while it is at work
means one more pass. Termination interrupts a pass of `sync`, and a shorter grace period interrupts
a longer one. A stage once left never comes back.

Rule of use: `update` with each version of a Pod, `wake` when something about it changed, `remove`
when its object is gone.

Upstream: pkg/kubelet/pod_workers.go
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.api.core import Pod
from k8slab.node.kubelet.admission import OtherPods, add_to, host_ports, pod_requests
from k8slab.node.kubelet.allocation import Allocations
from k8slab.node.kubelet.dependencies import SyncFailed
from k8slab.node.kubelet.kubelet_pods import Eviction
from k8slab.node.kubelet.kuberuntime_termination import grace_period
from k8slab.node.kubelet.pod_manager import full_name, is_static_pod
from k8slab.node.kubelet.pod_sync import FINAL, PodSync
from k8slab.sim import Group, Signal, Simulation, Task

SYNCING, TERMINATING, TERMINATED, FINISHED = "syncing", "terminating", "terminated", "finished"
STATIC_POD_RETRY = 1.0  # s, until the older Pod of the same name is gone


class PodWorker:
    """The state of one Pod on this node."""

    def __init__(self, pod: Pod, stage: str, given: Pod) -> None:
        self.pod = pod
        self.requests = pod_requests(given)
        self.host_ports = host_ports(pod)
        self.eviction: Eviction | None = None
        self.stage = stage
        self.removed = False  # its object is gone
        self.grace: float | None = None  # of the termination under way
        self.dirty = True
        self.cause = 0
        self.busy = False
        self.news: Signal | None = None
        self.task: Task[None] | None = None


class PodWorkers:
    """All workers of one node, by the uid of their Pod."""

    def __init__(
        self,
        sim: Simulation,
        group: Group,
        pod_sync: PodSync,
        allocations: Allocations,
        *,
        on_freed: Callable[[], None],
        on_gone: Callable[[str], None],
    ) -> None:
        self._sim = sim
        self._group = group
        self._pod_sync = pod_sync
        self._allocations = allocations
        self._on_freed = on_freed  # a Pod's containers have ended: there is more room
        self._on_gone = on_gone
        self._workers: dict[str, PodWorker] = {}

    # -- asking

    def knows(self, uid: str) -> bool:
        """Say whether there is, or was, a worker for the Pod."""
        return uid in self._workers

    def active(self) -> list[Pod]:
        """Return the Pods that use the node's resources."""
        return [w.pod for w in self._workers.values() if w.stage in (SYNCING, TERMINATING)]

    def running(self) -> list[Pod]:
        """Return the Pods that nothing ends yet."""
        return [w.pod for w in self._workers.values() if w.stage == SYNCING]

    def others(self, uid: str) -> OtherPods:
        """Return what the Pods other than this one were given of the node."""
        total, ports = {"pods": 0}, []
        for other, worker in self._workers.items():
            if other != uid and worker.stage in (SYNCING, TERMINATING):
                total["pods"] += 1
                add_to(total, worker.requests)
                ports += worker.host_ports
        return OtherPods(total, tuple(ports))

    def has_containers(self, uid: str) -> bool:
        """Say whether the Pod still uses the node's resources."""
        worker = self._workers.get(uid)
        return worker is not None and worker.stage in (SYNCING, TERMINATING)

    # -- telling

    def update(self, pod: Pod) -> None:
        """Take a new version of the Pod, the first of which starts its worker."""
        uid = pod.metadata.uid
        worker = self._workers.get(uid)
        if worker is None:
            final = pod.status.phase in FINAL
            given = self._allocations.of(pod)
            worker = PodWorker(pod, TERMINATING if final else SYNCING, given)
            self._workers[uid] = worker
            worker.cause = self._sim.cause
            self._start(worker)
        worker.pod = pod
        if pod.metadata.deletionTimestamp is not None:
            self._terminate(worker, grace_period(pod))
        else:
            self.wake(uid)

    def wake(self, uid: str) -> None:
        """Have one more pass made."""
        worker = self._workers.get(uid)
        if worker is None or worker.dirty or worker.stage == FINISHED:
            return
        worker.dirty = True
        worker.cause = self._sim.cause
        if worker.news is not None:
            worker.news.set()

    def reallocated(self, pod: Pod) -> None:
        """The Pod was given what its spec now wants: have it done."""
        uid = pod.metadata.uid
        self._workers[uid].requests = pod_requests(pod)
        self.wake(uid)

    def evict(self, uid: str, eviction: Eviction, grace: float | None) -> None:
        """End the Pod before its time, within `grace` seconds (None: its own)."""
        worker = self._workers[uid]
        worker.eviction = eviction
        worker.cause = self._sim.cause
        self._terminate(worker, grace_period(worker.pod) if grace is None else grace)

    def remove(self, uid: str) -> None:
        """Its object is gone: end the Pod if it still runs, then forget it."""
        worker = self._workers.get(uid)
        if worker is None or worker.removed:
            return
        worker.removed = True
        worker.cause = self._sim.cause
        if worker.stage == FINISHED:
            self._start(worker)
        else:
            self._terminate(worker, grace_period(worker.pod, removed=not is_static_pod(worker.pod)))

    def _terminate(self, worker: PodWorker, grace: float) -> None:
        if worker.stage == SYNCING:
            worker.stage = TERMINATING
        elif worker.stage != TERMINATING or worker.grace is None or grace >= worker.grace:
            return
        worker.grace = grace
        if worker.busy and worker.task is not None:
            worker.task.kill()
            worker.cause = self._sim.cause
            self._start(worker)
        else:
            self.wake(worker.pod.metadata.uid)

    # -- working

    def _start(self, worker: PodWorker) -> None:
        worker.dirty = True
        meta = worker.pod.metadata
        label = f"pod worker {meta.namespace}/{meta.name}"
        worker.task = self._sim.spawn(self._run(worker), label, self._group)

    async def _run(self, worker: PodWorker) -> None:
        """Make passes until the Pod is finished; one wait between two of them."""
        while worker.stage != FINISHED:
            worker.dirty = False
            self._sim.cause = worker.cause
            worker.busy = True
            again_in = await self._pass(worker)
            worker.busy = False
            if worker.dirty or again_in == 0 or worker.stage == FINISHED:
                continue
            worker.news = Signal(self._sim, "news of a Pod")
            await worker.news.wait(again_in)
            worker.news = None
        if worker.removed:
            uid = worker.pod.metadata.uid
            await self._pod_sync.remove(uid)
            del self._workers[uid]
            self._on_gone(uid)

    async def _pass(self, worker: PodWorker) -> float | None:
        """Make one pass; return in how many seconds to make the next, None to wait for news."""
        if worker.stage == TERMINATING:
            await self._pod_sync.sync_terminating(worker.pod, worker.grace, worker.eviction)
            worker.stage = TERMINATED
            self._on_freed()
            return 0.0
        if worker.stage == TERMINATED:
            await self._pod_sync.sync_terminated(worker.pod)
            worker.stage = FINISHED
            return 0.0
        if self._must_wait(worker):
            return STATIC_POD_RETRY
        try:
            outcome = await self._pod_sync.sync(worker.pod)
        except SyncFailed as failure:
            return failure.after
        if outcome.terminal:
            worker.stage = TERMINATING
            return 0.0
        return outcome.again_in

    def _must_wait(self, worker: PodWorker) -> bool:
        """A static Pod starts only when the older one of its name is gone."""
        if not is_static_pod(worker.pod):
            return False
        for other in self._workers.values():
            if other is worker:
                return False
            if full_name(other.pod) == full_name(worker.pod) and other.stage != FINISHED:
                return True
        return False
