"""The learner's hammer: the methods of a cluster that break and repair it.

Each is an input of the run, and the cause of all that comes of it. What they do to the world is in
`faults`.

Rule of use: inherited by `Cluster`.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from k8slab.cluster import faults
from k8slab.cluster.recording import HasRecording, recorded

if TYPE_CHECKING:
    from k8slab.cluster.world import Host, World
    from k8slab.sim import Simulation

COMMAND_LIMIT = 3600.0  # virtual seconds that one command may take


class Breakable(HasRecording, Protocol):
    """What can be broken: machines and programs on a clock."""

    sim: Simulation
    world: World

    def _host(self, name: str) -> Host: ...


class Breaking:
    """Faults, and their ends."""

    @recorded
    def break_node(self: Breakable, name: str) -> None:
        """Pull the plug of a machine: all that runs on it is gone, its disk stays."""
        host = self._host(name)
        with you(self.sim, "break", f"Node/{name}"):
            faults.power_off(self.world, host)

    @recorded
    def repair_node(self: Breakable, name: str) -> None:
        """Switch the machine on again: its kubelet starts what belongs there."""
        host = self._host(name)
        with you(self.sim, "repair", f"Node/{name}"):
            faults.power_on(self.world, host)

    @recorded
    def kill(self: Breakable, component: str) -> None:
        """Kill a component's container with SIGKILL; its kubelet will start it again."""
        with you(self.sim, "kill", f"Component/{component}"):
            faults.kill(self.world, component)

    @recorded
    def stop(self: Breakable, component: str) -> None:
        """Stop a component for good, until `start`."""
        coroutine = faults.stop(self.world, component)
        with you(self.sim, "stop", f"Component/{component}"):
            self.sim.complete(coroutine, f"stop {component}", COMMAND_LIMIT)

    @recorded
    def start(self: Breakable, component: str) -> None:
        """Start a component that was stopped."""
        coroutine = faults.start(self.world, component)
        with you(self.sim, "start", f"Component/{component}"):
            self.sim.complete(coroutine, f"start {component}", COMMAND_LIMIT)

    @recorded
    def partition(self: Breakable, *names: str) -> None:
        """Cut machines off from all others; what runs on them goes on."""
        for name in names:
            host = self._host(name)
            with you(self.sim, "cut off", f"Node/{name}"):
                faults.cut(self.world, host)

    @recorded
    def heal(self: Breakable, *names: str) -> None:
        """Connect machines again."""
        for name in names:
            host = self._host(name)
            with you(self.sim, "connect", f"Node/{name}"):
                faults.join(self.world, host)

    @recorded
    def break_image(self: Breakable, image: str) -> None:
        """Let this tag not exist in its registry: pulling it fails from now on."""
        self.world.registry.missing(image)

    @recorded
    def break_registry(self: Breakable, host: str) -> None:
        """Let the name of a registry ("docker.io") not resolve."""
        self.world.registry.unreachable(host)

    @recorded
    def private_registry(self: Breakable, where: str, username: str, password: str) -> None:
        """Let a registry, or a part of it ("ghcr.io/team"), hand its images to this user alone.

        Who pulls from it needs a pull secret: `kubectl create secret docker-registry`.
        """
        self.world.registry.private(where, username, password)

    @recorded
    def repair_registry(self: Breakable, name: str) -> None:
        """End the fault of a registry or of an image."""
        self.world.registry.restore(name)


@contextmanager
def you(sim: Simulation, verb: str, subject: str) -> Iterator[None]:
    """Let what happens in the block be the learner's doing."""
    before = sim.cause
    sim.cause = sim.trace.add("you", verb, subject)
    try:
        yield
    finally:
        sim.cause = before
