"""Connection tracking: which packets belong together, and what NAT made of them.

An `Entry` has two tuples: `original`, as the first packet came, and `reply`, as the answer will
come; where they are not mirror images, NAT rewrites. An entry is unconfirmed until its first
packet leaves the namespace or reaches a socket: a dropped packet leaves no trace. Entries end by
virtual time, looked at only when somebody asks, so that an idle table costs nothing.

Rule of use: `enter` once for each packet, `confirm` at its last hook.

Upstream: Linux net/netfilter/nf_conntrack_core.c, nf_conntrack_proto_tcp.c
"""

from __future__ import annotations

from collections.abc import Callable

from k8slab.linux import conntrack_sctp, latency
from k8slab.linux.addresses import is_ipv6
from k8slab.linux.context import Context
from k8slab.linux.matches import PROTOCOL_NUMBERS
from k8slab.linux.packet import UNTRACKED, Packet

SWEEP_FROM = 1024  # entries in the table before the first sweep of the expired ones
# TCP segments and SCTP chunks with which no connection begins, and those that may not follow an
# unanswered SYN.
CANNOT_BEGIN = ("SYN,ACK", "RST", "RST,ACK", "FIN,ACK", *conntrack_sctp.CANNOT_BEGIN)
CANNOT_FOLLOW_SYN = ("ACK", "PSH,ACK", "FIN,ACK")
UDP_STREAM_AFTER = 2.0  # s of talk that make a UDP flow a stream

Tuple = tuple[str, str, int, str, int]  # protocol, source, its port, destination, its port


def tuple_of(packet: Packet) -> Tuple:
    """Return the tuple that identifies the packet's flow; ICMP echoes have an id for a port."""
    port = 0 if packet.protocol == "icmp" else packet.dport
    return (packet.protocol, packet.src, packet.sport, packet.dst, port)


def invert(flow: Tuple) -> Tuple:
    """Return the tuple of the answer."""
    protocol, src, sport, dst, dport = flow
    if protocol == "icmp":
        return (protocol, dst, sport, src, dport)
    return (protocol, dst, dport, src, sport)


class Entry:
    """One tracked connection."""

    __slots__ = (
        "assured", "confirmed", "destination_bound", "dnat", "expires", "fin_reply", "original",
        "reply", "seen_reply", "snat", "source_bound", "started", "state",
    )  # fmt: skip

    def __init__(self, original: Tuple, now: float) -> None:
        self.original = original
        self.reply = invert(original)
        self.state = ""  # TCP and SCTP only
        self.seen_reply = False
        self.assured = False
        self.confirmed = False
        self.dnat = self.snat = False
        self.destination_bound = self.source_bound = False  # NAT has been decided
        self.fin_reply = False  # the first FIN came in the reply direction
        self.started = now
        self.expires = now

    @property
    def protocol(self) -> str:
        """The protocol."""
        return self.original[0]

    def original_packet(self) -> Packet:
        """Return a packet with the addresses of the first one."""
        protocol, src, sport, dst, dport = self.original
        return Packet(protocol, src, dst, sport, dport)

    def line(self, now: float) -> str:
        """Return the entry as `conntrack -L` prints it."""
        six = self.protocol == "icmp" and is_ipv6(self.original[1])
        name, number = ("icmpv6", 58) if six else (self.protocol, PROTOCOL_NUMBERS[self.protocol])
        words = [f"{name:<8} {number}"]
        words.append(str(max(0, round(self.expires - now))))
        words += [self.state] if self.state else []
        words.append(_side(self.original, 128 if six else 8))
        words += [] if self.seen_reply else ["[UNREPLIED]"]
        words.append(_side(self.reply, 129 if six else 0))
        words += ["[ASSURED]"] if self.assured else []
        return " ".join([*words, "mark=0", "use=1"])


class Conntrack:
    """The connections of one namespace, found by either tuple."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.timeouts = dict(latency.CONNTRACK)  # s; kube-proxy changes some
        self._entries: dict[Tuple, Entry] = {}
        self._sweep_at = SWEEP_FROM

    # -- the life of an entry

    def enter(self, packet: Packet, context: Context) -> None:
        """Find or begin the packet's connection; sets entry, state and direction in the context."""
        context.entry, context.state, context.reply = None, "INVALID", False
        if packet.tracked == UNTRACKED:
            context.untracked = True
        if context.untracked:
            context.state = "UNTRACKED"
            return
        if packet.inner is not None:
            self._relate(packet.inner, context)
            return
        if packet.tracked is not None:  # it went out and comes back over lo, already rewritten
            context.entry, context.reply = packet.tracked
            assert context.entry is not None
            context.state = "ESTABLISHED" if context.entry.seen_reply else "NEW"
            return
        flow = tuple_of(packet)
        entry = self._find(flow)
        now = self.now()
        if entry is not None and packet.flags == "SYN" and entry.state in ("TIME_WAIT", "CLOSE"):
            self._remove(entry)
            entry = None
        if entry is None:
            if packet.flags in CANNOT_BEGIN or packet.icmp == "echo-reply":
                return
            entry = Entry(flow, now)
        reply = entry.confirmed and flow == entry.reply and flow != entry.original
        if entry.state == "SYN_SENT" and not reply and packet.flags in CANNOT_FOLLOW_SYN:
            return  # the answer took another way: this node cannot follow the connection
        context.entry, context.reply = entry, reply
        if context.reply:
            entry.seen_reply = True
        context.state = "ESTABLISHED" if entry.seen_reply else "NEW"
        self._advance(entry, packet, context.reply, now)

    def confirm(self, entry: Entry | None) -> None:
        """Put the entry into the table, if it is not there."""
        if entry is None or entry.confirmed:
            return
        entry.confirmed = True
        self._entries[entry.original] = entry
        self._entries[entry.reply] = entry
        if len(self._entries) > self._sweep_at:
            self._sweep()

    def is_free(self, reply: Tuple) -> bool:
        """Say whether no other connection expects that answer."""
        return self._find(reply) is None

    def _find(self, flow: Tuple) -> Entry | None:
        entry = self._entries.get(flow)
        if entry is not None and entry.expires < self.now():
            self._remove(entry)
            return None
        return entry

    def _relate(self, inner: Packet, context: Context) -> None:
        """An ICMP error belongs to the connection of the packet that it quotes."""
        flow = invert(tuple_of(inner))
        entry = self._find(flow)
        if entry is not None:
            context.entry, context.state = entry, "RELATED"
            context.reply = flow == entry.reply

    def _remove(self, entry: Entry) -> None:
        for flow in (entry.original, entry.reply):
            if self._entries.get(flow) is entry:
                del self._entries[flow]

    def _sweep(self) -> None:
        self.entries()
        self._sweep_at = max(SWEEP_FROM, 2 * len(self._entries))

    # -- states

    def _advance(self, entry: Entry, packet: Packet, reply: bool, now: float) -> None:
        if entry.protocol == "tcp":
            entry.state = next_state(entry, packet.flags, reply)
            entry.assured = entry.assured or entry.state == "ESTABLISHED"
            name = entry.state
        elif entry.protocol == "udp":
            stream = entry.seen_reply and now - entry.started > UDP_STREAM_AFTER
            entry.assured = entry.assured or stream
            name = "UDP_STREAM" if entry.assured else "UDP"
        elif entry.protocol == "sctp":
            entry.state = conntrack_sctp.next_state(entry.state, packet.flags, reply)
            established = entry.state == conntrack_sctp.ESTABLISHED
            entry.assured = entry.assured or (established and reply)
            name = f"SCTP_{entry.state}"
        else:
            name = entry.protocol.upper()
        entry.expires = now + self.timeouts[name]

    # -- tools

    def entries(self) -> list[Entry]:
        """Return the living entries, oldest first; the expired ones are taken out."""
        now = self.now()
        expired = [entry for entry in self._entries.values() if entry.expires < now]
        for entry in expired:
            self._remove(entry)
        return [entry for flow, entry in self._entries.items() if flow == entry.original]

    def list(self) -> str:
        """Return what `conntrack -L` prints on its standard output."""
        now = self.now()
        return "".join(f"{entry.line(now)}\n" for entry in self.entries())

    def delete(
        self,
        *,
        protocol: str = "udp",
        original_dst: str = "",
        original_dport: int = 0,
        reply_src: str = "",
    ) -> int:
        """Delete the entries that fit, as `conntrack -D` does, and return how many.

        kube-proxy flushes UDP: by `original_dst` (--orig-dst) for a ClusterIP, by
        `original_dport` for a node port, with `reply_src` (--reply-src) for one endpoint.
        """
        doomed = [
            entry
            for entry in self.entries()
            if entry.protocol == protocol
            and original_dst in ("", entry.original[3])
            and original_dport in (0, entry.original[4])
            and reply_src in ("", entry.reply[1])
        ]
        for entry in doomed:
            self._remove(entry)
        return len(doomed)

    def describe(self, entry: Entry | None) -> str:
        """Return the entry's line, empty without one."""
        return "" if entry is None else entry.line(self.now())

    def __len__(self) -> int:
        return len(self.entries())


def next_state(entry: Entry, flags: str, reply: bool) -> str:
    """Return the TCP state of the connection after a segment with these flags."""
    state = entry.state
    if "RST" in flags:
        return "CLOSE"
    if flags == "SYN":
        return "SYN_SENT" if not reply else state
    if flags == "SYN,ACK":
        return "SYN_RECV" if state in ("SYN_SENT", "SYN_RECV") else state
    if "FIN" in flags:
        if state in ("FIN_WAIT", "CLOSE_WAIT"):
            return "LAST_ACK" if reply != entry.fin_reply else state
        if state not in ("LAST_ACK", "TIME_WAIT"):
            entry.fin_reply = reply
            return "FIN_WAIT"
        return state
    if state in ("", "SYN_RECV"):  # "" picks up a connection whose beginning was not seen
        return "ESTABLISHED" if not reply else state
    if state == "FIN_WAIT":
        return "CLOSE_WAIT" if reply != entry.fin_reply else state
    if state == "LAST_ACK":
        return "TIME_WAIT" if reply == entry.fin_reply else state
    return state


def _side(flow: Tuple, icmp_type: int) -> str:
    protocol, src, sport, dst, dport = flow
    if protocol == "icmp":
        return f"src={src} dst={dst} type={icmp_type} code=0 id={sport}"
    return f"src={src} dst={dst} sport={sport} dport={dport}"
