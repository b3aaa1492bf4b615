"""Asking containers how they are: startup, readiness and liveness probes.

Each probe of each running container has a worker, which begins when the container does and ends
with it; liveness and readiness wait until the startup probe has succeeded. A result counts after
so many equal answers in a row (`ResultRun`). A liveness or startup failure is final for that
container: the worker stops, the Pod worker kills the container, and the next one gets new workers.

Rule of use: `sync` after each look at the runtime; read `verdicts`, never a worker.

Upstream: pkg/kubelet/prober/worker.go, prober_manager.go, prober.go
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from k8slab.api.core import Container, Pod, Probe
from k8slab.client.learner import ReplacementError
from k8slab.node.interfaces import ContainerStatus
from k8slab.node.kubelet.container import PodRuntimeStatus, all_containers, container_reference
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.kuberuntime_manager import ProbeVerdicts
from k8slab.node.kubelet.probe_effects import LIVENESS, READINESS, STARTUP
from k8slab.node.kubelet.probes import SUCCESS, UNKNOWN, Target, run_probe
from k8slab.sim import Signal, Task

DEFAULT_PERIOD = 10.0  # s, periodSeconds
DEFAULT_FAILURE_THRESHOLD = 3


class ResultRun:
    """How many equal answers came in a row; a verdict needs as many as its threshold.

    >>> run = ResultRun(success_threshold=1, failure_threshold=2)
    >>> [run.add(answer) for answer in ("failure", "success", "failure", "failure")]
    [None, 'success', None, 'failure']
    """

    def __init__(self, success_threshold: int, failure_threshold: int) -> None:
        self._thresholds = {"success": success_threshold, "failure": failure_threshold}
        self._last = ""
        self._length = 0

    def add(self, answer: str) -> str | None:
        """Take an answer; return the verdict it leads to, None if it is too early for one."""
        if answer == UNKNOWN:
            return None  # thrown away: it neither breaks a run nor adds to it
        self._length = self._length + 1 if answer == self._last else 1
        self._last = answer
        return answer if self._length >= self._thresholds[answer] else None


class Verdict(msgspec.Struct):
    """What is known of one running container."""

    started: bool
    ready: bool
    failed: str = ""  # the kind of probe that condemned it


class _Watched:
    """The workers of one container."""

    def __init__(self, uid: str, verdict: Verdict, startup_over: Signal) -> None:
        self.uid = uid
        self.verdict = verdict
        self.startup_over = startup_over
        self.workers: dict[str, Task[None]] = {}


class ProbeManager:
    """All probe workers of one node; `on_change(uid, kind)` hears when a verdict has changed."""

    def __init__(self, deps: Dependencies, on_change: Callable[[str, str], None]) -> None:
        self._deps = deps
        self._on_change = on_change
        self._watched: dict[str, _Watched] = {}  # by container id
        self._by_pod: dict[str, dict[str, None]] = {}
        self._since = deps.sim.now  # the kubelet's start

    # -- reading

    def verdicts(self, uid: str) -> ProbeVerdicts:
        """Return what decides about killing and starting."""
        found = {id_: self._watched[id_].verdict for id_ in self._by_pod.get(uid, ())}
        return ProbeVerdicts(
            failed={id_: verdict.failed for id_, verdict in found.items() if verdict.failed},
            starting=tuple(id_ for id_, verdict in found.items() if not verdict.started),
        )

    def started(self, uid: str) -> dict[str, bool]:
        """Return by container id whether it has started."""
        return {id_: self._watched[id_].verdict.started for id_ in self._by_pod.get(uid, ())}

    def ready(self, uid: str) -> dict[str, bool]:
        """Return by container id whether it is ready."""
        return {id_: self._watched[id_].verdict.ready for id_ in self._by_pod.get(uid, ())}

    # -- workers

    def sync(self, pod: Pod, status: PodRuntimeStatus) -> None:
        """Have a worker for each probe of each running container, and no others."""
        uid = pod.metadata.uid
        running = {found.config.name: found for found in status.running()}
        alive = {found.id for found in running.values()}
        for id_ in [id_ for id_ in self._by_pod.get(uid, ()) if id_ not in alive]:
            self._forget(id_)
        for container in all_containers(pod.spec):
            found_ = running.get(container.name)
            probes = probes_of(container)
            if found_ is not None and probes and found_.id not in self._watched:
                self._watch(pod, container, found_, probes, status)

    def stop_liveness_and_startup(self, uid: str) -> None:
        """The Pod is being deleted: only readiness goes on."""
        for id_ in self._by_pod.get(uid, ()):
            watched = self._watched[id_]
            for kind in (LIVENESS, STARTUP):
                task = watched.workers.pop(kind, None)
                if task is not None:
                    task.kill()

    def remove(self, uid: str) -> None:
        """End all workers of the Pod."""
        for id_ in tuple(self._by_pod.get(uid, ())):
            self._forget(id_)

    def _watch(
        self,
        pod: Pod,
        container: Container,
        found: ContainerStatus,
        probes: dict[str, Probe],
        status: PodRuntimeStatus,
    ) -> None:
        sim = self._deps.sim
        verdict = Verdict(started=STARTUP not in probes, ready=READINESS not in probes)
        label = f"{pod.metadata.name}/{container.name}"
        watched = _Watched(pod.metadata.uid, verdict, Signal(sim, f"startup probe of {label}"))
        if verdict.started:
            watched.startup_over.set()
        self._watched[found.id] = watched
        self._by_pod.setdefault(pod.metadata.uid, {})[found.id] = None
        ips = status.ips()
        ip = self._deps.host_ip if pod.spec.hostNetwork or not ips else ips[0]
        for kind, probe in probes.items():
            target = Target(pod, container, found.id, ip, probe)
            watched.workers[kind] = sim.spawn(
                self._work(kind, target, found.started_at, watched), f"{kind} probe of {label}"
            )

    def _forget(self, id_: str) -> None:
        watched = self._watched.pop(id_)
        for task in watched.workers.values():
            task.kill()
        ids = self._by_pod[watched.uid]
        del ids[id_]
        if not ids:
            del self._by_pod[watched.uid]

    async def _work(self, kind: str, target: Target, started_at: float, watched: _Watched) -> None:
        """One worker: the first probe as soon as allowed, then one each period."""
        sim, probe = self._deps.sim, target.probe
        period = float(probe.periodSeconds or DEFAULT_PERIOD)
        if kind != STARTUP:
            await watched.startup_over.wait()
        await self._first_wait(started_at + probe.initialDelaySeconds, period)
        run = ResultRun(
            probe.successThreshold or 1, probe.failureThreshold or DEFAULT_FAILURE_THRESHOLD
        )
        due = sim.now
        while True:
            verdict = run.add(await self._ask(kind, target))
            if verdict is not None and self._conclude(kind, verdict, target, watched):
                return
            due += period
            while due <= sim.now:  # a slow probe loses ticks, it does not collect them
                due += period
            await sim.sleep(due - sim.now)

    async def _first_wait(self, earliest: float, period: float) -> None:
        """Wait for the initial delay; after its own start a kubelet spreads the load."""
        sim = self._deps.sim
        if sim.now - self._since < period:
            stream = sim.streams.rng(f"prober/{self._deps.node_name}")
            earliest = max(earliest, sim.now + stream.random() * period)
        if earliest > sim.now:
            await sim.sleep(earliest - sim.now)

    async def _ask(self, kind: str, target: Target) -> str:
        answer, output = await run_probe(self._deps, target)
        if answer == SUCCESS:
            return answer
        about = container_reference(target.pod, target.container)
        word = kind.capitalize()
        if answer == UNKNOWN:
            message = f"{word} probe errored and resulted in unknown state: {output}"
        else:
            message = f"{word} probe failed: {output}"
        self._deps.recorder.event_about(about, "Warning", "Unhealthy", message)
        return answer

    def _conclude(self, kind: str, verdict: str, target: Target, watched: _Watched) -> bool:
        """Note the verdict; True if this worker has nothing more to find out."""
        success, state = verdict == SUCCESS, watched.verdict
        before = (state.started, state.ready, state.failed)
        try:
            effects = self._deps.config.probe_effects(kind, success)
        except ReplacementError as error:
            about = container_reference(target.pod, target.container)
            self._deps.recorder.event_about(about, "Warning", "ProbeWarning", str(error))
            return False
        state.ready = effects.get("ready", state.ready)
        state.started = effects.get("started", state.started)
        if effects.get("restart"):
            state.failed = kind
        if success and kind == STARTUP:
            watched.startup_over.set()
        if before != (state.started, state.ready, state.failed):
            name = target.container.name
            self._deps.trace("probe", target.pod, f"{kind} of {name}: {verdict}")
            self._on_change(watched.uid, kind)
        return bool(state.failed) or (success and kind == STARTUP)


def probes_of(container: Container) -> dict[str, Probe]:
    """Return the container's probes by kind."""
    found = {
        STARTUP: container.startupProbe,
        READINESS: container.readinessProbe,
        LIVENESS: container.livenessProbe,
    }
    return {kind: probe for kind, probe in found.items() if probe is not None}
