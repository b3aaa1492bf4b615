"""TCP: a handshake, messages that are acknowledged or sent again, and an orderly end.

`Connection.send`, `recv` and `close` are what a program calls; tcp_open.py makes connections. A
message is one segment whatever its size: no windows, no congestion. What is lost is
retransmitted with a doubling time-out, so a dead peer shows as in a real kernel: `connect` gives
up after 127 s, unacknowledged data after about a quarter of an hour.

Rule of use: `recv` returns b"" at the end of the stream; close what you opened.

Upstream: Linux net/ipv4/tcp.c, tcp_input.c, tcp_timer.c
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from k8slab.linux import latency
from k8slab.linux.errors import (
    BrokenPipe,
    ConnectionRefused,
    ConnectionReset,
    NetworkError,
    TimedOut,
)
from k8slab.linux.packet import Packet
from k8slab.sim import Queue, Signal, Timer

if TYPE_CHECKING:
    from k8slab.linux.journey import Leg
    from k8slab.linux.netns import NetNamespace
    from k8slab.linux.tcp_open import Listener


class Connection:
    """One end of a TCP connection; `state` is the word that `ss` prints for it."""

    __slots__ = (
        "_acknowledge", "_attempts", "_incoming", "_listener", "_opened", "_received",
        "_sent", "_timer", "_unacknowledged", "_unread", "closed", "error", "leg", "local",
        "namespace", "owner", "remote", "state",
    )  # fmt: skip

    def __init__(
        self,
        namespace: NetNamespace,
        local: tuple[str, int],
        remote: tuple[str, int],
        owner: object,
    ) -> None:
        self.namespace = namespace
        self.local = local  # address and port of this end
        self.remote = remote  # as this end sees it: a ClusterIP stays a ClusterIP
        self.owner = owner
        self.state = "SYN-SENT"
        self.closed = False  # by this end
        self.error: NetworkError | None = None
        self.leg: Leg | None = None
        self._sent = 0  # sequence number of the next byte out
        self._received = 0  # of the next byte in
        self._unacknowledged: deque[Packet] = deque()
        self._attempts = 0
        self._timer: Timer | None = None  # retransmission
        self._acknowledge: Timer | None = None  # delayed acknowledgement
        self._opened: Signal | None = None
        self._listener: Listener | None = None
        self._unread = 0
        self._incoming: Queue[bytes] = Queue(namespace.sim, f"recv {local[0]}:{local[1]}")
        namespace.sockets.connections[(*local, *remote)] = self

    # -- what a program calls

    @property
    def established(self) -> bool:
        """Whether data may be sent."""
        return self.state in ("ESTAB", "CLOSE-WAIT") and not self.closed

    async def send(self, data: bytes) -> None:
        """Send one message. Raises BrokenPipe, ConnectionReset, TimedOut."""
        if self.error is not None:
            raise self.error
        if not self.established:
            raise BrokenPipe(_text(self.remote))
        if data:
            self._transmit("PSH,ACK", data)

    async def recv(self, timeout: float | None = None) -> bytes:
        """Return the next message, b"" once the other end has closed.

        Raises ConnectionReset, and TimedOut after `timeout` virtual seconds.
        """
        if not self._unread:
            if self.error is not None:
                raise self.error
            if self.state in ("CLOSE-WAIT", "LAST-ACK", "CLOSED") or self.closed:
                return b""
        try:
            data = await self._incoming.get(timeout)
        except TimeoutError:
            raise TimedOut(_text(self.remote)) from None
        if data:
            self._unread -= 1
        elif self.error is not None:
            raise self.error
        return data

    def close(self) -> None:
        """End this direction (FIN), or the whole connection (RST) if data was left unread."""
        if self.closed or self.state == "CLOSED":
            self.closed = True
            return
        if self._unread or self.state in ("SYN-SENT", "SYN-RECV"):
            self.abort()
            return
        self.closed = True
        last = self.state == "CLOSE-WAIT"
        self.state = "LAST-ACK" if last else "FIN-WAIT-1"
        self._transmit("FIN,ACK", b"")
        if not last:
            self._incoming.put(b"")

    def abort(self) -> None:
        """Reset the connection."""
        if self.state not in ("CLOSED", "SYN-SENT"):
            self._emit("RST,ACK", b"", self._sent)
        self.closed = True
        self.forget()

    # -- what the kernel calls

    def begin(self, opened: Signal) -> None:
        """Send the SYN; `opened` is set once the handshake is over, well or not."""
        self._opened = opened
        self._transmit("SYN", b"")

    def accept_from(self, packet: Packet, listener: Listener) -> None:
        """Answer the SYN."""
        self._listener = listener
        self.state = "SYN-RECV"
        self._received = packet.seq + 1
        self._transmit("SYN,ACK", b"")

    def take(self, packet: Packet) -> None:
        """Process one segment."""
        flags = packet.flags
        if packet.leg is not None:
            self.leg = packet.leg.opposite
        if "RST" in flags:
            self._reset()
        elif flags == "SYN":
            self._acknowledge_now()  # our answer was lost, or still on its way
        elif flags == "SYN,ACK":
            self._take_answer(packet)
        else:
            self._take_acknowledgement(packet.ack)
            if packet.payload or "FIN" in flags:
                self._take_data(packet)

    def unreachable(self, error: NetworkError) -> None:
        """Take an ICMP error: it ends a connection that is being opened, no other."""
        if self.state == "SYN-SENT":
            self._fail(error)

    def forget(self) -> None:
        """Leave the table and wake whoever waits."""
        self.state = "CLOSED"
        for timer in (self._timer, self._acknowledge):
            if timer is not None:
                timer.cancel()
        self._timer = self._acknowledge = None
        self._unacknowledged.clear()
        key = (*self.local, *self.remote)
        if self.namespace.sockets.connections.get(key) is self:
            del self.namespace.sockets.connections[key]
        if self._opened is not None:
            self._opened.set()
        self._incoming.put(b"")

    # -- segments in

    def _take_answer(self, packet: Packet) -> None:
        if self.state == "SYN-SENT":
            self.state = "ESTAB"
            self._received = packet.seq + 1
            self._take_acknowledgement(packet.ack)
            if self._opened is not None:
                self._opened.set()
        self._acknowledge_now()

    def _take_acknowledgement(self, ack: int) -> None:
        if self.state == "SYN-RECV":
            self.state = "ESTAB"
            assert self._listener is not None
            if self._listener.closed:
                self.abort()
                return
            self._listener.established(self)
        waiting = self._unacknowledged
        if not waiting or waiting[0].seq >= ack:
            return
        while waiting and waiting[0].seq < ack:
            waiting.popleft()
        self._attempts = 0
        self._rearm()
        if not waiting and self.closed:
            self._finished()

    def _take_data(self, packet: Packet) -> None:
        if packet.seq != self._received:
            self._acknowledge_now()  # a duplicate, or one is missing
            return
        if packet.payload:
            if self.closed:
                self.abort()
                return
            self._received += len(packet.payload)
            self._unread += 1
            self._incoming.put(packet.payload)
            self._acknowledge_soon()
        if "FIN" in packet.flags:
            self._received += 1
            self._acknowledge_now()
            self._incoming.put(b"")
            if self.state == "ESTAB":
                self.state = "CLOSE-WAIT"
            elif self.state == "FIN-WAIT-1":
                self.state = "CLOSING"
            elif self.state == "FIN-WAIT-2":
                self.forget()

    def _finished(self) -> None:
        """Our FIN is acknowledged."""
        if self.state in ("LAST-ACK", "CLOSING"):
            self.forget()
        elif self.state == "FIN-WAIT-1":
            self.state = "FIN-WAIT-2"
            self._timer = self.namespace.sim.after(
                latency.FIN_TIMEOUT, self.forget, "tcp_fin_timeout"
            )

    def _reset(self) -> None:
        where = _text(self.remote)
        opening = self.state == "SYN-SENT"
        self._fail(ConnectionRefused(where) if opening else ConnectionReset(where))

    def _fail(self, error: NetworkError) -> None:
        self.error = error
        self.forget()

    # -- segments out

    def _transmit(self, flags: str, payload: bytes) -> None:
        """Send a segment that must be acknowledged."""
        seq = self._sent
        self._sent += len(payload) + ("SYN" in flags) + ("FIN" in flags)
        packet = self._emit(flags, payload, seq)
        if self.state == "CLOSED":
            return
        self._unacknowledged.append(packet)
        if len(self._unacknowledged) == 1:
            self._rearm()

    def _emit(self, flags: str, payload: bytes, seq: int) -> Packet:
        packet = Packet(
            "tcp", self.local[0], self.remote[0], self.local[1], self.remote[1],
            flags, payload, seq, self._received, leg=self.leg,
        )  # fmt: skip
        if self._acknowledge is not None:
            self._acknowledge.cancel()
            self._acknowledge = None
        self._put_out(packet)
        return packet

    def _put_out(self, packet: Packet) -> None:
        if packet.leg is not None:
            packet.leg.record(self.namespace, "SOCKET", packet)
        self.namespace.sockets.reply(packet)

    def _acknowledge_now(self) -> None:
        self._emit("ACK", b"", self._sent)

    def _acknowledge_soon(self) -> None:
        if self._acknowledge is None:
            self._acknowledge = self.namespace.sim.after(
                latency.DELAYED_ACK, self._acknowledge_late, "delayed ack"
            )

    def _acknowledge_late(self) -> None:
        self._acknowledge = None
        self._acknowledge_now()

    def _rearm(self) -> None:
        """Start the retransmission timer anew, or stop it when nothing is on its way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._unacknowledged:
            opening = "SYN" in self._unacknowledged[0].flags
            base = latency.SYN_TIMEOUT if opening else latency.DATA_TIMEOUT
            delay = min(base * 2**self._attempts, latency.DATA_TIMEOUT_MAX)
            retransmit = partial(self._retransmit, opening)
            self._timer = self.namespace.sim.after(delay, retransmit, "retransmit")

    def _retransmit(self, opening: bool) -> None:
        self._timer = None
        self._attempts += 1
        if self._attempts > (latency.SYN_RETRIES if opening else latency.DATA_RETRIES):
            self._fail(TimedOut(_text(self.remote)))
            return
        for packet in list(self._unacknowledged):
            self._put_out(packet)
        self._rearm()


def _text(end: tuple[str, int]) -> str:
    return f"{end[0]}:{end[1]}"
