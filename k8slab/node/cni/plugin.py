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
        self._addresses: dict[str, str] = {}  # sandbox id -> address
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
        ipam = self._ipam()
        try:
            ip = ipam.allocate(sandbox_id)
        except NoAddresses as error:
            reason = f'plugin type="bridge" name="kindnet" failed (add): {error}'
            raise self._failed(sandbox_id, reason) from None
        bridge.plug(self._machine.net, netns, sandbox_id, ip, ipam.subnet)
        self._addresses[sandbox_id] = ip
        if port_mappings:
            self._mapped[sandbox_id] = port_mappings
            portmap.install(self._machine.net, sandbox_id, ip, port_mappings)
        return (ip,)

    async def delete(self, sandbox_id: str) -> None:
        """Disconnect it and free its addresses; doing so twice does no harm."""
        ip = self._addresses.pop(sandbox_id, None)
        if ip is None:
            return
        if self._mapped.pop(sandbox_id, None):
            portmap.uninstall(self._machine.net, sandbox_id)
        bridge.unplug(self._machine.net, sandbox_id)
        if self.ready():
            self._ipam().release(ip)

    def _ipam(self) -> Ipam:
        config = self._config()
        ranges = config["plugins"][0]["ipam"]["ranges"]
        return Ipam(self._machine.disk, config["name"], ranges[0][0]["subnet"])

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
