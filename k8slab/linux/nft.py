"""nftables: tables of chains, sets and maps, which belong to whoever made them.

`parse(text)` reads what programs feed to `nft -f` and what `nft list ruleset` prints; str() gives
the former, `list()` the latter; `run(text)` does more commands; `trace` says where a new
connection would go. A chain with a hook and a priority is asked beside the tables of iptables.

Rule of use: chains and their rules may be shared between rulesets, tables and maps never are.

Upstream: nftables src/rule.c
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from k8slab.linux.addresses import contains, ip_int
from k8slab.linux.edits import Edits

if TYPE_CHECKING:
    from k8slab.linux.context import RuleMemory
    from k8slab.linux.nft_rule import NftRule
    from k8slab.linux.ruletrace import RuleTrace

Step = tuple[int, "NftTable", "NftChain"]  # priority, table, base chain
# family of a table -> whether its chains see IPv6 packets, or both kinds
FAMILIES = {"ip": (False,), "ip6": (True,), "inet": (False, True)}
Hits = tuple[int, int]  # packets and bytes


class NftError(ValueError):
    """The text cannot be read or carried out; the message says where."""


class NftSet:
    """A set, or a map if its elements lead to verdicts; elements by their key, as text."""

    __slots__ = (
        "comment",
        "elements",
        "flags",
        "is_map",
        "name",
        "notes",
        "size",
        "timeout",
        "type",
    )

    def __init__(
        self, name: str, type: str, *, is_map: bool = False, comment: str = "", timeout: float = 0.0
    ) -> None:
        self.name = name
        self.type = type  # "ipv4_addr", "inet_proto . inet_service : verdict"
        self.is_map = is_map
        self.comment = comment
        self.timeout = timeout  # s, of elements that rules add; 0: they stay
        self.size = 0  # 0: not given
        self.flags: tuple[str, ...] = ("dynamic", "timeout") if timeout else ()
        self.elements: dict[str, str] = {}  # key -> verdict, "" in a set
        self.notes: dict[str, str] = {}  # key -> comment

    def holds(self, key: str) -> bool:
        """Say whether a key is in the set, or in one of its intervals."""
        if key in self.elements:
            return True
        return "interval" in self.flags and any(_within(key, each) for each in self.elements)

    def copy(self) -> NftSet:
        """Return a set that can be changed on its own."""
        own = NftSet(self.name, self.type, is_map=self.is_map, comment=self.comment)
        own.timeout, own.size, own.flags = self.timeout, self.size, self.flags
        own.elements, own.notes = dict(self.elements), dict(self.notes)
        return own


class NftChain:
    """Rules in order, read from their text when the first packet comes.

    A base chain has a type, a hook and a priority; the others are only jumped to.
    """

    __slots__ = ("_rules", "comment", "hook", "name", "policy", "priority", "texts", "type")

    def __init__(self, name: str, texts: Iterable[str] = (), *, comment: str = "") -> None:
        self.name = name
        self.texts = tuple(texts)  # as they were written
        self.comment = comment
        self.type = ""  # "filter", "nat" or "route" of a base chain
        self.hook = ""
        self.priority = 0
        self.policy = "accept"
        self._rules: tuple[NftRule, ...] | None = None

    @property
    def rules(self) -> tuple[NftRule, ...]:
        """The rules. Raises NftError."""
        if self._rules is None:
            from k8slab.linux.nft_rule import parse_rule

            self._rules = tuple(map(parse_rule, self.texts))
        return self._rules

    def with_rules(self, texts: Iterable[str]) -> NftChain:
        """Return the same chain with other rules."""
        other = NftChain(self.name, texts, comment=self.comment)
        other.type, other.hook = self.type, self.hook
        other.priority, other.policy = self.priority, self.policy
        return other


class NftTable:
    """Chains and sets by name, and what packets leave behind in them."""

    def __init__(self, family: str, name: str, comment: str = "") -> None:
        self.family = family
        self.name = name
        self.comment = comment
        self.chains: dict[str, NftChain] = {}
        self.sets: dict[str, NftSet] = {}
        self.added: dict[str, dict[str, float]] = {}  # set -> what rules added -> when it ends
        self.hits: dict[tuple[str, int], Hits] = {}  # (chain, place) -> its counter

    def delete_set(self, name: str) -> None:
        """Take a set away with everything in it."""
        self.sets.pop(name, None)
        self.added.pop(name, None)

    def holds(self, name: str, key: str, memory: RuleMemory) -> bool:
        """Say whether a set has the key, be it from its text or added by a rule."""
        found = self.sets.get(name)
        if found is None:
            raise NftError(f"No such file or directory: set {name!r} of table {self.name}")
        if found.holds(key):
            return True
        # A question (`trace`) is about a client that has never been here.
        return memory.counting and self.added.get(name, {}).get(key, -1.0) > memory.now()

    def living(self, name: str, now: float) -> dict[str, float]:
        """Return what rules added to a set, with when it ends; what has ended is forgotten."""
        kept = {key: end for key, end in self.added.get(name, {}).items() if end > now}
        if name in self.added:
            self.added[name] = kept
        return kept


class NftRuleset:
    """The tables of one namespace."""

    def __init__(self) -> None:
        self.tables: dict[tuple[str, str], NftTable] = {}  # by family and name
        self.edits = Edits()  # told of each `run`
        self._hooks: dict[tuple[str, bool], list[Step]] | None = None

    def table(self, family: str, name: str, comment: str = "") -> NftTable:
        """Return a table; make it if there is none."""
        found = self.tables.get((family, name))
        if found is None:
            found = self.tables[family, name] = NftTable(family, name, comment)
        return found

    def delete_table(self, family: str, name: str) -> bool:
        """Take a table away with everything in it; False if there was none."""
        self.changed()
        return self.tables.pop((family, name), None) is not None

    def changed(self) -> None:
        """Look for base chains anew; to be called when some have come or gone."""
        self._hooks = None

    def base_chains(self, hook: str, ipv6: bool = False) -> Sequence[Step]:
        """Return the base chains at a hook ("prerouting"), in the order of the kernel."""
        if self._hooks is None:
            self._hooks = {}
            for table in self.tables.values():
                for chain in table.chains.values():
                    for family in FAMILIES.get(table.family, ()) if chain.hook else ():
                        steps = self._hooks.setdefault((chain.hook, family), [])
                        steps.append((chain.priority, table, chain))
            for steps in self._hooks.values():
                steps.sort(key=lambda step: step[0])
        return self._hooks.get((hook, ipv6), ())

    def run(self, text: str) -> None:
        """Do what `nft -f` does with the text, all of it or, after an NftError, nothing."""
        from k8slab.linux.nft_text import run

        self.tables = run(self.tables, text)
        self.changed()
        self.edits.tell()

    def list(self, now: float = 0.0) -> str:
        """Return what `nft list ruleset` prints at a virtual time."""
        from k8slab.linux.nft_list import listing

        return "".join(listing(table, now) for table in self.tables.values())

    def __str__(self) -> str:
        from k8slab.linux.nft_text import commands

        return "".join(map(commands, self.tables.values()))

    def trace(
        self,
        src: str,
        dst: str,
        dport: int,
        protocol: str = "tcp",
        *,
        sport: int = 40000,
        in_interface: str = "",
        local_addresses: Iterable[str] = (),
    ) -> RuleTrace:
        """Say what happens to a new connection, as `netfilter.Ruleset.trace` does."""
        from k8slab.linux.netfilter import Ruleset
        from k8slab.linux.packet import Packet
        from k8slab.linux.ruletrace import trace

        flags = "SYN" if protocol.lower() == "tcp" else ""
        packet = Packet(protocol.lower(), src, dst, sport, dport, flags)
        return trace(Ruleset(), packet, in_interface, "", tuple(local_addresses), self)


def parse(text: str) -> NftRuleset:
    """Read commands for `nft -f`, or what `nft list ruleset` printed. Raises NftError."""
    ruleset = NftRuleset()
    ruleset.run(text)
    return ruleset


def _within(key: str, interval: str) -> bool:
    if "/" in interval:
        return contains(interval, key)
    low, dash, high = interval.partition("-")
    if not dash:
        return False
    number: Callable[[str], int] = int if low.isdigit() else ip_int
    return number(low) <= number(key) <= number(high)
