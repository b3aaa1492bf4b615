"""Killing containers, one or all of a Pod, and in which order they go.

One: Killing Event, preStop hook (it eats the grace period), SIGTERM, and SIGKILL when the rest of
the grace period, at least two seconds, is over. All: at the same time, but sidecars wait for the
others, the last of them first.

Rule of use: returns when the containers have exited.

Upstream: pkg/kubelet/kuberuntime/kuberuntime_container.go (killContainer),
kuberuntime_termination_order.go
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from k8slab.api.core import Container, Pod
from k8slab.client.learner import ReplacementError
from k8slab.node.interfaces import RuntimeFailed
from k8slab.node.kubelet.container import (
    PodRuntimeStatus,
    all_containers,
    container_reference,
    is_restartable_init,
)
from k8slab.node.kubelet.dependencies import Dependencies
from k8slab.node.kubelet.handlers import HookFailed, run_handler
from k8slab.sim import Signal, Task

NORMAL, WARNING = "Normal", "Warning"
MINIMUM_GRACE_PERIOD = 2.0  # s, minimumGracePeriodInSeconds
DEFAULT_GRACE_PERIOD = 30.0  # s, DefaultTerminationGracePeriodSeconds


class ContainerKiller:
    """Ends containers as gently as their grace period allows."""

    def __init__(self, deps: Dependencies) -> None:
        self._deps = deps

    async def kill_container(
        self,
        pod: Pod,
        container: Container,
        container_id: str,
        message: str = "",
        *,
        grace: float | None = None,
        pre_stop: bool = True,
        turn: Callable[[], list[Signal]] = list,
    ) -> None:
        """Stop the container within `grace` seconds, by default the Pod's own.

        `turn` names what has to end before this container gets its SIGTERM.
        """
        deps = self._deps
        if grace is None:
            grace = grace_period(pod)
        about = container_reference(pod, container)
        message = message or f"Stopping container {container.name}"
        deps.recorder.event_about(about, NORMAL, "Killing", message)
        begun = deps.sim.now
        hook = container.lifecycle.preStop if container.lifecycle is not None else None
        if hook is not None and grace > 0 and pre_stop:
            task = deps.sim.spawn(
                self._pre_stop(pod, container, container_id), f"preStop of {container.name}"
            )
            await _finished(deps, task, grace)
        for signal in turn():
            left = grace - (deps.sim.now - begun)
            if left > 0:
                await signal.wait(left)
        left = max(grace - int(deps.sim.now - begun), MINIMUM_GRACE_PERIOD)
        await deps.runtime.stop_container(container_id, left)

    async def _pre_stop(self, pod: Pod, container: Container, container_id: str) -> None:
        assert container.lifecycle is not None
        assert container.lifecycle.preStop is not None
        ips = [s.ips for s in self._deps.runtime.sandboxes() if s.config.uid == pod.metadata.uid]
        ip = ips[-1][0] if ips and ips[-1] else self._deps.host_ip
        try:
            await run_handler(self._deps, container.lifecycle.preStop, container, container_id, ip)
        except (HookFailed, RuntimeFailed):
            about = container_reference(pod, container)
            self._deps.recorder.event_about(
                about, WARNING, "FailedPreStopHook", "PreStopHook failed"
            )

    async def end_all(self, pod: Pod, status: PodRuntimeStatus) -> None:
        """End all containers without their hooks; the sandbox stays."""
        by_name = {container.name: container for container in all_containers(pod.spec)}
        tasks = [
            self._deps.sim.spawn(
                self.kill_container(pod, by_name[found.config.name], found.id, pre_stop=False),
                f"kill {found.config.name}",
            )
            for found in status.running()
            if found.config.name in by_name
        ]
        try:
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.kill()

    async def remove_all(self, pod: Pod, status: PodRuntimeStatus) -> None:
        """Forget all containers, so that they begin anew; an ephemeral one does not."""
        ephemeral = [container.name for container in pod.spec.ephemeralContainers]
        for found in status.containers:
            if found.config.name not in ephemeral:
                await self._deps.runtime.remove_container(found.id)

    async def kill_pod(self, pod: Pod, status: PodRuntimeStatus, grace: float | None) -> None:
        """Stop all containers at the same time, sidecars last, then the sandboxes."""
        sim = self._deps.sim
        if (delay := self._stop_delay(pod)) > 0:
            await sim.sleep(delay, f"{pod.metadata.name}: before its containers end")
        by_name = {container.name: container for container in all_containers(pod.spec)}
        alive = [found for found in status.running() if found.config.name in by_name]
        ended = {found.config.name: Signal(sim, f"end of {found.config.name}") for found in alive}

        async def kill(name: str, id_: str) -> None:
            await self.kill_container(
                pod,
                by_name[name],
                id_,
                grace=grace,
                turn=lambda: [ended[other] for other in before_sidecar(pod, name, ended)],
            )
            ended[name].set()

        tasks = [
            sim.spawn(kill(found.config.name, found.id), f"kill {found.config.name}")
            for found in alive[1:]
        ]
        try:
            if alive:
                await kill(alive[0].config.name, alive[0].id)
            for task in tasks:
                await task
        finally:
            for task in tasks:
                task.kill()
        for sandbox in status.sandboxes:
            await self._deps.runtime.stop_pod_sandbox(sandbox.id)

    def _stop_delay(self, pod: Pod) -> float:
        if pod.metadata.deletionTimestamp is None:
            return 0.0
        try:
            return self._deps.config.stop_delay(pod)
        except ReplacementError as error:
            self._deps.recorder.event(pod, WARNING, "FailedStopDelay", str(error))
            return 0.0


async def _finished(deps: Dependencies, task: Task[None], timeout: float) -> None:
    """Wait for the task, but not longer than `timeout` seconds."""
    done = Signal(deps.sim, f"end of {task.name}")
    task.on_done(done.set)
    try:
        await done.wait(timeout)
    finally:
        task.kill()


def before_sidecar(pod: Pod, name: str, running: Mapping[str, object]) -> list[str]:
    """Return which running containers end before this one is told to: none but for a sidecar.

    A sidecar outlives the regular containers and the sidecars that were started after it.
    """
    sidecars = [c.name for c in pod.spec.initContainers if is_restartable_init(c)]
    if name not in sidecars:
        return []
    later = sidecars[sidecars.index(name) + 1 :]
    regular = [container.name for container in pod.spec.containers]
    return [other for other in (*regular, *reversed(later)) if other in running]


def grace_period(pod: Pod, *, removed: bool = False) -> float:
    """Return how many seconds the Pod's containers may take to end.

    A Pod whose object was removed by force gets the least that there is.
    """
    meta = pod.metadata
    if removed and meta.deletionTimestamp is None:
        return 1.0
    if meta.deletionTimestamp is not None and meta.deletionGracePeriodSeconds is not None:
        return max(float(meta.deletionGracePeriodSeconds), 1.0)
    wanted = pod.spec.terminationGracePeriodSeconds
    return DEFAULT_GRACE_PERIOD if wanted is None else float(wanted)
