"""Exercise 03.4: three traces are given; the learner makes Pods whose stories read like them.

`early` runs on a node that nobody chose for it, `late` is placed only after its maker has written
a second time, `still` has a network and is never given an image. Whatever commands bring that
about are accepted: the trace of a fresh cluster is compared, not the manifest.

Rule of use: each judge reads the records about its Pod, and says what is different.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from k8slab.api.core import Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair, nothing
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Finding, right, wrong
from k8slab.sim import Record

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (6, 14)
AFTER = 60.0  # virtual seconds
SCHEDULER = "kube-scheduler"


def world(seed: int) -> Cluster:
    """Return a cluster of two workers in which nothing has been asked for."""
    return boot(seed)


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl run early --image=nginx:1.27",
        seeds=SEEDS,
        attempt=attempt_of(world, nothing, _judge, after=AFTER),
        praise="Right: all three stories read as they were given. A node can be written without "
        "the scheduler, a gate can keep it away, and no image is pulled that must not be.",
    )


def _judge(cluster: Cluster, _: None) -> Finding:
    for name, judge in JUDGES.items():
        pod = cluster.view.get(Pod, name)
        if pod is None:
            finding = wrong(f"There is no Pod `{name}` in the end.")
        else:
            records = list(cluster.trace.about(f"Pod/default/{name}"))
            finding = judge(cluster, pod, records)
        if finding.rung != "right":
            return finding
    pods = [pod for pod in cluster.view.list(Pod, "default") if pod.metadata.name in JUDGES]
    told = ", ".join(f"{pod.metadata.name} on {pod.spec.nodeName}" for pod in pods)
    return right("", (seen(cluster, told),))


def _early(cluster: Cluster, pod: Pod, records: Sequence[Record]) -> Finding:
    if _by(records, SCHEDULER):
        return wrong(
            "The scheduler placed `early`. In the trace nobody does: the node stands in the Pod "
            "from the first moment.",
            evidence=(seen(cluster, str(_by(records, SCHEDULER)[0])),),
        )
    if pod.status.phase != "Running":
        return wrong(
            f"`early` is {pod.status.phase} and not Running"
            + ("." if pod.spec.nodeName else ": it has no node, and nobody is looking for one.")
        )
    return right("")


def _late(cluster: Cluster, pod: Pod, records: Sequence[Record]) -> Finding:
    placed = _by(records, SCHEDULER)
    bound = [record for record in placed if record.verb == "create binding"]
    mine = [record for record in _by(records, "you") if record.verb != "create"]
    if not bound:
        return wrong(f"The scheduler never placed `late`; it is {pod.status.phase} in the end.")
    if not any(record.id < bound[0].id for record in mine):
        return wrong(
            "`late` was placed before you wrote to it again. In the trace the scheduler waits for "
            "your second write.",
            evidence=(seen(cluster, str(bound[0])),),
        )
    second = min(record.id for record in mine)
    if any(record.id < second for record in placed):
        return wrong(
            "The scheduler tried to place `late` before your second write, and failed. In the "
            "trace it does not even try: something tells it to wait.",
            13,
            (seen(cluster, str(placed[0])),),
        )
    if pod.status.phase != "Running":
        return wrong(f"`late` is {pod.status.phase} in the end, and not Running.")
    return right("")


def _still(cluster: Cluster, pod: Pod, records: Sequence[Record]) -> Finding:
    if not any(record.verb == "sandbox" for record in records):
        return wrong("`still` never got its network: in the trace the runtime makes its sandbox.")
    events = (record for record in cluster.trace if record.subject == "Pod/still")
    pulled = [record for record in events if record.detail.startswith("Pulling:")]
    if pulled:
        return wrong(
            "The kubelet pulled an image for `still`, or tried to. In the trace it does neither.",
            12,
            (seen(cluster, str(pulled[0])),),
        )
    if pod.status.phase != "Pending":
        return wrong(
            f"`still` is {pod.status.phase}: its image was on the node already. In the trace it "
            "waits for ever."
        )
    return right("")


def _by(records: Sequence[Record], component: str) -> list[Record]:
    return [record for record in records if record.component == component]


JUDGES: Mapping[str, Callable[[Cluster, Pod, Sequence[Record]], Finding]] = {
    "early": _early,
    "late": _late,
    "still": _still,
}

EXERCISE = Exercise(
    key="03.4",
    title="Three stories",
    points=2,
    hints=(
        "Look in `kubectl explain pod.spec` for the field that the scheduler writes, for one that "
        "keeps the scheduler away, and in `kubectl explain pod.spec.containers` for when to pull.",
        "nodeName, schedulingGates, imagePullPolicy. A gate is taken away by a second write.",
        "spec.nodeName: worker-1; spec.schedulingGates: [{name: example.com/wait}], later a patch "
        "to []; imagePullPolicy: Never with an image that no node has.",
    ),
    grade=grade,
    world=world,
)
