"""A machine with a runtime, without a kubelet: the tests call the CRI themselves."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

import pytest

from k8slab.client.latency import Latency
from k8slab.linux.links import Segment
from k8slab.linux.netns import NetNamespace
from k8slab.node.cni import Cni
from k8slab.node.cni.agent import conflist
from k8slab.node.cni.plugin import CONFIG
from k8slab.node.interfaces import ContainerConfig, ContainerStatus, ExecResult, PodSandboxConfig
from k8slab.node.machine import Machine
from k8slab.node.runtime import Containerd, ImageRegistry
from k8slab.sim import Simulation


class Bench:
    """One node's runtime and short words for what the tests do with it."""

    def __init__(self) -> None:
        self.sim = Simulation(7)
        net = NetNamespace(self.sim, "worker-1")
        net.add_ethernet("eth0", Segment(self.sim), "172.18.0.3/16")
        net.ip_forward = True
        self.machine = Machine(self.sim, "worker-1", net, cpu=4000, memory=8 << 30)
        self.machine.disk.write(CONFIG, conflist("10.244.1.0/24"))
        self.registry = ImageRegistry()
        self.cni = Cni(self.sim, self.machine)
        self.containerd = Containerd(self.sim, self.machine, self.registry, self.cni, Latency())
        self.told: list[str] = []
        self.containerd.subscribe(self.told.append)
        self._pods = 0

    def do(self, coroutine: Coroutine[Any, Any, Any], timeout: float = 1000.0) -> Any:
        return self.sim.complete(coroutine, "test", timeout)

    def sandbox(self, name: str = "", **fields: Any) -> str:
        self._pods += 1
        name = name or f"pod-{self._pods}"
        config = PodSandboxConfig(name=name, namespace="default", uid=f"uid-{name}", **fields)
        return self.do(self.containerd.run_pod_sandbox(config))

    def create(self, image: str, *command: str, sandbox: str = "", **fields: Any) -> str:
        config = ContainerConfig(name="main", image=image, command=command, **fields)
        self.do(self.containerd.pull_image(image))
        return self.do(self.containerd.create_container(sandbox or self.sandbox(), config))

    def start(self, image: str, *command: str, sandbox: str = "", **fields: Any) -> str:
        id = self.create(image, *command, sandbox=sandbox, **fields)
        self.do(self.containerd.start_container(id))
        self.run(0)
        return id

    def sh(self, script: str, image: str = "busybox", seconds: float = 60.0, **fields: Any) -> str:
        """Run a script as a container to its end and return its log."""
        id = self.start(image, "sh", "-c", script, **fields)
        self.run(seconds)
        return self.log(id)

    def run(self, seconds: float) -> None:
        self.sim.run(self.sim.now + seconds)

    def exec(self, id: str, *command: str, timeout: float = 0, stdin: str = "") -> ExecResult:
        return self.do(self.containerd.exec_sync(id, command, timeout, stdin))

    def stop(self, id: str, timeout: float = 30) -> ContainerStatus:
        self.do(self.containerd.stop_container(id, timeout))
        return self.status(id)

    def status(self, id: str) -> ContainerStatus:
        return next(each for each in self.containerd.containers() if each.id == id)

    def log(self, id: str) -> str:
        return "".join(f"{line.text}\n" for line in self.containerd.log(id))

    def ip(self, sandbox_id: str) -> str:
        return next(s.ips[0] for s in self.containerd.sandboxes() if s.id == sandbox_id)

    def sandbox_of(self, id: str) -> str:
        return self.status(id).sandbox_id


@pytest.fixture
def bench() -> Bench:
    return Bench()
