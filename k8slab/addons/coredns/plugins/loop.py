"""The loop plugin: a server that forwards to itself is found out, and ended.

At the start it asks itself a question with a random name that nobody else can know. If that comes
by more than twice, it goes in circles: with a resolv.conf that names 127.0.0.53, as Ubuntu's does,
a forwarded question comes back to the very server. The program ends; a circle would eat all memory.

Rule of use: `start` only where a forwarder asks within the cluster: the world outside asks nobody.

Upstream: coredns plugin/loop
"""

from __future__ import annotations

from collections.abc import Sequence

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.plugin import Next, Request, Site
from k8slab.addons.coredns.records import Answer
from k8slab.linux.dns_message import UDP_SIZE, query
from k8slab.linux.errors import NetworkError

TYPE = "HINFO"
MOST = 2  # times that the name may come by
PATIENCE = 2.0  # s


class Loop:
    """Watches for its own question."""

    def __init__(self, stanzas: Sequence[Plugin], site: Site, following: Next) -> None:
        self._next, self._site = following, site
        self._zone, self._port = site.block.keys[0]
        self._name = ""
        self._client = self._server = ""
        self._seen = 0

    async def serve(self, request: Request) -> Answer:
        """Let questions pass, and end the program at the third sight of its own."""
        if request.type == TYPE and request.name == self._name:
            self._seen += 1
            if self._seen > MOST:
                self._site.fatal(
                    f"[FATAL] plugin/loop: Loop ({self._client} -> {self._server}) detected for "
                    f'zone "{self._zone}", see https://coredns.io/plugins/loop#troubleshooting. '
                    f'Query: "{TYPE} {self._name}"'
                )
        return await self._next(request)

    def start(self, bound: str) -> None:
        """Ask the question, at the address to which the server is bound, if it is to one."""
        process = self._site.process
        self._server = f"{bound}:{self._port}"
        probe = self._probe(bound or "127.0.0.1")
        process.sim.spawn(probe, f"{process.name}: loop", process.group)

    async def _probe(self, ip: str) -> None:
        process, random = self._site.process, self._site.rng("loop")
        labels = ".".join(str(random.getrandbits(63)) for _ in range(2))
        self._name = f"{labels}." if self._zone == "." else f"{labels}.{self._zone}"
        socket = process.net.udp(owner=process.group)
        self._client = f"{process.net.source_for(ip)}:{socket.port}"
        try:
            socket.send_to(query(self._name, TYPE, 1, size=UDP_SIZE), ip, self._port)
            await socket.recv_from(PATIENCE)
        except NetworkError:
            pass
        finally:
            socket.close()
