"""Exercise 02.1: who writes this field? For four fields, the part of the cluster that fills them.

Rule of use: the writers are found by comparing each version of an object with the one before it.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch01.stage import part, read_part, shop
from k8slab.classroom.verdicts import Evidence, Finding, right, wrong, wrong_kind
from k8slab.viz.style import component_key

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (3, 12)
PARTS = ("you", "kube-apiserver", "kube-scheduler", "kube-controller-manager", "kubelet")
KNOWN = (*PARTS, "kube-proxy", "etcd", "coredns")


class Field(msgspec.Struct, frozen=True):
    """A field of some objects, and why its writer is the one who writes it."""

    kind: str
    path: str
    read: Callable[[Any], Any]
    because: str


def _yours(obj: Any) -> bool:
    """Say whether an object is one of yours: Pods of the system are made in other ways, too."""
    return bool(obj.metadata.namespace == "default")


FIELDS: Mapping[str, Field] = {
    "A": Field(
        "Pod",
        "spec.nodeName",
        lambda obj: obj.spec.nodeName if _yours(obj) else "",
        "Whoever chooses the node writes its name into the Pod.",
    ),
    "B": Field(
        "Pod",
        "status.phase",
        lambda obj: obj.status.phase if obj.status.startTime and _yours(obj) else "",
        "Only the node on which a Pod runs can know how it is, and its kubelet tells.",
    ),
    "C": Field(
        "ReplicaSet",
        "spec.replicas",
        lambda obj: obj.spec.replicas,
        "You wrote a Deployment. A controller made the ReplicaSet of it, with its number.",
    ),
    "D": Field(
        "Lease",
        "spec.renewTime",
        lambda obj: obj.spec.renewTime if obj.metadata.namespace == "kube-node-lease" else "",
        "A node's Lease is its sign of life: nobody else may give it.",
    ),
}


def world(seed: int) -> Cluster:
    """Return two Pods behind a Service."""
    return shop(seed)


def _read(given: Any) -> str:
    """Return the part that is meant; the trace calls a controller by its own name."""
    name = read_part(given)
    return component_key(name) if name.endswith("-controller") else name


@cache
def observe(seed: int, letter: str) -> tuple[tuple[str, ...], Evidence]:
    """Return the parts that have written a field, and the first time that one did."""
    cluster = world(seed)
    field = FIELDS[letter]
    last: dict[str, Any] = {}
    found: dict[str, Evidence] = {}
    for record in cluster.trace:
        kind, _, rest = record.subject.partition("/")
        if not record.revision or kind != field.kind:
            continue
        namespace, _, name = rest.rpartition("/")
        obj = cluster.at(record.time).get(kind.lower(), name, namespace)
        value = field.read(obj) if obj is not None else None
        if value and value != last.get(rest):
            text = f"{record.component} wrote {field.path} of {kind} {name}: {value}"
            found.setdefault(part(record), Evidence(seed, record.time, text))
        last[rest] = value
    return tuple(found), next(iter(found.values()))


def grade(answer: Any) -> Finding:
    """Judge a mapping of letters to parts."""
    expected = 'the part that writes each field, such as {"A": "etcd", ...}'
    if not isinstance(answer, Mapping) or not answer:
        return wrong_kind(expected, answer)
    given = {str(key).strip().upper(): _read(name) for key, name in answer.items()}
    for letter, name in given.items():
        if letter not in FIELDS:
            return wrong_kind(expected, {letter: name})
        if name.partition("/")[0] not in KNOWN:
            return wrong_kind(f"for {letter} one of {', '.join(KNOWN)}", answer[letter])
    for letter, field in FIELDS.items():
        if letter not in given:
            return wrong(f"Who writes {letter}, {field.path} of a {field.kind}?")
    wrongs = [
        one for one in FIELDS if given[one].partition("/")[0] not in observe(SEEDS[0], one)[0]
    ]
    if wrongs:
        letter = wrongs[0]
        field = FIELDS[letter]
        text = f"{len(FIELDS) - len(wrongs)} of {len(FIELDS)} are right. "
        text += f"{letter}: {given[letter]} does not write {field.path}. {field.because}"
        if given[letter] in ("kube-apiserver", "etcd"):
            text += " The API server and etcd take and keep what others write."
        return wrong(text, 0, (observe(SEEDS[0], letter)[1],))
    assert all(observe(s, one)[0] == observe(SEEDS[0], one)[0] for s in SEEDS for one in FIELDS)
    return right(
        "Right. Every field has one who minds it; nobody writes what is another's. So several "
        "parts can work on one object and never ask each other.",
        tuple(observe(SEEDS[0], letter)[1] for letter in FIELDS),
    )


EXERCISE = Exercise(
    key="02.1",
    title="Whose field is it?",
    points=1,
    hints=(
        "`spec` is a wish: of whom? `status` is a report: who can see it?",
        "`kubectl get pod POD -o yaml --show-managed-fields` says who wrote what.",
        "The scheduler one, the controller manager one, the kubelet two.",
    ),
    grade=grade,
    world=world,
)
