"""Chapter 13: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from k8slab.api.taints import covers
from k8slab.classroom.exercises import find
from k8slab.classroom.exercises.ch13 import minute, patience
from tests.exercises.claims import Claims

DELETED = {"usual": 350, "own": 170, "hasty": 50, "patient": "never", "watch": "never"}


def but(pod: str, said: Any) -> dict[str, Any]:
    return {**DELETED, pod: said}


# -- patience, and the ways to get it wrong


def limits(tolerations: Any) -> list[float]:
    return [
        math.inf if one.tolerationSeconds is None else one.tolerationSeconds for one in tolerations
    ]


def first_of_each(taints: Any, tolerations: Any) -> Any:
    found = [next((o for o in tolerations if covers(o, taint)), None) for taint in taints]
    return 0 if None in found else max(0, min(limits(found), default=math.inf))


def one_by_one(taints: Any, tolerations: Any) -> float:
    limit = math.inf
    for taint in taints:
        covering = [one for one in tolerations if covers(one, taint)]
        if not covering:
            return 0.0
        limit = min(limit, limits(covering)[0])
    return max(limit, 0.0)


def shortest_of_all(taints: Any, tolerations: Any) -> Any:
    found = [[o for o in tolerations if covers(o, taint)] for taint in taints]
    if not all(found):
        return 0
    return max(0, min((limit for each in found for limit in limits(each)), default=math.inf))


def longest(taints: Any, tolerations: Any) -> Any:
    found = [next((o for o in tolerations if covers(o, taint)), None) for taint in taints]
    return 0 if None in found else max(0, max(limits(found), default=math.inf))


def untolerated_is_ignored(taints: Any, tolerations: Any) -> Any:
    fitting = [o for taint in taints for o in tolerations if covers(o, taint)]
    return max(0, min(limits(fitting), default=math.inf))


def negative(taints: Any, tolerations: Any) -> Any:
    found = [next((o for o in tolerations if covers(o, taint)), None) for taint in taints]
    return 0 if None in found else min(limits(found), default=math.inf)


def usually(taints: Any, tolerations: Any) -> Any:
    said = one_by_one(taints, tolerations)
    return 300 if said == math.inf and taints else said


# -- a rollout, and the ways to patch it


def patch(spec: dict[str, Any], strategy: dict[str, Any] | None = None) -> str:
    change: dict[str, Any] = {"template": {"spec": spec}}
    if strategy is not None:
        change["strategy"] = strategy
    return f"kubectl patch deployment ferry -p '{json.dumps({'spec': change})}'"


def hook(what: dict[str, Any]) -> dict[str, Any]:
    return {"containers": [{"name": "main", "lifecycle": {"preStop": what}}]}


def sleep(seconds: int) -> dict[str, Any]:
    return hook({"sleep": {"seconds": seconds}})


LONG = {"terminationGracePeriodSeconds": 30}
EXEC = hook({"exec": {"command": ["sleep", "10"]}})

RIGHT: dict[str, tuple[Any, ...]] = {
    "13.1": (DELETED, {**DELETED, "usual": 345.5, "watch": "Never "}),
    "13.2": (first_of_each, one_by_one),
    "13.3": ([patch(LONG | sleep(10))], [patch(LONG | EXEC)], [patch(LONG), patch(sleep(12))]),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "13.1": (
        (but("usual", 0), "usual is not deleted so soon"),
        (but("usual", 300), "there is no taint yet when the plug is pulled"),
        (but("usual", "never"), "usual tolerates the taint for 300 s only"),
        (but("own", 350), "then the seconds of its own toleration"),
        (but("hasty", 0), "hasty is not deleted so soon"),
        (but("patient", 350), "says no seconds: for ever"),
        (but("watch", 350), "a toleration for ever"),
        (dict.fromkeys(DELETED, 350), "1 of 5 are right"),
    ),
    "13.2": (
        (shortest_of_all, "The first of them counts"),
        (longest, "The first of them counts"),
        (untolerated_is_ignored, "covered by no toleration"),
        (negative, "A tolerationSeconds of 0 or less means at once"),
        (usually, "holds for ever"),
        (lambda taints, tolerations: 300, "No taint drives anybody away"),
        (lambda taints, tolerations: taints[99], "IndexError"),
    ),
    "13.3": (
        (["kubectl get pods"], "What may a container do before it is told"),
        ([patch(LONG)], "What may a container do before it is told"),
        ([patch(LONG | sleep(1))], "still at work when the slowest node"),
        ([patch(EXEC)], "the grace period is 1 s"),
        ([patch({}, {"type": "Recreate", "rollingUpdate": None})], "Recreate ends all"),
        (["kubectl rollout pause deployment ferry"], "Nothing can be rolled out any more"),
        (["kubectl scale deployment ferry --replicas=6"], "The number of ferries is 6 now"),
        (["kubectl delete deployment ferry"], "The Deployment is another one, or gone"),
        (["kubectl delete service ferry"], "The Service is another one, or gone"),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "13.1": (3, [], {"usual": 350}, but("own", "soon"), but("own", math.nan)),
    "13.2": ("patience", 3, lambda taints, tolerations: "x", lambda taints, tolerations: True),
    "13.3": ([], [1], 3, {"a": 1}, ["  "]),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "13", RIGHT, WRONG, WRONG_KIND


@pytest.mark.parametrize("own", minute.OWN)
def test_in_every_variant_two_clocks_run_one_after_the_other(own: int) -> None:
    assert minute.grade(own, but("own", minute.GRACE + own)).rung == "right"


def test_the_cases_of_patience_know_all_kinds() -> None:
    wanted = [case.wanted for case in patience.cases()]
    assert {0.0, math.inf, 30.0, 300.0} <= set(wanted)
    assert all(
        one_by_one(case.taints, case.tolerations) == case.wanted for case in patience.cases()
    )


def test_a_learner_s_name_chooses_the_variant() -> None:
    tasks = {find("13.1", name).task for name in ("Ada", "Ben", "Cleo", "Dora", "Emil", "Fay")}
    assert len(tasks) > 1
