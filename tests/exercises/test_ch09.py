"""Chapter 09: right answers of several kinds pass, wrong ones hear what is wrong, stubs are met.

Each row of WRONG is an answer that learners give and the words that they need to hear.
"""

from __future__ import annotations

from typing import Any

from k8slab.api.rollouts import max_surge, max_unavailable
from k8slab.classroom.exercises.ch09.capacity import BUDGETS, expected, variant
from k8slab.classroom.exercises.ch09.step import moments, reference, sizes_of
from tests.exercises.claims import Claims

FIRST = {"most": 13, "fewest": 8, "waiting": 5}


def sizes(deployment: Any, new: Any, old: Any, **wrongly: Any) -> dict[str, int]:
    """The right step; `wrongly` switches parts of it off."""
    wanted, has = deployment.spec.replicas, new.spec.replicas
    had = sum(rs.spec.replicas for rs in old)
    least = wanted - max_unavailable(deployment)
    room = wanted + (0 if wrongly.get("no_surge") else max_surge(deployment)) - has - had
    grown = has + (room if wrongly.get("beyond") else min(room, wanted - has))
    if wrongly.get("at_once"):
        grown = wanted
    if grown > has:
        return {new.metadata.name: grown}
    if not old:
        return {}
    (last,) = old
    ready, was_ready = new.status.availableReplicas, last.status.availableReplicas
    if wrongly.get("all_ready"):
        ready, was_ready = has, had
    most = has + had - least - (has - ready)
    if most <= 0:
        return {}
    unhealthy = 0 if wrongly.get("healthy") else min(most, had - was_ready)
    healthy = min(had - unhealthy, max(ready + was_ready - least, 0))
    return {last.metadata.name: had - unhealthy - healthy}


def wrongly(*switches: str) -> Any:
    return lambda deployment, new, old: sizes(deployment, new, old, **dict.fromkeys(switches, True))


def named(deployment: Any, new: Any, old: Any) -> dict[str, int]:
    """Another way: every ReplicaSet is named, also one that keeps its size."""
    return {rs.metadata.name: rs.spec.replicas for rs in (new, *old)} | sizes(deployment, new, old)


def patch(change: str, kind: str = "strategic") -> list[str]:
    return [f"kubectl patch deployment crew --type {kind} -p '{change}'"]


def container(fields: str) -> list[str]:
    main = f'{{"name": "main", {fields}}}'
    return patch(f'{{"spec": {{"template": {{"spec": {{"containers": [{main}]}}}}}}}}')


PORT = "/spec/template/spec/containers/0/readinessProbe/httpGet/port"
RIGHT: dict[str, tuple[Any, ...]] = {
    "09.1": (FIRST, dict(reversed(FIRST.items()))),
    "09.2": (sizes, named),
    "09.3": (
        container('"readinessProbe": {"httpGet": {"port": 80}}'),
        patch(f'[{{"op": "replace", "path": "{PORT}", "value": 80}}]', "json"),
    ),
}
WRONG: dict[str, tuple[tuple[Any, str], ...]] = {
    "09.1": (
        ({**FIRST, "most": 12}, "The surge is rounded up"),
        ({**FIRST, "most": 10}, "what may be above the wanted number"),
        ({**FIRST, "fewest": 7}, "missing is rounded down"),
        ({**FIRST, "waiting": 10}, "A new Pod counts if ready"),
        ({**FIRST, "waiting": 3}, "may go at once"),
        (dict.fromkeys(FIRST, 1), "0 of 3 are right"),
    ),
    "09.2": (
        (wrongly("no_surge"), "There is room above"),
        (wrongly("beyond"), "beyond the wanted number"),
        (wrongly("at_once"), "no room for so many"),
        (wrongly("all_ready"), "Too many old Pods go"),
        (wrongly("healthy"), "They are no loss"),
        (lambda deployment, new, old: {}, "There is room above"),
        (lambda deployment, new, old: {"other": 1}, "there are crew-new, crew-old"),
        (lambda deployment, new, old: new.nothing, "AttributeError"),
    ),
    "09.3": (
        (["kubectl get pods"], "does not end"),
        (["kubectl rollout undo deployment crew"], "in the old version"),
        (["kubectl delete deployment crew"], "another one, or gone"),
        (container('"readinessProbe": null'), "Nobody asks any more"),
        (["kubectl scale deployment crew --replicas=1"], "now there are fewer"),
        (
            patch('{"spec": {"strategy": {"rollingUpdate": {"maxUnavailable": 3}}}}'),
            "does not end",
        ),
    ),
}
WRONG_KIND: dict[str, tuple[Any, ...]] = {
    "09.1": (13, "13", {"most": 13}, {**FIRST, "most": "13"}),
    "09.2": ("sizes", 3),
    "09.3": (3, {"kubectl": 1}),
}


class TestExercises(Claims):
    chapter, right, wrong, wrong_kind = "09", RIGHT, WRONG, WRONG_KIND


def test_every_variant_is_solved_by_its_own_numbers() -> None:
    for budget in BUDGETS:
        assert variant(budget).grade(expected(budget)).rung == "right"


def test_the_moments_hold_steps_of_every_kind() -> None:
    steps = set()
    for moment in moments():
        (new, old), before = reference(moment), sizes_of(moment.new, moment.old)
        steps.add((new > before[0], old < before[1]))
    assert steps == {(True, False), (False, True), (False, False)}
