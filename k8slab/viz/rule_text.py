"""The rules of one Service, read from iptables-save text: chains, jumps, chances, counters.

`read(text, "web")` follows the jumps from KUBE-SERVICES and KUBE-NODEPORTS. The text may come from
the lab (`iptables-save -c` has the counters) or be pasted from a real node.

Rule of use: this reads what kube-proxy writes, for a picture; to ask what a packet would meet, use
`Ruleset.trace`, which executes the rules.

Upstream: pkg/proxy/iptables/proxier.go (writeServiceToEndpointRules)
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping, Sequence
from fractions import Fraction

import msgspec

ROOTS = ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES")
MARK = "KUBE-MARK-MASQ"
ENDINGS = ("REJECT", "DROP", "DNAT")
LINE = re.compile(r"(?:\[(\d+):\d+\] )?-A (\S+) (.*)")
CLOSEST = 1000  # denominator: 0.33333333349 is a third


class Rule(msgspec.Struct, frozen=True):
    """One line of the text, as far as a picture needs it."""

    chain: str
    target: str  # what it jumps to
    words: tuple[str, ...]  # of the whole line after the chain
    packets: int | None  # None: the text has no counters

    def option(self, name: str) -> str:
        """Return the word after an option, "" if it is not there."""
        return self.words[self.words.index(name) + 1] if name in self.words else ""

    @property
    def comment(self) -> str:
        """What kube-proxy says of it."""
        return self.option("--comment")

    @property
    def chance(self) -> Fraction:
        """The probability written in it; 1 if there is none."""
        written = self.option("--probability")
        return Fraction(written).limit_denominator(CLOSEST) if written else Fraction(1)

    @property
    def condition(self) -> str:
        """What a packet must be like, in short; "" for any."""
        told = [
            f"{'not ' if self._denied(name) else ''}{words} {self.option(name)}"
            for name, words in CONDITIONS.items()
            if name in self.words
        ]
        if "--dport" in self.words:
            told.append(f"port {self.option('--dport')}/{self.option('-p')}")
        if "--rcheck" in self.words:
            told.append("a client seen before")
        return ", ".join(told).replace("/32", "")

    def _denied(self, name: str) -> bool:
        place = self.words.index(name)
        return place > 0 and self.words[place - 1] == "!"


CONDITIONS = {
    "-s": "from",
    "-d": "to",
    "--src-type": "source",
    "--dst-type": "destination",
    "--mark": "mark",
}


class Jump(msgspec.Struct, frozen=True):
    """From one chain to the next, or to an ending ("REJECT")."""

    source: str
    target: str
    rule: Rule
    share: Fraction | None  # of the packets in the source; None: it depends on the packet


class Chain(msgspec.Struct, frozen=True):
    """What a chain does besides jumping on."""

    name: str
    marks: bool = False  # some packets are marked for masquerade
    destination: str = ""  # "10.244.1.2:80", of a DNAT


class Rules(msgspec.Struct, frozen=True):
    """The part of a ruleset that one Service has."""

    chains: Mapping[str, Chain]
    jumps: tuple[Jump, ...]

    def into(self, chain: str) -> list[Jump]:
        """Return the jumps to a chain."""
        return [jump for jump in self.jumps if jump.target == chain]


def read(text: str, service: str, namespace: str = "default") -> Rules:
    """Return the chains of a Service, in the order in which a packet may come by them.

    Raises ValueError if no rule is about it.
    """
    rules = [rule for line in text.splitlines() if (rule := parse(line.strip())) is not None]
    by_chain: dict[str, list[Rule]] = {}
    for rule in rules:
        by_chain.setdefault(rule.chain, []).append(rule)
    about = re.compile(rf"{re.escape(namespace)}/{re.escape(service)}(:\S+)?( |$)")
    roots = [rule for rule in rules if rule.chain in ROOTS and about.match(rule.comment)]
    if not roots:
        raise ValueError(f"no rule of KUBE-SERVICES is about {namespace}/{service}")
    chains = {rule.chain: Chain(rule.chain) for rule in roots}
    jumps = [Jump(rule.chain, rule.target, rule, None) for rule in roots]
    waiting = [jump.target for jump in jumps]
    while waiting:
        name = waiting.pop(0)
        if name in chains:
            continue
        own = by_chain.get(name, [])
        goes = next((rule.option("--to-destination") for rule in own if rule.target == "DNAT"), "")
        chains[name] = Chain(name, any(rule.target == MARK for rule in own), goes)
        found = jumps_of(own)
        jumps += found
        waiting += [jump.target for jump in found]
    return Rules(chains, tuple(jumps))


def parse(line: str) -> Rule | None:
    """Return the rule of a line, None if it has none.

    >>> parse('[3:180] -A KUBE-SVC-X -m statistic --probability 0.5 -j KUBE-SEP-Y').packets
    3
    """
    found = LINE.fullmatch(line)
    if found is None:
        return None
    words = tuple(shlex.split(found[3]))
    target = words[words.index("-j") + 1] if "-j" in words else ""
    return Rule(found[2], target, words, int(found[1]) if found[1] else None)


def jumps_of(rules: Sequence[Rule]) -> list[Jump]:
    """Return where a chain's rules lead, each with its share of all packets that enter.

    >>> rules = [parse(f"-A S {odds}-j E{n}") for n, odds in enumerate(
    ...     ("--probability 0.33333333349 ", "--probability 0.5 ", ""))]
    >>> [str(jump.share) for jump in jumps_of(rules)]
    ['1/3', '1/3', '1/3']
    """
    left: Fraction | None = Fraction(1)
    found = []
    for rule in rules:
        if rule.target == MARK or rule.target == "DNAT" or not rule.target:
            continue
        if rule.condition:
            found.append(Jump(rule.chain, rule.target, rule, None))
            continue
        share = left * rule.chance if left is not None else None
        left = left - share if left is not None and share is not None else None
        found.append(Jump(rule.chain, rule.target, rule, share))
    return found
