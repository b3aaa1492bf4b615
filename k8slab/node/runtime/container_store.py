"""What the runtime knows: its sandboxes, its containers, and who wants to hear of them.

Rule of use: read here; only containerd.py changes anything.

Upstream: containerd internal/cri/store
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.client.latency import Latency
from k8slab.linux.netns import NetNamespace
from k8slab.node.interfaces import (
    ContainerStats,
    ContainerStatus,
    LogLine,
    PodSandboxStatus,
    RuntimeFailed,
)
from k8slab.node.machine import Machine
from k8slab.node.runtime import oci
from k8slab.node.runtime.container import Container, Sandbox
from k8slab.node.runtime.image_store import ImageStore
from k8slab.node.runtime.images.registry import ImageRegistry
from k8slab.node.runtime.process import Process
from k8slab.sim import Simulation


class ContainerStore(ImageStore):
    """The runtime's books."""

    def __init__(
        self, sim: Simulation, machine: Machine, images: ImageRegistry, latency: Latency
    ) -> None:
        super().__init__(sim, machine.name, images, latency)
        self.machine = machine
        self._sandboxes: dict[str, Sandbox] = {}
        self._containers: dict[str, Container] = {}
        self._listeners: list[Callable[[str], None]] = []
        self._usage_listeners: list[Callable[[str], None]] = []

    def sandboxes(self) -> list[PodSandboxStatus]:
        """Return all sandboxes, oldest first."""
        return [sandbox.status for sandbox in self._sandboxes.values()]

    def containers(self, sandbox_id: str = "") -> list[ContainerStatus]:
        """Return all containers, of one sandbox if given, oldest first."""
        if not sandbox_id:
            return [container.status for container in self._containers.values()]
        sandbox = self._sandboxes.get(sandbox_id)
        return [container.status for container in sandbox.containers.values()] if sandbox else []

    def container_stats(self) -> list[ContainerStats]:
        """Return what the running containers use, oldest first."""
        now = self._sim.now
        return [found.stats(now) for found in self._containers.values() if found.running]

    def disk_usage(self, container_id: str) -> int:
        """Return how many bytes a container has written: its own files and its log."""
        return self._get(container_id).disk_usage

    def network_of(self, sandbox_id: str) -> NetNamespace:
        """Return the sandbox's network namespace: probes and port-forward go through it."""
        return self._sandboxes[sandbox_id].net

    def process_of(self, container_id: str) -> Process | None:
        """Return the main process of a running container: what a request from a Pod starts in."""
        container = self._containers.get(container_id)
        return container.main_process if container is not None else None

    def log(self, container_id: str) -> list[LogLine]:
        """Return what the container has printed so far."""
        return self._get(container_id).lines

    def subscribe(self, listener: Callable[[str], None]) -> None:
        """Call `listener(sandbox id)` whenever one of its containers changes state."""
        self._listeners.append(listener)

    def subscribe_usage(self, listener: Callable[[str], None]) -> None:
        """Call `listener("memory")` when a container uses more or less of it, or with "disk"."""
        self._usage_listeners.append(listener)

    def _usage_changed(self, resource: str) -> None:
        for listener in self._usage_listeners:
            listener(resource)

    def _get(self, container_id: str) -> Container:
        container = self._containers.get(container_id)
        if container is None:
            raise RuntimeFailed("NotFound", oci.no_container(container_id))
        return container

    def _new_id(self) -> str:
        return f"{self._sim.streams.rng(self._component).getrandbits(256):064x}"

    def _record(self, sandbox: Sandbox, verb: str, detail: str) -> None:
        self._sim.cause = self._sim.trace.add(self._component, verb, sandbox.subject, detail)

    def _tell(self, sandbox: Sandbox) -> None:
        for listener in self._listeners:
            listener(sandbox.id)
