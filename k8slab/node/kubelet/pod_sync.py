"""One pass over one Pod: look, decide, act, tell. Three kinds, one for each stage of its life.

    sync              compare what shall run with what runs, and take one step towards it
    sync_terminating  stop everything, within the grace period
    sync_terminated   take away its volumes and say that nothing of it is left

Rule of use: the Pod workers call these, one at a time for each Pod; a pass that cannot be finished
raises SyncFailed and is tried again.

Upstream: pkg/kubelet/kubelet.go (SyncPod, SyncTerminatingPod, SyncTerminatedPod),
pkg/kubelet/kuberuntime/kuberuntime_manager.go (SyncPod)
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from k8slab.api.core import Container, Node, Pod, PodStatus
from k8slab.api.meta import seconds
from k8slab.client.learner import ReplacementError
from k8slab.node.interfaces import RuntimeFailed
from k8slab.node.kubelet import status as pod_status
from k8slab.node.kubelet.allocation import Allocations, container_resources
from k8slab.node.kubelet.container import PodRuntimeStatus, find_status, should_restart_all
from k8slab.node.kubelet.dependencies import (
    SYNC_ERROR_BACKOFF,
    TRANSIENT_BACKOFF,
    ContainerNotStarted,
    Dependencies,
    SyncFailed,
)
from k8slab.node.kubelet.kubelet_pods import (
    Eviction,
    PodView,
    WhyWaiting,
    generate_pod_status,
)
from k8slab.node.kubelet.kuberuntime_container import KubeRuntime
from k8slab.node.kubelet.kuberuntime_manager import PodActions, compute_pod_actions
from k8slab.node.kubelet.node_status_setters import NETWORK_NOT_READY
from k8slab.node.kubelet.object_cache import ObjectCache
from k8slab.node.kubelet.pleg import Pleg
from k8slab.node.kubelet.pod_manager import CONFIG_MIRROR, PodManager, is_static_pod
from k8slab.node.kubelet.prober import ProbeManager
from k8slab.node.kubelet.resize import ResizeManager
from k8slab.node.kubelet.static_pods import MirrorClient
from k8slab.node.kubelet.status_manager import StatusManager
from k8slab.node.kubelet.volumes import Mounted, VolumeManager

FINAL = (pod_status.SUCCEEDED, pod_status.FAILED)
DEADLINE_MESSAGE = "Pod was active on the node longer than the specified deadline"


class Outcome(msgspec.Struct, frozen=True):
    """What a pass leads to: the end of the Pod, or another pass in `again_in` seconds."""

    terminal: bool = False
    again_in: float | None = None


class PodSync:
    """The passes, with all that they need."""

    def __init__(
        self,
        deps: Dependencies,
        *,
        pods: PodManager,
        pleg: Pleg,
        kube_runtime: KubeRuntime,
        probes: ProbeManager,
        statuses: StatusManager,
        volumes: VolumeManager,
        objects: ObjectCache,
        allocations: Allocations,
        resizes: ResizeManager,
        node: Callable[[], Node | None],
    ) -> None:
        self._deps = deps
        self._pods = pods
        self._pleg = pleg
        self._kube_runtime = kube_runtime
        self._probes = probes
        self._statuses = statuses
        self._volumes = volumes
        self._objects = objects
        self._allocations = allocations
        self._resizes = resizes
        self._node = node
        self._mirrors = MirrorClient(deps.client)
        self._why: dict[str, dict[str, WhyWaiting]] = {}  # by uid, by container name

    # -- the three passes

    async def sync(self, pod: Pod) -> Outcome:
        """Bring the Pod one step closer to what its spec says."""
        pod, uid = self._allocations.of(pod), pod.metadata.uid
        runtime = self._pleg.status(uid)
        self._resizes.settle(pod, runtime)
        self._probes.sync(pod, runtime)
        status = self._tell(pod, runtime)
        if status.phase in FINAL:
            return Outcome(terminal=True)
        deadline = self._deadline(pod, status)
        if deadline is not None and deadline <= 0:
            self._fail(pod, status, "DeadlineExceeded", DEADLINE_MESSAGE)
            return Outcome(terminal=True)
        mirrored = await self._reconcile_mirror(pod) if is_static_pod(pod) else True
        if not pod.spec.hostNetwork and not self._deps.network.ready():
            message = f"network is not ready: {NETWORK_NOT_READY}"
            self._deps.recorder.event(pod, "Warning", "NetworkNotReady", message)
            raise SyncFailed(message, TRANSIENT_BACKOFF)
        if should_restart_all(pod, runtime, status):
            await self._restart_all(pod, runtime)
            return Outcome(again_in=0.0)
        mounted = await self._volumes.mount(pod)
        actions = compute_pod_actions(pod, runtime, self._probes.verdicts(uid))
        retry = await self._act(pod, runtime, actions, mounted)
        if retry is not None:
            self._tell(pod, self._pleg.status(uid))
        waits = [retry, deadline, None if mirrored else TRANSIENT_BACKOFF]
        return Outcome(again_in=min((wait for wait in waits if wait is not None), default=None))

    async def _restart_all(self, pod: Pod, runtime: PodRuntimeStatus) -> None:
        """End and forget all containers: the next pass begins with the first init container."""
        killer, uid = self._kube_runtime.killer, pod.metadata.uid
        await killer.end_all(pod, runtime)
        runtime = self._pleg.status(uid)
        self._tell(pod, runtime)  # how they ended is known only as long as they are
        await killer.remove_all(pod, runtime)
        self._tell(pod, self._pleg.status(uid))

    async def sync_terminating(
        self, pod: Pod, grace: float | None, eviction: Eviction | None = None
    ) -> None:
        """Stop the Pod's containers; when this returns, none is left running."""
        pod, uid = self._allocations.of(pod), pod.metadata.uid
        self._why.pop(uid, None)
        runtime = self._pleg.status(uid)
        self._tell(pod, runtime, eviction=eviction)
        self._probes.stop_liveness_and_startup(uid)
        await self._kube_runtime.killer.kill_pod(pod, runtime, grace)
        self._probes.remove(uid)
        self._tell(pod, self._pleg.status(uid), terminal=True, eviction=eviction)

    async def sync_terminated(self, pod: Pod) -> None:
        """Take the volumes away and let the status manager remove the object."""
        uid = pod.metadata.uid
        self._volumes.unmount(uid)
        self._objects.release(uid)
        self._resizes.forget(uid)
        status = self._statuses.get(uid) or pod.status
        self._statuses.set(uid, pod.status, status, finished=True)

    async def remove(self, uid: str) -> None:
        """Forget a Pod whose object is gone, with everything that the runtime keeps of it."""
        for sandbox in self._pleg.status(uid).sandboxes:
            await self._deps.runtime.remove_pod_sandbox(sandbox.id)
            self._pleg.forget(sandbox.id)
        self._volumes.unmount(uid)
        self._objects.release(uid)
        self._statuses.forget(uid)
        self._allocations.forget(uid)
        self._kube_runtime.images.forget(uid)
        self._kube_runtime.backoff.forget(f"{uid}_")
        self._why.pop(uid, None)

    async def remove_orphan(self, uid: str) -> None:
        """End containers that belong to no Pod any more: those of a time before this kubelet."""
        runtime = self._pleg.status(uid)
        for found in runtime.running():
            await self._deps.runtime.stop_container(found.id, 1.0)
        for sandbox in runtime.sandboxes:
            await self._deps.runtime.stop_pod_sandbox(sandbox.id)
        await self.remove(uid)

    # -- telling

    def refresh(self, pod: Pod) -> None:
        """Tell the Pod's status between two passes."""
        self._tell(self._allocations.of(pod), self._pleg.status(pod.metadata.uid))

    def _tell(
        self,
        pod: Pod,
        runtime: PodRuntimeStatus,
        *,
        terminal: bool = False,
        eviction: Eviction | None = None,
    ) -> PodStatus:
        """Work out the Pod's status and hand it to the status manager."""
        uid = pod.metadata.uid
        old = self._statuses.get(uid) or pod.status
        view = PodView(
            runtime=runtime,
            host_ips=self._deps.host_ips,
            old=old,
            why_waiting=self._why.get(uid, {}),
            started=self._probes.started(uid),
            ready=self._probes.ready(uid),
            terminal=terminal,
            log=self._deps.runtime.log,
            resize=self._resizes.conditions(uid),
            eviction=eviction,
            pod_phase=self._deps.config.pod_phase,
        )
        try:
            status = generate_pod_status(pod, view)
        except ReplacementError as error:
            self._deps.recorder.event(pod, "Warning", "FailedPhase", str(error))
            status = generate_pod_status(pod, replace(view, pod_phase=pod_status.unknown))
        self._statuses.set(uid, pod.status, status)
        return status

    def _fail(self, pod: Pod, status: PodStatus, reason: str, message: str) -> None:
        self._deps.recorder.event(pod, "Normal", reason, message)
        status = replace(status, phase=pod_status.FAILED, reason=reason, message=message)
        self._statuses.set(pod.metadata.uid, pod.status, status)

    def _deadline(self, pod: Pod, status: PodStatus) -> float | None:
        """Return the seconds that activeDeadlineSeconds leaves the Pod."""
        limit, noted = pod.spec.activeDeadlineSeconds, self._statuses.get(pod.metadata.uid)
        if limit is None or noted is None or noted.startTime is None:
            return None
        return seconds(noted.startTime) + limit - self._deps.sim.now

    async def _reconcile_mirror(self, pod: Pod) -> bool:
        """Have the API server show the static Pod; False if that has to be tried again."""
        mirror, node = self._pods.mirror_of(pod), self._node()
        if mirror is not None:
            meta = mirror.metadata
            same = meta.annotations.get(CONFIG_MIRROR) == pod.metadata.uid
            if same and meta.deletionTimestamp is None:
                return True
            await self._mirrors.delete(mirror)
            return False
        if node is None:
            return True  # there is nothing to hang it on: registration will call again
        return await self._mirrors.create(pod, node)

    async def delete_mirror(self, mirror: Pod) -> None:
        """Remove the mirror of a static Pod whose file is gone."""
        await self._mirrors.delete(mirror)

    # -- acting

    async def _act(
        self,
        pod: Pod,
        runtime: PodRuntimeStatus,
        actions: PodActions,
        mounted: dict[str, Mounted],
    ) -> float | None:
        """Do what was decided; return in how many seconds to try again what did not work."""
        kube_runtime = self._kube_runtime
        if actions.kill_pod:
            await kube_runtime.killer.kill_pod(pod, runtime, None)
            if not actions.create_sandbox:
                return 0.0 if runtime.running() else None
        for condemned in actions.containers_to_kill:
            await kube_runtime.killer.kill_container(
                pod,
                condemned.container,
                condemned.container_id,
                condemned.message,
                grace=_probe_grace(condemned.container, condemned.probe),
            )
        sandbox_id = actions.sandbox_id
        if actions.create_sandbox:
            await kube_runtime.create_sandbox(pod, actions.attempt)
            newest = self._pleg.status(pod.metadata.uid).sandbox()
            if newest is None:
                raise SyncFailed("the new sandbox is gone")
            sandbox_id = newest.id
        waits = [
            await self._start(pod, container, runtime, sandbox_id, mounted)
            for container in (
                *actions.ephemeral_containers_to_start,
                *actions.init_containers_to_start,
            )
        ]
        waits.append(self._update_resources(pod, actions))
        waits += [
            await self._start(pod, container, runtime, sandbox_id, mounted)
            for container in actions.containers_to_start
        ]
        return min((wait for wait in waits if wait is not None), default=None)

    def _update_resources(self, pod: Pod, actions: PodActions) -> float | None:
        """Give running containers other resources; return when to try again what failed."""
        wait = None
        for update in actions.containers_to_update:
            resources = container_resources(update.container)
            try:
                self._deps.runtime.update_container_resources(update.container_id, resources)
            except RuntimeFailed as error:
                self._resizes.failed(pod, str(error))
                wait = SYNC_ERROR_BACKOFF
        return wait

    async def _start(
        self,
        pod: Pod,
        container: Container,
        runtime: PodRuntimeStatus,
        sandbox_id: str,
        mounted: dict[str, Mounted],
    ) -> float | None:
        why = self._why.setdefault(pod.metadata.uid, {})
        try:
            attempt = self._attempt(pod, container, runtime)
            await self._kube_runtime.start_container(
                pod, container, runtime, sandbox_id, mounted, attempt
            )
        except ContainerNotStarted as failure:
            why[container.name] = WhyWaiting(failure.reason, failure.message)
            return failure.after
        why.pop(container.name, None)
        return None

    def _attempt(self, pod: Pod, container: Container, runtime: PodRuntimeStatus) -> int:
        """Return how often the container was started before; the runtime may have forgotten."""
        newest = runtime.find(container.name)
        if newest is not None:
            return newest.config.attempt + 1
        known = self._statuses.get(pod.metadata.uid) or pod.status
        before = find_status(
            (*known.initContainerStatuses, *known.containerStatuses), container.name
        )
        return before.restartCount + 1 if before is not None and before.containerID else 0


def _probe_grace(container: Container, probe: str) -> float | None:
    """Return the grace period that the probe that condemned the container brings, if any."""
    found = {"liveness": container.livenessProbe, "startup": container.startupProbe}.get(probe)
    if found is None or found.terminationGracePeriodSeconds is None:
        return None
    return float(found.terminationGracePeriodSeconds)
