"""A machine: a name, a kernel's network, a disk. Whatever runs on a node runs on one of these.

The kubelet, the container runtime and the network agent of a node share its machine and meet
nowhere else. Power it off and all of them are gone; the disk stays.

Rule of use: made by the cluster's wiring, given to every part of the node.

Upstream: none (a real one has a power button)
"""

from __future__ import annotations

from k8slab.linux.netns import NetNamespace
from k8slab.node.folder import Folder
from k8slab.sim import Group, Simulation


class Machine:
    """One machine, with its host network namespace and its disk."""

    def __init__(
        self, sim: Simulation, name: str, net: NetNamespace, *, cpu: int, memory: int
    ) -> None:
        self.sim = sim
        self.name = name
        self.net = net  # the host's network namespace: lo and eth0
        self.disk = Folder()  # "/", as host processes and hostPath volumes see it
        self.cpu = cpu  # millicores
        self.memory = memory  # bytes
        self.processes = Group(f"machine {name}")  # what runs on the host outside containers
