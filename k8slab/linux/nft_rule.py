"""One rule of nftables: what it asks of a packet and what it does, one small class for each.

    ip daddr . meta l4proto . th dport vmap @service-ips       a key, looked up in a map
    ip saddr != 10.244.0.0/16 jump mark-for-masquerade         a comparison, and a verdict
    numgen random mod 2 vmap { 0 : goto A , 1 : goto B }       dice

`str(rule)` is the form of `nft list`. What the lab does not know becomes `Unknown`: it keeps its
words, counts as not matching, and whoever walks the rules is told.

Rule of use: rules are immutable values; what changes is in the table and in the `Context`.

Upstream: nftables src/parser_bison.y, Linux net/netfilter/nft_*.c
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.addresses import contains, ip_int, is_ipv6, joined
from k8slab.linux.packet import Packet, rewrite
from k8slab.linux.targets import Nat

if TYPE_CHECKING:
    from k8slab.linux.context import Context
    from k8slab.linux.nft import NftTable

Field = Callable[[Packet, "Context"], str]


class Statement(msgspec.Struct, frozen=True, gc=False):
    """One part of a rule."""


class Condition(Statement, frozen=True, gc=False):
    """A part that can end the rule."""

    def matches(self, packet: Packet, context: Context, table: NftTable) -> bool:
        """Say whether the packet meets it."""
        raise NotImplementedError


def _port(protocols: tuple[str, ...], source: bool) -> Field:
    def port(packet: Packet, context: Context) -> str:
        if packet.protocol not in protocols:
            return ""
        return str(packet.sport if source else packet.dport)

    return port


def _protocol(packet: Packet) -> str:
    return "ipv6-icmp" if packet.protocol == "icmp" and is_ipv6(packet.dst) else packet.protocol


_TRANSPORT = {"tcp": ("tcp",), "udp": ("udp",), "sctp": ("sctp",), "th": ("tcp", "udp", "sctp")}
FIELDS: Mapping[str, Field] = {
    "ip saddr": lambda packet, context: "" if is_ipv6(packet.src) else packet.src,
    "ip daddr": lambda packet, context: "" if is_ipv6(packet.dst) else packet.dst,
    "ip6 saddr": lambda packet, context: packet.src if is_ipv6(packet.src) else "",
    "ip6 daddr": lambda packet, context: packet.dst if is_ipv6(packet.dst) else "",
    "ip protocol": lambda packet, context: "" if is_ipv6(packet.dst) else packet.protocol,
    "meta l4proto": lambda packet, context: _protocol(packet),
    "meta nfproto": lambda packet, context: "ipv6" if ":" in packet.dst else "ipv4",
    "meta mark": lambda packet, context: str(packet.mark),
    "iifname": lambda packet, context: context.in_interface,
    "oifname": lambda packet, context: context.out_interface,
    "iif": lambda packet, context: context.in_interface,
    "oif": lambda packet, context: context.out_interface,
    "icmp type": lambda packet, context: packet.icmp,
    "fib saddr type": lambda packet, context: context.address_type(packet.src, "").lower(),
    "fib daddr type": lambda packet, context: context.address_type(packet.dst, "").lower(),
    "ct original ip saddr": lambda packet, context: context.first_packet(packet).src,
    "ct original ip daddr": lambda packet, context: context.first_packet(packet).dst,
    "ct original proto-src": lambda packet, context: str(context.first_packet(packet).sport),
    "ct original proto-dst": lambda packet, context: str(context.first_packet(packet).dport),
    **{f"{name} sport": _port(protocols, True) for name, protocols in _TRANSPORT.items()},
    **{f"{name} dport": _port(protocols, False) for name, protocols in _TRANSPORT.items()},
}
ADDRESSES = ("ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr")


class Compare(Condition, frozen=True, gc=False):
    """FIELD [. FIELD ...] [!=] VALUE, { VALUES } or @SET."""

    fields: tuple[str, ...]
    values: tuple[str, ...] = ()
    set_name: str = ""
    negated: bool = False

    def matches(self, packet: Packet, context: Context, table: NftTable) -> bool:
        """Compare, or look the fields up."""
        key = self.key(packet, context)
        if not key:
            return False
        if self.set_name:
            return table.holds(self.set_name, key, context.memory) is not self.negated
        return any(_is(self.fields[0], key, value) for value in self.values) is not self.negated

    def key(self, packet: Packet, context: Context) -> str:
        """Return the fields as sets have them, empty if the packet has none of them."""
        return key_of(self.fields, packet, context)

    def __str__(self) -> str:
        one, many = ", ".join(self.values), len(self.values) > 1
        value = f"@{self.set_name}" if self.set_name else f"{{ {one} }}" if many else one
        return f"{' . '.join(self.fields)} {'!= ' if self.negated else ''}{value}"


class State(Condition, frozen=True, gc=False):
    """`ct state` or `ct status`: what conntrack says of the packet."""

    word: str
    states: tuple[str, ...]
    negated: bool = False

    def matches(self, packet: Packet, context: Context, table: NftTable) -> bool:
        """Compare the state."""
        wanted = tuple(state.upper() for state in self.states)
        return context.in_state(wanted) is not self.negated

    def __str__(self) -> str:
        return f"ct {self.word} {'!= ' if self.negated else ''}{','.join(self.states)}"


class MarkIs(Condition, frozen=True, gc=False):
    """`meta mark`, perhaps under a mask."""

    value: int
    mask: int = 0xFFFFFFFF
    negated: bool = False

    def matches(self, packet: Packet, context: Context, table: NftTable) -> bool:
        """Compare the mark."""
        return (packet.mark & self.mask == self.value) is not self.negated

    def __str__(self) -> str:
        sign = "!=" if self.negated else "=="
        if self.mask == 0xFFFFFFFF:
            return f"meta mark {'!= ' if self.negated else ''}{self.value:#010x}"
        return f"meta mark & {self.mask:#010x} {sign} {self.value:#010x}"


class Unknown(Condition, frozen=True, gc=False):
    """Words that the lab does not know, to the end of the rule; taken as not matching."""

    words: str

    def matches(self, packet: Packet, context: Context, table: NftTable) -> bool:
        """Report the words; never guess."""
        context.unknown(self.words)
        return False

    def __str__(self) -> str:
        return self.words


class Die(Condition, frozen=True, gc=False):
    """numgen random mod N == VALUE: one throw, from 0 to N - 1; `sign` is ==, != or <."""

    modulus: int
    sign: str
    value: int

    def matches(self, packet: Packet, context: Context, table: NftTable) -> bool:
        """Throw, and compare; only how many sides would do counts, not which."""
        sides = self.value if self.sign == "<" else int(self.value < self.modulus)
        hit = context.memory.falls(min(sides, self.modulus), self.modulus)
        return not hit if self.sign == "!=" else hit

    def __str__(self) -> str:
        sign = "" if self.sign == "==" else f"{self.sign} "
        return f"numgen random mod {self.modulus} {sign}{self.value}"


class VerdictMap(Statement, frozen=True, gc=False):
    """FIELDS vmap @MAP or { KEY : VERDICT, ... }; `modulus` for dice in the place of fields."""

    fields: tuple[str, ...] = ()
    map_name: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    modulus: int = 0

    def verdict(self, packet: Packet, context: Context, table: NftTable) -> str:
        """Return the verdict, empty if the map has none for the packet."""
        if self.modulus:
            key = str(context.memory.pick(self.modulus))
        else:
            key = key_of(self.fields, packet, context)
        if self.map_name:
            return table.sets[self.map_name].elements.get(key, "")
        return next((verdict for each, verdict in self.choices if _is("", key, each)), "")

    def __str__(self) -> str:
        asked = f"numgen random mod {self.modulus}" if self.modulus else " . ".join(self.fields)
        pairs = ", ".join(f"{key} : {verdict}" for key, verdict in self.choices)
        return f"{asked} vmap {f'@{self.map_name}' if self.map_name else f'{{ {pairs} }}'}"


class Verdict(Statement, frozen=True, gc=False):
    """accept, drop, return, continue, or jump and goto with a chain."""

    word: str
    chain: str = ""

    def __str__(self) -> str:
        return f"{self.word} {self.chain}".rstrip()


class RejectWith(Statement, frozen=True, gc=False):
    """reject: drop the packet and tell its sender."""

    reject_with: str = "icmp-port-unreachable"

    def __str__(self) -> str:
        if self.reject_with == "icmp-port-unreachable":
            return "reject"
        kind, _, name = self.reject_with.partition("-")
        return f"reject with {kind} {name}"


class SetMark(Statement, frozen=True, gc=False):
    """meta mark set: the old mark and-ed, then xor-ed."""

    keep: int
    flip: int
    sign: str = ""  # as it is written: "|", "^", "&", "" for a plain value

    def apply(self, packet: Packet) -> Packet:
        """Return the packet with its new mark."""
        return rewrite(packet, mark=packet.mark & self.keep ^ self.flip)

    def __str__(self) -> str:
        if not self.sign:
            return f"meta mark set {self.flip:#010x}"
        value = self.keep if self.sign == "&" else self.flip
        return f"meta mark set meta mark {self.sign} {value:#010x}"


class Translate(Statement, frozen=True, gc=False):
    """dnat, snat, masquerade, redirect."""

    nat: Nat

    def __str__(self) -> str:
        nat = self.nat
        low, high = nat.ports or (0, 0)
        ports = "" if nat.ports is None else f"{low}" if low == high else f"{low}-{high}"
        address = "-".join(nat.ips)
        to = joined(address, ports) if ports else address
        words = [nat.kind.lower(), *(["to", to] if to else [])]
        flags = ["random"] * nat.random + ["fully-random"] * nat.random_fully
        flags += ["persistent"] * nat.persistent
        return " ".join([*words, *([",".join(flags)] if flags else [])])


class Update(Statement, frozen=True, gc=False):
    """update @SET { FIELDS }: remember the packet for a while; add does not renew."""

    set_name: str
    fields: tuple[str, ...]
    word: str = "update"

    def remember(self, packet: Packet, context: Context, table: NftTable) -> None:
        """Put the fields into the set."""
        if not context.memory.counting:
            return
        added = table.added.setdefault(self.set_name, {})
        key, now = key_of(self.fields, packet, context), context.memory.now()
        timeout = table.sets[self.set_name].timeout
        if self.word == "update" or added.get(key, -1.0) <= now:
            added[key] = now + timeout if timeout else float("inf")

    def __str__(self) -> str:
        return f"{self.word} @{self.set_name} {{ {' . '.join(self.fields)} }}"


class Counter(Statement, frozen=True, gc=False):
    """counter: counts the packets that came so far in the rule."""

    packets: int = 0
    size: int = 0

    def __str__(self) -> str:
        return f"counter packets {self.packets} bytes {self.size}"


class Log(Statement, frozen=True, gc=False):
    """log: for the kernel's log, which the lab does not keep."""

    words: str

    def __str__(self) -> str:
        return self.words


class NftRule(msgspec.Struct, frozen=True, gc=False):
    """Statements in order, and a comment."""

    statements: tuple[Statement, ...]
    comment: str = ""

    def __str__(self) -> str:
        comment = f' comment "{self.comment}"' if self.comment else ""
        return " ".join(map(str, self.statements)) + comment


def key_of(fields: tuple[str, ...], packet: Packet, context: Context) -> str:
    """Return the fields of a packet as the key of a set, empty if one is missing."""
    if len(fields) == 1:
        return FIELDS[fields[0]](packet, context)
    values = [FIELDS[field](packet, context) for field in fields]
    return " . ".join(values) if all(values) else ""


def parse_rule(text: str) -> NftRule:
    """Read one rule. Raises NftError if it is broken off."""
    from k8slab.linux.nft_parser import Parser

    return Parser(text).rule()


def _is(field: str, key: str, value: str) -> bool:
    """Say whether a field's value equals what a rule names: alone, a prefix, a range, a pattern."""
    if key == value:
        return True
    if field in ADDRESSES or field.startswith("ct original ip"):
        if "/" in value:
            return contains(value, key)
        low, dash, high = value.partition("-")
        return bool(dash) and ip_int(low) <= ip_int(key) <= ip_int(high)
    if value.endswith('*"') or value.startswith('"'):
        name = value.strip('"')
        return key.startswith(name[:-1]) if name.endswith("*") else key == name
    low, dash, high = value.partition("-")
    return bool(dash) and key.isdigit() and low.isdigit() and int(low) <= int(key) <= int(high)
