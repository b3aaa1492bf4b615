"""Which lines of a rule text a packet meets, one after the other, and which of them match.

    chains = chains_of(text)            # of iptables-save
    lines = walked(chains, visited)     # visited: the rules that matched, in order

A walk names only the rules that matched; the lines before each of them in its chain were looked at
as well, and so was the rest of a chain that was left without a verdict.

Rule of use: pure; the verdicts are those of the lab's netfilter, this only fills in the misses.

Upstream: none (iptables -j TRACE shows the matches of one real packet)
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

Chains = Mapping[tuple[str, str], Sequence[str]]
ENDS = ("ACCEPT", "DROP", "REJECT", "DNAT", "SNAT", "MASQUERADE", "REDIRECT")


class VisitLike(Protocol):
    """A rule that matched."""

    @property
    def table(self) -> str:
        """Its table."""

    @property
    def chain(self) -> str:
        """Its chain."""

    @property
    def index(self) -> int:
        """Its place in the chain, from 0."""

    @property
    def text(self) -> str:
        """As iptables-save prints it."""


class RuleLine(msgspec.Struct, frozen=True):
    """A line that the packet met."""

    table: str
    chain: str
    text: str
    matched: bool


class _Frame(msgspec.Struct):
    """A chain on the way, and the line that comes next in it."""

    table: str
    chain: str
    place: int = 0


def chains_of(text: str) -> dict[tuple[str, str], list[str]]:
    """Return the rules of each (table, chain), in the order of the text."""
    found: dict[tuple[str, str], list[str]] = {}
    table = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("*"):
            table = line[1:]
        elif line.startswith(":"):
            found.setdefault((table, line[1:].split()[0]), [])
        elif line.startswith("-A "):
            found.setdefault((table, line.split()[1]), []).append(line)
    return found


def target_of(rule: str) -> str:
    """Return the target of a rule, "" if it has none.

    >>> target_of("-A KUBE-SVC-X -m statistic --mode random -j KUBE-SEP-Y")
    'KUBE-SEP-Y'
    """
    words = rule.split()
    for flag in ("-j", "-g"):
        if flag in words[:-1]:
            return words[words.index(flag) + 1]
    return ""


def walked(chains: Chains, visited: Sequence[VisitLike]) -> list[RuleLine]:
    """Return every line that was looked at, in order, of a walk with these matches."""
    return list(_walk(chains, visited))


def _walk(chains: Chains, visited: Sequence[VisitLike]) -> Iterator[RuleLine]:
    stack: list[_Frame] = []
    for visit in visited:
        while stack and not _is_in(stack[-1], visit):
            yield from _rest(chains, stack.pop())
        if not stack:
            stack.append(_Frame(visit.table, visit.chain))
        frame = stack[-1]
        yield from _misses(chains, frame, visit.index)
        yield RuleLine(visit.table, visit.chain, visit.text, True)
        frame.place = visit.index + 1
        target = target_of(visit.text)
        if target == "RETURN":
            stack.pop()
        elif target in ENDS:
            stack.clear()
        elif (visit.table, target) in chains:
            stack.append(_Frame(visit.table, target))
    while stack:
        yield from _rest(chains, stack.pop())


def _is_in(frame: _Frame, visit: VisitLike) -> bool:
    here = (frame.table, frame.chain) == (visit.table, visit.chain)
    return here and frame.place <= visit.index


def _rest(chains: Chains, frame: _Frame) -> Iterator[RuleLine]:
    """Return the lines to the end of a chain that was left without a verdict."""
    return _misses(chains, frame, len(chains.get((frame.table, frame.chain), ())))


def _misses(chains: Chains, frame: _Frame, end: int) -> Iterator[RuleLine]:
    rules = chains.get((frame.table, frame.chain), ())
    for text in rules[frame.place : end]:
        yield RuleLine(frame.table, frame.chain, text, False)
