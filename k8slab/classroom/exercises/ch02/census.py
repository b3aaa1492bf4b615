"""Exercise 02.5: mend the counter of 02.4: its number must be true whatever becomes of events.

The learner's `census(desk, event)` runs in fresh clusters under each of several fates.

Rule of use: the number may be late by one look at everything, 30 s; it may not be wrong for ever.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.core import Event
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch02.fates import live, told, truth
from k8slab.classroom.exercises.ch02.keeper import Asked, begin
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.control_plane.controllers.learner_controller import UnreliableWatch

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

QUIET = 65.0  # virtual seconds
CASES = (
    (3, (), (), "no event was lost"),
    (11, (3, 4, 5, 6), (), "four events were lost"),
    (16, tuple(range(2, 40, 3)), tuple(range(1, 40, 3)), "events were lost, others came twice"),
    (21, tuple(range(1, 80)), (), "every event was lost: only the looks every 30 s remained"),
)


def world(seed: int) -> Cluster:
    """Return a cluster in which nobody counts."""
    return live(seed, UnreliableWatch(lambda desk, event: None))


def grade(answer: Any) -> Finding:
    """Judge a function census(desk, event)."""
    if not callable(answer):
        return wrong_kind("the function census(desk, event)", answer)
    begin(answer)
    evidence: tuple[Evidence, ...] = ()
    for seed, lost, twice, what in CASES:
        asked = Asked(answer)
        cluster = live(seed, UnreliableWatch(asked, lost=lost, twice=twice))
        finding = _judge(cluster, what, asked)
        if finding is not None:
            return finding
        evidence += (seen(cluster, f"{told(cluster)} Pods, although {what}"),)
    return right(
        "Right. An event is only a reason to look; the number comes from what is there. Such a "
        "controller is called level-triggered, and all of Kubernetes' own are.",
        evidence,
    )


def _judge(cluster: Cluster, what: str, asked: Asked) -> Finding | None:
    for event in cluster.view.list(Event, "default"):
        if event.reason == "FailedReconcile":
            return wrong(f"In a cluster, {event.message}.".replace("your reconcile", "your census"))
    said, there = told(cluster), truth(cluster)
    if not said:
        return wrong("Nobody wrote the label `pods` on the ConfigMap `census`.")
    if said != str(there):
        message = f"The census says {said}, and there are {there} Pods: {what}. "
        message += "Do not add up what you are told; count what is there."
        return wrong(message, 0, (seen(cluster, f"census {said}, Pods {there}"),))
    before = asked.writes
    cluster.run(QUIET)
    needless = asked.writes - before
    if needless:
        return almost(
            f"The number is right, and it was written {needless} times more in a minute in which "
            "nothing changed. Write only what differs.",
            0,
            (seen(cluster, f"{needless} needless writes"),),
        )
    return None


EXERCISE = Exercise(
    key="02.5",
    title="Mend the counter",
    points=2,
    hints=(
        '`desk.list("pod")` says what is there. No event is needed for that.',
        'Compare before you write: the label of `desk.get("configmap", "census")` may be '
        "right already. The ConfigMap may not exist yet.",
        'count = str(len(desk.list("pod"))); if the census exists and its label "pods" differs: '
        'desk.label("configmap", "census", pods=count).',
    ),
    grade=grade,
    world=world,
)
