"""kindnetd: the agent of the Pod network, on every node.

It waits for the range that the control plane gives to its node, writes the CNI configuration,
and keeps a route to every other node's range. It carries no packet: stop it and everything that
is connected stays connected; only new nodes go unnoticed.

Rule of use: `kindnetd(client, machine)` is the program of the DaemonSet's image.

Upstream: sigs.k8s.io/kind images/kindnetd main.go
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from k8slab.api.core import Node
from k8slab.client import Client, Informers
from k8slab.linux.routes import Route
from k8slab.node.cni import masquerade
from k8slab.node.cni.plugin import CONFIG
from k8slab.node.cni.policy_agent import PolicyAgent
from k8slab.node.cni.routes import internal_ip, pod_cidr, route_to
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
        self._routes: dict[str, Route] = {}  # node -> route
        self._changed: dict[str, None] = {}  # nodes to look at, in the order of their changes
        self._wake: Queue[None] = Queue(process.sim, f"kindnetd/{machine.name}")

    async def run(self) -> None:
        """Follow the nodes for ever."""
        informer = Informers(self._process.sim, self._client).informer(Node)
        subnets = tuple(self._process.env.get("POD_SUBNET", POD_SUBNET).split(","))
        self._machine.net.ip_forward = True
        masquerade.ensure(self._machine.net, subnets)
        informer.add_handler(self._notice)
        policies = PolicyAgent(self._process.sim, self._client, self._machine)
        self._process.sim.spawn(policies.run(), f"kindnetd/{self._machine.name}: policies")
        while True:
            await self._wake.get()
            changed, self._changed = self._changed, {}
            self._sync({name: informer.get("", name) for name in changed})

    def _notice(self, old: Node | None, new: Node | None) -> None:
        """Remember a node whose range or address changed: heartbeats do not matter here."""
        if _place(old) == _place(new):
            return
        if not self._changed:
            self._wake.put(None)
        self._changed[(new or old or Node()).metadata.name] = None

    def _sync(self, nodes: Mapping[str, Node | None]) -> None:
        """Make configuration and routes true for these nodes; None is a node that is gone."""
        done = []
        for name, node in nodes.items():
            if name != self._machine.name:
                wanted = route_to(node, self._machine.name) if node is not None else None
                if wanted != self._routes.get(name):
                    done.append(self._replace(name, wanted))
            elif node is not None and pod_cidr(node):
                self._configure(pod_cidr(node))
        if done:
            self._trace("route", done[0] if len(done) == 1 else f"{len(done)} routes")

    def _replace(self, name: str, wanted: Route | None) -> str:
        """Put a node's route in the place of the one it had; returns what was done."""
        table, present = self._machine.net.routes, self._routes.pop(name, None)
        if present is not None:
            table.remove(present.destination)
        if wanted is None:
            return f"del {present}"
        self._process.log(f"Node {name} has CIDR [{wanted.destination}]")
        table.replace(wanted)
        self._routes[name] = wanted
        return f"add {wanted}"

    def _configure(self, cidr: str) -> None:
        """Write the CNI configuration: from then on Pods can be connected."""
        text = conflist(cidr)
        if self._machine.disk.files.get(CONFIG) != text:
            self._process.log(f"handling current node, CIDR [{cidr}]")
            self._machine.disk.write(CONFIG, text)
            self._trace("configure", cidr)

    def _trace(self, verb: str, detail: str) -> None:
        sim = self._process.sim
        component = f"kindnetd/{self._machine.name}"
        sim.cause = sim.trace.add(component, verb, f"Node/{self._machine.name}", detail)


def conflist(cidr: str) -> str:
    """Return the CNI configuration for a node with this range of Pod addresses."""
    plugins: list[dict[str, Any]] = [
        {
            "type": "bridge",
            "bridge": "cni0",
            "isGateway": True,
            "hairpinMode": True,
            "ipam": {
                "type": "host-local",
                "dataDir": "/var/lib/cni/networks",
                "routes": [{"dst": "0.0.0.0/0"}],
                "ranges": [[{"subnet": cidr}]],
            },
            "mtu": 1500,
        },
        {"type": "portmap", "capabilities": {"portMappings": True}},
    ]
    config = {"cniVersion": "0.3.1", "name": "kindnet", "plugins": plugins}
    return json.dumps(config, indent=2) + "\n"


def _place(node: Node | None) -> tuple[str, str]:
    return (pod_cidr(node), internal_ip(node)) if node is not None else ("", "")
