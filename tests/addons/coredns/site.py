"""A place for plugins to work in: just enough of a container, and a chain of real plugins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from k8slab.addons.coredns.chain import Chain
from k8slab.addons.coredns.corefile import parse
from k8slab.addons.coredns.kubernetes import look_up
from k8slab.addons.coredns.plugin import Failure, Request, Site
from k8slab.addons.coredns.process import UpstreamZone
from k8slab.addons.coredns.records import Answer
from k8slab.linux.netns import NetNamespace
from k8slab.node.folder import Folder
from k8slab.sim import Group, Signal, Simulation


class Container:
    """Just enough of a container for one program."""

    def __init__(self, sim: Simulation, net: NetNamespace) -> None:
        self.sim = sim
        self.name = "coredns"
        self.args: tuple[str, ...] = ("/coredns", "-conf", "/etc/coredns/Corefile")
        self.env: dict[str, str] = {}
        self.hostname = "coredns-1"
        self.net = net
        self.group = Group("coredns")
        self.terminated = Signal(sim, "SIGTERM")
        self.lines: list[str] = []
        self.disk = Folder()

    def log(self, line: str) -> None:
        self.lines.append(line)

    def folder(self, path: str) -> tuple[Any, str]:
        return self.disk, path

    def handle_sigterm(self) -> None:
        pass


class Served:
    """The first server block of a Corefile, asked without a network around it."""

    def __init__(
        self,
        corefile: str,
        files: dict[str, str] | None = None,
        *,
        inside: tuple[str, ...] = (),
    ) -> None:
        self.inside = inside  # networks whose servers are asked by packets
        self.sim = Simulation(seed=7)
        self.container = Container(self.sim, NetNamespace(self.sim, "coredns-1"))
        for path, text in (files or {}).items():
            self.container.disk.write(path, text)
        self.world: dict[str, list[str]] = {"example.com": ["203.0.113.7"]}
        blocks = parse(corefile, "/etc/coredns/Corefile")
        self.chains = [Chain(block, self._site(block)) for block in blocks]

    @property
    def lines(self) -> list[str]:
        return self.container.lines

    def _site(self, block: Any) -> Site:
        fatal: Callable[[str], None] = self.container.log
        return Site(
            block,
            self.container,
            None,
            UpstreamZone(self.world, inside=self.inside),
            look_up,
            lambda request: self.chains[0].serve(request),
            fatal,
        )

    def ask(self, name: str, qtype: str = "A", **more: Any) -> Answer:
        """Return the answer; one that nobody wrote has the rcode of the failure."""

        async def ask() -> Answer:
            try:
                return await self.chains[0].serve(Request(name, qtype, **more))
            except Failure as failure:
                return Answer(failure.rcode)

        return self.sim.complete(ask(), "client", 60)

    def data(self, name: str, qtype: str = "A", **more: Any) -> list[str]:
        """Return the data of the answers."""
        return [record.data for record in self.ask(name, qtype, **more).answers]
