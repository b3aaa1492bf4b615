"""Exercise 12.1: who is sender and who is receiver, at four stations of a request.

Every learner gets two requests. In one of them the caller's address reaches the clerk, in the other
it does not. The check sends both, and reads their journeys.

Rule of use: the hops are the judge; `WHY` only puts a wrong guess into words.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Pod, Service
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import NotStartedError
from k8slab.classroom.exercises.ch12.stage import (
    LISTENS,
    NODE_IPS,
    OUTSIDE_IP,
    clerks,
    first_end_of,
    first_of,
    pod,
)
from k8slab.classroom.exercises.worlds import boot, pods_with, seen
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "12.1"
SEEDS = (5, 16)
STATIONS = (
    "as it leaves the caller",
    "as it arrives at the clerk",
    "the reply, as it leaves the clerk",
    "the reply, as it arrives at the caller",
)
WORLD = (
    clerks("worker-2")
    + pod("caller", "worker-1")
    + """
apiVersion: v1
kind: Service
metadata: {name: office}
spec:
  type: NodePort
  selector: {app: clerk}
  ports: [{port: 80, targetPort: 8080, nodePort: 30080}]
---
apiVersion: v1
kind: Service
metadata: {name: counter}
spec:
  type: NodePort
  externalTrafficPolicy: Local
  selector: {app: clerk}
  ports: [{port: 80, targetPort: 8080, nodePort: 30081}]
"""
)
SERVER_PORTS = (80, LISTENS, 30080, 30081)


class Asked(msgspec.Struct, frozen=True):
    """One request, and why the clerk sees whom it sees."""

    words: str
    source: str  # as `Cluster.request` takes it
    url: str
    why: str


REQUESTS: Mapping[str, Asked] = {
    "pod": Asked(
        "the Pod `caller` asks `http://office`",
        "pod/caller",
        "http://office",
        "From a Pod to a ClusterIP only the receiver is rewritten: the clerk sees the caller.",
    ),
    "port": Asked(
        "somebody outside asks worker-1, `http://192.168.10.11:30080` (the Service `office`)",
        "outside",
        "http://192.168.10.11:30080",
        "externalTrafficPolicy is Cluster, so the node that takes the call writes itself in as "
        "the sender. Else the reply would not come back through it.",
    ),
    "inside": Asked(
        "the Pod `caller` asks worker-1, `http://192.168.10.11:30080` (the Service `office`)",
        "pod/caller",
        "http://192.168.10.11:30080",
        "Whatever comes by a NodePort under Cluster is masqueraded, even if a Pod sends it.",
    ),
    "local": Asked(
        "somebody outside asks worker-2, `http://192.168.10.12:30081` (the Service `counter`)",
        "outside",
        "http://192.168.10.12:30081",
        "externalTrafficPolicy is Local: the clerk stands on this very node, and the sender is "
        "kept.",
    ),
    "self": Asked(
        "the clerk asks `http://office`, and there is only one clerk: she is caller and clerk "
        "(write `clerk` for her)",
        "deployment/clerks",
        "http://office",
        "Who comes back to herself is masqueraded: her own address as the sender would keep her "
        "reply inside.",
    ),
}
VARIANTS = (("pod", "port"), ("local", "self"), ("local", "inside"), ("pod", "self"))
Envelopes = tuple[str, ...]  # one for each station


def world(seed: int) -> Cluster:
    """Return the office with one clerk on worker-2, and a caller on worker-1."""
    return boot(seed, WORLD)


@cache
def observe(name: str, seed: int) -> tuple[Envelopes, tuple[Evidence, ...]]:
    """Return the envelopes of a request at the four stations, and the evidence."""
    cluster = world(seed)
    asked = REQUESTS[name]
    answer = cluster.request(asked.source, asked.url)
    assert answer.ok, answer.error
    hops = answer.hops
    packets = [
        first_of(hops, "request").before,
        first_end_of(hops, "request").after,
        first_of(hops, "reply").before,
        first_end_of(hops, "reply").after,
    ]
    known = _names(cluster, asked)
    evidence = (seen(cluster, f"{where}: {p}") for where, p in zip(STATIONS, packets, strict=True))
    return tuple(_envelope(packet, known) for packet in packets), tuple(evidence)


def _names(cluster: Cluster, asked: Asked) -> dict[str, str]:
    """Return who has which address."""
    known = {ip: "node" for ip in NODE_IPS.values()}
    for node in NODE_IPS:
        known |= dict.fromkeys(cluster.node(node).net.local_addresses, "node")
    known[OUTSIDE_IP] = "caller"
    (clerk,) = pods_with(cluster.view, "app=clerk")
    caller = cluster.view.get(Pod, "caller")
    assert caller is not None
    known |= {caller.status.podIP: "caller", clerk.status.podIP: "clerk"}
    known |= {each.spec.clusterIP: "office" for each in cluster.view.list(Service, "default")}
    return known


def _envelope(packet: Any, known: Mapping[str, str]) -> str:
    sides = ((packet.src, packet.sport), (packet.dst, packet.dport))
    return " > ".join(
        known[ip] + (f":{port}" if port in SERVER_PORTS else "") for ip, port in sides
    )


def grade(names: tuple[str, str], answer: Any) -> Finding:
    """Judge a dict of "first" and "second", each four envelopes."""
    expected = '{"first": [four envelopes], "second": [four envelopes]}'
    if not isinstance(answer, Mapping) or not {"first", "second"} <= set(answer):
        return wrong_kind(expected, answer)
    halves = [answer["first"], answer["second"]]
    if any(not isinstance(h, list | tuple) or len(h) != len(STATIONS) for h in halves):
        return wrong_kind(expected, answer)
    everything = [one for half in halves for one in half]
    if all(one is ... for one in everything):
        raise NotStartedError
    if ... in everything:
        return wrong(f"{everything.count(...)} of 8 envelopes are still to be written.")
    if not all(isinstance(one, str) and one.count(">") == 1 for one in everything):
        return wrong_kind('envelopes such as "caller > office:80"', everything)
    return _compare(names, halves)


def _compare(names: tuple[str, str], halves: list[Any]) -> Finding:
    evidence: tuple[Evidence, ...] = ()
    hits, finding = 0, None
    for given, name in zip(halves, names, strict=True):
        truth, told = observe(name, SEEDS[0])
        assert all(observe(name, seed)[0] == truth for seed in SEEDS), "seeds differ"
        said = [_tidy(one) for one in given]
        hits += sum(a == b for a, b in zip(said, truth, strict=True))
        station = next((n for n, one in enumerate(truth) if said[n] != one), None)
        if station is None:
            evidence += told
        elif finding is None:
            finding = (*_why(name, station, said, truth), (told[station],))
    if finding is None:
        return right(
            "Right at all eight stations. The rules decide once; what goes back is the same, "
            "turned round.",
            evidence,
        )
    text, number, shown = finding
    return (almost if hits >= 5 else wrong)(f"{hits} of 8 are right. {text}", number, shown)


def _tidy(given: str) -> str:
    return " > ".join("".join(side.lower().split()) for side in given.split(">"))


def _why(name: str, station: int, said: list[str], truth: Envelopes) -> tuple[str, int]:
    """Say why the first wrong station is wrong, and the number of the misunderstanding."""
    where = f"`{said[station]}`, {STATIONS[station]} ({REQUESTS[name].words}):"
    bare = [_without_ports(one) for one in (said[station], truth[station])]
    if bare[0] == bare[1]:
        return (
            f"{where} the addresses are right, and a port is not. 80 and the NodePort are the "
            f"Service's; the clerk listens on {LISTENS}. Ports chosen at random are left out.",
            7,
        )
    if station == 0:
        return f"{where} no rule has met it yet. It says what the caller wrote.", 1
    if station == 1:
        if bare[0].partition(" > ")[2] != "clerk":
            return f"{where} the receiver was rewritten long before. A Pod gets its own mail.", 1
        return f"{where} the receiver is right. {REQUESTS[name].why}", 0
    if station == 2:
        return (
            f"{where} a Pod answers whom it sees. Turn the envelope round that has arrived at it.",
            0,
        )
    return (
        f"{where} a caller takes a reply only from whom it wrote to. Before it arrives, all "
        "rewriting is undone.",
        1,
    )


def _without_ports(envelope: str) -> str:
    return " > ".join(side.partition(":")[0] for side in envelope.split(" > "))


def variant(names: tuple[str, str]) -> Exercise:
    """Return the exercise with these two requests."""
    first, second = (REQUESTS[name].words for name in names)
    return Exercise(
        key=KEY,
        title="Four stations",
        points=2,
        hints=(
            "Begin at both ends: what did the caller write (station 1)? Then the reply that it "
            "gets (station 4) is the same, turned round.",
            "At station 2 the receiver is a Pod. Is the sender still the caller? Ask whether the "
            "reply would come back through the node that did the rewriting.",
            "Masqueraded are: a NodePort under Cluster, whoever calls, and a Pod that meets "
            "itself. Not: Pod to ClusterIP, and a NodePort under Local.",
        ),
        grade=partial(grade, names),
        world=world,
        task=f"first: {first}. Second: {second}.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, VARIANTS))


EXERCISE = variant(VARIANTS[0])
