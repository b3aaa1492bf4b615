"""Exercise 13.2: the learner writes `eviction_delay(taints, tolerations)`; a cluster runs on it.

Taints are NoExecute ones of a node, tolerations those of a Pod. In some hundred cases the answer
must be the engine's; then a worker of a cluster dies, and its Pods go when the learner says.

Rule of use: the cases are made from seeds alone; the engine's function is the judge.

Upstream: none
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Event, Pod, Taint, Toleration
from k8slab.api.taints import NO_EXECUTE, covers
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import NotStartedError, Terminal, call
from k8slab.classroom.exercises.makes import Mistake, gather, most_telling
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.control_plane.controllers.taint_eviction import NEVER, eviction_delay

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

CASES = 300
LIVE_SEED = 13
DIES, AFTER = "worker-1", 110.0  # s, by when the node is unknown and a toleration of 30 s is over
UNREACHABLE = "node.kubernetes.io/unreachable"
KEYS = (UNREACHABLE, "node.kubernetes.io/not-ready", "harbor/ice")
SECONDS = (None, None, 300, 300, 60, 30, 5, 0, -10)
EXPECTED = "a number of seconds, or NEVER, from your function"
# Kinds of mistakes; of several, the first one here is talked about.
MISTAKES = {
    "no taint": ("No taint drives anybody away: the Pod may stay for ever (NEVER).", 0),
    "untolerated": (
        "One of the taints is covered by no toleration. Then the Pod has to go at once (0), "
        "whatever it tolerates besides.",
        16,
    ),
    "for ever": (
        "A toleration without tolerationSeconds holds for ever. If no other limit counts, the "
        "answer is NEVER.",
        16,
    ),
    "negative": ("A tolerationSeconds of 0 or less means at once: 0.", 0),
    "first": (
        "Several tolerations cover this taint. The first of them counts, in the order in which "
        "they stand; the others are not looked at.",
        0,
    ),
    "shortest": (
        "Each taint has its own toleration. The Pod has to go when the first of them runs out.",
        0,
    ),
}
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  nodeName: worker-1
  terminationGracePeriodSeconds: 1
  tolerations: [{{key: {key}, operator: Exists, effect: NoExecute{seconds}}}]
  containers: [{{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}}]
---"""
CREW = {"patient": "", "hasty": ", tolerationSeconds: 30", "usual": ", tolerationSeconds: 300"}
WORLD = "".join(POD.format(name=name, key=UNREACHABLE, seconds=text) for name, text in CREW.items())


class Case(msgspec.Struct, frozen=True):
    """Taints, tolerations, and after how many seconds the Pod has to go."""

    taints: tuple[Taint, ...]
    tolerations: tuple[Toleration, ...]
    wanted: float


def world(seed: int) -> Cluster:
    """Return three Pods of different patience on one worker."""
    return boot(seed, WORLD)


@cache
def cases() -> tuple[Case, ...]:
    """Return what the answer is asked."""
    return tuple(_case(random.Random(f"13.2/{number}")) for number in range(CASES))


def _case(dice: random.Random) -> Case:
    keys = dice.sample(KEYS, dice.choice((0, 1, 1, 1, 2, 2)))
    taints = tuple(Taint(key=key, effect=NO_EXECUTE) for key in keys)
    tolerations = tuple(_toleration(dice) for _ in range(dice.choice((0, 1, 2, 2, 3, 4))))
    return Case(taints, tolerations, eviction_delay(taints, tolerations))


def _toleration(dice: random.Random) -> Toleration:
    key = dice.choice((*KEYS, UNREACHABLE, ""))
    effect = dice.choice((NO_EXECUTE, NO_EXECUTE, "", "NoSchedule"))
    seconds = dice.choice(SECONDS) if effect == NO_EXECUTE else None
    return Toleration(key=key, operator="Exists", effect=effect, tolerationSeconds=seconds)


def grade(answer: Any) -> Finding:
    """Judge a function of taints and tolerations."""
    if not callable(answer):
        return wrong_kind("the function eviction_delay(taints, tolerations)", answer)
    found = gather(cases(), lambda case: _ask(answer, case), _mistakes, _evidence)
    if isinstance(found, Finding):
        return found
    return most_telling(found, tuple(MISTAKES)) or _live(answer)


def _ask(answer: Callable[..., Any], case: Case) -> float | Finding:
    said = call(answer, case.taints, case.tolerations)
    if said is None or said is ...:
        raise NotStartedError
    if isinstance(said, bool) or not isinstance(said, int | float) or said != said:
        return wrong_kind(EXPECTED, said)
    return said


def _mistakes(case: Case, said: float) -> Iterator[Mistake]:
    if said != case.wanted:
        about = _about(case, said)
        yield Mistake(about, *MISTAKES[about])


def _about(case: Case, said: float) -> str:
    """Return which rule decides the case."""
    if not case.taints:
        return "no taint"
    covering = [[t for t in case.tolerations if covers(t, taint)] for taint in case.taints]
    if not all(covering):
        return "untolerated"
    if said < 0:
        return "negative"
    if any(len({t.tolerationSeconds for t in each}) > 1 for each in covering):
        return "first"
    return "for ever" if case.wanted == NEVER else "shortest"


def _evidence(case: Case, given: float) -> Evidence:
    taints = ", ".join(taint.key.rpartition("/")[2] for taint in case.taints) or "none"
    tolerated = ", ".join(map(_told, case.tolerations)) or "none"
    text = f"taints: {taints}; tolerations: {tolerated}; yours: {given:g}, so it is: "
    return Evidence(0, 0.0, f"{text}{case.wanted:g}")


def _told(toleration: Toleration) -> str:
    key = toleration.key.rpartition("/")[2] or "every key"
    seconds = toleration.tolerationSeconds
    lasts = "for ever" if seconds is None else f"{seconds} s"
    return f"{key} ({toleration.effect or 'every effect'}, {lasts})"


def _live(answer: Callable[..., Any]) -> Finding:
    """Let a worker die in a cluster that runs on it."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=2, seed=LIVE_SEED, replace={"eviction_delay": answer})
    Terminal(cluster).run(f"apply -f -\n{WORLD}")
    cluster.run(10)
    cluster.break_node(DIES)
    cluster.run(AFTER)
    for event in cluster.view.list(Event, "default"):
        if event.reason == "FailedEvictionDelay":
            return wrong(f"Right in {CASES} cases. In a cluster it failed: {event.message}")
    pods = cluster.view.list(Pod, "default")
    gone = [pod.metadata.name for pod in pods if pod.metadata.deletionTimestamp is not None]
    if gone != ["hasty"]:
        return almost(f"Right in {CASES} cases. In a cluster these were deleted: {gone}.")
    return right(
        f"Right in {CASES} cases, and a cluster has run on it. A dead node empties itself by this "
        "function, and by nothing else.",
        (seen(cluster, f"{DIES} is dead: hasty was deleted, usual and patient were not yet"),),
    )


EXERCISE = Exercise(
    key="13.2",
    title="Make the patience of a Pod",
    points=4,
    hints=(
        "Go through the taints. For each, look for a toleration that covers it (`covers`). What if "
        "there is none? What if there are several?",
        "The first toleration that covers a taint is the one that counts. Without "
        "tolerationSeconds it sets no limit.",
        "Begin with limit = NEVER. For each taint: none covers, return 0; else limit = min(limit, "
        "its tolerationSeconds) if it has any. Return max(limit, 0).",
    ),
    grade=grade,
    world=world,
)
