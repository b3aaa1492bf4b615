"""The forward plugin: other servers are asked, one after the other until one answers.

    forward . /etc/resolv.conf              the servers of the Pod's own resolv.conf
    forward corp.example 10.96.7.7 {        a stub domain: a server in the cluster
        policy sequential                   random (the default), round_robin, sequential
        except lab.corp.example
    }

Servers within the cluster's networks, its own machine among them, are asked by packets: that is how
a server can come to ask itself. All others are the world outside, which one upstream stands for.

Rule of use: `takes` before `ask`; what goes wrong is logged by the errors plugin.

Upstream: coredns plugin/forward
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from k8slab.addons.coredns.corefile import Plugin
from k8slab.addons.coredns.messages import answer_of, query_wire
from k8slab.addons.coredns.names import absolute, is_in, is_ip
from k8slab.addons.coredns.process import Process, Upstream
from k8slab.addons.coredns.records import SERVFAIL, Answer
from k8slab.linux.errors import ConnectionRefused, NetworkError, TimedOut

UPSTREAM_DELAY = 0.02  # s, to the resolver outside and back
READ_TIMEOUT = 2.0  # s, plugin/forward readTimeout
DEFAULT_TIMEOUT = 5.0  # s, plugin/forward defaultTimeout: for all tries together
PORT = 53


class Forwarder:
    """One forward plugin of a server block."""

    def __init__(
        self, plugin: Plugin, process: Process, upstream: Upstream, log: Callable[[str], None]
    ) -> None:
        """Read the plugin's arguments; `log` is told of servers that do not answer."""
        self._process, self._upstream, self._log = process, upstream, log
        self._zone = absolute(plugin.args[0]) if plugin.args else "."
        self.servers = tuple(_servers(process, plugin.args[1:]))
        self._policy = (plugin.values("policy") or ("random",))[0]
        self._except = tuple(map(absolute, plugin.values("except") or ()))
        self._turn = 0
        self._own = ""  # address and port of the last question's socket

    @property
    def stays_inside(self) -> bool:
        """Whether some server is in the cluster: only then can questions come back."""
        return any(not self._upstream.is_outside(ip) for ip, _ in self.servers)

    def takes(self, name: str) -> bool:
        """Say whether the name is in the plugin's zone."""
        return is_in(name, self._zone) and not any(is_in(name, zone) for zone in self._except)

    async def ask(self, name: str, qtype: str) -> Answer:
        """Return the answer of the first server that has one, SERVFAIL if none has."""
        sim = self._process.sim
        deadline = sim.now + DEFAULT_TIMEOUT
        fault = "no upstream"
        for ip, port in self._ordered() or (("", PORT),):
            if not ip or self._upstream.is_outside(ip):
                await sim.sleep(UPSTREAM_DELAY, "coredns: forward")
                return self._upstream.answer(name, qtype)
            if sim.now >= deadline:
                break
            try:
                return await self._exchange(name, qtype, ip, port)
            except NetworkError as error:
                fault = f"read udp {self._own}->{ip}:{port}: {_words(error)}"
        self._log(f"[ERROR] plugin/errors: 2 {name} {qtype}: {fault}")
        return Answer(SERVFAIL)

    def _ordered(self) -> Sequence[tuple[str, int]]:
        servers, count = self.servers, len(self.servers)
        if count < 2 or self._policy == "sequential":
            return servers
        if self._policy == "round_robin":
            self._turn += 1
            at = (self._turn - 1) % count
        else:
            at = self._process.sim.streams.rng(f"forward/{self._process.hostname}").randrange(count)
        return (*servers[at:], *servers[:at])

    async def _exchange(self, name: str, qtype: str, ip: str, port: int) -> Answer:
        sim = self._process.sim
        number = sim.streams.rng(f"forward/{self._process.hostname}").randrange(1 << 16)
        socket = self._process.net.udp(owner=self._process.group)
        try:
            socket.connect(ip, port)
            self._own = f"{self._process.net.source_for(ip)}:{socket.port}"
            socket.send(query_wire(name, qtype, number))
            deadline = sim.now + READ_TIMEOUT
            while sim.now < deadline:
                wire, _ = await socket.recv_from(deadline - sim.now)
                answer = answer_of(wire, number)
                if answer is not None:
                    return answer
            raise TimedOut(ip)
        finally:
            socket.close()


def _servers(process: Process, words: Sequence[str]) -> list[tuple[str, int]]:
    found = []
    for word in words:
        if word.startswith("/"):
            folder, rest = process.folder(word)
            try:
                text = str(folder.read(rest))
            except FileNotFoundError:
                continue
            lines = [line.split() for line in text.splitlines()]
            found += [(line[1], PORT) for line in lines if line[:1] == ["nameserver"] and line[1:]]
            continue
        host, colon, port = word.removeprefix("dns://").rpartition(":")
        if is_ip(word) or not colon:
            host, port = word, str(PORT)
        found.append((host.strip("[]"), int(port)))
    return found


def _words(error: NetworkError) -> str:
    return "read: connection refused" if isinstance(error, ConnectionRefused) else "i/o timeout"
