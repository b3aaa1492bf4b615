"""Exercise 09.2: the learner writes `sizes(deployment, new, old)`, and a cluster rolls out with it.

The answer is compared with the Deployment controller's own step, in random moments of a rollout
with one old ReplicaSet. Then a cluster runs on it, through a rollout that keeps its budget.

Rule of use: only the sizes are judged; a ReplicaSet that is not named keeps its own.

Upstream: none
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api import load, to_dict
from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.core import Event
from k8slab.api.rollouts import desired, max_surge, max_unavailable
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import LearnerError, NotStartedError, Terminal, call
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind
from k8slab.client.learner import ReplacementError
from k8slab.control_plane.controllers.deployment.learner import checked
from k8slab.control_plane.controllers.deployment.rolling import rollout_rolling
from k8slab.control_plane.controllers.deployment.rollout import Rollout

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

CASES = 200
LIVE_SEED = 9
OFTEN = 0.9  # of the moments have an old ReplicaSet; the very first rollout has none
BUDGETS = ((1, 1), (1, 0), (0, 1), (2, 0), (0, 2), (2, 1), ("25%", "25%"), ("50%", "10%"))
CREW = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: crew}
spec:
  replicas: 4
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 1}}
  selector: {matchLabels: {app: crew}}
  template:
    metadata: {labels: {app: crew}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: nginx:1.27
        readinessProbe: {httpGet: {path: /, port: 80}, periodSeconds: 1}
"""


class Moment(msgspec.Struct, frozen=True):
    """A moment of a rollout: the Deployment, its new ReplicaSet, the old one if there is any."""

    deployment: Deployment
    new: ReplicaSet
    old: tuple[ReplicaSet, ...]  # one, or none

    def __str__(self) -> str:
        wanted = desired(self.deployment)
        surge, missing = max_surge(self.deployment), max_unavailable(self.deployment)
        parts = [
            f"{rs.metadata.name} {desired(rs)} ({rs.status.availableReplicas} available)"
            for rs in (self.new, *self.old)
        ]
        return f"wanted {wanted}, surge {surge}, unavailable {missing}: {', '.join(parts)}"


def world(seed: int) -> Cluster:
    """Return a cluster with a Deployment of four."""
    return boot(seed, CREW)


@cache
def moments() -> tuple[Moment, ...]:
    """Return random moments of rollouts, the same ones every time."""
    dice = random.Random(9)
    return tuple(_moment(dice) for _ in range(CASES))


def _moment(dice: random.Random) -> Moment:
    wanted = dice.randint(1, 9)
    surge, missing = dice.choice(BUDGETS)
    deployment = load({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": "crew", "namespace": "default"},
        "spec": {"replicas": wanted, "selector": {"matchLabels": {"app": "crew"}},
                 "strategy": {"type": "RollingUpdate", "rollingUpdate":
                              {"maxSurge": surge, "maxUnavailable": missing}},
                 "template": {"metadata": {"labels": {"app": "crew"}}}},
    })  # fmt: skip
    assert isinstance(deployment, Deployment)
    new = dice.randint(0, wanted)
    old = dice.randint(0, max(wanted + max_surge(deployment) - new, 0))
    olds = (_replica_set("crew-old", old, dice),) if dice.random() < OFTEN else ()
    return Moment(deployment, _replica_set("crew-new", new, dice), olds)


def _replica_set(name: str, size: int, dice: random.Random) -> ReplicaSet:
    ready = size if dice.random() < 0.5 else dice.randint(0, size)
    made = load({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {"replicas": size, "selector": {"matchLabels": {"app": "crew"}},
                 "template": {"metadata": {"labels": {"app": "crew"}}}},
        "status": {"replicas": size, "availableReplicas": ready},
    })  # fmt: skip
    assert isinstance(made, ReplicaSet)
    return made


def sizes_of(new: ReplicaSet, old: Sequence[ReplicaSet]) -> tuple[int, int]:
    """Return the sizes of the new ReplicaSet and of the old one, 0 if there is none."""
    return desired(new), sum(map(desired, old))


def reference(moment: Moment) -> tuple[int, int]:
    """Return the sizes of new and old after the controller's own step."""
    rollout = Rollout(moment.deployment, 0.0)
    rollout.new, rollout.old = moment.new, list(moment.old)
    rollout_rolling(rollout)
    return sizes_of(rollout.new, rollout.old)


def grade(answer: Any) -> Finding:
    """Judge a function that takes the next step."""
    if not callable(answer):
        return wrong_kind("the function sizes(deployment, new, old)", answer)
    for moment in moments():
        # Copies: what an answer does to the objects must not reach the next question.
        deployment, new, *old = (
            load(to_dict(one)) for one in (moment.deployment, moment.new, *moment.old)
        )
        given = call(answer, deployment, new, old)
        if given is None or given is ...:
            raise NotStartedError
        try:
            named = checked(given, [moment.new, *moment.old])
        except ReplacementError as problem:
            raise LearnerError(str(problem)) from None
        before = sizes_of(moment.new, moment.old)
        found = named.get("crew-new", before[0]), named.get("crew-old", before[1])
        if found != reference(moment):
            return _compare(moment, found)
    return _live(answer)


def _compare(moment: Moment, found: tuple[int, int]) -> Finding:
    """Say what is wrong about a step."""
    wanted = reference(moment)
    evidence = (
        Evidence(0, 0.0, str(moment)),
        Evidence(0, 0.0, f"the controller: new {wanted[0]}, old {wanted[1]}"),
        Evidence(0, 0.0, f"yours: new {found[0]}, old {found[1]}"),
    )
    message, number = _why(moment, wanted, found)
    return wrong(message, number, evidence)


def _why(moment: Moment, wanted: tuple[int, int], found: tuple[int, int]) -> tuple[str, int]:
    before = sizes_of(moment.new, moment.old)
    if found[0] > desired(moment.deployment):
        return "The new ReplicaSet grows beyond the wanted number: it needs no more than that.", 0
    if found[0] > wanted[0]:
        return "There is no room for so many: wanted and surge limit the sum of both sizes.", 0
    if found[0] < wanted[0]:
        return "There is room above, and new Pods are missing. They may come now.", 0
    if wanted[0] != before[0] and found[1] != before[1]:
        return "One step at a time: when the new one grows, the old one waits for the next pass.", 0
    if found[1] < wanted[1]:
        return (
            "Too many old Pods go. New ones that are not available yet make no room for that, and "
            "so many have to stay available: the wanted number less maxUnavailable.",
            9,
        )
    if sum(rs.status.availableReplicas for rs in moment.old) < before[1]:
        return "Some old Pods are not available. They are no loss, so they go first.", 9
    return "More old Pods may go: enough would still be available.", 9


# -- a cluster that runs on it


def _live(answer: Callable[..., Any]) -> Finding:
    """Let a cluster roll out with it."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=2, seed=LIVE_SEED, replace={"deployment": answer})
    terminal = Terminal(cluster)
    terminal.run(f"apply -f -\n{CREW}")
    cluster.run(20)
    terminal.run("set image deployment/crew main=nginx:1.28")
    cluster.run(40)
    for event in cluster.view.list(Event, "default"):
        if event.reason == "FailedRollout":
            return wrong(f"Right in all moments. In a cluster it failed: {event.message}")
    crew = cluster.view.get(Deployment, "crew")
    status = crew.status if crew is not None else None
    if status is None or (status.updatedReplicas, status.availableReplicas) != (4, 4):
        text = f"after 40 s: {status.updatedReplicas if status else 0} of 4 are updated"
        return almost("Right in all moments. The rollout is not over.", 0, (seen(cluster, text),))
    return right(
        f"Right in {CASES} moments, and a cluster has rolled out with your step.",
        (seen(cluster, "4 of 4 Pods are new and available"),),
    )


EXERCISE = Exercise(
    key="09.2",
    title="Make the step",
    points=4,
    hints=(
        "First up: room is wanted + surge - both sizes. If there is room and new Pods are missing, "
        "return the larger size of the new one, and nothing else.",
        "Else down. At most both sizes - (wanted - unavailable) - new Pods that are not available. "
        "If that is not above 0, return {}.",
        "Old Pods that are not available go first, up to that number. Then as many more as are "
        "available, in both, beyond wanted - unavailable.",
    ),
    grade=grade,
    world=world,
)
