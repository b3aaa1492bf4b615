"""Exercise 12.3: the learner keeps the book: `rewrite(line, packet)`.

A line of conntrack has two halves: the packet as the caller sent it, and the reply as it is
expected. From these alone every packet of the connection is rewritten, both ways. The function is
held against what the kernel of the lab did to real packets, and to others that must pass untouched.

Rule of use: `cases()` are packets before and after a node, with the line that was used.

Upstream: none
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import NotStartedError, call
from k8slab.classroom.exercises.ch12.envelopes import REQUESTS
from k8slab.classroom.exercises.ch12.envelopes import world as office
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (5, 16, 27)
KINDS = ("there", "back", "stranger")
FIELDS = ("src", "sport", "dst", "dport")
PARTS = re.compile(r"(src|dst|sport|dport)=(\S+)")
Quad = tuple[str, int, str, int]  # sender, its port, receiver, its port
Line = dict[str, Any]


class Case(msgspec.Struct, frozen=True):
    """A line, a packet that comes to the node, and how it leaves."""

    kind: str  # one of KINDS
    line: Line
    packet: Quad
    wanted: Quad
    evidence: Evidence


def world(seed: int) -> Cluster:
    """Return the office, a caller, and the lines of a few calls."""
    cluster = office(seed)
    for asked in REQUESTS.values():
        cluster.request(asked.source, asked.url)
    return cluster


def parse(connection: str) -> Line:
    """Return the two halves of a line of `conntrack -L` as a dict.

    >>> parse("tcp 6 src=a dst=b sport=1 dport=2 src=c dst=a sport=3 dport=1")["reply_src"]
    'c'
    """
    line: Line = {}
    for name, text in PARTS.findall(connection):
        key = name if name not in line else f"reply_{name}"
        line[key] = int(text) if name.endswith("port") else text
    return line


@cache
def cases() -> tuple[Case, ...]:
    """Return packets of all kinds of calls, and strangers beside them."""
    return tuple(case for seed in SEEDS for case in _cases(office(seed)))


def _cases(cluster: Cluster) -> Iterator[Case]:
    for asked in REQUESTS.values():
        answer = cluster.request(asked.source, asked.url)
        for direction in ("request", "reply"):
            for first, last in _passages(answer.hops, direction):
                line = parse(last.connection)
                text = f"{asked.url} from {asked.source}: {first.before} left as {last.after}"
                kind = "there" if direction == "request" else "back"
                before, after = quad(first.before), quad(last.after)
                yield Case(kind, line, before, after, seen(cluster, text))
                yield from _strangers(cluster, line, before)


def _passages(hops: Sequence[Any], direction: str) -> Iterator[tuple[Any, Any]]:
    """Return the first and the last rewrite of the first packet that goes this way."""
    way = [hop for hop in hops if hop.direction == direction and hop.changed]
    node = way[0].namespace
    flags = way[0].before.flags
    own = [hop for hop in way if hop.namespace == node and hop.before.flags == flags]
    yield own[0], own[-1]


def _strangers(cluster: Cluster, line: Line, packet: Quad) -> Iterator[Case]:
    """Yield packets that are nearly of the connection, and pass as they are."""
    src, sport, dst, dport = packet
    for other in (
        (src, sport + 1, dst, dport),
        (src, sport, dst, dport + 1),
        ("10.244.9.9", sport, dst, dport),
    ):
        told = seen(cluster, f"{_shown(other)} is of another connection")
        yield Case("stranger", line, other, other, told)


def quad(packet: Any) -> Quad:
    """Return the four numbers of a packet."""
    return packet.src, packet.sport, packet.dst, packet.dport


def _shown(packet: Quad) -> str:
    src, sport, dst, dport = packet
    return f"{src}:{sport} > {dst}:{dport}"


def grade(answer: Any) -> Finding:
    """Judge a function rewrite(line, packet)."""
    if not callable(answer):
        return wrong_kind("the function rewrite(line, packet)", answer)
    wrongs: list[tuple[Case, Quad]] = []
    for case in cases():
        given = _ask(answer, case)
        if isinstance(given, Finding):
            return given
        if given != case.wanted:
            wrongs.append((case, given))
    if not wrongs:
        return right(
            f"Right for {len(cases())} packets, there and back, and for those that are none of "
            "its business. One line is enough, for both translations and both directions."
        )
    most_telling = min(wrongs, key=lambda found: KINDS.index(found[0].kind))
    return _explain(*most_telling, len(wrongs), {case.kind for case, _ in wrongs})


def _ask(answer: Callable[..., Any], case: Case) -> Quad | Finding:
    given = call(answer, dict(case.line), case.packet)
    if given is None or given is ...:
        raise NotStartedError
    if not isinstance(given, list | tuple) or len(given) != len(FIELDS):
        return wrong_kind("four values, (src, sport, dst, dport), from your function", given)
    src, sport, dst, dport = given
    return src, sport, dst, dport


def _explain(case: Case, given: Quad, count: int, kinds: set[str]) -> Finding:
    share = f"{len(cases()) - count} of {len(cases())} packets are right."
    text = f"{share} {_why(case, given)} You return {_shown(given)}."
    verdict = almost if len(kinds) == 1 else wrong
    return verdict(text, 0, (case.evidence,))


def _why(case: Case, given: Quad) -> str:
    """Say what is wrong with one packet."""
    came = f"{_shown(case.packet)} came."
    if case.kind == "stranger":
        return f"{came} It differs from both halves in one number, so it is left as it is."
    half = "first" if case.kind == "there" else "second"
    if given == case.packet:
        return f"{came} That is the {half} half of the line, so it is to be rewritten."
    if given[:2] == case.wanted[:2]:
        return f"{came} It is the {half} half; the sender is right, the receiver is not."
    if given[2:] == case.wanted[2:]:
        return (
            f"{came} It is the {half} half; the receiver is right. The sender may be another one, "
            "too: what does the other half say?"
        )
    return (
        f"{came} It is the {half} half of the line. The other half says how the answer to it "
        "looks, so it leaves as the reverse of that."
    )


EXERCISE = Exercise(
    key="12.3",
    title="Make: the book",
    points=3,
    hints=(
        "A packet is of the connection if all four numbers are those of the first half, or all "
        "four are those of the second. Any other is returned as it came.",
        "The second half is the reply as it is expected. So a request leaves as the reverse of "
        "the second half: sender and receiver change places.",
        'reverse of a half: (h["dst"], h["dport"], h["src"], h["sport"]). First half in, reverse '
        "of the second out; second half in, reverse of the first out.",
    ),
    grade=grade,
    world=world,
)
