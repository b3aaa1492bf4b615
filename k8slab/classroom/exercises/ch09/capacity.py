"""Exercise 09.1: how many Pods at most, how few available, and where a broken version stops.

Number and percentages are each learner's own.

Rule of use: the Deployment controller's own rounding is the judge.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from k8slab.api.rollouts import resolve_fenceposts
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "09.1"
Budget = tuple[int, str, str]  # replicas, maxSurge, maxUnavailable
BUDGETS: tuple[Budget, ...] = (
    (10, "25%", "25%"),
    (7, "20%", "30%"),
    (9, "30%", "40%"),
    (6, "25%", "40%"),
)
ASKED = ("most", "fewest", "waiting")
CREW = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: crew}}
spec:
  replicas: {0}
  strategy: {{rollingUpdate: {{maxSurge: "{1}", maxUnavailable: "{2}"}}}}
  selector: {{matchLabels: {{app: crew}}}}
  template:
    metadata: {{labels: {{app: crew}}}}
    spec: {{containers: [{{name: main, image: "nginx:1.27"}}]}}
"""


def world(budget: Budget, seed: int) -> Cluster:
    """Return a cluster with a Deployment that has this budget."""
    return boot(seed, CREW.format(*budget))


def expected(budget: Budget) -> dict[str, int]:
    """Return the three numbers that the budget leads to."""
    wanted, _, _ = budget
    surge, missing = resolve_fenceposts(budget[1], budget[2], wanted)
    return {
        "most": wanted + surge,
        "fewest": wanted - missing,
        "waiting": min(surge + missing, wanted),
    }


def grade(budget: Budget, answer: Any) -> Finding:
    """Judge the three numbers."""
    kind = f"a number of Pods for each of {', '.join(ASKED)}"
    if not isinstance(answer, Mapping) or set(answer) != set(ASKED):
        return wrong_kind(kind, answer)
    if any(isinstance(one, bool) or not isinstance(one, int) for one in answer.values()):
        return wrong_kind(kind, answer)
    truth = expected(budget)
    wrongs = [name for name in ASKED if answer[name] != truth[name]]
    if not wrongs:
        return right(
            "Right. Surge is rounded up, what may be missing is rounded down: in doubt, rather "
            "more Pods than fewer. A broken version gets the surge and the empty places, no more."
        )
    verdict = almost if len(wrongs) == 1 else wrong
    name = wrongs[0]
    message, number = _why(name, answer[name], budget)
    return verdict(f"{len(ASKED) - len(wrongs)} of {len(ASKED)} are right. {message}", number)


def _why(name: str, given: int, budget: Budget) -> tuple[str, int]:
    """Say what does not fit about a number."""
    wanted = budget[0]
    surge, missing = resolve_fenceposts(budget[1], budget[2], wanted)
    if name == "most":
        if given == wanted:
            return "most: the surge is what may be above the wanted number.", 0
        if given == wanted + surge - 1:
            return f"most: {budget[1]} of {wanted} is no whole number. The surge is rounded up.", 0
        return f"most: {budget[1]} of {wanted}, rounded up, may be above {wanted}.", 0
    if name == "fewest":
        if given == wanted - missing - 1:
            return (
                f"fewest: {budget[2]} of {wanted} is no whole number. What may be missing is "
                "rounded down.",
                0,
            )
        return f"fewest: {budget[2]} of {wanted}, rounded down, may be missing.", 0
    if given == wanted:
        return "waiting: old Pods go only while enough are available. A new Pod counts if ready.", 9
    if given == surge:
        return "waiting: some old Pods may go at once, and their places are filled, too.", 9
    return "waiting: all that may be above, and the places of those that may be missing.", 9


def variant(budget: Budget) -> Exercise:
    """Return the exercise with this budget."""
    wanted, surge, missing = budget
    return Exercise(
        key=KEY,
        title="Worst case",
        points=2,
        hints=(
            "Reckon both percentages of the number of replicas. Half a Pod is none: how is each of "
            "them rounded?",
            "`resolve_fenceposts` of the chapter: up for the surge, down for what may be missing.",
            "most is wanted plus surge, fewest is wanted less missing. Waiting is the room between "
            "the two.",
        ),
        grade=partial(grade, budget),
        world=partial(world, budget),
        task=f"{wanted} replicas, maxSurge {surge}, maxUnavailable {missing}.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, BUDGETS))


EXERCISE = variant(BUDGETS[0])
