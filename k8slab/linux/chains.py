"""Rules, chains and tables, and the walk of a packet through them.

A `Body` is the list of rules of a chain: immutable, so that a hundred nodes share one, and read
only when the first packet or reader asks. A `Chain` is a body in one namespace, with counters.
`traverse` walks: the first rule that matches acts, a jump comes back, the policy decides last.

Long runs of rules that compare destination, protocol or port exactly (KUBE-SERVICES) are found
through a dictionary instead of one by one; `Context.examined` still counts the rules that
iptables would have looked at.

Rule of use: replace a chain's body, never change it.

Upstream: Linux net/ipv4/netfilter/ip_tables.c (ipt_do_table)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from k8slab.linux.addresses import ALL_ONES, ALL_ONES6
from k8slab.linux.context import Context
from k8slab.linux.journey import Visit
from k8slab.linux.matches import Address, Comment, Match, Ports, Protocol, UnknownMatch
from k8slab.linux.packet import Packet
from k8slab.linux.rule_index import Key, Run, find_runs
from k8slab.linux.targets import (
    Jump,
    Log,
    Nat,
    NoTrack,
    Reject,
    SetMark,
    Target,
    UnknownTarget,
    Verdict,
)

ACCEPT, DROP, REJECT = "ACCEPT", "DROP", "REJECT"
RETURN = "RETURN"
Hits = tuple[int, int]  # packets and bytes
NO_HITS: Hits = (0, 0)
NO_COUNTERS: Mapping[int, Hits] = MappingProxyType({})  # of the many chains that nothing passed
MAX_STEPS = 100_000  # rules that match on one walk; the kernel refuses loops when it loads rules


class Rule(msgspec.Struct, frozen=True, gc=False):
    """Conditions and a target.

    `basic` are -s -d -i -o -p, `groups` the matches of each -m in the order in which they stand.
    """

    basic: tuple[Match, ...] = ()
    groups: tuple[tuple[str, tuple[Match, ...]], ...] = ()
    target: Target | None = None
    checks: tuple[Match, ...] = ()  # every condition that can fail

    def __str__(self) -> str:
        words = [str(match) for match in self.basic]
        for module, matches in self.groups:
            words += [f"-m {module}", *map(str, matches)]
        if self.target is not None:
            words.append(str(self.target))
        return " ".join(words)

    @property
    def comment(self) -> str:
        """The text of its comment, empty without one."""
        for _, matches in self.groups:
            for match in matches:
                if isinstance(match, Comment):
                    return match.text
        return ""

    def key(self) -> Key | None:
        """Return what an index can find the rule by, None if it compares nothing exactly."""
        destination, protocol, port = -1, "", -1
        for match in self.checks:
            if isinstance(match, Address) and match.option == "-d" and not match.negated:
                whole = ALL_ONES6 if match.ipv6 else ALL_ONES
                destination = match.net if match.mask == whole else destination
            elif isinstance(match, Protocol) and not match.negated:
                protocol = match.protocol
            elif isinstance(match, Ports) and match.option == "--dport" and not match.negated:
                low, high = match.ranges[0]
                port = low if low == high else port
        exact = protocol and (destination >= 0 or port >= 0)
        return (destination, protocol, port) if exact else None


def make_rule(
    basic: Sequence[Match] = (),
    groups: Sequence[tuple[str, tuple[Match, ...]]] = (),
    target: Target | None = None,
) -> Rule:
    """Return a rule from its parts."""
    every = [*basic, *(match for _, matches in groups for match in matches)]
    idle = (Comment, UnknownMatch) if isinstance(target, Log) else Comment
    checks = tuple(match for match in every if not isinstance(match, idle))
    return Rule(tuple(basic), tuple(groups), target, checks)


Source = Sequence[Rule | str] | Callable[[], Iterable[Rule | str]]


class Body:
    """The rules of a chain, given as rules, as text, or as a function that returns either."""

    __slots__ = ("_chain", "_checks", "_rules", "_runs", "_source")

    def __init__(self, source: Source = ()) -> None:
        self._source: Source | None = source
        self._rules: tuple[Rule, ...] = ()
        self._runs: tuple[Run, ...] | None = None
        self._checks: list[tuple[Match, ...]] = []  # of each rule, once there are runs
        self._chain: Chain | None = None

    def chain(self, name: str) -> Chain:
        """Return the user-defined chain with these rules that nothing has passed yet.

        Many tables may hold it; each takes a copy of its own when it has something to count.
        """
        if self._chain is None or self._chain.name != name:
            self._chain = Chain(name, body=self, shared=True)
        return self._chain

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules, read from their text at the first use. Raises IptablesError."""
        if self._source is not None:
            source = self._source() if callable(self._source) else self._source
            self._rules = tuple(each if isinstance(each, Rule) else _read(each) for each in source)
            self._source = None
        return self._rules

    def next_match(self, start: int, packet: Packet, context: Context) -> int:
        """Return the place of the first rule from `start` on that matches, -1 if none does."""
        if self._runs is None:
            self._runs = find_runs([rule.key() for rule in self.rules])
            self._checks = [rule.checks for rule in self._rules]
        if start >= len(self._checks):
            return -1
        for run in self._runs:
            if run.end <= start:
                continue
            first = max(run.start, start)
            places = range(first, run.end) if run.index is None else run.candidates(packet)
            for place in places:
                if place < first:
                    continue
                for match in self._checks[place]:
                    if not match.matches(packet, context):
                        break
                else:
                    context.examined += place - first + 1
                    return place
            context.examined += run.end - first
        return -1


class Chain:
    """A chain of one namespace: name, policy ("-" for chains that users made), rules, counters."""

    __slots__ = ("body", "counters", "name", "policy", "shared", "total")

    def __init__(
        self, name: str, policy: str = "-", body: Body | None = None, *, shared: bool = False
    ) -> None:
        self.name = name
        self.policy = policy
        self.body = body or Body()
        self.shared = shared  # held by many tables, so that it must not change
        self.total = NO_HITS  # packets and bytes that the policy decided
        self.counters: Mapping[int, Hits] = NO_COUNTERS  # by place; only rules hit

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules in order."""
        return self.body.rules

    @property
    def built_in(self) -> bool:
        """Whether the kernel made it (it has a policy)."""
        return self.policy != "-"

    def copy(self) -> Chain:
        """Return a chain with the same rules and counters that one table may change."""
        own = Chain(self.name, self.policy, self.body)
        own.total, own.counters = self.total, dict(self.counters) or NO_COUNTERS
        return own

    def count(self, place: int, length: int) -> None:
        """Add a packet of so many bytes to the counter of a rule, or for -1 of the policy."""
        if place < 0:
            packets, size = self.total
            self.total = (packets + 1, size + length)
            return
        counters = self.counters
        packets, size = counters.get(place, NO_HITS)
        if isinstance(counters, dict):
            counters[place] = (packets + 1, size + length)
        else:
            self.counters = {place: (packets + 1, size + length)}

    def set_hits(self, place: int, hits: Hits) -> None:
        """Set the counter of a rule, or for -1 that of the policy."""
        if place < 0:
            self.total = hits
        elif isinstance(self.counters, dict):
            self.counters[place] = hits
        else:
            self.counters = {place: hits}


class Table:
    """The chains of one table by name, in the order in which iptables-save prints them."""

    __slots__ = ("chains", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.chains: dict[str, Chain] = {}

    def count(self, chain: Chain, place: int, length: int) -> None:
        """Count a packet of so many bytes that met a rule of a chain, or for -1 its policy."""
        if chain.shared:
            chain = self.chains[chain.name]
            if chain.shared:
                chain = self.chains[chain.name] = chain.copy()
        chain.count(place, length)


def traverse(table: Table, chain_name: str, packet: Packet, context: Context) -> tuple[str, Packet]:
    """Walk the packet through a built-in chain; returns ACCEPT, DROP or REJECT, and the packet.

    A NAT target ends the walk with ACCEPT and is left in `context.nat`.
    """
    base = chain = table.chains[chain_name]
    place = 0
    back: list[tuple[Chain, int]] = []
    for _ in range(MAX_STEPS):
        place = chain.body.next_match(place, packet, context)
        if place < 0:
            if not back:
                return _policy(base, packet, context)
            chain, place = back.pop()
            continue
        target = _met(table, chain, place, packet, context)
        place += 1
        if isinstance(target, Jump):
            called = table.chains.get(target.chain)
            if called is None:
                context.unknown(str(target))
                continue
            if not target.goto:
                back.append((chain, place))
            chain, place = called, 0
        elif isinstance(target, Verdict):
            if target.verdict != RETURN:
                return target.verdict, packet
            if not back:
                return _policy(base, packet, context)
            chain, place = back.pop()
        elif isinstance(target, SetMark):
            packet = target.apply(packet)
        elif isinstance(target, NoTrack):
            context.untracked = True
        elif isinstance(target, Nat):
            context.nat = target
            return ACCEPT, packet
        elif isinstance(target, Reject):
            context.reject_with = target.reject_with
            return REJECT, packet
        elif isinstance(target, UnknownTarget):
            context.unknown(str(target))
    context.unknown(f"loop through chain {chain.name}")
    return DROP, packet


def _met(table: Table, chain: Chain, place: int, packet: Packet, context: Context) -> Target | None:
    """Count a rule that matched, write it down if somebody wants to know, return its target."""
    rule = chain.body.rules[place]
    if context.memory.counting:
        table.count(chain, place, context.length)
    if context.visits is not None:
        text = f"-A {chain.name} {rule}"
        context.visits.append(Visit(table.name, chain.name, place, text))
    return rule.target


def _policy(base: Chain, packet: Packet, context: Context) -> tuple[str, Packet]:
    """Let the built-in chain decide at which the walk began; a chain that was gone to has none."""
    if context.memory.counting:
        base.count(-1, context.length)
    return (DROP if base.policy == DROP else ACCEPT), packet


def _read(text: str) -> Rule:
    from k8slab.linux.iptables_rule import parse_rule

    return parse_rule(text)
