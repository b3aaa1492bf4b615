"""nftables as text: tables of chains, sets and maps, as `nft -f` reads them.

`parse(text)` reads commands of the form `add chain ip NAME CHAIN { ... }`, one a line, which is how
programs write them, and gives an `NftRuleset`; `str()` gives the commands back. `trace` of nft.py
says what happens to a packet.

Rule of use: what the lab does not know raises NftError with the line; nothing is guessed.

Upstream: nftables src/parser_bison.y
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable

    from k8slab.linux.ruletrace import RuleTrace

_COMMAND = re.compile(r"add (table|chain|set|map|rule|element) ip (\S+) ?(\S+)? ?(.*)")
_HOOK = re.compile(r"type (\w+) hook (\w+) priority (-?\d+)")


class NftError(ValueError):
    """The text cannot be read; the message names the line."""


class NftChain(msgspec.Struct):
    """Rules in order; a base chain has a hook and a priority."""

    name: str
    declaration: str = ""  # what stands in braces
    type: str = ""  # "filter" or "nat" of a base chain
    hook: str = ""
    priority: int = 0
    rules: list[str] = []


class NftSet(msgspec.Struct):
    """A set, or a map if it leads to verdicts; elements by their key, as text."""

    name: str
    declaration: str = ""
    is_map: bool = False
    elements: dict[str, str] = {}  # key -> verdict, "" in a set


class NftRuleset:
    """One table of the family ip."""

    def __init__(self, table: str = "", declaration: str = "") -> None:
        self.table = table
        self.declaration = declaration
        self.chains: dict[str, NftChain] = {}
        self.sets: dict[str, NftSet] = {}

    def base_chains(self, hook: str) -> list[NftChain]:
        """Return the chains of a hook in the order in which packets pass them."""
        found = [chain for chain in self.chains.values() if chain.hook == hook]
        return sorted(found, key=lambda chain: chain.priority)

    def trace(
        self,
        src: str,
        dst: str,
        dport: int,
        protocol: str = "tcp",
        *,
        sport: int = 40000,
        local_addresses: Iterable[str] = (),
    ) -> RuleTrace:
        """Say what happens to a new connection, as `netfilter.Ruleset.trace` does."""
        from k8slab.linux.nft import trace
        from k8slab.linux.packet import Packet

        packet = Packet(protocol.lower(), src, dst, sport, dport)
        return trace(self, packet, tuple(local_addresses))

    def __str__(self) -> str:
        head = f"ip {self.table}"
        lines = [f"add table {head} {self.declaration}".rstrip()]
        for each in self.sets.values():
            kind = "map" if each.is_map else "set"
            lines.append(f"add {kind} {head} {each.name} {each.declaration}")
        lines += [f"add chain {head} {c.name} {c.declaration}".rstrip() for c in self._chains()]
        for chain in self._chains():
            lines += [f"add rule {head} {chain.name} {rule}" for rule in chain.rules]
        for each in self.sets.values():
            for key, verdict in each.elements.items():
                element = f"{key} : {verdict}" if verdict else key
                lines.append(f"add element {head} {each.name} {{ {element} }}")
        return "\n".join(lines) + "\n"

    def _chains(self) -> Iterable[NftChain]:
        return self.chains.values()


def parse(text: str) -> NftRuleset:
    """Read commands for one table. Raises NftError."""
    ruleset = NftRuleset()
    for line in filter(None, map(str.strip, text.splitlines())):
        found = _COMMAND.fullmatch(line)
        if found is None:
            raise NftError(f"expected an add command for the family ip, found {line!r}")
        _do(ruleset, line, *found.groups(default=""))
    return ruleset


def _do(ruleset: NftRuleset, line: str, kind: str, table: str, name: str, rest: str) -> None:
    if kind == "table":
        ruleset.table, ruleset.declaration = table, f"{name} {rest}".strip()
    elif kind == "chain":
        ruleset.chains[name] = _chain(name, rest)
    elif kind in ("set", "map"):
        ruleset.sets[name] = NftSet(name, rest, kind == "map", {})
    elif kind == "rule" and name in ruleset.chains:
        ruleset.chains[name].rules.append(rest)
    elif kind == "element" and name in ruleset.sets:
        key, _, verdict = rest.strip("{} ").partition(" : ")
        ruleset.sets[name].elements[key] = verdict
    else:
        raise NftError(f"No such file or directory: {name!r} in {line!r}")


def _chain(name: str, declaration: str) -> NftChain:
    found = _HOOK.search(declaration)
    if found is None:
        return NftChain(name, declaration, rules=[])
    return NftChain(name, declaration, found[1], found[2], int(found[3]), [])
