"""What the runtime calls when a sandbox comes and goes: the CNI plugin of the node.

`Cni` reads its configuration from the machine's disk. Until the agent has written it no Pod can
be connected, which the kubelet reports as NetworkPluginNotReady.

Rule of use: Pods on the host's network never come here.

Upstream: containernetworking/cni libcni, containerd go-cni
"""

from __future__ import annotations

import json
from typing import Any

from k8slab.linux.netns import NetNamespace
from k8slab.node.cni import bridge, portmap
from k8slab.node.cni.ipam import Ipam, NoAddresses
from k8slab.node.interfaces import PortMappings, RuntimeFailed
from k8slab.node.machine import Machine
from k8slab.sim import Simulation

CONFIG_FOLDER = "etc/cni/net.d"
CONFIG = f"{CONFIG_FOLDER}/10-kindnet.conflist"


class Cni:
    """The network plugin of one machine; its books are on the disk."""

    def __init__(self, sim: Simulation, machine: Machine) -> None:
        self._sim = sim
        self._machine = machine
        self._parsed: tuple[str, dict[str, Any]] = ("", {})
        self._addresses: dict[str, tuple[str, ...]] = {}  # sandbox id -> addresses
        self._mapped: dict[str, PortMappings] = {}

    def ready(self) -> bool:
        """Say whether Pods can be connected yet: the agent has written its configuration."""
        return CONFIG in self._machine.disk.files

    async def add(
        self, sandbox_id: str, netns: NetNamespace, port_mappings: PortMappings = ()
    ) -> tuple[str, ...]:
        """Connect the namespace and return its addresses; raises RuntimeFailed."""
        if not self.ready():
            raise self._failed(sandbox_id, "cni plugin not initialized")
        got: list[tuple[str, str]] = []
        try:
            for ipam in self._ipams():
                got.append((ipam.allocate(sandbox_id), ipam.subnet))
        except NoAddresses as error:
            self._release(tuple(ip for ip, _ in got))
            reason = f'plugin type="bridge" name="kindnet" failed (add): {error}'
            raise self._failed(sandbox_id, reason) from None
        bridge.plug(self._machine.net, netns, sandbox_id, got)
        ips = self._addresses[sandbox_id] = tuple(ip for ip, _ in got)
        if port_mappings:
            addresses = [f"{ip}/{subnet.partition('/')[2]}" for ip, subnet in got]
            self._mapped[sandbox_id] = port_mappings
            portmap.install(self._machine.net, sandbox_id, addresses, port_mappings)
        return ips

    async def delete(self, sandbox_id: str) -> None:
        """Disconnect it and free its addresses; doing so twice does no harm."""
        ips = self._addresses.pop(sandbox_id, None)
        if ips is None:
            return
        if self._mapped.pop(sandbox_id, None):
            portmap.uninstall(self._machine.net, sandbox_id, ips)
        bridge.unplug(self._machine.net, sandbox_id)
        if self.ready():
            self._release(ips)

    def _release(self, ips: tuple[str, ...]) -> None:
        for ip, ipam in zip(ips, self._ipams(), strict=False):
            ipam.release(ip)

    def _ipams(self) -> list[Ipam]:
        """Return the books of each range: one, or one of each family."""
        config = self._config()
        ranges = config["plugins"][0]["ipam"]["ranges"]
        return [
            Ipam(self._machine.disk, config["name"], each[0]["subnet"], number)
            for number, each in enumerate(ranges)
        ]

    def _config(self) -> dict[str, Any]:
        text = str(self._machine.disk.read(CONFIG))
        if self._parsed[0] != text:
            self._parsed = (text, json.loads(text))
        return self._parsed[1]

    @staticmethod
    def _failed(sandbox_id: str, why: str) -> RuntimeFailed:
        return RuntimeFailed(
            "CreatePodSandboxError",
            "rpc error: code = Unknown desc = failed to setup network for sandbox "
            f'"{sandbox_id}": {why}',
        )
