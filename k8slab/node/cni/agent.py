"""kindnetd: the agent of the Pod network, on every node.

It waits for the range that the control plane gives to its node, writes the CNI configuration,
and keeps a route to every other node's range. It carries no packet: stop it and everything that
is connected stays connected; only new nodes go unnoticed.

Rule of use: `kindnetd(client, machine)` is the program of the DaemonSet's image.

Upstream: sigs.k8s.io/kind images/kindnetd main.go
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from k8slab.api.core import Node
from k8slab.client import Client, Informers
from k8slab.linux.addresses import is_ipv6
from k8slab.linux.routes import Route
from k8slab.node.cni import masquerade
from k8slab.node.cni.plugin import CONFIG
from k8slab.node.cni.policy_agent import PolicyAgent
from k8slab.node.cni.routes import is_same_place, pod_cidrs, routes_to
from k8slab.node.interfaces import Process, Program
from k8slab.node.machine import Machine
from k8slab.sim import Queue

POD_SUBNET = "10.244.0.0/16"  # the environment variable of the DaemonSet, if it is not set


def kindnetd(client: Client, machine: Machine) -> Program:
    """Return the agent's program for one machine."""

    async def main(process: Process) -> int:
        await Agent(client, machine, process).run()
        return 0

    return main


class Agent:
    """One node's agent; the routes that it added are those in `_routes`."""

    def __init__(self, client: Client, machine: Machine, process: Process) -> None:
        self._client = client
        self._machine = machine
        self._process = process
        self._routes: dict[str, tuple[Route, ...]] = {}  # node -> routes
        self._changed: dict[str, None] = {}  # nodes to look at, in the order of their changes
        self._wake: Queue[None] = Queue(process.sim, f"kindnetd/{machine.name}")

    async def run(self) -> None:
        """Follow the nodes for ever."""
        informer = Informers(self._process.sim, self._client).informer(Node)
        subnets = tuple(self._process.env.get("POD_SUBNET", POD_SUBNET).split(","))
        self._machine.net.ip_forward = True
        masquerade.ensure(self._machine.net, subnets)
        rules = masquerade.keep(self._process.sim, self._machine.net, subnets)
        self._process.sim.spawn(rules, f"kindnetd/{self._machine.name}: masquerade")
        if any(map(is_ipv6, subnets)):
            self._machine.net.ip6_forward = True
        informer.add_handler(self._notice)
        policies = PolicyAgent(self._process.sim, self._client, self._machine)
        self._process.sim.spawn(policies.run(), f"kindnetd/{self._machine.name}: policies")
        while True:
            await self._wake.get()
            changed, self._changed = self._changed, {}
            self._sync({name: informer.get("", name) for name in changed})

    def _notice(self, old: Node | None, new: Node | None) -> None:
        """Remember a node whose range or address changed: heartbeats do not matter here."""
        if old is not None and new is not None and is_same_place(old, new):
            return
        if not self._changed:
            self._wake.put(None)
        self._changed[(new or old or Node()).metadata.name] = None

    def _sync(self, nodes: Mapping[str, Node | None]) -> None:
        """Make configuration and routes true for these nodes; None is a node that is gone."""
        done: list[tuple[str, Route]] = []
        for name, node in nodes.items():
            if name != self._machine.name:
                wanted = routes_to(node, self._machine.name) if node is not None else ()
                if wanted != self._routes.get(name, ()):
                    done += self._replace(name, wanted)
            elif node is not None and pod_cidrs(node):
                self._configure(pod_cidrs(node))
        if done:
            one = " ".join(map(str, done[0]))
            self._trace("route", one if len(done) == 1 else f"{len(done)} routes")

    def _replace(self, name: str, wanted: tuple[Route, ...]) -> list[tuple[str, Route]]:
        """Put a node's routes in the place of those it had; returns what was done."""
        net, present = self._machine.net, self._routes.pop(name, ())
        for route in present:
            net.routes_for(route.destination).remove(route.destination)
        if not wanted:
            return [("del", route) for route in present]
        ranges = " ".join([route.destination for route in wanted])
        self._process.log(f"Node {name} has CIDR [{ranges}]")
        for route in wanted:
            net.routes_for(route.destination).replace(route)
        self._routes[name] = wanted
        return [("add", route) for route in wanted]

    def _configure(self, cidrs: Sequence[str]) -> None:
        """Write the CNI configuration: from then on Pods can be connected."""
        text = conflist(*cidrs)
        if self._machine.disk.files.get(CONFIG) != text:
            self._process.log(f"handling current node, CIDR [{' '.join(cidrs)}]")
            self._machine.disk.write(CONFIG, text)
            self._trace("configure", " ".join(cidrs))

    def _trace(self, verb: str, detail: str) -> None:
        sim = self._process.sim
        component = f"kindnetd/{self._machine.name}"
        sim.cause = sim.trace.add(component, verb, f"Node/{self._machine.name}", detail)


def conflist(*cidrs: str) -> str:
    """Return the CNI configuration for a node with these ranges of Pod addresses."""
    plugins: list[dict[str, Any]] = [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "dataDir": "/var/lib/cni/networks",
                "routes": [{"dst": "::/0" if is_ipv6(c) else "0.0.0.0/0"} for c in cidrs],
                "ranges": [[{"subnet": cidr}] for cidr in cidrs],
            },
            "mtu": 1500,
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    config = {"cniVersion": "0.3.1", "name": "kindnet", "plugins": plugins}
    return json.dumps(config, indent=2) + "\n"
