"""Matches that kube-proxy does not write, but others in a cluster do: CNI plugins, Docker, admins.

Rule of use: as matches.py; a new one needs a line in iptables_rule.MODULES.

Upstream: iptables extensions/libxt_*.c, extensions/libipt_*.c
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from k8slab.linux.addresses import ip_int
from k8slab.linux.matches import Match, negation
from k8slab.linux.packet import ICMP_TYPES, Packet

if TYPE_CHECKING:
    from k8slab.linux.context import Context


class Fragment(Match, frozen=True, gc=False):
    """-f: the second and later fragments of a packet, of which the lab has none."""

    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Say that it is none."""
        return self.negated

    def __str__(self) -> str:
        return f"{negation(self.negated)}-f"


class AddressRange(Match, frozen=True, gc=False):
    """-m iprange: an address between two, the ends included."""

    option: str  # "--src-range" or "--dst-range"
    low: str
    high: str
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare the source or the destination with both ends."""
        ip = packet.dst if self.option == "--dst-range" else packet.src
        return (ip_int(self.low) <= ip_int(ip) <= ip_int(self.high)) is not self.negated

    def __str__(self) -> str:
        return f"{negation(self.negated)}{self.option} {self.low}-{self.high}"


class PhysdevIsBridged(Match, frozen=True, gc=False):
    """--physdev-is-bridged, -is-in, -is-out: how a frame crosses a bridge."""

    option: str
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Look at the bridge ports of the packet."""
        came, leaves = bool(context.physdev_in), bool(context.physdev_out)
        found = {"--physdev-is-in": came, "--physdev-is-out": leaves}
        return found.get(self.option, came and leaves) is not self.negated

    def __str__(self) -> str:
        return f"{negation(self.negated)}{self.option}"


class TcpFlags(Match, frozen=True, gc=False):
    """--tcp-flags: of the flags in the mask, exactly these are set."""

    mask: tuple[str, ...]
    flags: tuple[str, ...]
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare the flags under the mask."""
        present = packet.flags.split(",")
        found = all((flag in present) == (flag in self.flags) for flag in self.mask)
        return found is not self.negated

    def __str__(self) -> str:
        mask, flags = ",".join(self.mask) or "NONE", ",".join(self.flags) or "NONE"
        return f"{negation(self.negated)}--tcp-flags {mask} {flags}"


class IcmpType(Match, frozen=True, gc=False):
    """--icmp-type: a type, perhaps with its code; -1 stands for any."""

    type: int
    code: int
    negated: bool = False

    def matches(self, packet: Packet, context: Context) -> bool:
        """Compare type and code."""
        kind, code = ICMP_TYPES.get(packet.icmp, (-2, -2))
        found = self.type in (-1, kind) and self.code in (-1, code)
        return found is not self.negated

    def __str__(self) -> str:
        if self.type < 0:
            return f"{negation(self.negated)}--icmp-type any"
        code = "" if self.code < 0 else f"/{self.code}"
        return f"{negation(self.negated)}--icmp-type {self.type}{code}"


class Accounting(Match, frozen=True, gc=False):
    """-m nfacct: adds to a named counter (which the lab does not keep) and matches always."""

    name: str

    def matches(self, packet: Packet, context: Context) -> bool:
        """Match everything."""
        return True

    def __str__(self) -> str:
        return f"--nfacct-name {self.name}"
