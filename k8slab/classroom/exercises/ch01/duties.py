"""Exercise 01.1: which duty is whose; two of the ten duties belong to none of the eight.

An answer is one letter for each part. Who does what was seen in a run: the evidence is a record of
the part at its work.

Rule of use: an explanation says what the part does read and write, and not which letter that is.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch01.stage import part, read_part, shop
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEED = 4
NEARLY = 2  # wrong letters; a swap makes two
RIGHT: Mapping[str, str] = {
    "kube-apiserver": "D",
    "etcd": "E",
    "kube-controller-manager": "B",
    "kube-scheduler": "C",
    "kubelet": "F",
    "containerd": "G",
    "kube-proxy": "H",
    "coredns": "A",
}
DUTIES: Mapping[str, str] = {
    "A": "answers where a name leads",
    "B": "creates the Pods that a ReplicaSet lacks",
    "C": "posts a Binding: this Pod, that node",
    "D": "checks each request and alone talks to the store",
    "E": "keeps every object on its disk",
    "F": "writes the status of a Pod",
    "G": "starts and stops the processes of containers",
    "H": "writes a node's rules for Services",
    "I": "carries each packet from Pod to Pod",
    "J": "orders a kubelet to start a Pod",
}
ABOUT: Mapping[str, str] = {
    "kube-apiserver": "The API server is the door: it checks who asks for what, and nobody but it "
    "reads or writes the store.",
    "etcd": "etcd is a disk with a memory of revisions. It knows nothing of Pods, checks nothing, "
    "and answers one client only.",
    "kube-controller-manager": "The controller manager compares what is wanted with what there "
    "is, and writes objects to close the gap. It runs nothing.",
    "kube-scheduler": "The scheduler reads Pods without a node and Nodes, and writes one thing: "
    "its choice. It starts nothing and writes no status but why a Pod fits nowhere.",
    "kubelet": "A kubelet reads the Pods that bear its node's name, has them run by its container "
    "runtime, and reports to the API server how they are.",
    "containerd": "The container runtime obeys the kubelet of its machine. It has never heard of "
    "the API server.",
    "kube-proxy": "kube-proxy reads Services and EndpointSlices and writes rules into the kernel "
    "of its node. It is in nobody's path.",
    "coredns": "CoreDNS reads Services and answers questions about names. It connects nobody.",
}
NOBODY: Mapping[str, tuple[str, int]] = {
    "I": (
        "None of these parts carries packets (I): the kernels do, along routes that the network "
        "plugin has set. Stop kube-proxy and the Pods still reach each other.",
        2,
    ),
    "J": (
        "Nobody gives orders to a kubelet (J): it watches the API server for Pods that bear its "
        "node's name. No part speaks to another one but through that door.",
        0,
    ),
}
SIGNS: Mapping[str, Callable[[Record], bool]] = {
    "B": lambda r: r.verb == "create" and r.subject.startswith("Pod/default/web"),
    "C": lambda r: r.verb == "create binding",
    "F": lambda r: r.verb == "update status" and r.subject.startswith("Pod/default/web"),
    "G": lambda r: r.verb == "start" and r.subject.startswith("Pod/default/web"),
    "H": lambda r: r.verb == "sync" and r.subject == "rules",
}


def world(seed: int) -> Cluster:
    """Return a cluster whose trace shows everybody at work."""
    return shop(seed)


@cache
def observe(seed: int) -> Mapping[str, tuple[str, Evidence]]:
    """Return, for each duty that leaves a record, who was seen doing it."""
    cluster = world(seed)
    found: dict[str, tuple[str, Evidence]] = {}
    for record in cluster.trace:
        for letter in (one for one, sign in SIGNS.items() if one not in found and sign(record)):
            text = f"{record.component}: {record.verb} {record.subject}"
            found[letter] = part(record), Evidence(seed, record.time, text)
    return found


def grade(answer: Any) -> Finding:
    """Judge letters in the order of the parts, or a mapping of parts to letters."""
    given = _read(answer)
    if given is None:
        example = 'eight letters from A to J, one for each part, such as "ABCDEFGH"'
        return wrong_kind(example, answer)
    if len(dict.fromkeys(given.values())) < len(given):
        return wrong("A letter stands there twice: each duty has one owner at most.")
    for name, letter in given.items():
        if letter in NOBODY:
            text, misconception = NOBODY[letter]
            return wrong(f"You gave {letter} to {name}. {text}", misconception)
    missed = [name for name, letter in given.items() if letter != RIGHT[name]]
    if not missed:
        seen = tuple(evidence for _, evidence in observe(SEED).values())
        return right("Each part has its duty, and two duties belong to none of them.", seen)
    return _missed(given, missed)


def _missed(given: Mapping[str, str], missed: list[str]) -> Finding:
    name = missed[0]
    duty = DUTIES[given[name]]
    say = almost if len(missed) <= NEARLY else wrong
    count = f"{len(missed)} of {len(RIGHT)} are not theirs yet"
    seen = observe(SEED).get(given[name])
    return say(
        f'{count}. You say that {name} "{duty}". {ABOUT[name]}',
        evidence=(seen[1],) if seen else (),
    )


def _read(answer: Any) -> dict[str, str] | None:
    """Return part -> letter, None if the answer is nothing of the kind."""
    if isinstance(answer, Mapping):
        given = {read_part(name): str(letter).strip().upper() for name, letter in answer.items()}
    elif isinstance(answer, str | list | tuple):
        if not all(isinstance(one, str) for one in answer):
            return None
        found = [one for one in "".join(answer).upper() if one not in " ,;>-"]
        if len(found) != len(RIGHT):
            return None
        given = dict(zip(RIGHT, found, strict=True))
    else:
        return None
    whole = sorted(given) == sorted(RIGHT) and all(letter in DUTIES for letter in given.values())
    return given if whole else None


EXERCISE = Exercise(
    key="01.1",
    title="Whose duty is it?",
    points=1,
    hints=(
        "Two duties belong to none of these parts. Who would need to speak to another part "
        "directly, or to stand in the path of a packet?",
        "Four parts never leave the control plane, and each has one verb: check, keep, compare, "
        "choose. The other four: report, run, write rules, answer names.",
        "I and J stay free. The first two parts, API server and etcd, have D and E.",
    ),
    grade=grade,
    world=world,
)
