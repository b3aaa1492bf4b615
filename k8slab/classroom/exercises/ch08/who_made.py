"""Exercise 08.2: the learner writes `who_made(pod, records)`, which names the creator of a Pod.

The owner of a Pod is not always who made it: Pods are adopted and released. In the worlds of the
check stand Pods made by a ReplicaSet, by a DaemonSet, by a kubelet (of a file) and by hand, one
adopted and one released. The records of the trace know who created each.

Rule of use: the record of the creation is the judge.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Pod
from k8slab.api.meta import controller_of
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import NotStartedError, Terminal, call
from k8slab.classroom.exercises.worlds import boot, pods_with
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (4, 13, 21)
CONTAINER = '{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}'
BY_HAND = f"""
apiVersion: v1
kind: Pod
metadata: {{name: crew-by-hand, labels: {{team: crew}}}}
spec: {{containers: [{CONTAINER}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: loner, generateName: loner-}}
spec: {{containers: [{CONTAINER}]}}
"""
CREW = f"""
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: crew}}
spec:
  replicas: 3
  selector: {{matchLabels: {{team: crew}}}}
  template:
    metadata: {{labels: {{team: crew}}}}
    spec: {{containers: [{CONTAINER}]}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {{name: guard}}
spec:
  selector: {{matchLabels: {{team: guard}}}}
  template:
    metadata: {{labels: {{team: guard}}}}
    spec: {{containers: [{CONTAINER}]}}
"""
STATIC = "etcd-control-plane"
MISTAKES: dict[str, tuple[str, int]] = {
    "adopted": (
        "crew-by-hand is owned by the ReplicaSet, and you made it: the ReplicaSet adopted it "
        "later. An owner reference says whose a Pod is now, not where it came from.",
        15,
    ),
    "cause": (
        "{name}: you are the first cause of nearly everything here. Asked is who created the Pod: "
        "the other end of the chain.",
        0,
    ),
    "released": (
        "{name} has no owner any more: its label was changed, so the ReplicaSet let it go. It was "
        "made by the replicaset-controller all the same.",
        15,
    ),
    "static": (
        "{name} was created by its node's kubelet, from a file on the node. No controller and no "
        "scheduler had a part in it.",
        0,
    ),
    "other": ("{name} was created by {maker}; you say {given}.", 0),
}
MOST_TELLING = tuple(MISTAKES)


class Case(msgspec.Struct, frozen=True):
    """One Pod, and who created it."""

    pod: Pod
    records: tuple[Record, ...]  # of all Pods
    maker: str
    evidence: Evidence


def world(seed: int) -> Cluster:
    """Return Pods of several origins."""
    cluster = boot(seed, BY_HAND)
    cluster.apply(CREW)
    cluster.settle(3)
    own = [p for p in pods_with(cluster.view, "team=crew") if p.metadata.name != "crew-by-hand"]
    Terminal(cluster).run(f"label pod {own[0].metadata.name} team=alone --overwrite")
    cluster.settle(3)
    return cluster


@cache
def cases(seed: int) -> tuple[Case, ...]:
    """Return what the answer is asked in one cluster."""
    cluster = world(seed)
    static = cluster.view.get(Pod, STATIC, "kube-system")
    assert static is not None
    return tuple(_cases(cluster, [*cluster.view.list(Pod, "default"), static]))


def _cases(cluster: Cluster, pods: list[Pod]) -> Iterator[Case]:
    records = tuple(record for record in cluster.trace if record.subject.startswith("Pod/"))
    for pod in pods:
        subject = f"Pod/{pod.metadata.namespace}/{pod.metadata.name}"
        record = next(r for r in records if r.subject == subject and r.verb == "create")
        text = f"{record.component} created {subject}"
        yield Case(pod, records, record.component, Evidence(cluster.seed, record.time, text))


def grade(answer: Any) -> Finding:
    """Judge a function of a Pod and records that returns the name of a component."""
    if not callable(answer):
        return wrong_kind("the function who_made(pod, records)", answer)
    found: dict[str, tuple[str, int, Evidence]] = {}
    asked = 0
    for case in (case for seed in SEEDS for case in cases(seed)):
        asked += 1
        given = _ask(answer, case)
        if isinstance(given, Finding):
            return given
        if not _same(given, case.maker):
            about = _about(case, given)
            text, misconception = MISTAKES[about]
            said = text.format(name=case.pod.metadata.name, maker=case.maker, given=given)
            found.setdefault(about, (said, misconception, case.evidence))
    if not found:
        return right(
            f"Right for {asked} Pods out of {asked}. Whose a Pod is, it tells itself; where it "
            "came from, only its history tells."
        )
    said, misconception, evidence = found[min(found, key=MOST_TELLING.index)]
    verdict = almost if len(found) == 1 else wrong
    return verdict(said, misconception, (evidence,))


def _ask(answer: Callable[..., Any], case: Case) -> str | Finding:
    given = call(answer, case.pod, list(case.records))
    if given is None or given is ...:
        raise NotStartedError
    if not isinstance(given, str):
        return wrong_kind('the name of a component, such as "kubelet", from your function', given)
    return given.strip()


def _same(given: str, maker: str) -> bool:
    """Say whether both name one component; a kubelet may be named with its node."""
    return given == maker or given.partition("/")[0] == maker.partition("/")[0]


def _about(case: Case, given: str) -> str:
    """Return of what kind the mistake is."""
    owner, controller = controller_of(case.pod), case.maker.endswith("-controller")
    if not controller and not case.maker.startswith("kubelet"):
        return "adopted" if owner is not None else "other"
    if controller and owner is None:
        return "released"
    if controller and given == "you":
        return "cause"
    return "static" if case.maker.startswith("kubelet") else "other"


EXERCISE = Exercise(
    key="08.2",
    title="Who made this Pod?",
    points=2,
    hints=(
        "`cluster.why(pod)` prints a chain that ends with what began it all. Its first line says "
        "who created the Pod: which record is that one?",
        "A record says who (`component`), did what (`verb`), to what (`subject`). A Pod's subject "
        'is "Pod/NAMESPACE/NAME".',
        'One record has the verb "create" and this very subject. A Binding has the verb '
        '"create binding".',
    ),
    grade=grade,
    world=world,
)
