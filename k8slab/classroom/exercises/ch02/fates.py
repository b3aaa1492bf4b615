"""Exercise 02.4: a counter that trusts events; which fate of one event makes it wrong for ever?

`Counter` adds one at ADDED and takes one off at DELETED. In a fresh cluster for each fate, one
event is lost or comes twice, and two minutes later its number is compared with the Pods.

Rule of use: the event of a fate is found in a run in which nothing is lost.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.control_plane.controllers.learner_controller import UnreliableWatch

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (7, 13)
WAIT, LONG = 10.0, 120.0  # virtual seconds
COMMANDS = (
    "create configmap census",
    "run one --image=traefik/whoami:v1.11",
    "run two --image=traefik/whoami:v1.11",
    "run three --image=traefik/whoami:v1.11",
    "delete pod two --grace-period=0 --force",
)


class Fate(msgspec.Struct, frozen=True):
    """What becomes of one event of Pod "two"."""

    text: str
    type: str
    lost: bool
    because: str


FATES: Mapping[str, Fate] = {
    "A": Fate(
        "the ADDED of one Pod is lost",
        "ADDED",
        True,
        "A Pod that was never added is taken off when it goes: one too few, for ever.",
    ),
    "B": Fate(
        "one MODIFIED of a Pod is lost",
        "MODIFIED",
        True,
        "It does nothing at MODIFIED, so it misses nothing.",
    ),
    "C": Fate(
        "the DELETED of one Pod is lost",
        "DELETED",
        True,
        "Nobody tells it again that the Pod is gone: one too many, for ever.",
    ),
    "D": Fate(
        "the ADDED of one Pod comes twice",
        "ADDED",
        False,
        "One Pod counts as two. Nothing ever takes the second one off.",
    ),
    "E": Fate(
        "one MODIFIED of a Pod comes twice",
        "MODIFIED",
        False,
        "It does nothing at MODIFIED, once or twice.",
    ),
}


class Counter:
    """Counts Pods by their events, and writes the number on the ConfigMap `census`."""

    def __init__(self) -> None:
        self.pods = 0
        self.heard: list[tuple[str, str]] = []

    def __call__(self, desk: Any, event: Any) -> None:
        """Count what the event says."""
        self.heard.append((event.type, event.name))
        if event.kind == "pod" and event.type == "ADDED":
            self.pods += 1
        if event.kind == "pod" and event.type == "DELETED":
            self.pods -= 1
        desk.label("configmap", "census", pods=str(self.pods))


def world(seed: int) -> Cluster:
    """Return the cluster in which nothing was lost."""
    return live(seed, UnreliableWatch(Counter()))


def live(seed: int, watch: UnreliableWatch) -> Cluster:
    """Return a cluster in which Pods have come and gone, under that watch."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=1, seed=seed, replace={"controller": watch})
    for command in COMMANDS:
        Terminal(cluster).run(command)
        cluster.run(WAIT)
    cluster.run(LONG)
    return cluster


def told(cluster: Cluster) -> str:
    """Return what the census says."""
    census = cluster.view.get("configmap", "census")
    return str(census.metadata.labels.get("pods", "")) if census is not None else ""


def truth(cluster: Cluster) -> int:
    """Return how many Pods there are."""
    return len(pods_with(cluster.view, ""))


@cache
def observe(seed: int, letter: str) -> tuple[bool, Evidence]:
    """Return whether the counter ends wrong if one event has that fate, and what it said."""
    fate, plain = FATES[letter], Counter()
    live(seed, UnreliableWatch(plain))
    # Events and resyncs are told apart by their type: only events have a number.
    events = [one for one in plain.heard if one[0] != "SYNC"]
    number = events.index((fate.type, "two")) + 1
    watch = UnreliableWatch(
        Counter(),
        lost=(number,) if fate.lost else (),
        twice=() if fate.lost else (number,),
    )
    cluster = live(seed, watch)
    said = told(cluster)
    text = f"{letter}, {fate.text}: the census says {said}, there are {truth(cluster)} Pods"
    return said != str(truth(cluster)), seen(cluster, text)


def grade(answer: Any) -> Finding:
    """Judge the letters of the fates that make the counter wrong."""
    if isinstance(answer, list | tuple | set | frozenset):
        answer = "".join(str(one) for one in answer)
    if not isinstance(answer, str):
        return wrong_kind('letters, such as "AB"', answer)
    letters = {letter for letter in answer.upper() if letter not in " ,;"}
    if not letters or not letters <= FATES.keys():
        return wrong_kind(f"letters from {''.join(FATES)}", answer)
    wrongs = [one for one in FATES if (one in letters) != observe(SEEDS[0], one)[0]]
    if wrongs:
        letter = wrongs[0]
        is_wrong, evidence = observe(SEEDS[0], letter)
        said = "makes it wrong" if is_wrong else "does it no harm"
        message = f"{letter} {said}. {FATES[letter].because}"
        finding = almost if len(wrongs) == 1 else wrong
        return finding(message, 0, (evidence,))
    assert all(observe(s, one)[0] == observe(SEEDS[0], one)[0] for s in SEEDS for one in FATES)
    everything = tuple(observe(SEEDS[0], letter)[1] for letter in FATES)
    return right(
        "Right. Whoever adds up events must hear each of them exactly once, and nobody can promise "
        "that. Even a look at everything every 30 seconds did not help: it added nothing up anew.",
        everything,
    )


EXERCISE = Exercise(
    key="02.4",
    title="One event lost",
    points=2,
    hints=(
        "Follow the number: three Pods come, one goes. What does the counter hear?",
        "It acts at ADDED and at DELETED only.",
        "Three of the five make it wrong.",
    ),
    grade=grade,
    world=world,
)
