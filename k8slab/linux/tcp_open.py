"""How TCP connections begin: listeners on the one side, `connect` on the other.

`Listener.accept` hands out connections whose handshake is complete; `connect` returns one, or
raises what the handshake met: refused, no route, no answer.

Rule of use: programs come here through `NetNamespace.listen` and `NetNamespace.connect`.

Upstream: Linux net/ipv4/inet_connection_sock.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux import latency
from k8slab.linux.addresses import joined
from k8slab.linux.errors import TimedOut
from k8slab.linux.packet import Packet
from k8slab.linux.tcp import Connection
from k8slab.sim import Queue, Signal

if TYPE_CHECKING:
    from k8slab.linux.journey import Journey
    from k8slab.linux.netns import NetNamespace


class Listener:
    """A socket that waits for connections on ip:port."""

    def __init__(self, namespace: NetNamespace, ip: str, port: int, owner: object) -> None:
        self.namespace = namespace
        self.ip = ip
        self.owner = owner
        self.port = namespace.sockets.bind("tcp", ip, port)
        self.closed = False
        self._accepted: Queue[Connection] = Queue(namespace.sim, f"accept :{self.port}")
        namespace.sockets.listeners.setdefault(self.port, []).append(self)

    async def accept(self, timeout: float | None = None) -> Connection:
        """Return the next established connection. Raises TimedOut after `timeout` seconds."""
        try:
            return await self._accepted.get(timeout)
        except TimeoutError:
            raise TimedOut(joined(self.ip, self.port)) from None

    def take(self, packet: Packet) -> None:
        """Answer a SYN; the connection is accepted once the handshake is complete."""
        if len(self._accepted) >= latency.BACKLOG:
            return
        connection = Connection(
            self.namespace, (packet.dst, packet.dport), (packet.src, packet.sport), self.owner
        )
        connection.leg = packet.leg.opposite if packet.leg is not None else None
        connection.accept_from(packet, self)

    def established(self, connection: Connection) -> None:
        """Put a connection in line for `accept`."""
        self._accepted.put(connection)

    @property
    def waiting(self) -> int:
        """How many connections nobody has accepted yet."""
        return len(self._accepted)

    def close(self) -> None:
        """Stop listening; connections that nobody accepted are reset."""
        if self.closed:
            return
        self.closed = True
        same = self.namespace.sockets.listeners.get(self.port, [])
        if self in same:
            same.remove(self)
        if not same:
            self.namespace.sockets.listeners.pop(self.port, None)
        while (connection := self._accepted.get_nowait()) is not None:
            connection.abort()


async def connect(
    namespace: NetNamespace,
    ip: str,
    port: int,
    timeout: float | None,
    source: str,
    owner: object,
    journey: Journey | None,
) -> Connection:
    """Open a connection (see `NetNamespace.connect`)."""
    local_ip = source or namespace.source_for(ip)
    local_port = namespace.sockets.free_port("tcp", (ip, port), local_ip)
    connection = Connection(namespace, (local_ip, local_port), (ip, port), owner)
    connection.leg = journey.request if journey is not None else None
    opened = Signal(namespace.sim, f"connect {ip}:{port}")
    connection.begin(opened)
    try:
        in_time = await opened.wait(timeout)
    except BaseException:
        connection.abort()
        raise
    if connection.error is not None:
        raise connection.error
    if not in_time or not connection.established:
        connection.abort()
        raise TimedOut(joined(ip, port))
    return connection
