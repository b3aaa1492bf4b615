"""The kubelet: runs the Pods that are bound to its node, and says how they are.

    API server --watch--+                          +--> runtime (containers)
    manifests on disk --+--> Pod workers --passes--+--> status manager --> API server
    relist, probes -----+

It needs nobody: static Pods start before there is an API server, running Pods go on while there
is none, and a new kubelet on the same machine takes over the containers that it finds.

Rule of use: one for each machine; `run` it in a task of the machine's group, and kill that task to
stop it.

Upstream: pkg/kubelet/kubelet.go
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from k8slab.api.core import Node, Pod, Service, Taint
from k8slab.client import Client, EventRecorder, Informers, Request
from k8slab.node.interfaces import ImageService, NetworkPlugin, RuntimeService
from k8slab.node.kubelet.allocation import Allocations
from k8slab.node.kubelet.dependencies import Dependencies, KubeletConfiguration
from k8slab.node.kubelet.dns_configurer import DnsConfigurer
from k8slab.node.kubelet.eviction_manager import EvictionManager
from k8slab.node.kubelet.kuberuntime_container import KubeRuntime
from k8slab.node.kubelet.lease import NodeLease
from k8slab.node.kubelet.node_status import NodeStatusManager
from k8slab.node.kubelet.object_cache import ObjectCache
from k8slab.node.kubelet.pleg import Pleg
from k8slab.node.kubelet.pod_admission import PodAdmission
from k8slab.node.kubelet.pod_manager import (
    CONFIG_MIRROR,
    PodManager,
    asks_for_work,
    is_mirror_pod,
)
from k8slab.node.kubelet.pod_sync import PodSync
from k8slab.node.kubelet.pod_workers import PodWorkers
from k8slab.node.kubelet.probe_effects import READINESS
from k8slab.node.kubelet.prober import ProbeManager
from k8slab.node.kubelet.resize import ResizeManager
from k8slab.node.kubelet.server import KubeletServer
from k8slab.node.kubelet.static_pods import read
from k8slab.node.kubelet.status_manager import StatusManager
from k8slab.node.kubelet.volumes import VolumeManager
from k8slab.node.machine import Machine
from k8slab.sim import Group, Queue, Signal, Simulation

SYNC_FREQUENCY = 60.0  # s, syncFrequency: when a changed ConfigMap arrives in its volume
DEFAULT_CONFIG = KubeletConfiguration()
NO_LABELS: Mapping[str, str] = {}


class Kubelet:
    """One node's agent."""

    def __init__(
        self,
        sim: Simulation,
        machine: Machine,
        client: Client,
        runtime: RuntimeService,
        images: ImageService,
        network: NetworkPlugin,
        *,
        labels: Mapping[str, str] = NO_LABELS,
        taints: tuple[Taint, ...] = (),
        config: KubeletConfiguration = DEFAULT_CONFIG,
    ) -> None:
        self.config = config
        self._group = Group(f"kubelet {machine.name}")
        self._deps = deps = Dependencies(
            sim=sim,
            machine=machine,
            client=client,
            runtime=runtime,
            images=images,
            network=network,
            recorder=EventRecorder(sim, client, "kubelet", machine.name),
            config=config,
            labels=labels,
            taints=taints,
        )
        self._dns = DnsConfigurer(deps)
        self._pods = PodManager()
        self._informers = Informers(sim, client)
        self._node_status = self._make_node_status()
        self._lease = NodeLease(deps, self._node)
        self._pleg = Pleg(sim, runtime, self._wake)
        self._objects = ObjectCache(sim, client, self._object_changed)
        self._statuses = StatusManager(sim, client, self._pods.api_pod)
        self._probes = ProbeManager(deps, self._probe_changed)
        self._volumes = VolumeManager(deps, self._objects, lambda: self._evictions.consider("disk"))
        self._allocations = Allocations(machine.disk)
        self._resizes = self._make_resizes()
        self._pod_sync = self._make_pod_sync()
        self._workers = self._make_workers()
        self._evictions = EvictionManager(
            deps, self._group, self._workers, self._volumes.empty_dirs, self._node_status.soon
        )
        self._admission = self._make_admission()
        self.server = KubeletServer(sim, self._pods, self._pleg, runtime)
        self._static: dict[str, Pod] = {}
        self._written: Queue[int] = Queue(sim, "kubelet: manifests")  # causes of changed files

    def _make_node_status(self) -> NodeStatusManager:
        return NodeStatusManager(
            self._deps,
            on_registered=self._wake_static,
            on_ready=self._wake_all,
            pressure=lambda: self._evictions.conditions(),
        )

    def _make_resizes(self) -> ResizeManager:
        return ResizeManager(
            self._deps,
            self._pods,
            self._allocations,
            lambda uid: self._workers.others(uid).used,
            on_given=lambda pod: self._workers.reallocated(pod),
            on_told=self._wake,
        )

    def _make_workers(self) -> PodWorkers:
        return PodWorkers(
            self._deps.sim,
            self._group,
            self._pod_sync,
            self._allocations,
            on_freed=self._resizes.retry,
            on_gone=self._gone,
        )

    def _make_admission(self) -> PodAdmission:
        return PodAdmission(
            self._deps,
            self._group,
            allocations=self._allocations,
            workers=self._workers,
            statuses=self._statuses,
            node=self._node,
            pressure=self._evictions.refusal,
        )

    def _make_pod_sync(self) -> PodSync:
        return PodSync(
            self._deps,
            pods=self._pods,
            pleg=self._pleg,
            kube_runtime=KubeRuntime(
                self._deps, self._objects, self._services, self._pulled, self._dns
            ),
            probes=self._probes,
            statuses=self._statuses,
            volumes=self._volumes,
            objects=self._objects,
            allocations=self._allocations,
            resizes=self._resizes,
            node=self._node,
        )

    # -- for the wiring

    async def run(self) -> None:
        """Run the node's Pods until this task is killed; containers go on without a kubelet."""
        sim, disk = self._deps.sim, self._deps.machine.disk
        name = f"kubelet {self._deps.node_name}"
        sim.spawn(self._start(), name, self._group)
        disk.watchers.append(self._disk_changed)
        try:
            await Signal(sim, f"{name} stops").wait()
        finally:
            disk.watchers.remove(self._disk_changed)
            self._pleg.stop()
            self._dns.stop()
            self._evictions.stop()
            self._group.kill()

    def last_heartbeat(self) -> float | None:
        """Return when the node's last heartbeat was, in virtual seconds; None before the first."""
        return self._lease.last_heartbeat()

    def disconnected(self) -> None:
        """Hear that the API server cannot be reached any more: heartbeats stop arriving."""
        self._lease.interrupt()

    def reconnected(self) -> None:
        """Hear that it can be reached again."""
        self._lease.resume()
        self._node_status.changed()

    async def serve(self, request: Request) -> Any:
        """Answer what the API server passes on: pods/log with text, pods/exec with ExecResult."""
        return await self.server.serve(request)

    # -- starting

    async def _start(self) -> None:
        sim, name = self._deps.sim, self._deps.node_name
        sim.spawn(self.server.run(self._deps.machine), f"kubelet {name}: server")
        for part in (self._pleg, self._dns, self._evictions):
            part.start()
        self._read_static_pods()
        sim.spawn(self._watch_manifests(), f"kubelet {name}: manifests")
        sim.spawn(self._statuses.run(), f"kubelet {name}: statuses")
        sim.spawn(self._node_status.run(), f"kubelet {name}: node status")
        services = self._informers.informer(Service)
        own = self._informers.informer(Node, fields=f"metadata.name={name}")
        own.add_handler(self._node_changed)
        await services.synced.wait()
        pods = self._informers.informer(Pod, fields=f"spec.nodeName={name}")
        pods.add_handler(self._pod_changed)
        sim.spawn(self._lease.run(), f"kubelet {name}: lease")
        await pods.synced.wait()
        self._wake_static()
        await self._remove_orphans()

    def _read_static_pods(self) -> None:
        """Compare the manifests on the disk with the static Pods that run."""
        deps = self._deps
        found, problems = read(
            deps.machine.disk, deps.config.static_pod_path, deps.node_name, deps.sim.now
        )
        for problem in problems:
            deps.sim.trace.add(f"kubelet/{deps.node_name}", "error", "manifest", problem)
        present = {pod.metadata.uid: pod for pod in found}
        for uid, pod in tuple(self._static.items()):
            if uid not in present:
                del self._static[uid]
                self._pods.remove(pod)
                self._workers.remove(uid)
        for uid, pod in present.items():
            if uid not in self._static:
                self._static[uid] = pod
                self._pods.set(pod)
                self._admission.add(pod)

    async def _remove_orphans(self) -> None:
        """End what runs here but belongs to no Pod that we know of."""
        for sandbox in self._deps.runtime.sandboxes():
            if not self._workers.knows(sandbox.config.uid):
                await self._pod_sync.remove_orphan(sandbox.config.uid)
        for mirror in self._pods.mirrors():
            if self._pods.static_pod_of(mirror) is None:
                await self._pod_sync.delete_mirror(mirror)

    # -- news

    def _pod_changed(self, old: Pod | None, new: Pod | None) -> None:
        if new is None:
            assert old is not None
            self._pod_removed(old)
            return
        if old is not None and old.metadata.uid != new.metadata.uid:
            self._pod_removed(old)
            old = None
        self._pods.set(new)
        if is_mirror_pod(new):
            self._mirror_changed(new)
        elif self._workers.knows(new.metadata.uid):
            self._pod_updated(old, new)
        else:
            self._admission.add(new)
            self._resizes.consider(new)  # one that waited for the kubelet before this one

    def _pod_updated(self, old: Pod | None, new: Pod) -> None:
        uid = new.metadata.uid
        self._statuses.changed(uid)  # somebody else may have written our part of the status
        gates = bool(new.spec.readinessGates)
        if old is None or gates or asks_for_work(old, new):
            self._resizes.consider(new)
            self._workers.update(new)

    def _pod_removed(self, old: Pod) -> None:
        self._pods.remove(old)
        if is_mirror_pod(old):
            self._mirror_changed(old)
        else:
            self._workers.remove(old.metadata.uid)
            if not self._workers.knows(old.metadata.uid):
                self._statuses.forget(old.metadata.uid)

    def _mirror_changed(self, mirror: Pod) -> None:
        static = self._pods.static_pod_of(mirror)
        if static is not None:
            self._statuses.changed(static.metadata.uid)
            if self._pods.mirror_of(static) is not mirror or mirror.metadata.deletionTimestamp:
                self._wake(static.metadata.uid)

    def _node_changed(self, old: Node | None, new: Node | None) -> None:
        if new is not None:
            self._node_status.heard(new)

    def _object_changed(self, uid: str) -> None:
        """A mounted ConfigMap or Secret has changed: its files follow with the next sync."""
        self._deps.sim.after(SYNC_FREQUENCY, lambda: self._wake(uid), "kubelet: resync")

    def _probe_changed(self, uid: str, kind: str) -> None:
        """Readiness is told at once, even while a worker waits for something; the rest is work."""
        pod = self._pods.get(uid)
        if kind == READINESS and pod is not None:
            self._pod_sync.refresh(pod)
        if kind != READINESS or self._probes.verdicts(uid).failed:
            self._wake(uid)

    def _disk_changed(self, path: str) -> None:
        """Hear of a file, from whoever wrote it: the reading is a task of our own."""
        if path.startswith(self._deps.config.static_pod_path):
            self._written.put(self._deps.sim.cause)

    async def _watch_manifests(self) -> None:
        """Read the manifests again whenever one was written."""
        while True:
            self._deps.sim.cause = await self._written.get()
            self._read_static_pods()

    def _pulled(self) -> None:
        """An image has arrived: the node's status shows it, and its disk is fuller."""
        self._node_status.soon()
        self._evictions.consider("disk")

    # -- small

    def _node(self) -> Node | None:
        return self._node_status.node

    def _services(self) -> tuple[Service, ...] | None:
        informer = self._informers.informer(Service)
        return tuple(informer.all()) if informer.synced.is_set else None

    def _wake(self, uid: str) -> None:
        self._workers.wake(uid)

    def _wake_static(self) -> None:
        for uid in self._static:
            self._wake(uid)

    def _wake_all(self) -> None:
        for pod in self._workers.active():
            self._wake(pod.metadata.uid)

    def _gone(self, uid: str) -> None:
        """A static Pod whose file went away has ended: its mirror goes too."""
        for mirror in self._pods.mirrors():
            if mirror.metadata.annotations.get(CONFIG_MIRROR) == uid:
                coroutine = self._pod_sync.delete_mirror(mirror)
                self._deps.sim.spawn(coroutine, "kubelet: delete mirror", self._group)
