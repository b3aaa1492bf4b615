"""Exercise 01.3: the learner draws the graph of messages from a trace: `graph(records)`.

Every write goes to the API server and on to etcd; every order goes from a kubelet to its runtime;
every reaction to somebody else's write was set off by news from the API server. The answer is
compared with the lab's own count in fresh clusters, at several moments.

Rule of use: `traffic` is the judge; `_explain` only puts a difference into words.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal, call
from k8slab.classroom.exercises.ch01.stage import shop
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.sim import Record
from k8slab.viz.traffic import API, ETCD, actor, traffic

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (1, 6, 10)
COMMANDS = ("scale deployment web --replicas=4", "delete pod client --wait=false")
AFTER = 12.0  # virtual seconds between two moments
NEARLY = 2  # wrong edges; with fewer an answer is almost right
Pair = tuple[str, str]


class Case(msgspec.Struct, frozen=True):
    """One trace, and the messages in it."""

    seed: int
    time: float  # virtual seconds
    records: tuple[Record, ...]
    wanted: Mapping[Pair, int]


def world(seed: int) -> Cluster:
    """Return two Pods behind a Service."""
    return shop(seed)


@cache
def cases(seed: int) -> tuple[Case, ...]:
    """Return one cluster's trace at rest, after growth, and after a loss."""
    cluster = world(seed)
    found = [_now(cluster)]
    for command in COMMANDS:
        Terminal(cluster).run(command)
        cluster.run(AFTER)
        found.append(_now(cluster))
    return tuple(found)


def _now(cluster: Cluster) -> Case:
    wanted: dict[Pair, int] = {}
    for edge in traffic(cluster.trace):
        pair = (edge.source, edge.target)
        wanted[pair] = wanted.get(pair, 0) + edge.messages
    return Case(cluster.seed, cluster.now, tuple(cluster.trace), wanted)


def grade(answer: Any) -> Finding:
    """Judge a function of records that returns {(source, target): messages}."""
    if not callable(answer):
        return wrong_kind("the function graph(records)", answer)
    asked = 0
    for case in (case for seed in SEEDS for case in cases(seed)):
        asked += 1
        result = call(answer, list(case.records))
        given = _read(result)
        if given is None:
            return wrong_kind("a mapping such as {('you', 'kube-apiserver'): 3}", result)
        differ = [
            pair for pair in {**case.wanted, **given} if case.wanted.get(pair) != given.get(pair)
        ]
        if differ:
            return _explain(case, given, differ)
    return right(
        f"Right for {asked} traces. Look at your edges once more: each begins or ends at the API "
        "server, but for a kubelet's orders to the runtime on its own machine."
    )


def _read(result: Any) -> dict[Pair, int] | None:
    """Return pair -> count; edges without a message are no edges."""
    if isinstance(result, Mapping):
        rows: Iterable[Any] = [(*pair, n) for pair, n in result.items() if _is_pair(pair)]
        if len(list(rows)) != len(result):
            return None
    elif isinstance(result, list | tuple):
        rows = result
    else:
        return None
    given: dict[Pair, int] = {}
    for row in rows:
        if not isinstance(row, list | tuple) or len(row) != 3 or not _is_pair(row[:2]):
            return None
        if isinstance(row[2], bool) or not isinstance(row[2], int):
            return None
        if row[2]:
            given[row[0], row[1]] = row[2]
    return given


def _is_pair(pair: Any) -> bool:
    return (
        isinstance(pair, tuple | list)
        and len(pair) == 2
        and all(isinstance(end, str) for end in pair)
    )


def _explain(case: Case, given: Mapping[Pair, int], differ: list[Pair]) -> Finding:
    """Return the most telling difference, in words."""
    message, pair = next(
        (text, pair) for why in WHYS for pair in differ if (text := why(case, given, pair))
    )
    source, target = pair
    text = (
        f"{source} -> {target}: {case.wanted.get(pair, 0)} messages in the trace; "
        f"you returned {given.get(pair, 0)}"
    )
    say = almost if len(differ) <= NEARLY else wrong
    return say(message, evidence=(Evidence(case.seed, case.time, text),))


def _not_an_actor(case: Case, given: Mapping[Pair, int], pair: Pair) -> str:
    known = {end for edge in case.wanted for end in edge} | {actor(r) for r in case.records}
    stranger = next((end for end in pair if end not in known), "")
    if not stranger:
        return ""
    return (
        f"{stranger!r} is no part of the map. Controllers live in the controller manager, and a "
        "kubelet belongs to a node: `actor(record)` gives the part that is meant."
    )


def _direct(case: Case, given: Mapping[Pair, int], pair: Pair) -> str:
    if API in pair or pair in case.wanted:
        return ""
    if ETCD in pair:
        return "Nobody but the API server speaks to etcd: it writes on behalf of the others."
    return (
        f"You let {pair[0]} speak to {pair[1]}. Parts of a cluster never speak to each other: one "
        "writes to the API server, and the API server tells the other."
    )


def _missing(case: Case, given: Mapping[Pair, int], pair: Pair) -> str:
    if given.get(pair):
        return ""
    if pair[1] == ETCD:
        return "Each write is stored: besides the edge to the API server it is one to etcd."
    if pair[1].startswith("containerd/"):
        return (
            f"{pair[1]} speaks to nobody of itself: each of its records is an order that the "
            "kubelet of its node gave it."
        )
    if pair[0] == API:
        return (
            f"{pair[1]} acted on what somebody else had written, so the API server must have told "
            "it: a record whose cause is another part's write is news."
        )
    return "A record with a revision is a write: it comes from its actor to the API server."


def _itself(case: Case, given: Mapping[Pair, int], pair: Pair) -> str:
    if pair == (API, API):
        return "The API server does not write to itself: its own writes go to etcd only."
    if pair == (API, "you"):
        return "You are told no news: you ask, and are answered."
    return ""


def _news(case: Case, given: Mapping[Pair, int], pair: Pair) -> str:
    if pair[0] != API or pair[1] == ETCD:
        return ""
    if given.get(pair, 0) > case.wanted.get(pair, 0):
        return (
            f"You count too much news for {pair[1]}. Many records may have the same cause: the "
            "news came once. And what a part wrote itself is no news to it."
        )
    return f"You count too little news for {pair[1]}: each other cause is a message of its own."


def _count(case: Case, given: Mapping[Pair, int], pair: Pair) -> str:
    if pair[1].startswith("containerd/"):
        return "Each record of a containerd is one order, and no news: it watches nothing."
    return (
        "Count the writes again: records with a revision, and only those. A decision, a packet "
        "or a started process is no message."
    )


WHYS: tuple[Callable[[Case, Mapping[Pair, int], Pair], str], ...] = (
    _not_an_actor,
    _direct,
    _itself,
    _missing,
    _news,
    _count,
)


EXERCISE = Exercise(
    key="01.3",
    title="Draw the graph from a trace",
    points=4,
    hints=(
        "Three questions of each record: has it a revision (a write)? is its actor a containerd "
        "(an order)? was it caused by another part's write (news)?",
        "`by_id = {record.id: record for record in records}` finds a cause. A set of "
        "(actor, cause) pairs remembers who has been told what.",
        'Writes: actor -> "kube-apiserver" (not for the API server itself), and "kube-apiserver" '
        '-> "etcd". An order is no news as well, and "you" and the API server get none.',
    ),
    grade=grade,
    world=world,
)
