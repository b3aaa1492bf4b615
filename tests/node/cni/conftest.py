"""Two machines on one wire, each with a network plugin."""

from __future__ import annotations

import pytest

from k8slab.linux.links import Segment
from k8slab.linux.netns import NetNamespace
from k8slab.node.cni import Cni
from k8slab.node.cni.agent import conflist
from k8slab.node.cni.plugin import CONFIG
from k8slab.node.machine import Machine
from k8slab.sim import Simulation


class Wire:
    def __init__(self) -> None:
        self.sim = Simulation(3)
        self.segment = Segment(self.sim)
        self.machines = [self.machine(number) for number in (1, 2)]
        self.plugins = [Cni(self.sim, machine) for machine in self.machines]

    def machine(self, number: int) -> Machine:
        net = NetNamespace(self.sim, f"worker-{number}")
        net.add_ethernet("eth0", self.segment, f"172.18.0.{number + 1}/16")
        net.ip_forward = True
        return Machine(self.sim, net.name, net, cpu=1000, memory=1 << 30)

    def configure(self) -> None:
        for number, machine in enumerate(self.machines, 1):
            machine.disk.write(CONFIG, conflist(f"10.244.{number}.0/24"))

    def pod(self, node: int, name: str, mappings=()) -> NetNamespace:
        net = NetNamespace(self.sim, name)
        sandbox_id = f"{name:0<64}"
        self.do(self.plugins[node].add(sandbox_id, net, mappings))
        return net

    def do(self, coroutine):
        return self.sim.complete(coroutine, "test", 300)


@pytest.fixture
def wire() -> Wire:
    return Wire()
