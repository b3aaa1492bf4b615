"""Exercise 03.1: what happens after `kubectl create deployment`, in nine events.

Eight of them are links of one chain. The ninth, the ReplicaSet that counts its Pod, hangs on the
same link as the scheduler's work: two components react to one write, and neither waits for the
other. So it may stand anywhere behind that link.

Rule of use: what happens, and when, is read from a run.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.orders import Explained, Happened, Order, grade_order
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.verdicts import Evidence, Finding
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (2, 9, 31)
COMMAND = "create deployment web --image=nginx:1.27"
AFTER = 30.0  # virtual seconds in which everything has happened
EVENTS: Mapping[str, str] = {
    "A": "the kubelet reports the phase Running",
    "B": "the Pod gets a node",
    "C": "the ReplicaSet is stored",
    "D": "the container starts",
    "E": "the Deployment is stored",
    "F": "the ReplicaSet's status counts one Pod",
    "G": "the Pod is stored, without a node",
    "H": "the runtime makes the Pod's network",
    "I": "the image has been pulled",
}
CAUSES: Mapping[tuple[str, str], str] = {
    ("E", "C"): "the ReplicaSet is what the Deployment controller makes of the Deployment",
    ("C", "G"): "the Pod is what the ReplicaSet controller makes of the ReplicaSet",
    ("G", "B"): "the scheduler places Pods that exist and have no node",
    ("G", "F"): "a Pod must exist before anybody can count it",
    ("B", "H"): "a kubelet looks only at Pods that have its node's name",
    ("H", "I"): "the runtime first makes the sandbox, in which all containers will share a network",
    ("I", "D"): "a container is started from its image",
    ("D", "A"): "a status is a report: it comes after what it tells",
}
WHO: Mapping[str, Explained] = {
    "A": ("Without a report (A) nobody but the node would know that the Pod runs.", 9),
    "B": ("A Pod without a node runs nowhere: the scheduler has to choose one (B).", 0),
    "C": ("A Deployment makes no Pods: it keeps ReplicaSets (C), and those make Pods.", 0),
    "D": ("Nothing runs before the runtime has started the container (D).", 0),
    "E": ("Everything begins with an object that is stored (E).", 0),
    "F": ("The ReplicaSet controller writes down what it sees (F), as every controller does.", 0),
    "G": ("The Pod is stored (G) before anybody knows where it will run.", 0),
    "H": ("Before the first container, the Pod gets its own network (H).", 0),
    "I": ("A node that does not have the image must pull it first (I).", 12),
}
ORDER = Order(
    events=EVENTS,
    causes=CAUSES,
    missing=WHO,
    misconceptions={("D", "A"): 9},
    example="BDA",
    praise="Right. Each write is news to whoever waits for it, and so the chain goes on without "
    "anybody giving orders. F hangs on G as well: it may stand anywhere behind it.",
)


def world(seed: int) -> Cluster:
    """Return a cluster in which nothing has been asked for."""
    return boot(seed)


@cache
def observe(seed: int) -> Happened:
    """Create the Deployment in a fresh cluster and return what came of it."""
    cluster = world(seed)
    start = len(cluster.trace)
    Terminal(cluster).run(COMMAND)
    cluster.run(AFTER)
    first: dict[str, Evidence] = {}
    for record in cluster.trace.since(start):
        for letter in (one for one in EVENTS if one not in first and TESTS[one](cluster, record)):
            first[letter] = Evidence(seed, record.time, f"{letter}, {EVENTS[letter]}")
    return Happened(tuple(first), tuple(first.values()))


def _is(verb: str, kind: str) -> Callable[[Cluster, Record], bool]:
    def test(cluster: Cluster, record: Record) -> bool:
        return record.verb == verb and record.subject.startswith(f"{kind}/")

    return test


def _running(cluster: Cluster, record: Record) -> bool:
    if not _is("update status", "Pod")(cluster, record):
        return False
    _, namespace, name = record.subject.split("/")
    pod = cluster.at(record.time).get("pod", name, namespace)
    return pod is not None and pod.status.phase == "Running"


TESTS: Mapping[str, Callable[[Cluster, Record], bool]] = {
    "A": _running,
    "B": _is("create binding", "Pod"),
    "C": _is("create", "ReplicaSet"),
    "D": _is("start", "Pod"),
    "E": _is("create", "Deployment"),
    "F": _is("update status", "ReplicaSet"),
    "G": _is("create", "Pod"),
    "H": _is("sandbox", "Pod"),
    "I": _is("pull", "Image"),
}


def grade(answer: Any) -> Finding:
    """Judge an order of all nine events."""
    return grade_order(answer, ORDER, [observe(seed) for seed in SEEDS])


EXERCISE = Exercise(
    key="03.1",
    title="Nine events",
    points=1,
    hints=(
        "Begin with what you typed. Then ask of each event: whose write does it answer?",
        "Three objects are stored, one after the other: E, C, G. Only then does the Pod get a "
        "node (B), and only then does that node do anything.",
        "E, C, G, B, then what the node does: network, image, container, report. F goes with G.",
    ),
    grade=grade,
    world=world,
)
