"""One server that a forwarder asks: over UDP, or over TCP connections that are used again.

Whoever asked in vain calls `check_health`: then the server is asked `. NS` again and again, until
it answers anything at all. `is_down` says whether it failed often enough to be left alone.

Rule of use: `exchange` raises `Unanswered` with the words of Go's net package.

Upstream: coredns plugin/pkg/proxy (connect.go, health.go, persistent.go)
"""

from __future__ import annotations

import msgspec

from k8slab.addons.coredns.messages import answer_of
from k8slab.addons.coredns.plugin import Request
from k8slab.addons.coredns.process import Process
from k8slab.addons.coredns.records import Answer
from k8slab.linux.addresses import joined
from k8slab.linux.dns_message import query
from k8slab.linux.errors import NetworkError, TimedOut
from k8slab.linux.tcp import Connection

READ_TIMEOUT = 2.0  # s, plugin/pkg/proxy readTimeout
DIAL_TIMEOUT = 5.0  # s; upstream's adapts itself between 1 and 30
HEALTH_TIMEOUT = 1.0  # s, plugin/pkg/proxy hcReadTimeout


class Unanswered(Exception):  # noqa: N818 (upstream: a net.OpError)
    """The server did not answer, and why."""


class Idle(msgspec.Struct):
    """A connection that nobody uses at the moment, and since when (virtual seconds)."""

    connection: Connection
    since: float


class Proxy:
    """The way to one server."""

    def __init__(
        self, process: Process, ip: str, port: int, expire: float, health_check: float
    ) -> None:
        """Prepare; `expire` and `health_check` in seconds."""
        self.ip, self.port = ip, port
        self._process = process
        self._expire, self._interval = expire, health_check
        self._idle: list[Idle] = []
        self._fails = 0
        self._checking = False

    @property
    def address(self) -> str:
        """The server as text."""
        return joined(self.ip, self.port)

    def is_down(self, max_fails: int) -> bool:
        """Say whether so many health checks failed that the server is left out; 0: never."""
        return 0 < max_fails <= self._fails

    async def exchange(
        self, request: Request, *, by_tcp: bool, timeout: float = READ_TIMEOUT
    ) -> Answer:
        """Return the server's answer. Raises Unanswered."""
        number = self._process.sim.streams.rng(f"forward/{self._process.hostname}").randrange(
            1 << 16
        )
        wire = query(request.name, request.type, number, size=request.size, klass=request.klass)
        if by_tcp:
            return await self._by_tcp(wire, number, timeout)
        return await self._by_udp(wire, number, timeout)

    # -- over UDP

    async def _by_udp(self, wire: bytes, number: int, timeout: float) -> Answer:
        sim, net = self._process.sim, self._process.net
        socket = net.udp(owner=self._process.group)
        own = ""
        try:
            socket.connect(self.ip, self.port)
            own = joined(net.source_for(self.ip), socket.port)
            socket.send(wire)
            deadline = sim.now + timeout
            while sim.now < deadline:
                received, _ = await socket.recv_from(deadline - sim.now)
                answer = answer_of(received, number)
                if answer is not None:
                    return answer
            raise TimedOut(self.ip)
        except NetworkError as error:
            if not own:
                words = _words(error, "connect")
                raise Unanswered(f"dial udp {self.address}: {words}") from None
            raise Unanswered(f"read udp {own}->{self.address}: {_words(error, 'read')}") from None
        finally:
            socket.close()

    # -- over TCP

    async def _by_tcp(self, wire: bytes, number: int, timeout: float) -> Answer:
        """Ask on a connection; one that the server has closed meanwhile is replaced."""
        framed = len(wire).to_bytes(2, "big") + wire
        while True:
            connection = self._kept()
            used_before = connection is not None
            if connection is None:
                connection = await self._dial()
            try:
                await connection.send(framed)
                answer = answer_of(await _message(connection, timeout), number)
                if answer is None:
                    raise EOFError
            except (NetworkError, EOFError) as error:
                connection.close()
                if used_before and not isinstance(error, TimedOut):
                    continue
                way = f"{joined(*connection.local)}->{self.address}"
                if isinstance(error, EOFError):
                    raise Unanswered("EOF") from None
                raise Unanswered(f"read tcp {way}: {_words(error, 'read')}") from None
            self._idle.append(Idle(connection, self._process.sim.now))
            return answer

    def _kept(self) -> Connection | None:
        """Return a connection from before, None if all are too old."""
        now = self._process.sim.now
        while self._idle:
            idle = self._idle.pop()
            if now - idle.since < self._expire and not idle.connection.closed:
                return idle.connection
            idle.connection.close()
        return None

    async def _dial(self) -> Connection:
        try:
            return await self._process.net.connect(
                self.ip, self.port, timeout=DIAL_TIMEOUT, owner=self._process.group
            )
        except NetworkError as error:
            raise Unanswered(f"dial tcp {self.address}: {_words(error, 'connect')}") from None

    # -- its health

    def check_health(self) -> None:
        """Ask the server until it answers, unless that is going on already."""
        if not self._checking and self._interval > 0:
            self._checking = True
            name = f"{self._process.name}: health of {self.address}"
            self._process.sim.spawn(self._check(), name, self._process.group)

    async def _check(self) -> None:
        question = Request(".", "NS")
        while True:
            try:
                await self.exchange(question, by_tcp=False, timeout=HEALTH_TIMEOUT)
                break
            except Unanswered:
                self._fails += 1
            await self._process.sim.sleep(self._interval, "coredns: health check")
        self._fails, self._checking = 0, False


async def _message(connection: Connection, timeout: float) -> bytes:
    """Return the next message, which has its length before it. Raises EOFError, NetworkError."""
    received = b""
    while len(received) < 2 or len(received) < 2 + int.from_bytes(received[:2], "big"):
        data = await connection.recv(timeout)
        if not data:
            raise EOFError
        received += data
    return received[2:]


def _words(error: NetworkError, call: str) -> str:
    """Return an error as Go's net package words it: with the system call, if one failed."""
    return "i/o timeout" if isinstance(error, TimedOut) else f"{call}: {error.words.lower()}"
