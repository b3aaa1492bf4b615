"""Which SCTP socket gets a packet, how associations begin, and what strangers are told.

`SctpListener.accept` hands out associations whose cookie came back; `connect` returns one, or
raises what it met: nobody listens, no answer.

Rule of use: a namespace has a table only once a program uses SCTP (`SocketTable.sctp`).

Upstream: RFC 9260 section 8.4, Linux net/sctp/input.c, socket.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux import latency
from k8slab.linux.addresses import joined
from k8slab.linux.errors import TimedOut
from k8slab.linux.packet import Packet, answer
from k8slab.linux.sctp import Association
from k8slab.sim import Queue, Signal

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey
    from k8slab.linux.netns import NetNamespace

IGNORED = ("ABORT", "SHUTDOWN COMPLETE", "COOKIE ACK")  # out of the blue


class SctpTable:
    """Listeners by port, associations by their four numbers."""

    def __init__(self, namespace: NetNamespace) -> None:
        self.namespace = namespace
        self.listeners: dict[int, list[SctpListener]] = {}
        self.associations: dict[tuple[str, int, str, int], Association] = {}

    def deliver(self, packet: Packet, listener: SctpListener | None) -> None:
        """Hand a packet to its association, or to `listener`, which has its port."""
        key = (packet.dst, packet.dport, packet.src, packet.sport)
        association = self.associations.get(key)
        if association is not None:
            self._record(packet, "SOCKET", str(association.owner or ""))
            association.take(packet)
        elif listener is not None and packet.flags in ("INIT", "COOKIE ECHO"):
            self._record(packet, "SOCKET", f"listening on {joined(listener.ip, listener.port)}")
            listener.take(packet)
        elif packet.flags == "SHUTDOWN ACK":
            self.namespace.sockets.reply(answer(packet, flags="SHUTDOWN COMPLETE"))
        elif packet.flags not in IGNORED:
            self._record(packet, "CLOSED PORT", f"nothing listens on sctp port {packet.dport}")
            self.namespace.sockets.reply(answer(packet, flags="ABORT"))

    def close_owned_by(self, owner: object) -> None:
        """Close what `owner` opened or accepted."""
        for listeners in list(self.listeners.values()):
            for listener in list(listeners):
                if listener.owner == owner:
                    listener.close()
        for association in list(self.associations.values()):
            if association.owner == owner:
                association.close()

    def abandon(self) -> None:
        """Forget everything without a word to anybody."""
        for association in list(self.associations.values()):
            association.forget()
        self.listeners.clear()

    def _record(self, packet: Packet, point: str, note: str) -> None:
        if packet.leg is not None:
            packet.leg.record(self.namespace, point, packet, note=note)


class SctpListener:
    """A socket that waits for associations on ip:port."""

    def __init__(self, namespace: NetNamespace, ip: str, port: int, owner: object) -> None:
        self.namespace = namespace
        self.ip = ip
        self.owner = owner
        self.port = namespace.sockets.bind("sctp", ip, port)
        self.closed = False
        self._accepted: Queue[Association] = Queue(namespace.sim, f"accept sctp :{self.port}")
        namespace.sockets.sctp.listeners.setdefault(self.port, []).append(self)

    async def accept(self, timeout: float | None = None) -> Association:
        """Return the next association. Raises TimedOut after `timeout` seconds."""
        try:
            return await self._accepted.get(timeout)
        except TimeoutError:
            raise TimedOut(joined(self.ip, self.port)) from None

    def take(self, packet: Packet) -> None:
        """Answer an INIT with a cookie, without keeping anything; take a cookie that came back."""
        if packet.flags == "INIT":
            self.namespace.sockets.reply(answer(packet, flags="INIT ACK"))
        elif len(self._accepted) < latency.BACKLOG:
            local, remote = (packet.dst, packet.dport), (packet.src, packet.sport)
            association = Association(self.namespace, local, remote, self.owner)
            association.leg = packet.leg.opposite if packet.leg is not None else None
            association.establish()
            self._accepted.put(association)

    @property
    def waiting(self) -> int:
        """How many associations nobody has accepted yet."""
        return len(self._accepted)

    def close(self) -> None:
        """Stop listening; associations that nobody accepted are ended."""
        if self.closed:
            return
        self.closed = True
        listeners = self.namespace.sockets.sctp.listeners
        same = listeners.get(self.port, [])
        if self in same:
            same.remove(self)
        if not same:
            listeners.pop(self.port, None)
        while (association := self._accepted.get_nowait()) is not None:
            association.abort()


async def connect(
    namespace: NetNamespace,
    ip: str,
    port: int,
    timeout: float | None,
    owner: object,
    journey: Journey | None,
) -> Association:
    """Open an association (see `NetNamespace.sctp_connect`)."""
    local_ip = namespace.source_for(ip)
    local_port = namespace.sockets.free_port("sctp", (ip, port), local_ip)
    association = Association(namespace, (local_ip, local_port), (ip, port), owner)
    association.leg = journey.request if journey is not None else None
    opened = Signal(namespace.sim, f"connect sctp {joined(ip, port)}")
    association.begin(opened)
    try:
        in_time = await opened.wait(timeout)
    except BaseException:
        association.abort()
        raise
    if association.error is not None:
        raise association.error
    if not in_time or not association.established:
        association.abort()
        raise TimedOut(joined(ip, port))
    return association
