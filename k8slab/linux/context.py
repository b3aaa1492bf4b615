"""What the kernel knows of a packet besides its bytes, while it passes through one namespace.

The devices it uses, its connection, the outcome so far. Rules ask the context; it is made anew
for every packet that enters a namespace. What outlives a packet (the dice, the `recent` lists)
is in `RuleMemory`, one for each namespace.

Rule of use: one context for one passage, from the first hook to the last.

Upstream: Linux include/linux/skbuff.h (sk_buff), include/linux/netfilter.h (nf_hook_state)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from k8slab.linux.addresses import ip_int, is_ipv6
from k8slab.linux.packet import Packet

if TYPE_CHECKING:
    from k8slab.linux.conntrack import Entry
    from k8slab.linux.journey import Visit
    from k8slab.linux.matches import Recent, Statistic
    from k8slab.linux.targets import Nat

BROADCAST, MULTICAST = ip_int("255.255.255.255"), range(0xE0000000, 0xF0000000)


class RuleMemory:
    """What rules remember from packet to packet: dice, n-th counters, lists of `recent`."""

    def __init__(
        self,
        random: Callable[[], float],
        now: Callable[[], float],
        is_local: Callable[[str], bool],
    ) -> None:
        self.random = random
        self.now = now  # virtual seconds
        self.is_local = is_local
        self.recent: dict[str, dict[int, list[float]]] = {}  # list -> address -> times seen
        self._counts: dict[int, tuple[Statistic, int]] = {}
        self.counting = True  # whether rules count packets

    def chance(self, match: Statistic) -> bool:
        """Throw the dice of a random match, or count on for an n-th match."""
        if match.mode == "random":
            return self.random() < match.probability
        _, count = self._counts.get(id(match), (match, match.every - 1 - match.start))
        count = (count + 1) % match.every
        self._counts[id(match)] = (match, count)
        return count == 0

    def pick(self, count: int) -> int:
        """Throw a die with so many sides, from 0, as `numgen random` does."""
        return int(self.random() * count)

    def falls(self, sides: int, count: int) -> bool:
        """Throw a die with `count` sides, and say whether one of so many came up."""
        return self.pick(count) < sides

    def seen(self, match: Recent, packet: Packet) -> bool:
        """Do what a `recent` match does to its list, and say whether it matches."""
        entries = self.recent.setdefault(match.name, {})
        ip = packet.src if match.side == "--rsource" else packet.dst
        key, now = ip_int(ip) & ip_int(match.mask), self.now()
        if match.action == "--set":
            entries.setdefault(key, []).append(now)
            return True
        if match.reap:
            self._reap(entries, now - match.seconds)
        times = entries.get(key)
        if times is None:
            return False
        if match.action == "--remove":
            del entries[key]
            return True
        hits = [time for time in times if not match.seconds or now - time <= match.seconds]
        found = len(hits) >= max(1, match.hitcount)
        if found and match.action == "--update":
            times.append(now)
        return found

    def _reap(self, entries: dict[int, list[float]], oldest: float) -> None:
        for key in [key for key, times in entries.items() if times[-1] < oldest]:
            del entries[key]


class Context:
    """One packet's passage through a namespace."""

    __slots__ = (
        "arrived", "entry", "examined", "in_interface", "length", "masquerade_as", "memory", "nat",
        "out_interface", "physdev_in", "physdev_out", "reject_with", "reply", "state", "uncertain",
        "untracked", "visits",
    )  # fmt: skip

    def __init__(self, arrived: Packet, *, in_interface: str = "", out_interface: str = "") -> None:
        self.arrived = arrived  # before any rule changed it
        self.length = arrived.length  # bytes, which no rule changes
        self.in_interface = in_interface
        self.out_interface = out_interface
        self.physdev_in = ""
        self.physdev_out = ""
        self.memory: RuleMemory = _NOTHING
        self.entry: Entry | None = None  # None for INVALID and UNTRACKED packets
        self.state = "INVALID"
        self.untracked = False  # a rule of the raw table said so, before conntrack looked
        self.reply = False  # travels in the connection's reply direction
        self.nat: Nat | None = None  # what a NAT rule decided
        self.masquerade_as = ""  # own address towards the next hop
        self.reject_with = ""
        self.examined = 0  # rules that iptables would have looked at
        self.visits: list[Visit] | None = None  # rules that matched, if somebody wants to know
        self.uncertain: list[str] = []  # matches and targets that the lab does not know

    @property
    def connection(self) -> Entry | None:
        """The conntrack entry of the packet."""
        return self.entry

    def device(self, option: str) -> str:
        """Return the name of the device that a match asks for."""
        if option == "-i":
            return self.in_interface
        if option == "-o":
            return self.out_interface
        return self.physdev_in if option == "--physdev-in" else self.physdev_out

    def address_type(self, ip: str, limit: str) -> str:
        """Return the type of an address as `-m addrtype` names it."""
        number = ip_int(ip)
        if self.memory.is_local(ip):
            return "LOCAL"
        if is_ipv6(ip):
            return "MULTICAST" if number >> 120 == 0xFF else "UNICAST"
        if number == BROADCAST:
            return "BROADCAST"
        return "MULTICAST" if number in MULTICAST else "UNICAST"

    def in_state(self, states: tuple[str, ...]) -> bool:
        """Say whether the packet's connection is in one of the states of `--ctstate`."""
        if self.state in states:
            return True
        entry = self.entry
        if entry is None:
            return False
        return ("DNAT" in states and entry.dnat) or ("SNAT" in states and entry.snat)

    def first_packet(self, packet: Packet) -> Packet:
        """Return a packet with the addresses that opened the connection."""
        return packet if self.entry is None else self.entry.original_packet()

    def chance(self, match: Statistic) -> bool:
        """Throw dice or count, as the match says."""
        return self.memory.chance(match)

    def recent(self, match: Recent, packet: Packet) -> bool:
        """Use a list of `recent`."""
        return self.memory.seen(match, packet)

    def unknown(self, words: str) -> None:
        """Note that a match or a target could not be judged."""
        self.uncertain.append(words)


_NOTHING = RuleMemory(lambda: 0.0, lambda: 0.0, lambda ip: False)
