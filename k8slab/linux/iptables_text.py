"""The language of iptables-restore: tables, chains with policies and counters, rules.

`restore` reads a text against the rules that are there and returns the tables that change, whole
and new; nothing is touched until the caller puts them in place, so an error changes nothing.
It also reads the output of `iptables -S` (-P, -N, -A) which has no table line.

Rule of use: an error says the line, as iptables-restore does.

Upstream: iptables iptables/iptables-restore.c
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from k8slab.linux.chains import NO_HITS, Body, Chain, Hits, Rule, Table
from k8slab.linux.iptables_rule import parse_rule
from k8slab.linux.iptables_unknown import Unknown, unknown_parts
from k8slab.linux.iptables_words import IptablesError

if TYPE_CHECKING:
    from k8slab.linux.netfilter import Ruleset

CHAIN_LINE = re.compile(r":(\S+)\s+(\S+)(?:\s+\[(\d+):(\d+)\])?$")
COUNTERS = re.compile(r"\[(\d+):(\d+)\]\s*")
MAX_CHAIN_NAME = 28  # characters, XT_EXTENSION_MAXNAMELEN without its end


class Draft:
    """One table while it is being read: rules in lists, so that lines append quickly."""

    def __init__(self, table: Table | None, name: str, built_in: tuple[str, ...]) -> None:
        self.name = name
        self.unknown: list[Unknown] = []
        self.chains: dict[str, Chain] = {each: Chain(each, "ACCEPT") for each in built_in}
        self.rules: dict[str, list[Rule]] = {}  # only of chains that change
        if table is not None:
            self.chains.update(table.chains)

    def declare(self, name: str, policy: str, total: Hits) -> None:
        """Take a line `:NAME POLICY [packets:bytes]`."""
        old = self.chains.get(name)
        if old is not None and old.built_in:
            self.chains[name] = Chain(name, old.policy if policy == "-" else policy, old.body)
            self.chains[name].counters = dict(old.counters)
        else:
            if len(name) > MAX_CHAIN_NAME:
                raise IptablesError(f"chain name `{name}' too long (must be under 29 chars)")
            self.chains[name] = Chain(name, policy)
            self.rules[name] = []
        self.chains[name].total = total

    def rules_of(self, name: str) -> list[Rule]:
        """Return the rules of a chain, to be changed."""
        if name not in self.rules:
            if name not in self.chains:
                raise IptablesError(f"Chain '{name}' does not exist")
            self.chains[name] = self.chains[name].copy()
            self.rules[name] = list(self.chains[name].rules)
        return self.rules[name]

    def append(self, name: str, rule: Rule, hits: Hits | None) -> None:
        """Take a line `-A NAME ...`."""
        rules = self.rules_of(name)
        if hits is not None and any(hits):
            self.chains[name].set_hits(len(rules), hits)
        rules.append(rule)

    def delete(self, name: str) -> None:
        """Take a line `-X NAME`."""
        if self.chains.pop(name, None) is None:
            raise IptablesError(f"Chain '{name}' does not exist")
        self.rules.pop(name, None)

    def finish(self) -> Table:
        """Return the table."""
        table = Table(self.name)
        for name, chain in self.chains.items():
            if name in self.rules:
                finished = Chain(name, chain.policy, Body(tuple(self.rules[name])))
                finished.total, finished.counters = chain.total, chain.counters
                table.chains[name] = finished
            else:
                table.chains[name] = chain
        return table


def restore(ruleset: Ruleset, text: str, noflush: bool) -> tuple[dict[str, Table], list[Unknown]]:
    """Return the tables as they will be, and what was not understood.

    Raises IptablesError that names the line.
    """
    from k8slab.linux.netfilter import BUILT_IN

    drafts: dict[str, Draft] = {}
    draft: Draft | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] == "#":
            continue
        try:
            if line == "COMMIT":
                draft = None
                continue
            if line[0] == "*" or draft is None:
                name = line[1:].strip() if line[0] == "*" else "filter"
                if name not in BUILT_IN:
                    raise IptablesError(f"can't initialize iptables table `{name}'")
                if line[0] == "*" and not noflush:
                    drafts.pop(name, None)  # a table that is named again is emptied again
                old = ruleset.tables.get(name) if noflush else None
                draft = drafts.setdefault(name, Draft(old, name, BUILT_IN[name]))
            if line[0] != "*":
                _read_line(draft, line, number)
        except IptablesError as error:
            raise IptablesError(f"iptables-restore: line {number} failed: {error}") from None
    unknown = [part for each in drafts.values() for part in each.unknown]
    return {name: each.finish() for name, each in drafts.items()}, unknown


def _read_line(draft: Draft, line: str, number: int) -> None:
    if line[0] == ":":
        found = CHAIN_LINE.match(line)
        if found is None:
            raise IptablesError(f"expected `:CHAIN POLICY [packets:bytes]', found `{line}'")
        name, policy, packets, size = found.groups()
        draft.declare(name, policy, (int(packets or 0), int(size or 0)))
        return
    hits = None
    if line[0] == "[" and (counted := COUNTERS.match(line)):
        hits = (int(counted.group(1)), int(counted.group(2)))
        line = line[counted.end() :]
    command, _, rest = line.partition(" ")
    name, _, words = rest.strip().partition(" ")
    if command in ("-A", "--append"):
        rule = parse_rule(words)
        draft.append(name, rule, hits)
        for part, advice in unknown_parts(rule):
            draft.unknown.append(Unknown(number, draft.name, name, part, advice))
    elif command in ("-I", "--insert"):
        place, _, after = words.strip().partition(" ")
        numbered = place.isdigit()
        rule = parse_rule(after if numbered else words)
        draft.rules_of(name).insert(int(place) - 1 if numbered else 0, rule)
    elif command in ("-D", "--delete"):
        rule = parse_rule(words)
        if rule not in draft.rules_of(name):
            raise IptablesError("Bad rule (does a matching rule exist in that chain?)")
        draft.rules_of(name).remove(rule)
    elif command in ("-N", "--new-chain"):
        draft.declare(name, "-", NO_HITS)
    elif command in ("-F", "--flush"):
        draft.rules_of(name).clear()
    elif command in ("-X", "--delete-chain"):
        draft.delete(name)
    elif command in ("-P", "--policy"):
        draft.declare(name, words.strip(), NO_HITS)
    else:
        raise IptablesError(f"expected a rule (-A CHAIN ...), found `{line}'")
