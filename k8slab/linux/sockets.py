"""The sockets of one namespace: who gets a packet that was delivered, and which ports are taken.

A TCP segment belongs to the connection with its four numbers, else (a SYN) to a listener; a
datagram to the socket of its port. A socket bound to the very address wins over one on 0.0.0.0.
What nobody owns is refused: TCP by a RST, SCTP by an ABORT, UDP by an ICMP port unreachable.

Rule of use: sockets add and remove themselves; others only call `deliver` and `close_owned_by`.

Upstream: Linux net/ipv4/inet_hashtables.c, net/ipv4/icmp.c
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from k8slab.linux.addresses import joined
from k8slab.linux.errors import (
    AddressInUse,
    AddressNotAvailable,
    ConnectionRefused,
    NetworkError,
    NetworkUnreachable,
    NoRoute,
)
from k8slab.linux.ip_path import reply_error
from k8slab.linux.latency import EPHEMERAL_PORTS
from k8slab.linux.packet import Packet, answer, icmp_error

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace
    from k8slab.linux.sctp_open import SctpListener, SctpTable
    from k8slab.linux.tcp import Connection
    from k8slab.linux.tcp_open import Listener
    from k8slab.linux.udp import Echo, UdpSocket

ANY = "0.0.0.0"  # and [::]: a socket on every address takes packets of both families
# A UDP socket does not hear of these: they may pass (icmp_err_convert, not fatal).
SOFT_ERRORS = ("net-unreachable", "host-unreachable", "time-exceeded")

Bound = TypeVar("Bound", "Listener", "SctpListener", "UdpSocket")
Key = tuple[str, int, str, int]  # own address and port, the other's address and port


class SocketTable:
    """Listeners and UDP sockets by port, TCP connections by their four numbers."""

    def __init__(self, namespace: NetNamespace) -> None:
        self.namespace = namespace
        self.listeners: dict[int, list[Listener]] = {}
        self.datagrams: dict[int, list[UdpSocket]] = {}
        self.connections: dict[Key, Connection] = {}
        self.echoes: dict[int, Echo] = {}  # pings under way, by identifier
        self._sctp: SctpTable | None = None
        self._next_port = 0

    @property
    def sctp(self) -> SctpTable:
        """What there is of SCTP; few programs use it, so asking makes the table."""
        if self._sctp is None:
            from k8slab.linux.sctp_open import SctpTable

            self._sctp = SctpTable(self.namespace)
        return self._sctp

    # -- ports

    def bind(self, protocol: str, ip: str, port: int) -> int:
        """Return the port that the socket gets. Raises AddressInUse, AddressNotAvailable."""
        if ip != ANY and not self.namespace.is_local(ip):
            raise AddressNotAvailable(joined(ip, port))
        if port == 0:
            return self.free_port(protocol)
        for socket in self._taken(protocol).get(port, ()):
            if ip == ANY or socket.ip in (ANY, ip):
                raise AddressInUse(joined(ip, port))
        return port

    def free_port(self, protocol: str, remote: tuple[str, int] | None = None, ip: str = "") -> int:
        """Return the next ephemeral port that no socket of the namespace uses."""
        taken = self._taken(protocol)
        if self._next_port == 0:
            seed = f"{self.namespace.sim.streams.seed}/{self.namespace.name}/ports"
            digest = hashlib.sha256(seed.encode()).digest()
            self._next_port = int.from_bytes(digest[:4], "big")
        for _ in EPHEMERAL_PORTS:
            self._next_port += 1
            port = EPHEMERAL_PORTS[self._next_port % len(EPHEMERAL_PORTS)]
            if port in taken:
                continue
            if remote is None or (ip, port, *remote) not in self.connections:
                return port
        raise AddressNotAvailable(f"no free {protocol} port")

    def _taken(self, protocol: str) -> Mapping[int, Sequence[Listener | SctpListener | UdpSocket]]:
        if protocol == "sctp":
            return self.sctp.listeners
        return self.listeners if protocol == "tcp" else self.datagrams

    # -- delivery

    def deliver(self, packet: Packet) -> None:
        """Hand a packet for this namespace to the socket that it belongs to."""
        if packet.protocol == "tcp":
            self._deliver_tcp(packet)
        elif packet.protocol == "udp":
            self._deliver_udp(packet)
        elif packet.protocol == "sctp":
            self.sctp.deliver(packet, _bound(self.sctp.listeners.get(packet.dport), packet.dst))
        elif packet.inner is not None:
            self._deliver_error(packet, packet.inner)
        elif packet.icmp == "echo-request":
            self.reply(answer(packet, icmp="echo-reply", payload=packet.payload))
        elif packet.icmp == "echo-reply" and packet.sport in self.echoes:
            self.echoes[packet.sport].answered(packet)

    def reply(self, packet: Packet) -> None:
        """Send a packet that the kernel itself makes; without a route it is just not sent."""
        try:
            self.namespace.send(packet)
        except NetworkUnreachable:
            if packet.leg is not None:
                packet.leg.record(self.namespace, "NO ROUTE", packet)

    def _deliver_tcp(self, packet: Packet) -> None:
        connection = self.connections.get((packet.dst, packet.dport, packet.src, packet.sport))
        if connection is not None:
            self._record(packet, "SOCKET", str(connection.owner or ""))
            connection.take(packet)
            return
        listener = _bound(self.listeners.get(packet.dport), packet.dst)
        if listener is not None and packet.flags == "SYN":
            self._record(packet, "SOCKET", f"listening on {listener.ip}:{listener.port}")
            listener.take(packet)
        elif "RST" not in packet.flags:
            self._record(packet, "CLOSED PORT", f"nothing listens on tcp port {packet.dport}")
            used = len(packet.payload) + ("SYN" in packet.flags) + ("FIN" in packet.flags)
            self.reply(answer(packet, flags="RST,ACK", seq=packet.ack, ack=packet.seq + used))

    def _deliver_udp(self, packet: Packet) -> None:
        socket = _bound(self.datagrams.get(packet.dport), packet.dst)
        if socket is not None and socket.accepts(packet):
            self._record(packet, "SOCKET", f"bound to {socket.ip}:{socket.port}")
            socket.take(packet)
        else:
            self._record(packet, "CLOSED PORT", f"nothing listens on udp port {packet.dport}")
            self._refuse_datagram(packet)

    def _refuse_datagram(self, packet: Packet) -> None:
        if self.namespace.netfilter is None:
            reply_error(self.namespace, "port-unreachable", packet)
        else:
            self.reply(icmp_error("port-unreachable", packet, packet.dst))

    def _deliver_error(self, packet: Packet, inner: Packet) -> None:
        error = _ERRORS.get(packet.icmp, NoRoute)(joined(inner.dst, inner.dport))
        error.icmp, error.told_by = packet.icmp, packet.src
        if inner.protocol == "tcp":
            connection = self.connections.get((inner.src, inner.sport, inner.dst, inner.dport))
            if connection is not None:
                connection.unreachable(error)
        elif inner.protocol == "udp" and packet.icmp not in SOFT_ERRORS:
            socket = _bound(self.datagrams.get(inner.sport), inner.src)
            if socket is not None:
                socket.unreachable(error, inner)
        elif inner.protocol == "icmp" and inner.sport in self.echoes:
            self.echoes[inner.sport].failed(error)

    # -- ends

    def close_owned_by(self, owner: object) -> None:
        """Close every socket that `owner` opened or accepted."""
        for listeners in list(self.listeners.values()):
            for listener in list(listeners):
                if listener.owner == owner:
                    listener.close()
        for connection in list(self.connections.values()):
            if connection.owner == owner:
                connection.close()
        for sockets in list(self.datagrams.values()):
            for socket in list(sockets):
                if socket.owner == owner:
                    socket.close()
        if self._sctp is not None:
            self._sctp.close_owned_by(owner)

    def abandon(self) -> None:
        """Forget everything without a word to anybody."""
        for connection in list(self.connections.values()):
            connection.forget()
        self.listeners.clear()
        self.datagrams.clear()
        if self._sctp is not None:
            self._sctp.abandon()

    def _record(self, packet: Packet, point: str, note: str) -> None:
        if packet.leg is not None:
            packet.leg.record(self.namespace, point, packet, note=note)


_ERRORS: dict[str, type[NetworkError]] = {
    "port-unreachable": ConnectionRefused,
    "proto-unreachable": ConnectionRefused,
    "net-unreachable": NetworkUnreachable,
}


def _bound(sockets: list[Bound] | None, ip: str) -> Bound | None:
    """Return the socket bound to the address, else the one bound to every address."""
    found = None
    for socket in sockets or ():
        if socket.ip == ip:
            return socket
        if socket.ip == ANY:
            found = socket
    return found
