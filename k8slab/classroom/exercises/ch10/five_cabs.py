"""Exercise 10.1: six Pods, and what the list behind a Service says of each ten seconds later.

A list has three lamps for each address: ready, serving, terminating. Two Pods are deleted, one of
them goes on as if nothing had happened. The check makes it happen and reads the EndpointSlices.

Rule of use: the slices are the judge; `SAID` only puts a wrong guess into words.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.api.discovery import EndpointSlice
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import SERVICE_NAME, boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (4, 15)
AFTER = 10.0  # s, of the 60 that a Pod may take to end
ABSENT = "absent"
LAMPS = "RST"  # ready, serving, terminating
CABS = ("ada", "ben", "cleo", "dora", "emil")
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}, labels: {{team: cabs}}}}
spec:
  terminationGracePeriodSeconds: 60
  restartPolicy: {restart}
  containers:
  - name: main
    image: busybox:1.37
    command: [sh, -c, "{script}"]
    readinessProbe:
      exec: {{command: [test, -f, /tmp/free]}}
      periodSeconds: 1
      failureThreshold: 1
---"""
FREE = "touch /tmp/free; "
WAIT = "while true; do sleep 1; done"
SCRIPTS: Mapping[str, str] = {
    "ada": FREE + WAIT,
    "ben": WAIT,
    "cleo": f"trap '' TERM; {FREE}{WAIT}",
    "dora": f"trap 'rm /tmp/free' TERM; {FREE}{WAIT}",
    "emil": "exit 0",
}
SERVICES = """
apiVersion: v1
kind: Service
metadata: {name: calls}
spec: {selector: {team: cabs}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: roll-call}
spec: {selector: {team: cabs}, publishNotReadyAddresses: true, ports: [{port: 80}]}
"""
WORLD = (
    "".join(
        POD.format(name=name, script=script, restart="Never" if name == "emil" else "Always")
        for name, script in SCRIPTS.items()
    )
    + SERVICES
)
ROWS: Mapping[str, tuple[str, str]] = {  # what is asked: the Service and the Pod
    **{name: ("calls", name) for name in CABS},
    "ben in roll-call": ("roll-call", "ben"),
}
SAID: Mapping[str, tuple[str, int]] = {
    "ada": ("ada is ready and stays: she gets new connections, and could finish old ones.", 0),
    "ben": (
        "ben runs, and his readiness probe fails. A selected Pod with an address has a row all "
        "the same: it is there, and no lamp is lit.",
        9,
    ),
    "cleo": (
        "cleo is being deleted, and still answers her probe. So she gets no new connections (not "
        "ready), could serve if nobody else can, and is on her way out.",
        17,
    ),
    "dora": (
        "dora is being deleted, and her probe fails by now. While a Pod is ending, readiness goes "
        "on being asked: serving went out, terminating is lit.",
        17,
    ),
    "emil": (
        "emil has completed: his phase is Succeeded. A Pod that has ended is in no list, whatever "
        "its labels.",
        0,
    ),
    "ben in roll-call": (
        "`publishNotReadyAddresses` lights ready for everybody, and nothing else: whether ben "
        "could serve is still what his probe says.",
        10,
    ),
}


def world(seed: int) -> Cluster:
    """Return the five Pods before anybody is deleted."""
    cluster = boot(seed, WORLD)
    cluster.run(5)
    return cluster


@cache
def observe(seed: int) -> tuple[Mapping[str, str], tuple[Evidence, ...]]:
    """Return what the lists say after the deletions, and the evidence for each row."""
    cluster = world(seed)
    for name in ("cleo", "dora"):
        Terminal(cluster).run(f"delete pod {name} --wait=false")
    cluster.run(AFTER)
    truth = {key: lamps(cluster, *asked) for key, asked in ROWS.items()}
    evidence = (seen(cluster, f"{key}: {told(word)}") for key, word in truth.items())
    return truth, tuple(evidence)


def lamps(cluster: Cluster, service: str, pod: str) -> str:
    """Return the letters of the lamps that are lit for a Pod, "absent" if it has no row."""
    slices = cluster.view.list(EndpointSlice, "default", labels=f"{SERVICE_NAME}={service}")
    for endpoint in (endpoint for one in slices for endpoint in one.endpoints):
        if endpoint.targetRef is not None and endpoint.targetRef.name == pod:
            said = endpoint.conditions
            lit = zip(LAMPS, (said.ready, said.serving, said.terminating), strict=True)
            return "".join(letter for letter, on in lit if on)
    return ABSENT


def told(word: str) -> str:
    """Return the lamps in words.

    >>> told("ST"), told(""), told("absent")
    ('serving, terminating', 'no lamp is lit', 'in no slice')
    """
    names = dict(zip(LAMPS, ("ready", "serving", "terminating"), strict=True))
    if word == ABSENT:
        return "in no slice"
    return ", ".join(names[letter] for letter in word) or "no lamp is lit"


def grade(answer: Any) -> Finding:
    """Judge a mapping of rows to letters of lamps."""
    expected = f'letters of {LAMPS}, "" or "absent" for each of {", ".join(ROWS)}'
    if not isinstance(answer, Mapping) or set(answer) != set(ROWS):
        return wrong_kind(expected, answer)
    given = {key: read(answer[key]) for key in ROWS}
    unread = next((key for key, word in given.items() if word is None), None)
    if unread is not None:
        return wrong_kind(f'letters of {LAMPS}, "" or "absent" for {unread}', answer[unread])
    truth, evidence = observe(SEEDS[0])
    assert observe(SEEDS[1])[0] == truth, "seeds differ"
    wrongs = [key for key in ROWS if given[key] != truth[key]]
    if not wrongs:
        return right(
            "Right. Three lamps, and three questions: does it answer, is it staying, and what "
            "follows for new connections? ready is serving and not terminating, in one word.",
            evidence,
        )
    first = wrongs[0]
    finding = almost if len(wrongs) <= 2 else wrong
    message, number = SAID[first]
    shown = tuple(one for key, one in zip(ROWS, evidence, strict=True) if key == first)
    count = len(ROWS) - len(wrongs)
    return finding(f"{count} of {len(ROWS)} rows are right. {message}", number, shown)


def read(given: Any) -> str | None:
    """Return the letters in their order, "absent", or None for what is neither."""
    if not isinstance(given, str):
        return None
    word = given.strip()
    if word.lower() == ABSENT:
        return ABSENT
    letters = [letter for letter in word.upper() if letter not in " ,"]
    if any(letter not in LAMPS for letter in letters) or len(set(letters)) != len(letters):
        return None
    return "".join(sorted(letters, key=LAMPS.index))


EXERCISE = Exercise(
    key="10.1",
    title="Five cabs, three lamps",
    points=2,
    hints=(
        "Take one lamp after the other. serving: would its readiness probe succeed now? "
        "terminating: has somebody deleted it? ready: serving, and not terminating.",
        "A Pod without any lamp still has its row. What has ended for good (Succeeded, Failed), or "
        "has no address, has none.",
        "cleo keeps /tmp/free when she is told to go, dora removes it. publishNotReadyAddresses "
        "changes one lamp only.",
    ),
    grade=grade,
    world=world,
)
