"""Exercise 06.1: what a new label on a live Pod sets off, and in which order.

Some of the eight events happen, others do not. Two control loops, which know nothing of each other,
react to the same change: so several orders are right, and every order in which no event stands
before its cause is accepted.

Rule of use: what happens, and when, is read from a run; `CAUSES` says what the order must respect.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod, Service
from k8slab.api.pods import is_pod_ready
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.orders import Explained, Happened, Order, grade_order
from k8slab.classroom.exercises.worlds import boot, members, pods_with
from k8slab.classroom.verdicts import Evidence, Finding
from k8slab.cluster.view import View

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (3, 11, 26)
AFTER = 40.0  # virtual seconds in which everything has happened
WORLD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: "nginx:1.27", ports: [{containerPort: 80}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
EVENTS: Mapping[str, str] = {
    "A": "a new Pod with the label app=web is created",
    "B": "the relabeled Pod leaves the list behind the Service",
    "C": "the new Pod becomes ready",
    "D": "the ReplicaSet gives up the relabeled Pod, which now has no owner",
    "E": "the new Pod joins the list behind the Service",
    "F": "the relabeled Pod is deleted",
    "G": "the Deployment creates a second ReplicaSet",
    "H": "the Service gets another ClusterIP",
}
# (earlier, later): why no run can turn them around.
CAUSES: Mapping[tuple[str, str], str] = {
    ("D", "A"): "the ReplicaSet counts its Pods first: only after it has given one up "
    "is one missing",
    ("A", "C"): "a Pod must exist before it can be ready",
    ("C", "E"): "only a ready Pod is given traffic; running is not enough",
    ("B", "E"): "the list is made anew from the labels at every change, so it cannot take in the "
    "new Pod and still hold the relabeled one",
}
NEVER: Mapping[str, Explained] = {
    "F": (
        "Nobody deletes the relabeled Pod (F): to the ReplicaSet it is a stranger now, and a "
        "controller deletes only what it owns. It goes on running, alone.",
        15,
    ),
    "G": (
        "The Deployment does nothing (G): it makes a new ReplicaSet when its template changes, and "
        "the label was changed on one Pod.",
        15,
    ),
    "H": (
        "The Service keeps its ClusterIP (H): that is what it is for. Only the list behind the "
        "address changes.",
        1,
    ),
}
MISSING: Mapping[str, Explained] = {
    "A": ("A Pod is missing after the change, so the ReplicaSet makes one (A).", 14),
    "B": (
        "The Service follows labels and nothing else (B): who made the Pod is no concern of its.",
        6,
    ),
    "C": ("The new Pod has to become ready before anything can be sent to it (C).", 9),
    "D": (
        "A ReplicaSet, too, goes by labels: a Pod that no longer matches its selector is given up, "
        "its ownerReference removed (D).",
        15,
    ),
    "E": ("The new Pod carries the label of the template, so the Service finds it (E).", 6),
}
MISCONCEPTIONS: Mapping[tuple[str, str], int] = {("C", "E"): 9, ("D", "A"): 15}


def world(seed: int) -> Cluster:
    """Return three Pods behind a Service."""
    return boot(seed, WORLD)


@cache
def observe(seed: int) -> Happened:
    """Relabel a Pod in a fresh cluster and return what came of it, which the seed alone decides."""
    cluster = world(seed)
    before = cluster.view
    chosen = pods_with(before, "app=web")[0].metadata.name
    start = len(cluster.trace)
    Terminal(cluster).run(f"label pod {chosen} app=debug --overwrite")
    cluster.run(AFTER)
    tests = _tests(before, chosen)
    first: dict[str, Evidence] = {}
    for record in cluster.trace.since(start):
        if record.revision:
            view = View(cluster.backend, record.revision, record.time)
            for letter in (one for one in tests if one not in first and tests[one](view)):
                first[letter] = Evidence(seed, record.time, f"{letter}, {EVENTS[letter]}")
    return Happened(tuple(first), tuple(first.values()))


def _tests(before: View, chosen: str) -> Mapping[str, Callable[[View], bool]]:
    """Return, for each event, how to see in a view that it has happened."""
    known = {pod.metadata.uid for pod in before.list(Pod, "default")}
    address = _address(before)

    def new(view: View) -> list[Pod]:
        return [p for p in pods_with(view, "app=web") if p.metadata.uid not in known]

    def left(view: View) -> Pod | None:
        return view.get(Pod, chosen)

    return {
        "A": lambda view: bool(new(view)),
        "B": lambda view: chosen not in members(view, "web"),
        "C": lambda view: any(map(is_pod_ready, new(view))),
        "D": lambda view: (pod := left(view)) is not None and not pod.metadata.ownerReferences,
        "E": lambda view: any(p.metadata.name in members(view, "web") for p in new(view)),
        "F": lambda view: (pod := left(view)) is None or bool(pod.metadata.deletionTimestamp),
        "G": lambda view: len(view.list(ReplicaSet, "default")) > 1,
        "H": lambda view: _address(view) != address,
    }


def _address(view: View) -> str:
    service = view.get(Service, "web")
    return service.spec.clusterIP if service is not None else ""


ORDER = Order(
    events=EVENTS,
    causes=CAUSES,
    missing=MISSING,
    never=NEVER,
    misconceptions=MISCONCEPTIONS,
    praise="Right. Two loops react to one label, and neither knows of the other: the ReplicaSet "
    "makes up its number, the Service its list. So B may stand anywhere before E.",
)


def grade(answer: Any) -> Finding:
    """Judge an order of events such as "BDA"."""
    return grade_order(answer, ORDER, [observe(seed) for seed in SEEDS])


EXERCISE = Exercise(
    key="06.1",
    title="One label, two loops",
    points=1,
    hints=(
        "Ask of each controller what it compares: the ReplicaSet its number, the Service its list. "
        "Neither one looks at names or at the Deployment.",
        "Five of the eight happen. A Pod that is not ready is in nobody's list.",
        "Nothing is deleted and no address changes. D comes before A, A before C, C before E.",
    ),
    grade=grade,
    world=world,
)
