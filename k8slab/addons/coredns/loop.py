"""The loop plugin: a server that forwards to itself is found out, and ended.

At the start it asks itself a question with a random name that nobody else can know. If that comes
by more than twice, it goes in circles: with a resolv.conf that names 127.0.0.53, as Ubuntu's does,
a forwarded question comes back to the very server. The program ends; a circle would eat all memory.

Rule of use: `start` only where a forwarder asks within the cluster: the world outside asks nobody.

Upstream: coredns plugin/loop
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.addons.coredns.corefile import ServerBlock
from k8slab.addons.coredns.messages import query_wire
from k8slab.addons.coredns.process import Process
from k8slab.linux.errors import NetworkError

TYPE = "HINFO"
MOST = 2  # times that the name may come by
PATIENCE = 2.0  # s


class Loop:
    """The plugin of one server block."""

    def __init__(self, block: ServerBlock, process: Process, fatal: Callable[[str], None]) -> None:
        """Prepare; `fatal` ends the program with a message."""
        self._there = block.plugin("loop") is not None
        self._zone, self._port = block.zones[0], block.port
        self._process, self._fatal = process, fatal
        self._name = ""
        self._client = ""
        self._seen = 0

    def start(self) -> None:
        """Ask the question, if the block has the plugin."""
        if self._there:
            name = f"{self._process.name}: loop"
            self._process.sim.spawn(self._probe(), name, self._process.group)

    def see(self, name: str, qtype: str) -> None:
        """Look at a question that is about to be forwarded."""
        if not self._name or qtype != TYPE or name != self._name:
            return
        self._seen += 1
        if self._seen > MOST:
            self._fatal(
                f"[FATAL] plugin/loop: Loop ({self._client} -> :{self._port}) detected for zone "
                f'"{self._zone}", see https://coredns.io/plugins/loop#troubleshooting. '
                f'Query: "{TYPE} {self._name}"'
            )

    async def _probe(self) -> None:
        net, random = (
            self._process.net,
            self._process.sim.streams.rng(f"loop/{self._process.hostname}"),
        )
        labels = ".".join(str(random.getrandbits(63)) for _ in range(2))
        self._name = f"{labels}." if self._zone == "." else f"{labels}.{self._zone}"
        socket = net.udp(owner=self._process.group)
        self._client = f"127.0.0.1:{socket.port}"
        try:
            socket.send_to(query_wire(self._name, TYPE, 1), "127.0.0.1", self._port)
            await socket.recv_from(PATIENCE)
        except NetworkError:
            pass
        finally:
            socket.close()
