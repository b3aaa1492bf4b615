"""A node's rules as iptables-save prints them: read, print, change, and ask what they would do.

`parse(text)` gives a `Ruleset`; `str(ruleset)` is the text again; `restore` does what
iptables-restore does, with or without --noflush; `replace_chain` changes one chain; `trace` says
where a new connection would go, with what probability and by which rules. The text may come from
a real cluster: what the lab does not know is kept and named (`unknown`), never guessed.

Rule of use: a namespace executes its own Ruleset (`NetNamespace.ruleset`); chains' bodies may be
shared between rulesets, counters never are.

Upstream: iptables iptables/iptables-save.c, iptables/iptables-restore.c
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from k8slab.linux.chains import Body, Chain, Rule, Source, Table
from k8slab.linux.edits import Edits
from k8slab.linux.iptables_rule import parse_rule
from k8slab.linux.iptables_words import IptablesError
from k8slab.linux.matches import UnknownMatch
from k8slab.linux.targets import Jump, UnknownTarget, Verdict

if TYPE_CHECKING:
    from k8slab.linux.iptables_unknown import Unknown
    from k8slab.linux.ruletrace import RuleTrace

BUILT_IN: Mapping[str, tuple[str, ...]] = {
    "raw": ("PREROUTING", "OUTPUT"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}

__all__ = ["BUILT_IN", "Body", "Chain", "IptablesError", "Rule", "Ruleset", "parse", "parse_rule"]


def parse(text: str) -> Ruleset:
    """Return the rules that `iptables-save` text describes. Raises IptablesError with the line."""
    ruleset = Ruleset()
    ruleset.restore(text)
    return ruleset


class Ruleset:
    """Tables of chains of rules; a table appears when something is put in it."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}
        self.unknown: tuple[Unknown, ...] = ()  # of the text read last: what the lab does not judge
        self.edits = Edits()  # told of each one by text or by name, not of `replace_chain`

    # -- reading

    def chain(self, table: str, name: str) -> Chain | None:
        """Return a chain, None if there is none."""
        found = self.tables.get(table)
        return None if found is None else found.chains.get(name)

    def rules(self, table: str, name: str) -> tuple[Rule, ...]:
        """Return the rules of a chain, none if there is no such chain."""
        chain = self.chain(table, name)
        return () if chain is None else chain.rules

    def save(self, table: str = "", *, counters: bool = False) -> str:
        """Return what `iptables-save [-c] [-t table]` prints, without its comment lines."""
        wanted = [self.tables[table]] if table in self.tables else []
        lines: list[str] = []
        for each in wanted if table else self.tables.values():
            lines += _table_lines(each, counters)
        return "".join(f"{line}\n" for line in lines)

    def __str__(self) -> str:
        return self.save()

    def trace(
        self,
        src: str,
        dst: str,
        dport: int,
        protocol: str = "tcp",
        *,
        sport: int = 40000,
        in_interface: str = "",
        out_interface: str = "",
        local_addresses: Iterable[str] = (),
    ) -> RuleTrace:
        """Say what happens to a new connection without affinity history; see ruletrace.py.

        `local_addresses` are the node's own; a connection from one of them starts at OUTPUT, any
        other at PREROUTING. Nothing is counted, no state changes.
        """
        from k8slab.linux.packet import Packet
        from k8slab.linux.ruletrace import trace

        flags = "SYN" if protocol.lower() == "tcp" else ""
        packet = Packet(protocol.lower(), src, dst, sport, dport, flags)
        return trace(self, packet, in_interface, out_interface, tuple(local_addresses))

    # -- changing

    def table(self, name: str) -> Table:
        """Return a table; a new one has its built-in chains, empty, with policy ACCEPT."""
        found = self.tables.get(name)
        if found is None:
            if name not in BUILT_IN:
                raise IptablesError(f"can't initialize iptables table `{name}': unknown table")
            found = self.tables[name] = Table(name)
            for chain in BUILT_IN[name]:
                found.chains[chain] = Chain(chain, "ACCEPT")
        return found

    def ensure_chain(self, table: str, name: str) -> bool:
        """Make sure that the chain exists; True if it did before."""
        chains = self.table(table).chains
        if name in chains:
            return True
        chains[name] = Chain(name)
        return False

    def replace_chain(self, table: str, name: str, rules: Source | Body) -> None:
        """Give the chain these rules in place of its own, with new counters; make it if needed.

        Rules given as text are read when the first packet or reader comes; so is the function,
        if `rules` is one. A `Body` may be shared with other rulesets.
        """
        chains = self.table(table).chains
        old = chains.get(name)
        body = rules if isinstance(rules, Body) else Body(rules)
        if old is None or not old.built_in:
            chains[name] = body.chain(name)
        else:
            chains[name] = Chain(name, old.policy, body)

    def delete_chain(self, table: str, name: str) -> None:
        """Take a user-defined chain away. Raises IptablesError for a built-in one."""
        chain = self.chain(table, name)
        if chain is None:
            return
        if chain.built_in:
            raise IptablesError(f"Can't delete built-in chain '{name}'")
        del self.tables[table].chains[name]
        self.edits.tell()

    def ensure_rule(
        self, table: str, chain: str, rule: str | Rule, *, prepend: bool = False
    ) -> bool:
        """Make sure that the chain has the rule, at its end or its head; True if it had it."""
        self.ensure_chain(table, chain)
        wanted = rule if isinstance(rule, Rule) else parse_rule(rule)
        rules = self.rules(table, chain)
        if wanted in rules:
            return True
        new = (wanted, *rules) if prepend else (*rules, wanted)
        self.replace_chain(table, chain, new)
        return False

    def delete_rule(self, table: str, chain: str, rule: str | Rule) -> None:
        """Take the first rule that equals this one out of the chain; none is no error."""
        unwanted = rule if isinstance(rule, Rule) else parse_rule(rule)
        rules = list(self.rules(table, chain))
        if unwanted in rules:
            rules.remove(unwanted)
            self.replace_chain(table, chain, rules)
            self.edits.tell()

    def restore(self, text: str, *, noflush: bool = False, strict: bool = False) -> None:
        """Do what `iptables-restore [--noflush]` does with the text, all of it or nothing.

        Without `noflush` the tables named in the text are emptied first; with it only the
        user-defined chains that the text declares are. `strict` also refuses what the kernel
        would: unknown matches and jumps to chains that do not exist.
        """
        from k8slab.linux.iptables_text import restore

        changed, unknown = restore(self, text, noflush)
        if strict:
            for name, table in changed.items():
                check(table, self.tables.get(name))
        self.tables.update(changed)
        self.unknown = tuple(sorted(unknown, key=lambda part: part.line))
        self.edits.tell()


def check(table: Table, old: Table | None) -> None:
    """Raise IptablesError if the kernel would refuse what is new in the table."""
    known = {} if old is None else old.chains
    for name, chain in table.chains.items():
        for rule in () if known.get(name) is chain else chain.rules:
            target = rule.target
            if isinstance(target, Jump) and target.chain not in table.chains:
                raise IptablesError(f"iptables-restore: Chain '{target.chain}' does not exist")
            if table.name == "nat" and target == Verdict("DROP"):
                raise IptablesError(
                    'The "nat" table is not intended for filtering, the use of DROP is inhibited.'
                )
            if isinstance(target, UnknownTarget):
                raise IptablesError(f"Couldn't load target: {rule}")
            if any(isinstance(match, UnknownMatch) for match in rule.checks):
                raise IptablesError(f"Couldn't load match: {rule}")


def _table_lines(table: Table, counters: bool) -> list[str]:
    lines = [f"*{table.name}"]
    for chain in table.chains.values():
        lines.append(f":{chain.name} {chain.policy} [{chain.total[0]}:{chain.total[1]}]")
    for chain in table.chains.values():
        for place, rule in enumerate(chain.rules):
            hits = chain.counters.get(place, (0, 0)) if counters else None
            prefix = "" if hits is None else f"[{hits[0]}:{hits[1]}] "
            lines.append(f"{prefix}-A {chain.name} {rule}")
    lines.append("COMMIT")
    return lines
