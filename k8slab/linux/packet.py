"""A packet: what travels between namespaces, one immutable value for each moment of its way.

A rule that rewrites a packet makes a new one (`rewrite`), so a journey can show it before and
after. TCP segments are whole messages; there is no MTU and no window.

Rule of use: never keep a packet's `leg` (the recorder of a journey) beyond the packet's life.

Upstream: Linux include/linux/skbuff.h
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from k8slab.linux.addresses import is_ipv6, joined

if TYPE_CHECKING:
    from k8slab.linux.conntrack import Entry
    from k8slab.linux.journey import Leg

rewrite = msgspec.structs.replace  # a packet with some fields changed

UNTRACKED: Final = (None, False)  # in the place of a packet's connection
IP_HEADER, IP6_HEADER, TCP_HEADER, OTHER_HEADER = 20, 40, 20, 8  # bytes
SCTP_HEADER = 28  # with that of one DATA chunk

# ICMP message -> (type, code)
ICMP_TYPES = {
    "echo-reply": (0, 0),
    "net-unreachable": (3, 0),
    "host-unreachable": (3, 1),
    "proto-unreachable": (3, 2),
    "port-unreachable": (3, 3),
    "net-prohibited": (3, 9),
    "host-prohibited": (3, 10),
    "admin-prohibited": (3, 13),
    "echo-request": (8, 0),
    "time-exceeded": (11, 0),
}


# what ip6tables and nft call errors of ICMPv6 -> the names above
ICMP6_KINDS = {
    "no-route": "net-unreachable",
    "addr-unreachable": "host-unreachable",
    "adm-prohibited": "admin-prohibited",
}


class Packet(msgspec.Struct, frozen=True, gc=False):
    """An IP packet with its TCP, UDP or ICMP content.

    >>> print(Packet("tcp", "10.244.1.5", "10.96.0.10", 40000, 53, flags="SYN"))
    tcp 10.244.1.5:40000 > 10.96.0.10:53 SYN
    """

    protocol: str  # "tcp", "udp", "icmp" (of either family) or "sctp"
    src: str
    dst: str
    sport: int = 0  # ICMP echo: the identifier
    dport: int = 0  # ICMP echo: the sequence number
    # TCP: "SYN", "SYN,ACK", "ACK", "PSH,ACK", "FIN,ACK", "RST", "RST,ACK"; SCTP: its chunk, "INIT"
    flags: str = ""
    payload: bytes = b""
    seq: int = 0  # TCP: number of the first byte
    ack: int = 0  # TCP: the next byte expected
    mark: int = 0  # never leaves the namespace
    ttl: int = 64
    icmp: str = ""  # ICMP: a key of ICMP_TYPES
    inner: Packet | None = None  # ICMP errors: the packet that they answer
    leg: Leg | None = None  # where to record this packet's hops; None costs nothing
    # Only on lo: the connection and whether the packet replies; without a connection untracked.
    tracked: tuple[Entry | None, bool] | None = None

    @property
    def length(self) -> int:
        """Bytes on the wire, as the counters of rules count them."""
        header = IP6_HEADER if ":" in self.dst else IP_HEADER
        if self.protocol == "tcp":
            return header + TCP_HEADER + len(self.payload)
        if self.protocol == "sctp":
            return header + SCTP_HEADER + len(self.payload)
        quoted = 0 if self.inner is None else header + OTHER_HEADER
        return header + OTHER_HEADER + quoted + len(self.payload)

    @property
    def is_error(self) -> bool:
        """Whether this is an ICMP error, which must never be answered by another."""
        return self.inner is not None

    def __str__(self) -> str:
        if self.protocol == "icmp":
            about = f" ({self.inner})" if self.inner is not None else ""
            icmp = "icmp6" if is_ipv6(self.dst) else "icmp"
            return f"{icmp} {self.src} > {self.dst} {self.icmp}{about}"
        size = f" {len(self.payload)} B" if self.payload else ""
        flags = f" {self.flags}" if self.flags else ""
        ends = f"{joined(self.src, self.sport)} > {joined(self.dst, self.dport)}"
        return f"{self.protocol} {ends}{flags}{size}"


def answer(packet: Packet, **fields: Any) -> Packet:
    """Return a packet of the same protocol in the opposite direction."""
    leg = packet.leg
    ports = (packet.dport, packet.sport)
    if packet.protocol == "icmp":  # identifier and sequence number stay where they are
        ports = (packet.sport, packet.dport)
    return Packet(
        packet.protocol,
        packet.dst,
        packet.src,
        *ports,
        leg=leg.opposite if leg is not None else None,
        **fields,
    )


def icmp_error(kind: str, packet: Packet, source: str) -> Packet:
    """Return the ICMP error that `source` sends to the sender of `packet`."""
    leg = packet.leg
    return Packet(
        "icmp",
        source,
        packet.src,
        icmp=kind,
        inner=rewrite(packet, leg=None, payload=b""),
        leg=leg.opposite if leg is not None else None,
    )
