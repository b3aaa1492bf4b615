"""SCTP: an association of four steps, numbered messages, heartbeats, an end of three steps.

    client            server
    INIT         ->
                 <-   INIT ACK            the server keeps nothing yet: it is all in the cookie
    COOKIE ECHO  ->
                 <-   COOKIE ACK
    SHUTDOWN     ->                       when all data is acknowledged; there is no half-close
                 <-   SHUTDOWN ACK
    SHUTDOWN COMPLETE ->

A port on which nobody listens answers with an ABORT. ICMP errors end no association: a rule that
rejects looks like silence, and `connect` times out. One path, one stream, one chunk a packet; a
packet's `flags` name its chunk, `seq` and `ack` are numbers of messages.

Rule of use: programs come here through `NetNamespace.sctp_listen` and `sctp_connect`.

Upstream: RFC 9260, Linux net/sctp
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from k8slab.linux import latency
from k8slab.linux.addresses import joined
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

OPENING = ("COOKIE_WAIT", "COOKIE_ECHOED")
CHUNKS_PER_SACK = 2  # without waiting for SACK_DELAY


class Association:
    """One end of an association; `state` is the word that `ss -S` prints for it."""

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
        self.state = "COOKIE_WAIT"
        self.closed = False  # by this end
        self.error: NetworkError | None = None
        self.leg: Leg | None = None
        self._sent = 0  # number of the next message out
        self._received = 0  # of the next message in
        self._unanswered: deque[Packet] = deque()  # messages, or the one chunk of a step
        self._attempts = 0
        self._timer: Timer | None = None  # retransmission
        self._sack: Timer | None = None
        self._unacknowledged = 0  # messages in
        self._heartbeat: Timer | None = None
        self._unheard = 0  # heartbeats that nobody answered
        self._opened: Signal | None = None
        self._unread = 0
        self._incoming: Queue[bytes] = Queue(namespace.sim, f"recv sctp {joined(*local)}")
        namespace.sockets.sctp.associations[(*local, *remote)] = self

    # -- what a program calls

    @property
    def established(self) -> bool:
        """Whether messages may be sent."""
        return self.state == "ESTAB" and not self.closed

    async def send(self, data: bytes) -> None:
        """Send one message. Raises BrokenPipe, ConnectionReset, TimedOut."""
        if self.error is not None:
            raise self.error
        if not self.established:
            raise BrokenPipe(joined(*self.remote))
        self._sent += 1
        self._transmit("DATA", data, self._sent - 1)

    async def recv(self, timeout: float | None = None) -> bytes:
        """Return the next message, b"" once the other end shuts down.

        Raises ConnectionReset, and TimedOut after `timeout` virtual seconds.
        """
        if not self._unread:
            if self.error is not None:
                raise self.error
            if self.state != "ESTAB":
                return b""
        try:
            data = await self._incoming.get(timeout)
        except TimeoutError:
            raise TimedOut(joined(*self.remote)) from None
        if data:
            self._unread -= 1
        elif self.error is not None:
            raise self.error
        return data

    def close(self) -> None:
        """Shut the association down once everything is acknowledged."""
        if self.closed or self.state == "CLOSED":
            self.closed = True
        elif self.state in OPENING:
            self.abort()
        else:
            self.closed = True
            if self.state == "ESTAB":
                self.state = "SHUTDOWN_PENDING"
                self._incoming.put(b"")
            self._go_on_closing()

    def abort(self) -> None:
        """End the association at once."""
        if self.state not in ("CLOSED", *OPENING):
            self._emit("ABORT")
        self.closed = True
        self.forget()

    # -- what the kernel calls

    def begin(self, opened: Signal) -> None:
        """Send the INIT; `opened` is set once the association is there, or failed."""
        self._opened = opened
        self._transmit("INIT")

    def establish(self) -> None:
        """Take a cookie that came back: the association is there."""
        self.state = "ESTAB"
        self._emit("COOKIE ACK")
        self._beat_later()

    def take(self, packet: Packet) -> None:
        """Process one chunk."""
        if packet.leg is not None:
            self.leg = packet.leg.opposite
        chunk = packet.flags
        if chunk == "DATA":
            self._take_data(packet)
        elif chunk in ("SACK", "SHUTDOWN"):
            self._acknowledged(packet.ack)
            if chunk == "SHUTDOWN":
                self._take_shutdown()
            self._go_on_closing()
        elif chunk == "ABORT":
            where = joined(*self.remote)
            opening = self.state in OPENING
            self._fail(ConnectionRefused(where) if opening else ConnectionReset(where))
        else:
            self._take_step(chunk)

    def forget(self) -> None:
        """Leave the table and wake whoever waits."""
        self.state = "CLOSED"
        for timer in (self._timer, self._sack, self._heartbeat):
            if timer is not None:
                timer.cancel()
        self._timer = self._sack = self._heartbeat = None
        self._unanswered.clear()
        self.namespace.sockets.sctp.associations.pop((*self.local, *self.remote), None)
        if self._opened is not None:
            self._opened.set()
        self._incoming.put(b"")

    # -- chunks in

    def _take_step(self, chunk: str) -> None:
        """Take a chunk of the beginning, of the end, or of neither."""
        state = self.state
        if chunk == "INIT":
            self._emit("INIT ACK")
        elif chunk == "INIT ACK" and state == "COOKIE_WAIT":
            self._answered()
            self.state = "COOKIE_ECHOED"
            self._transmit("COOKIE ECHO")
        elif chunk == "COOKIE ECHO":
            self._emit("COOKIE ACK")  # ours was lost
        elif chunk == "COOKIE ACK" and state == "COOKIE_ECHOED":
            self._answered()
            self.state = "ESTAB"
            self._beat_later()
            if self._opened is not None:
                self._opened.set()
        elif chunk == "SHUTDOWN ACK" and state in ("SHUTDOWN_SENT", "ACK_SENT"):
            self._emit("SHUTDOWN COMPLETE")
            self.forget()
        elif chunk == "SHUTDOWN COMPLETE" and state == "ACK_SENT":
            self.forget()
        elif chunk == "HEARTBEAT":
            self._emit("HEARTBEAT ACK")
        elif chunk == "HEARTBEAT ACK":
            self._unheard = 0

    def _take_data(self, packet: Packet) -> None:
        if packet.seq != self._received:
            self._acknowledge()  # a duplicate, or one is missing
            return
        self._received += 1
        if self.closed:
            self._acknowledge()  # nobody will read it
            return
        self._unread += 1
        self._unacknowledged += 1
        self._incoming.put(packet.payload)
        if self._unacknowledged >= CHUNKS_PER_SACK:
            self._acknowledge()
        elif self._sack is None:
            self._sack = self.namespace.sim.after(latency.SACK_DELAY, self._acknowledge, "sack")

    def _acknowledged(self, ack: int) -> None:
        waiting = self._unanswered
        if not waiting or waiting[0].flags != "DATA" or waiting[0].seq >= ack:
            return
        while waiting and waiting[0].seq < ack:
            waiting.popleft()
        self._attempts = 0
        self._rearm()

    def _take_shutdown(self) -> None:
        if self.state in ("ESTAB", "SHUTDOWN_PENDING"):
            self.state = "SHUTDOWN_RECEIVED"
            self._incoming.put(b"")
        elif self.state == "SHUTDOWN_SENT":  # both at once
            self._answered()
            self.state = "SHUTDOWN_RECEIVED"

    def _go_on_closing(self) -> None:
        """Take the next step to the end, if nothing is on its way any more."""
        if self._unanswered:
            return
        if self.state == "SHUTDOWN_PENDING":
            self.state = "SHUTDOWN_SENT"
            self._transmit("SHUTDOWN")
        elif self.state == "SHUTDOWN_RECEIVED":
            self.state = "ACK_SENT"
            self._transmit("SHUTDOWN ACK")

    def _answered(self) -> None:
        self._unanswered.clear()
        self._attempts = 0
        self._rearm()

    def _fail(self, error: NetworkError) -> None:
        self.error = error
        self.forget()

    # -- chunks out

    def _transmit(self, chunk: str, payload: bytes = b"", seq: int = 0) -> None:
        """Send a chunk that must be answered."""
        self._unanswered.append(self._emit(chunk, payload, seq))
        if len(self._unanswered) == 1:
            self._rearm()

    def _emit(self, chunk: str, payload: bytes = b"", seq: int = 0) -> Packet:
        (src, sport), (dst, dport) = self.local, self.remote
        packet = Packet(
            "sctp", src, dst, sport, dport, chunk, payload, seq, self._received, leg=self.leg
        )
        self._put_out(packet)
        return packet

    def _put_out(self, packet: Packet) -> None:
        if packet.leg is not None:
            packet.leg.record(self.namespace, "SOCKET", packet)
        self.namespace.sockets.reply(packet)

    def _acknowledge(self) -> None:
        if self._sack is not None:
            self._sack.cancel()
            self._sack = None
        self._unacknowledged = 0
        self._emit("SACK")

    def _rearm(self) -> None:
        """Start the retransmission timer anew, or stop it when nothing is on its way."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._unanswered:
            first = latency.RTO_INITIAL if self.state in OPENING else latency.RTO_MIN
            delay = min(first * 2**self._attempts, latency.RTO_MAX)
            self._timer = self.namespace.sim.after(delay, self._retransmit, "sctp retransmit")

    def _retransmit(self) -> None:
        self._timer = None
        self._attempts += 1
        opening = self.state in OPENING
        limit = latency.MAX_INIT_RETRANSMITS if opening else latency.ASSOCIATION_MAX_RETRANS
        if self._attempts > limit:
            self._fail(TimedOut(joined(*self.remote)))
            return
        for packet in list(self._unanswered):
            self._put_out(packet)
        self._rearm()

    def _beat_later(self) -> None:
        interval = latency.HEARTBEAT_INTERVAL
        self._heartbeat = self.namespace.sim.after(interval, self._beat, "sctp heartbeat")

    def _beat(self) -> None:
        self._heartbeat = None
        if self._unheard > latency.ASSOCIATION_MAX_RETRANS:
            self._fail(TimedOut(joined(*self.remote)))
            return
        self._unheard += 1
        self._emit("HEARTBEAT")
        self._beat_later()
