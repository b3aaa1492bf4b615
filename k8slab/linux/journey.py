"""A journey: every hop of one request and its answer, with the packet before and after.

Give `journey=Journey()` to `connect`, `udp` or `ping`; afterwards `journey.hops` holds the hops
and `str(journey)` draws them as a ladder. A packet carries a `Leg`, the recorder of its
direction; a packet without one records nothing and costs nothing.

Rule of use: one journey for one exchange.

Upstream: pwru and `iptables -j TRACE` are the tools that do this to a real kernel
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.packet import Packet, rewrite

if TYPE_CHECKING:
    from k8slab.linux.netns import NetNamespace

TIME_WIDTH, PLACE_WIDTH, POINT_WIDTH = 10, 22, 18


class Visit(msgspec.Struct, frozen=True, gc=False):
    """A rule that matched: where it stands and its text."""

    table: str
    chain: str
    index: int  # from 0
    text: str  # as iptables-save prints it, "-A CHAIN ..."

    def __str__(self) -> str:
        return f"{self.table}: {self.text}"


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened to a packet in one namespace."""

    time: float  # virtual seconds
    direction: str  # "request" or "reply"
    namespace: str
    point: str  # SOCKET, OUTPUT, ROUTE, FORWARD, POSTROUTING, WIRE, PREROUTING, INPUT, BRIDGE, ...
    before: Packet
    after: Packet
    device_in: str = ""
    device_out: str = ""
    rules: tuple[Visit, ...] = ()  # all that matched at this point, in order
    connection: str = ""  # the conntrack entry, as `conntrack -L` prints it
    note: str = ""

    @property
    def rule(self) -> Visit | None:
        """The rule that decided: the last one that matched."""
        return self.rules[-1] if self.rules else None

    @property
    def changed(self) -> bool:
        """Whether an address or a port was rewritten here."""
        a, b = self.before, self.after
        return (a.src, a.sport, a.dst, a.dport) != (b.src, b.sport, b.dst, b.dport)


class Leg:
    """The recorder of one direction of a journey."""

    __slots__ = ("direction", "journey", "opposite")
    opposite: Leg

    def __init__(self, journey: Journey, direction: str) -> None:
        self.journey = journey
        self.direction = direction

    def record(
        self,
        namespace: NetNamespace,
        point: str,
        before: Packet,
        after: Packet | None = None,
        *,
        device_in: str = "",
        device_out: str = "",
        rules: tuple[Visit, ...] = (),
        connection: str = "",
        note: str = "",
    ) -> None:
        """Append a hop that happens now."""
        hop = Hop(
            time=namespace.sim.now,
            direction=self.direction,
            namespace=namespace.name,
            point=point,
            before=rewrite(before, leg=None),
            after=rewrite(after if after is not None else before, leg=None),
            device_in=device_in,
            device_out=device_out,
            rules=rules,
            connection=connection,
            note=note,
        )
        self.journey.hops.append(hop)


class Journey:
    """The hops of one exchange, in the order in which they happened."""

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.hops: list[Hop] = []
        self.request = Leg(self, "request")
        self.reply = Leg(self, "reply")
        self.request.opposite, self.reply.opposite = self.reply, self.request

    @property
    def rules(self) -> tuple[Visit, ...]:
        """Every rule that matched, in order."""
        return tuple(visit for hop in self.hops for visit in hop.rules)

    def at(self, point: str) -> list[Hop]:
        """Return the hops at one point, such as "PREROUTING"."""
        return [hop for hop in self.hops if hop.point == point]

    def __str__(self) -> str:
        """Draw the ladder: a line for each hop, and below it what was changed by which rule."""
        lines = [self.title] if self.title else []
        for hop in self.hops:
            lines += _lines(hop)
        return "\n".join(lines)


def _lines(hop: Hop) -> list[str]:
    arrow = "->" if hop.direction == "request" else "<-"
    devices = " ".join(
        f"{word} {device}"
        for word, device in (("in", hop.device_in), ("out", hop.device_out))
        if device
    )
    head = (
        f"{hop.time * 1000:{TIME_WIDTH}.3f} ms {arrow} {hop.namespace:<{PLACE_WIDTH}} "
        f"{hop.point:<{POINT_WIDTH}} {hop.before}"
    )
    tail = "  ".join(part for part in (devices, hop.note) if part)
    lines = [f"{head}  [{tail}]" if tail else head]
    indent = " " * (TIME_WIDTH + 7)
    lines += [f"{indent}rule {visit}" for visit in hop.rules]
    if hop.changed:
        lines.append(f"{indent}now  {hop.after}")
    if hop.connection and hop.changed:
        lines.append(f"{indent}conntrack {hop.connection}")
    return lines
