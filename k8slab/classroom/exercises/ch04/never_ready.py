"""Exercise 04.2: make a Pod that runs and is never ready, and is never restarted.

Whatever commands bring that about are accepted: a readiness probe that fails, a readiness gate that
nobody opens, a startup probe with much patience.

Rule of use: the Pod's whole history is looked at, not its last state.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_ready
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair, nothing
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (2, 16)
AFTER = 180.0  # virtual seconds
NAME = "shy"


def world(seed: int) -> Cluster:
    """Return a cluster in which nothing has been asked for."""
    return boot(seed, workers=1)


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl run shy --image=nginx:1.27",
        seeds=SEEDS,
        attempt=attempt_of(world, nothing, _judge, after=AFTER),
        praise="Right: three minutes in phase Running, never ready, never restarted. Running says "
        "that a process is there; ready says that it may be sent work.",
    )


def _judge(cluster: Cluster, _: None) -> Finding:
    pod = cluster.view.get(Pod, NAME)
    if pod is None:
        return wrong(f"There is no Pod `{NAME}` in the end.")
    statuses = pod.status.containerStatuses
    restarts = sum(status.restartCount for status in statuses)
    shown = (seen(cluster, f"{NAME}: {pod.status.phase}, {restarts} restarts"),)
    if pod.status.phase != "Running":
        return wrong(
            f"`{NAME}` is {pod.status.phase} after three minutes: it must run, and only not be "
            "ready.",
            9,
            shown,
        )
    if restarts:
        return wrong(
            f"`{NAME}` was restarted {restarts} times. A probe that restarts is a liveness probe, "
            "or a startup probe whose patience is at an end.",
            10,
            shown,
        )
    if any(status.state.running is None for status in statuses):
        return wrong(f"A container of `{NAME}` does not run.", 9, shown)
    for record in cluster.trace.about(f"Pod/default/{NAME}"):
        then = cluster.at(record.time).get(Pod, NAME) if record.revision else None
        if then is not None and is_pod_ready(then):
            told = (seen(cluster, f"at {record.time:.3f} s it was ready"),)
            finding = almost if not is_pod_ready(pod) else wrong
            return finding(f"`{NAME}` was ready for a while.", 9, told)
    return right("", shown)


EXERCISE = Exercise(
    key="04.2",
    title="Running, never ready",
    points=2,
    hints=(
        "Which probe takes a Pod out of Services, and does nothing else?",
        "A readiness probe that always fails, such as a command that ends with exit code 1.",
        'spec.containers[0].readinessProbe: {exec: {command: ["false"]}}, sent with apply -f -.',
    ),
    grade=grade,
    world=world,
)
