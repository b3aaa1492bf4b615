"""What a rule asks of a packet: one small class for each iptables match.

Each says `matches(packet, context)` and prints itself (`str`) as iptables-save does. A match that
the lab does not know becomes `UnknownMatch`: it keeps its words, and whoever walks the rules is
told that it was not judged.

Rule of use: a match is an immutable value, shared by all namespaces; whatever changes (dice,
`recent` lists, connections) is in the `Context`.

Upstream: Linux net/netfilter/xt_*.c, iptables extensions/libxt_*.c
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.addresses import ip_int, ip_text, is_ipv6, network, prefix_length
from k8slab.linux.packet import Packet

if TYPE_CHECKING:
    from k8slab.linux.context import Context

PROTOCOL_NUMBERS: Mapping[str, int] = {
    "icmp": 1,
    "tcp": 6,
    "udp": 17,
    "ipv6-icmp": 58,
    "sctp": 132,
}
DICE_SIDES = 1 << 31  # the kernel compares 31 random bits
CONNTRACK_STATES = ("INVALID", "NEW", "RELATED", "ESTABLISHED", "UNTRACKED", "SNAT", "DNAT")


class Match(msgspec.Struct, frozen=True, gc=False):
    """One condition of a rule."""

    def matches(self, packet: Packet, context: Context) -> bool:
        """Say whether the packet meets the condition."""
        raise NotImplementedError


class Address(Match, frozen=True, gc=False):
    """-s or -d: an address in a network."""

    option: str  # "-s" or "-d"
    net: int
    mask: int
    negated: bool = False
    ipv6: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare the source or the destination under the mask."""
        ip = packet.dst if self.option == "-d" else packet.src
        return ((ip_int(ip) & self.mask) == self.net) is not self.negated

    def __str__(self) -> str:
        length = prefix_length(self.mask, self.ipv6)
        mask = ip_text(self.mask, self.ipv6) if length is None else str(length)
        return f"{negation(self.negated)}{self.option} {ip_text(self.net, self.ipv6)}/{mask}"


def address(option: str, text: str, negated: bool = False) -> Address:
    """Return the match of an address or a network. Raises ValueError."""
    return Address(option, *network(text), negated, is_ipv6(text))


class Device(Match, frozen=True, gc=False):
    """-i, -o, or the bridge ports of -m physdev; a name ending in + is a prefix."""

    option: str  # "-i", "-o", "--physdev-in", "--physdev-out"
    device: str
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare the name of the device."""
        return self._names(context.device(self.option)) is not self.negated

    def _names(self, device: str) -> bool:
        if self.device.endswith("+"):
            return device.startswith(self.device[:-1])
        return device == self.device

    def __str__(self) -> str:
        return f"{negation(self.negated)}{self.option} {self.device}"


class Protocol(Match, frozen=True, gc=False):
    """-p."""

    protocol: str
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare the protocol."""
        own = packet.protocol
        if own == "icmp" and is_ipv6(packet.dst):
            own = "ipv6-icmp"
        return (own == self.protocol) is not self.negated

    def __str__(self) -> str:
        return f"{negation(self.negated)}-p {self.protocol}"


class Comment(Match, frozen=True, gc=False):
    """-m comment: for the reader."""

    text: str

    def matches(self, packet: Packet, context: Context) -> bool:
        """Match everything."""
        return True

    def __str__(self) -> str:
        return f"--comment {quote(self.text)}"


class Ports(Match, frozen=True, gc=False):
    """--sport, --dport or a list of -m multiport: port ranges, the ends included."""

    option: str  # "--sport", "--dport", "--sports", "--dports", "--ports"
    ranges: tuple[tuple[int, int], ...]
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Look for the port in one of the ranges."""
        if self.option == "--ports":
            found = self._holds(packet.sport) or self._holds(packet.dport)
        else:
            found = self._holds(packet.dport if self.option[2] == "d" else packet.sport)
        return found is not self.negated

    def _holds(self, port: int) -> bool:
        return any(low <= port <= high for low, high in self.ranges)

    def __str__(self) -> str:
        ports = ",".join(str(a) if a == b else f"{a}:{b}" for a, b in self.ranges)
        return f"{negation(self.negated)}{self.option} {ports}"


class AddressType(Match, frozen=True, gc=False):
    """-m addrtype: whether an address is the node's own (LOCAL), and the like."""

    option: str  # "--src-type" or "--dst-type"
    types: tuple[str, ...]
    limit: str = ""  # "--limit-iface-in" or "--limit-iface-out"
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Classify the address as the kernel's routing does."""
        ip = packet.src if self.option == "--src-type" else packet.dst
        kind = context.address_type(ip, self.limit)
        return (kind in self.types) is not self.negated

    def __str__(self) -> str:
        limit = f" {self.limit}" if self.limit else ""
        return f"{negation(self.negated)}{self.option} {','.join(self.types)}{limit}"


class ConnectionState(Match, frozen=True, gc=False):
    """-m conntrack --ctstate (and the older -m state): what conntrack says of the packet."""

    option: str  # "--ctstate" or "--state"
    states: tuple[str, ...]
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare the state; DNAT and SNAT are states of a connection that was rewritten."""
        return context.in_state(self.states) is not self.negated

    def __str__(self) -> str:
        return f"{negation(self.negated)}{self.option} {','.join(self.states)}"


class ConnectionOriginal(Match, frozen=True, gc=False):
    """-m conntrack --ctorigdst and its kin: the packet that opened the connection."""

    option: str  # "--ctorigsrc", "--ctorigdst", "--ctorigsrcport", "--ctorigdstport", "--ctproto"
    value: Address | Ports | Protocol
    text: str
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Ask the same of the connection's first packet."""
        first = context.first_packet(packet)
        return self.value.matches(first, context) is not self.negated

    def __str__(self) -> str:
        return f"{negation(self.negated)}{self.option} {self.text}"


class Statistic(Match, frozen=True, gc=False):
    """-m statistic: dice (random), or every n-th packet (nth)."""

    mode: str  # "random" or "nth"
    probability: float = 0.0
    every: int = 0
    start: int = 0
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Throw the dice, or count."""
        return context.chance(self) is not self.negated

    @property
    def fraction(self) -> Fraction:
        """The probability as the fraction that was meant: 0.33333333349 is one third."""
        if self.mode == "nth":
            return Fraction(1, self.every)
        exact = Fraction(self.probability)
        simple = exact.limit_denominator(10_000)
        return simple if abs(simple - exact) <= Fraction(1, DICE_SIDES) else exact

    def __str__(self) -> str:
        if self.mode == "nth":
            return f"--mode nth{_infix(self.negated)} --every {self.every} --packet {self.start}"
        sides = round(self.probability * DICE_SIDES)
        return f"--mode random{_infix(self.negated)} --probability {sides / DICE_SIDES:.11f}"


class Recent(Match, frozen=True, gc=False):
    """-m recent: a named list of addresses and when they were last seen (session affinity)."""

    action: str  # "--set", "--rcheck", "--update", "--remove"
    name: str = "DEFAULT"
    seconds: int = 0
    reap: bool = False
    hitcount: int = 0
    side: str = "--rsource"
    mask: str = "255.255.255.255"
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Look the address up in the list, or put it there."""
        return context.recent(self, packet) is not self.negated

    def __str__(self) -> str:
        words = [f"{negation(self.negated)}{self.action}"]
        words += [f"--seconds {self.seconds}"] if self.seconds else []
        words += ["--reap"] if self.reap else []
        words += [f"--hitcount {self.hitcount}"] if self.hitcount else []
        return " ".join([*words, f"--name {self.name} --mask {self.mask} {self.side}"])


class Mark(Match, frozen=True, gc=False):
    """-m mark: the packet's mark under a mask."""

    value: int
    mask: int = 0xFFFFFFFF
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare the mark."""
        return ((packet.mark & self.mask) == self.value) is not self.negated

    def __str__(self) -> str:
        mask = "" if self.mask == 0xFFFFFFFF else f"/{self.mask:#x}"
        return f"{negation(self.negated)}--mark {self.value:#x}{mask}"


class UnknownMatch(Match, frozen=True, gc=False):
    """A match that the lab does not know; it is taken as not matching, and reported."""

    words: str

    def matches(self, packet: Packet, context: Context) -> bool:
        """Report the match; never guess."""
        context.unknown(self.words)
        return False

    def __str__(self) -> str:
        return self.words


def quote(text: str) -> str:
    """Return the text as iptables-save prints it: in quotes if it needs them."""
    if text and all(c.isalnum() or c in "_-" for c in text):
        return text
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("'", "\\'")
    return f'"{escaped}"'


def negation(negated: bool) -> str:
    """Return what stands before an option that is turned round."""
    return "! " if negated else ""


def _infix(negated: bool) -> str:
    return " !" if negated else ""
