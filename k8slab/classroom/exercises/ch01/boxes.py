"""Exercise 01.2: which parts act on each of five commands.

An answer is five sets of letters. Each command runs in fresh clusters of its own; a part is lit if
it sends a message that leaves a record, or stores or carries out something.

Rule of use: what lights up is counted from the trace; the tables only explain.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.ch01.stage import WEB, part
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.viz.traffic import traffic

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (2, 13)
AFTER = 20.0  # virtual seconds in which everything has happened
NEARLY = 1  # wrong letters
PARTS: Mapping[str, str] = {
    "A": "kube-apiserver",
    "E": "etcd",
    "C": "kube-controller-manager",
    "S": "kube-scheduler",
    "K": "kubelet",
    "R": "containerd",
    "P": "kube-proxy",
}
PINNED = """apply -f -
apiVersion: v1
kind: Pod
metadata: {name: pinned}
spec:
  nodeName: worker-1
  containers: [{name: web, image: "traefik/whoami:v1.11"}]
"""
COMMANDS: tuple[str, ...] = (
    "create configmap colors --from-literal=sky=blue",
    "scale deployment web --replicas=4",
    "scale deployment web --replicas=1",
    "expose deployment web --port=80",
    PINNED,
)
EXTRA: Mapping[tuple[int, str], str] = {
    (1, "C"): "A ConfigMap is a note that nobody waits for: no controller makes anything of it.",
    (1, "K"): "No Pod uses the ConfigMap, so no kubelet has anything to do.",
    (2, "P"): "No Service selects these Pods, so there is no list and no rule to change.",
    (3, "S"): "The scheduler chooses nodes for Pods without one. Nobody asks it who has to go: "
    "the ReplicaSet's controller decides that.",
    (3, "P"): "No Service selects these Pods, so there is no rule to change.",
    (4, "S"): "A Service needs no machine: nothing is placed anywhere.",
    (4, "K"): "No Pod starts or ends for a Service; the kubelets have nothing to do.",
    (4, "R"): "A Service is no process: nothing is started.",
    (5, "S"): "The Pod already names its node. The scheduler passes it over, and its kubelet "
    "finds it by that name.",
    (5, "C"): "No owner, no Service: no controller has to write anything for a bare Pod.",
    (5, "P"): "No Service selects the Pod, so no rule changes.",
}
MISSING: Mapping[str, str] = {
    "A": "Every command goes through the API server, this one too.",
    "E": "What the API server accepts, it writes to etcd.",
    "C": "Somebody compares what is wanted with what there is, and writes the difference.",
    "S": "New Pods have no node yet, and somebody chooses one for each of them.",
    "K": "A Pod on a node is started, or stopped, and reported on by that node's kubelet.",
    "R": "A kubelet starts and stops nothing itself: it orders its container runtime.",
    "P": "A new Service needs rules in the kernel of every node.",
}


class Lit(msgspec.Struct, frozen=True):
    """What one command lit up."""

    letters: str  # in the order of PARTS
    evidence: Mapping[str, Evidence]  # by letter


def world(seed: int) -> Cluster:
    """Return two Pods of the Deployment web, without a Service."""
    return boot(seed, WEB)


@cache
def observe(seed: int, number: int) -> Lit:
    """Run a command, counted from 1, in a fresh cluster and return what it lit up."""
    cluster = world(seed)
    start = len(cluster.trace)
    Terminal(cluster).run(COMMANDS[number - 1])
    cluster.run(AFTER)
    ends = [end for e in traffic(cluster.trace, start) for end in (e.source, e.target)]
    names = {end.partition("/")[0]: None for end in ends}
    evidence: dict[str, Evidence] = {}
    for record in cluster.trace.since(start):
        for letter in (one for one, name in PARTS.items() if name == part(record)):
            text = f"command {number}: {record.component}: {record.verb} {record.subject}"
            evidence.setdefault(letter, Evidence(seed, record.time, text))
    return Lit("".join(letter for letter, name in PARTS.items() if name in names), evidence)


def grade(answer: Any) -> Finding:
    """Judge five strings of letters, a list of them or a mapping of 1 to 5."""
    given = _read(answer)
    if given is None:
        letters = "".join(PARTS)
        return wrong_kind(
            f'five texts of letters from {letters}, such as ["AP", "ACK", ...]', answer
        )
    mistakes = [m for number in range(1, 6) for m in _compare(number, given[number - 1])]
    if not mistakes:
        return right(
            "Right. Each command lights up the API server and etcd, and then only those who have "
            "a gap to close: none, one after the other, or all of them."
        )
    say = almost if len(mistakes) <= NEARLY else wrong
    message, evidence = mistakes[0]
    count = f"{len(mistakes)} letter{'s' if len(mistakes) > 1 else ''} to mend"
    return say(f"{count}. {message}", evidence=evidence)


def _compare(number: int, given: str) -> list[tuple[str, tuple[Evidence, ...]]]:
    """Return what is wrong with the letters for one command, in words, with evidence."""
    found: list[tuple[str, tuple[Evidence, ...]]] = []
    lit = observe(SEEDS[0], number)
    for letter, name in PARTS.items():
        everywhere = all(letter in observe(seed, number).letters for seed in SEEDS)
        if letter in given and not everywhere:
            why = EXTRA.get((number, letter), "It left no record: there was nothing for it to do.")
            found.append((f"Command {number} does not light up {name}. {why}", ()))
        elif letter not in given and everywhere:
            seen = (lit.evidence[letter],) if letter in lit.evidence else ()
            found.append((f"Command {number} lights up one part more. {MISSING[letter]}", seen))
    return found


def _read(answer: Any) -> list[str] | None:
    """Return five texts of letters, None if the answer is nothing of the kind."""
    if isinstance(answer, Mapping):
        if sorted(map(str, answer)) != list("12345"):
            return None
        answer = [one for _, one in sorted(answer.items(), key=lambda pair: str(pair[0]))]
    if not isinstance(answer, list | tuple) or len(answer) != len(COMMANDS):
        return None
    texts = []
    for one in answer:
        if isinstance(one, set | frozenset | list | tuple):
            one = "".join(sorted(map(str, one)))
        if not isinstance(one, str):
            return None
        text = "".join(c for c in one.upper() if c not in " ,;{}")
        if not text or any(c not in PARTS for c in text):
            return None
        texts.append(text)
    return texts


EXERCISE = Exercise(
    key="01.2",
    title="Which boxes light up?",
    points=2,
    hints=(
        "Follow the gap: after the command is written down, who sees that something is missing or "
        "too much? And when they have written, who sees a gap then?",
        "Two letters stand in all five. kube-proxy needs a Service, the scheduler a Pod without a "
        "node, kubelet and runtime always come together.",
        "Only command 2 goes all the way through the scheduler. Commands 3 and 5 leave it out, "
        "for different reasons.",
    ),
    grade=grade,
    world=world,
)
