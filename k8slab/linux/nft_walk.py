"""The walk of a packet through a base chain of nftables and what it jumps to.

A rule ends at the first condition that does not hold. `accept` ends the base chain, not the
packet's way: chains of a later priority are still asked; `drop` is the end. A map takes the packet
with one look-up to its chain, however many Services there are.

Rule of use: through `hooks.Netfilter`, which knows the order of the base chains.

Upstream: Linux net/netfilter/nf_tables_core.c (nft_do_chain)
"""

from __future__ import annotations

from functools import lru_cache

from k8slab.linux.addresses import is_ipv6
from k8slab.linux.chains import ACCEPT, DROP, REJECT
from k8slab.linux.context import Context
from k8slab.linux.journey import Visit
from k8slab.linux.nft import NftChain, NftError, NftTable
from k8slab.linux.nft_rule import (
    Condition,
    Counter,
    NftRule,
    RejectWith,
    SetMark,
    Translate,
    Update,
    Verdict,
    VerdictMap,
)
from k8slab.linux.packet import Packet

MAX_STEPS = 100_000  # rules on one walk
_GO_ON = Verdict("continue")


def traverse(
    table: NftTable, base: NftChain, packet: Packet, context: Context
) -> tuple[str, Packet]:
    """Walk the packet through a base chain; returns ACCEPT, DROP or REJECT, and the packet.

    A NAT statement ends the walk with ACCEPT and is left in `context.nat`.
    """
    chain, place = base, 0
    back: list[tuple[NftChain, int]] = []
    for _ in range(MAX_STEPS):
        if place >= len(chain.rules):
            if not back:
                break
            chain, place = back.pop()
            continue
        verdict, packet = _rule(table, chain, place, packet, context)
        place += 1
        word = verdict.word
        if word in ("jump", "goto"):
            if word == "jump":
                back.append((chain, place))
            chain, place = _chain(table, verdict.chain), 0
        elif word == "return":
            if not back:
                break
            chain, place = back.pop()
        elif word != "continue":
            return word.upper(), packet
    return (DROP if base.policy == "drop" else ACCEPT), packet


def _rule(
    table: NftTable, chain: NftChain, place: int, packet: Packet, context: Context
) -> tuple[Verdict, Packet]:
    """Do what one rule says, as far as its conditions hold."""
    rule = chain.rules[place]
    verdict = _GO_ON
    context.examined += 1
    for statement in rule.statements:
        if isinstance(statement, Condition):
            if not statement.matches(packet, context, table):
                return _GO_ON, packet
        elif isinstance(statement, VerdictMap):
            word = statement.verdict(packet, context, table)
            if not word:
                return _GO_ON, packet
            verdict = parse_verdict(word)
        elif isinstance(statement, Verdict):
            verdict = statement
        elif isinstance(statement, SetMark):
            packet = statement.apply(packet)
        elif isinstance(statement, Update):
            statement.remember(packet, context, table)
        elif isinstance(statement, Translate):
            context.nat = statement.nat
            verdict = Verdict(ACCEPT.lower())
        elif isinstance(statement, RejectWith):
            context.reject_with = statement.reject_with
            if is_ipv6(packet.dst):
                context.reject_with = statement.reject_with.replace("icmp-", "icmp6-")
            verdict = Verdict(REJECT.lower())
        elif isinstance(statement, Counter):
            _count(table, chain.name, place, packet, context)
    _visit(table, chain, place, rule, context)
    return verdict, packet


def _visit(table: NftTable, chain: NftChain, place: int, rule: NftRule, context: Context) -> None:
    if context.visits is not None:
        context.visits.append(Visit(table.name, chain.name, place, f"{chain.name} {rule}"))


def _count(table: NftTable, chain: str, place: int, packet: Packet, context: Context) -> None:
    if context.memory.counting:
        packets, size = table.hits.get((chain, place), (0, 0))
        table.hits[chain, place] = (packets + 1, size + packet.length)


def _chain(table: NftTable, name: str) -> NftChain:
    found = table.chains.get(name)
    if found is None:
        raise NftError(f"No such file or directory: chain {name!r} of table {table.name}")
    return found


@lru_cache(maxsize=1 << 16)
def parse_verdict(text: str) -> Verdict:
    """Return the verdict that a map's element names."""
    word, _, chain = text.partition(" ")
    return Verdict(word, chain.strip())
