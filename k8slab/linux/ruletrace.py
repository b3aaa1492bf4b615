"""What would happen to a new connection: every possible outcome, each with its probability.

The rules are walked by the very code that walks real packets; only the dice are scripted. Each
throw of `-m statistic` or `numgen` is a fork, so the walk is done once for each sequence of throws,
and the probability of a branch is the product of its throws, as exact fractions.

Rule of use: through `Ruleset.trace`; nothing is counted and nothing is remembered.

Upstream: none (`iptables -j TRACE` follows one real packet)
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from k8slab.linux.addresses import is_ipv6, is_loopback, joined
from k8slab.linux.chains import ACCEPT
from k8slab.linux.context import Context, RuleMemory
from k8slab.linux.hooks import Netfilter
from k8slab.linux.journey import Visit
from k8slab.linux.matches import Statistic
from k8slab.linux.packet import Packet
from k8slab.sim import Simulation

if TYPE_CHECKING:
    from k8slab.linux.netfilter import Ruleset
    from k8slab.linux.nft import NftRuleset

MAX_BRANCHES = 20_000
VERDICT_ORDER = ("ACCEPT", "REJECT", "DROP")


class Branch(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome: where the connection goes if the dice fall that way."""

    verdict: str  # "ACCEPT", "REJECT" or "DROP"
    probability: Fraction
    ip: str  # destination after DNAT
    port: int
    translated: bool  # whether a DNAT rule chose it
    masqueraded: bool  # whether the source is rewritten
    source: str
    visited: tuple[Visit, ...]  # the rules that matched, in order
    examined: int  # rules that iptables would have looked at
    reject_with: str = ""
    uncertain: tuple[str, ...] = ()  # matches and targets that the lab does not know


class Destination(msgspec.Struct, frozen=True, kw_only=True):
    """A place where the connection may arrive."""

    ip: str
    port: int
    probability: Fraction
    masqueraded: bool
    visited: tuple[Visit, ...] = ()

    def __str__(self) -> str:
        return joined(self.ip, self.port)


class RuleTrace(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of `Ruleset.trace`."""

    packet: Packet
    branches: tuple[Branch, ...]

    @property
    def verdict(self) -> str:
        """The verdict of the likeliest outcome."""
        chances = {name: self.chance(name) for name in VERDICT_ORDER}
        return max(VERDICT_ORDER, key=lambda name: chances[name])

    def chance(self, verdict: str) -> Fraction:
        """Return the probability of a verdict."""
        return sum((b.probability for b in self.branches if b.verdict == verdict), Fraction(0))

    @property
    def destinations(self) -> tuple[Destination, ...]:
        """Where accepted connections go, in the order of the rules."""
        found: dict[tuple[str, int, bool], Destination] = {}
        for branch in self.branches:
            if branch.verdict != ACCEPT:
                continue
            key = (branch.ip, branch.port, branch.masqueraded)
            old = found.get(key)
            found[key] = Destination(
                ip=branch.ip,
                port=branch.port,
                probability=branch.probability + (old.probability if old else 0),
                masqueraded=branch.masqueraded,
                visited=old.visited if old else branch.visited,
            )
        return tuple(found.values())

    @property
    def translated(self) -> bool:
        """Whether a NAT rule decides; if not, the packet goes on as an ordinary one."""
        return any(branch.translated for branch in self.branches)

    @property
    def masqueraded(self) -> bool:
        """Whether some accepted connection arrives with another source."""
        return any(destination.masqueraded for destination in self.destinations)

    @property
    def visited(self) -> tuple[Visit, ...]:
        """Every rule that matches in some branch, once, in the order of the walk."""
        return tuple(dict.fromkeys(visit for branch in self.branches for visit in branch.visited))

    @property
    def uncertain(self) -> tuple[str, ...]:
        """What the lab could not judge, and took as not matching."""
        return tuple(dict.fromkeys(word for b in self.branches for word in b.uncertain))

    def __str__(self) -> str:
        lines = [f"{self.packet}: {self.verdict}"]
        for branch in self.branches:
            source = f", masqueraded as {branch.source}" if branch.masqueraded else ""
            lines.append(
                f"  {branch.probability}: {branch.verdict} {joined(branch.ip, branch.port)}{source}"
            )
            lines += [f"      {visit}" for visit in branch.visited]
        lines += [f"  not judged, and taken as not matching: {words}" for words in self.uncertain]
        return "\n".join(lines)


class Throw(msgspec.Struct):
    """One throw of the dice: how it falls, of how many ways."""

    value: int
    sides: int


class ScriptedDice(RuleMemory):
    """Dice that fall as written, and note what was thrown beyond the script."""

    def __init__(self, script: list[Throw], local: tuple[str, ...]) -> None:
        super().__init__(lambda: 0.0, lambda: 0.0, lambda ip: ip in local or is_loopback(ip))
        self.counting = False
        self.script = script
        self.thrown = 0
        self.probability = Fraction(1)

    def chance(self, match: Statistic) -> bool:
        """Return the next throw of the script; beyond its end, a match."""
        return self._comes_true(match.fraction)

    def falls(self, sides: int, count: int) -> bool:
        """Fork in two, however many sides the die has."""
        return self._comes_true(Fraction(sides, count))

    def _comes_true(self, chance: Fraction) -> bool:
        if chance in (0, 1):
            return chance == 1
        outcome = self._throw(2) == 0
        self.probability *= chance if outcome else 1 - chance
        return outcome

    def pick(self, count: int) -> int:
        """Return the next throw of the script; beyond its end, the first side."""
        self.probability *= Fraction(1, count)
        return self._throw(count) if count > 1 else 0

    def _throw(self, sides: int) -> int:
        if self.thrown == len(self.script):
            self.script.append(Throw(0, sides))
        self.thrown += 1
        return self.script[self.thrown - 1].value


def trace(
    ruleset: Ruleset,
    packet: Packet,
    in_interface: str,
    out_interface: str,
    local: tuple[str, ...],
    nft: NftRuleset | None = None,
) -> RuleTrace:
    """Walk the packet through the rules for every way in which the dice can fall."""
    branches: list[Branch] = []
    script: list[Throw] = []
    interfaces = (in_interface, out_interface)
    while len(branches) < MAX_BRANCHES:
        dice = ScriptedDice(script, local)
        netfilter = Netfilter(ruleset, Simulation(), "trace", dice.is_local)
        netfilter.memory = dice
        netfilter.nft = nft or netfilter.nft
        if is_ipv6(packet.dst):
            netfilter.ruleset6 = ruleset
        branches.append(_branch(netfilter, packet, dice, interfaces, local))
        while script and script[-1].value == script[-1].sides - 1:
            script.pop()
        if not script:
            break
        script[-1].value += 1
    return RuleTrace(packet=packet, branches=tuple(branches))


def _branch(
    netfilter: Netfilter,
    packet: Packet,
    dice: ScriptedDice,
    interfaces: tuple[str, str],
    local: tuple[str, ...],
) -> Branch:
    context = Context(packet, in_interface=interfaces[0], out_interface=interfaces[1])
    context.visits = []
    ipv6 = is_ipv6(packet.dst)
    own = (ip for ip in local if not is_loopback(ip) and is_ipv6(ip) == ipv6)
    context.masquerade_as = next(own, "::" if ipv6 else "0.0.0.0")
    verdict, after = _walk(netfilter, packet, context)
    entry = context.entry
    return Branch(
        verdict=verdict,
        probability=dice.probability,
        ip=after.dst,
        port=after.dport,
        translated=entry is not None and entry.destination_bound and entry.dnat,
        masqueraded=entry is not None and context.nat is not None and _is_source(context),
        source=after.src,
        visited=tuple(context.visits),
        examined=context.examined,
        reject_with=context.reject_with,
        uncertain=tuple(context.uncertain),
    )


def _walk(netfilter: Netfilter, packet: Packet, context: Context) -> tuple[str, Packet]:
    """Pass the hooks that the packet would pass on this node."""
    is_local = netfilter.memory.is_local
    if is_local(packet.src):
        hooks = ["OUTPUT", "POSTROUTING"]
    else:
        verdict, packet = netfilter.run("PREROUTING", packet, context)
        if verdict != ACCEPT:
            return verdict, packet
        hooks = ["INPUT"] if is_local(packet.dst) else ["FORWARD", "POSTROUTING"]
    for hook in hooks:
        verdict, packet = netfilter.run(hook, packet, context)
        if verdict != ACCEPT:
            return verdict, packet
    return ACCEPT, packet


def _is_source(context: Context) -> bool:
    return context.nat is not None and context.nat.kind in ("SNAT", "MASQUERADE")
