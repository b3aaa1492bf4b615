"""UDP sockets and ping: single datagrams, with nobody to send them again.

A socket that is connected to one peer hears of ICMP errors ("Connection refused"); an
unconnected one does not, and waits in vain. A server that answers a datagram of a recorded
journey sends its answer on the same journey.

Rule of use: give every `recv_from` a timeout, as a resolver does.

Upstream: Linux net/ipv4/udp.c, ping.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux import latency
from k8slab.linux.addresses import joined
from k8slab.linux.errors import BrokenPipe, NetworkError, ProhibitedByFilter, TimedOut
from k8slab.linux.packet import Packet
from k8slab.sim import Queue, Signal

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey, Leg
    from k8slab.linux.netns import NetNamespace

REMEMBERED_LEGS = 64  # peers on a journey that a server keeps in mind
PING_PAYLOAD = bytes(56)

Datagram = tuple[bytes, tuple[str, int]]  # data, (ip, port) of the sender


class UdpSocket:
    """A socket on ip:port that sends and receives datagrams."""

    def __init__(
        self, namespace: NetNamespace, ip: str, port: int, owner: object, journey: Journey | None
    ) -> None:
        self.namespace = namespace
        self.ip = ip
        self.port = namespace.sockets.bind("udp", ip, port)
        self.owner = owner
        self.peer: tuple[str, int] | None = None
        self.error: NetworkError | None = None
        self.closed = False
        self._journey = journey
        self._legs: dict[tuple[str, int], list[Leg]] = {}
        self._incoming: Queue[Packet | None] = Queue(namespace.sim, f"recv udp :{self.port}")
        namespace.sockets.datagrams.setdefault(self.port, []).append(self)

    def connect(self, ip: str, port: int) -> None:
        """Talk to one peer only, and hear of its errors. Raises NetworkUnreachable."""
        self.namespace.source_for(ip)
        self.peer = (ip, port)

    def send_to(self, data: bytes, ip: str, port: int) -> None:
        """Send one datagram.

        Raises NetworkUnreachable, ProhibitedByFilter (the own OUTPUT chain says no), and
        an error that an earlier datagram met.
        """
        if self.closed:
            raise BrokenPipe(joined(ip, port))
        self._raise_error()
        leg = self._leg(ip, port)
        source = self.ip if self.ip != "0.0.0.0" else self.namespace.source_for(ip)
        packet = Packet("udp", source, ip, self.port, port, payload=data, leg=leg)
        if leg is not None:
            leg.record(self.namespace, "SOCKET", packet)
        if self.namespace.send(packet) != "ACCEPT":
            raise ProhibitedByFilter(joined(ip, port))

    def send(self, data: bytes) -> None:
        """Send one datagram to the peer given to `connect`."""
        if self.peer is None:
            raise ValueError("send needs connect(ip, port) first, or use send_to")
        self.send_to(data, *self.peer)

    async def recv_from(self, timeout: float | None = None) -> Datagram:
        """Return the next datagram and who sent it.

        Raises TimedOut after `timeout` virtual seconds, ConnectionRefused on a connected socket,
        BrokenPipe once the socket is closed.
        """
        self._raise_error()
        if self.closed:
            raise BrokenPipe(joined(self.ip, self.port))
        try:
            packet = await self._incoming.get(timeout)
        except TimeoutError:
            raise TimedOut(f"udp {self.ip}:{self.port}") from None
        if packet is None:
            self._raise_error()
            raise BrokenPipe(joined(self.ip, self.port))
        return packet.payload, (packet.src, packet.sport)

    def close(self) -> None:
        """Give the port back."""
        if self.closed:
            return
        self.closed = True
        table = self.namespace.sockets.datagrams
        same = table.get(self.port, [])
        if self in same:
            same.remove(self)
        if not same:
            table.pop(self.port, None)
        self._incoming.put(None)

    # -- what the kernel calls

    def accepts(self, packet: Packet) -> bool:
        """Say whether a datagram may come in: a connected socket knows one sender only."""
        return self.peer is None or self.peer == (packet.src, packet.sport)

    def take(self, packet: Packet) -> None:
        """Queue a datagram; remember its journey for the answer."""
        if packet.leg is not None:
            if len(self._legs) >= REMEMBERED_LEGS:
                self._legs.pop(next(iter(self._legs)))
            legs = self._legs.setdefault((packet.src, packet.sport), [])
            legs.append(packet.leg.opposite)
        self._incoming.put(packet)

    def unreachable(self, error: NetworkError, inner: Packet) -> None:
        """Take an ICMP error about a datagram that was sent."""
        if self.peer == (inner.dst, inner.dport):
            self.error = error
            self._incoming.put(None)

    def _leg(self, ip: str, port: int) -> Leg | None:
        """Return the journey on which a datagram to that peer is recorded."""
        if self._journey is not None:
            return self._journey.request
        legs = self._legs.get((ip, port))
        if not legs:
            return None
        if len(legs) == 1:
            del self._legs[(ip, port)]
        return legs.pop(0)

    def _raise_error(self) -> None:
        if self.error is not None:
            error, self.error = self.error, None
            raise error


class Echo:
    """One ICMP echo under way."""

    def __init__(self, namespace: NetNamespace, identifier: int) -> None:
        self.heard = Signal(namespace.sim, "echo reply")
        self.error: NetworkError | None = None
        self.answer: Packet | None = None
        namespace.sockets.echoes[identifier] = self

    def answered(self, packet: Packet) -> None:
        """Take the reply."""
        self.answer = packet
        self.heard.set()

    def failed(self, error: NetworkError) -> None:
        """Take an ICMP error in its place."""
        self.error = error
        self.heard.set()


async def ping(
    namespace: NetNamespace, ip: str, timeout: float | None, journey: Journey | None
) -> float:
    """Send one echo request and return the round-trip time (see `NetNamespace.ping`)."""
    source = namespace.source_for(ip)
    identifier = namespace.sockets.free_port("icmp") & 0xFFFF
    echo = Echo(namespace, identifier)
    leg = journey.request if journey is not None else None
    start = namespace.sim.now
    request = Packet(
        "icmp", source, ip, identifier, 1, icmp="echo-request", payload=PING_PAYLOAD, leg=leg
    )
    try:
        verdict = namespace.send(request)
        limit = latency.PING_TIMEOUT if timeout is None else timeout
        if not await echo.heard.wait(limit):
            raise TimedOut(ip) if verdict == "ACCEPT" else ProhibitedByFilter(ip)
    finally:
        namespace.sockets.echoes.pop(identifier, None)
    if echo.error is not None:
        raise echo.error
    return namespace.sim.now - start
