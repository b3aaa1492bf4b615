"""nftables at work: every possible outcome for a new connection, with its probability.

A packet passes the base chains of each hook by priority, `filter` before `nat` or after it. A map
takes it with one look-up to its chain, where iptables walks a list.

    ip daddr . meta l4proto . th dport vmap @service-ips     10.96.0.10 . tcp . 53 : goto service-X
    numgen random mod 2 vmap { 0 : goto endpoint-A , 1 : goto endpoint-B }

Rule of use: through `NftRuleset.trace`. Sets that rules fill (affinity) are as they stand in the
text; nothing is remembered.

Upstream: Linux net/netfilter/nf_tables_core.c
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction

import msgspec

from k8slab.linux.addresses import contains, is_loopback
from k8slab.linux.journey import Visit
from k8slab.linux.nft_text import NftChain, NftError, NftRuleset
from k8slab.linux.packet import Packet, rewrite
from k8slab.linux.ruletrace import Branch, RuleTrace

MAX_DEPTH = 16  # jumps, NFT_JUMP_STACK_SIZE
_COMMENT = re.compile(r' comment "[^"]*"$')
_TOKEN = re.compile(r"\{[^}]*\}|\S+")
_FINAL = ("accept", "drop", "reject")


class _State(msgspec.Struct, frozen=True):
    """A packet on its way, and what has been decided about it."""

    packet: Packet
    probability: Fraction = Fraction(1)
    verdict: str = ""  # one of _FINAL, "return", or "" while the chain goes on
    translated: bool = False
    masqueraded: bool = False
    visited: tuple[Visit, ...] = ()
    examined: int = 0  # rules looked at


def trace(ruleset: NftRuleset, packet: Packet, local: tuple[str, ...]) -> RuleTrace:
    """Walk the packet through the hooks that it would pass on this node."""
    walk = _Walk(ruleset, local)
    branches = [_branch(state, local) for state in walk.run(_State(packet))]
    return RuleTrace(packet=packet, branches=tuple(branches))


def _branch(state: _State, local: Sequence[str]) -> Branch:
    own = next((ip for ip in local if not is_loopback(ip)), "0.0.0.0")
    return Branch(
        verdict="ACCEPT" if state.verdict in ("", "accept") else state.verdict.upper(),
        probability=state.probability,
        ip=state.packet.dst,
        port=state.packet.dport,
        translated=state.translated,
        masqueraded=state.masqueraded,
        source=own if state.masqueraded else state.packet.src,
        visited=state.visited,
        examined=state.examined,
        reject_with="icmp-port-unreachable" if state.verdict == "reject" else "",
    )


class _Walk:
    """One packet's way through a ruleset; dice and maps split it into several."""

    def __init__(self, ruleset: NftRuleset, local: tuple[str, ...]) -> None:
        self._ruleset = ruleset
        self._local = local

    def run(self, state: _State) -> Iterator[_State]:
        if self._is_local(state.packet.src):
            yield from self._hooks(state, ("output", "postrouting"))
            return
        for routed in self._hook(state, "prerouting"):
            if routed.verdict in ("drop", "reject"):
                yield routed
            elif self._is_local(routed.packet.dst):
                yield from self._hooks(routed, ("input",))
            else:
                yield from self._hooks(routed, ("forward", "postrouting"))

    def _hooks(self, state: _State, hooks: Sequence[str]) -> Iterator[_State]:
        if not hooks or state.verdict in ("drop", "reject"):
            yield state
            return
        for after in self._hook(state, hooks[0]):
            yield from self._hooks(after, hooks[1:])

    def _hook(self, state: _State, hook: str) -> Iterator[_State]:
        states = [state]
        for chain in self._ruleset.base_chains(hook):
            states = [
                after
                for each in states
                for after in (
                    [each] if each.verdict in ("drop", "reject") else self._chain(each, chain, 0)
                )
            ]
        return iter(states)

    def _chain(self, state: _State, chain: NftChain, depth: int) -> list[_State]:
        """Return the outcomes of a chain; "return" and its end are the same to the caller."""
        if depth > MAX_DEPTH:
            raise NftError(f"more than {MAX_DEPTH} jumps in chain {chain.name}")
        going = [msgspec.structs.replace(state, verdict="")]
        ended: list[_State] = []
        for index, rule in enumerate(chain.rules):
            after = [
                each for state in going for each in self._rule(state, chain, index, rule, depth)
            ]
            going = [each for each in after if not each.verdict]
            ended += [each for each in after if each.verdict]
            if not going:
                break
        found = [*ended, *going]
        return [
            msgspec.structs.replace(each, verdict="") if each.verdict == "return" else each
            for each in found
        ]

    def _rule(
        self, state: _State, chain: NftChain, index: int, rule: str, depth: int
    ) -> list[_State]:
        tokens = _TOKEN.findall(_COMMENT.sub("", f" {rule}"))
        visit = Visit(self._ruleset.table, chain.name, index, f"{chain.name} {rule}")
        state = msgspec.structs.replace(state, examined=state.examined + 1)
        noted = msgspec.structs.replace(state, visited=(*state.visited, visit))
        while tokens:
            if "vmap" in tokens and (choices := self._choices(tokens, state)) is not None:
                return [
                    each
                    for chance, verdict in choices
                    for each in self._verdict(
                        _times(noted if verdict else state, chance), verdict.split(), depth
                    )
                ]
            used = self._match(tokens, state)
            if used is None:  # no match: it ends, or decides
                return self._verdict(noted, tokens, depth)
            if used == 0:
                return [state]
            tokens = tokens[used:]
        return [noted]

    # -- what stands in a rule

    def _match(self, tokens: list[str], state: _State) -> int | None:
        """Return how many tokens a match has, 0 if it does not hold, None if it is no match."""
        packet = state.packet
        if tokens[:3] == ["ct", "state", "new"]:
            return 3
        if tokens[0] == "ip" and tokens[1] in ("saddr", "daddr"):
            negated = tokens[2] == "!="
            address = packet.src if tokens[1] == "saddr" else packet.dst
            holds = self._is_in(address, tokens[3] if negated else tokens[2])
            return (4 if negated else 3) if holds != negated else 0
        if tokens[:2] == ["meta", "l4proto"]:
            return 3 if packet.protocol == tokens[2] else 0
        if len(tokens) > 2 and tokens[1] == "dport":
            return 3 if (packet.protocol, str(packet.dport)) == (tokens[0], tokens[2]) else 0
        if tokens[0] == "fib":
            address = packet.src if tokens[1] == "saddr" else packet.dst
            return 4 if self._is_local(address) else 0
        if tokens[:3] == ["meta", "mark", "and"] and tokens[4] == "==":
            return 6 if packet.mark & int(tokens[3], 0) == int(tokens[5], 0) else 0
        return None

    def _choices(self, tokens: list[str], state: _State) -> list[tuple[Fraction, str]] | None:
        """Return the verdicts of a map with their chances, None if matches come before it."""
        place = tokens.index("vmap")
        if tokens[:3] == ["numgen", "random", "mod"]:
            targets = [each.partition(" : ")[2] for each in tokens[-1].strip("{} ").split(" , ")]
            return [(Fraction(1, len(targets)), target) for target in targets]
        key = _key(tokens[:place], state.packet)
        if key is None:
            return None
        return [(Fraction(1), self._ruleset.sets[tokens[place + 1][1:]].elements.get(key, ""))]

    def _verdict(self, state: _State, tokens: list[str], depth: int) -> list[_State]:
        done = msgspec.structs.replace
        packet = state.packet
        if not tokens:
            return [state]
        word = tokens[0]
        if word in ("jump", "goto"):
            after = self._chain(state, self._ruleset.chains[tokens[1]], depth + 1)
            if word == "jump":
                return after
            return [each if each.verdict else done(each, verdict="return") for each in after]
        if word in (*_FINAL, "return"):
            return [done(state, verdict=word)]
        if word == "dnat":
            ip, _, port = tokens[2].partition(":")
            target = rewrite(packet, dst=ip, dport=int(port))
            return [done(state, packet=target, translated=True, verdict="accept")]
        if word == "masquerade":
            return [done(state, masqueraded=True, verdict="accept")]
        if tokens[:3] == ["meta", "mark", "set"]:
            value = int(tokens[-1], 0)
            mark = packet.mark | value if tokens[-2] == "or" else packet.mark ^ value
            return [done(state, packet=rewrite(packet, mark=mark))]
        if word == "update":  # fills a set for the next connection
            return [state]
        raise NftError(f"the lab does not know {' '.join(tokens)!r}")

    def _is_in(self, address: str, where: str) -> bool:
        if where.startswith("@"):
            return address in self._ruleset.sets[where[1:]].elements
        networks = [each.strip() for each in where.strip("{}").split(",")]
        return any(contains(network, address) for network in networks)

    def _is_local(self, ip: str) -> bool:
        return ip in self._local or is_loopback(ip)


def _key(tokens: list[str], packet: Packet) -> str | None:
    """Return the key that a concatenation has for the packet, None if it is none."""
    fields = {
        ("ip", "daddr"): packet.dst,
        ("meta", "l4proto"): packet.protocol,
        ("th", "dport"): str(packet.dport),
    }
    parts = " ".join(tokens).split(" . ")
    words = [tuple(part.split()) for part in parts]
    if not all(word in fields for word in words):
        return None
    return " . ".join(fields[word] for word in words)  # type: ignore[index]


def _times(state: _State, chance: Fraction) -> _State:
    if chance == 1:
        return state
    return msgspec.structs.replace(state, probability=state.probability * chance)
