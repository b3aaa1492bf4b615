"""Exercise 04.1: a container that always ends after some seconds; when does it start again?

How long a run lasts is the learner's own number. They name five starts, in seconds after the first,
which are compared with a Pod that really lived through its back-off.

Rule of use: `SLACK` is what a kubelet needs to notice an end; answers may be off by that.

Upstream: none
"""

from __future__ import annotations

from functools import cache, partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "04.1"
SEEDS = (1, 10)
LASTS = (5, 8, 12, 20)  # virtual seconds that a run lasts, by variant
COUNT = 5
AFTER = 400.0  # virtual seconds
SLACK = 4.0  # s
WAITS = (0, 10, 20, 40, 80)
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: baker}}
spec:
  containers:
  - name: baker
    image: busybox:1.37
    command: [sh, -c, "sleep {lasts}; exit 1"]
"""


def world(lasts: int, seed: int) -> Cluster:
    """Return a cluster in which the Pod has just been created."""
    cluster = boot(seed, workers=1)
    cluster.apply(POD.format(lasts=lasts))
    return cluster


@cache
def observe(lasts: int, seed: int) -> tuple[tuple[float, ...], tuple[Evidence, ...]]:
    """Return the starts after the first one, in seconds after it, and what was seen."""
    cluster = world(lasts, seed)
    cluster.run(AFTER)
    starts = [r.time for r in cluster.trace.about("Pod/default/baker") if r.verb == "start"]
    after = tuple(start - starts[0] for start in starts[1 : COUNT + 1])
    evidence = tuple(
        Evidence(seed, starts[number], f"start {number + 1}, {seconds:.0f} s after the first")
        for number, seconds in enumerate(after, 1)
    )
    return after, evidence


def grade(lasts: int, answer: Any) -> Finding:
    """Judge five numbers of seconds."""
    expected = "five numbers of seconds, such as [5, 10, 15, 20, 25]"
    if not isinstance(answer, list | tuple) or len(answer) != COUNT:
        return wrong_kind(expected, answer)
    if any(isinstance(one, bool) or not isinstance(one, int | float) for one in answer):
        return wrong_kind(expected, answer)
    if any(one != one or abs(one) > 1e9 for one in answer):  # nan is near to every number
        return wrong_kind(expected, answer)
    for seed in SEEDS:
        starts, evidence = observe(lasts, seed)
        wrongs = [n for n in range(COUNT) if abs(answer[n] - starts[n]) > SLACK]
        if wrongs:
            return _explain(lasts, [float(one) for one in answer], wrongs, evidence)
    return right(
        "Right. The first restart comes at once; then the waits grow: 10, 20, 40, 80 seconds, up "
        "to 300. CrashLoopBackOff is the name of that wait. What is wrong is the exit before it.",
        observe(lasts, SEEDS[0])[1],
    )


def _starts(lasts: int, waits: tuple[int, ...]) -> list[float]:
    """Return when it would start if the waits were these."""
    return [float(t) for t in accumulate(wait + lasts for wait in waits)]


def _explain(
    lasts: int, given: list[float], wrongs: list[int], evidence: tuple[Evidence, ...]
) -> Finding:
    beliefs = (
        (
            _starts(lasts, (0,) * COUNT),
            "You let it start again at once, each time. It waits, and longer each time.",
        ),
        (
            _starts(lasts, (10,) * COUNT),
            "You let it wait 10 seconds each time. The wait doubles.",
        ),
        (
            _starts(lasts, (10, 20, 40, 80, 160)),
            "The waits are right, one too early: the first restart comes at once, only then they "
            "begin.",
        ),
        (
            _starts(0, WAITS),
            f"You left out the {lasts} seconds that each run lasts. The wait begins when the "
            "container ends.",
        ),
    )
    number = wrongs[0]
    seen = (evidence[number],)
    for believed, message in beliefs:
        if all(abs(a - b) <= SLACK for a, b in zip(given, believed, strict=True)):
            return wrong(message, 11, seen)
    text = f"Start {number + 2} does not come {given[number]:g} s after the first one."
    finding = almost if len(wrongs) == 1 else wrong
    return finding(f"{text} A run lasts {lasts} s; then comes the wait.", 11, seen)


def variant(lasts: int) -> Exercise:
    """Return the exercise with a container that lasts so many seconds."""
    return Exercise(
        key=KEY,
        title="The next five starts",
        points=1,
        hints=(
            "Each restart comes a wait after the *end* of a run. So count the run, then the wait.",
            "The waits are 0, 10, 20, 40 and 80 seconds.",
            f"{lasts} s run, no wait: start at about {lasts}. Again {lasts} s, then 10 s: about "
            f"{2 * lasts + 10}. And so on.",
        ),
        grade=partial(grade, lasts),
        world=partial(world, lasts),
        task=f"each run of `baker` lasts {lasts} seconds.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, LASTS))


EXERCISE = variant(LASTS[0])
