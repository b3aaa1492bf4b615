"""Exercise 08.1: four teams lose one Pod each, and the learner says which.

Each team is a ReplicaSet that has adopted three Pods made by hand, so their names are known. In
each, another criterion decides, and a tempting one misleads. The check scales every team down in
fresh clusters and looks at who is gone.

Rule of use: the cluster is the judge; `WHY` only puts what decided into words.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, partial
from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.core import Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import boot, listed, names, pods_with, seen
from k8slab.classroom.variants import pick
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

KEY = "08.1"
SEEDS = (3, 14)
OLD = 60.0  # virtual seconds between the first Pods and the others
COST = "controller.kubernetes.io/pod-deletion-cost"
POD = """
apiVersion: v1
kind: Pod
metadata:
  name: {name}
  labels: {{team: {team}}}
  annotations: {{{cost}}}
spec:
  terminationGracePeriodSeconds: 1
  nodeSelector: {{{node}}}
  containers:
  - name: main
    image: busybox:1.37
    command: [sleep, "1000000"]
    {probe}
---"""
REPLICA_SET = """
apiVersion: apps/v1
kind: ReplicaSet
metadata: {{name: {team}}}
spec:
  replicas: 3
  selector: {{matchLabels: {{team: {team}}}}}
  template:
    metadata: {{labels: {{team: {team}}}}}
    spec:
      containers: [{{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}}]
---"""
NOWHERE = "floor: attic"  # no node has this label
NEVER = 'readinessProbe: {exec: {command: ["false"]}, periodSeconds: 1}'
# name, team, deletion cost, node selector, probe
EARLY = (
    ("ada", "north", "", "", ""),
    ("eve", "east", "-5", "", ""),
    ("fay", "east", "", "", ""),
    ("hal", "south", "-100", "", ""),
    ("ida", "south", "", "", ""),
    ("kim", "west", "", "", ""),
    ("lea", "west", "", "", ""),
)
LATE = (
    ("bea", "north", "-50", "", ""),
    ("cal", "north", "100", NOWHERE, ""),
    ("dan", "east", "", "", ""),
    ("gus", "south", "100", "", NEVER),
    ("jon", "west", "", "", ""),
)
TEAMS = ("north", "east", "south", "west")
NAMES = sorted(name for name, *_ in (*EARLY, *LATE))
WHY: Mapping[str, str] = {
    "north": "{cal} has no node. Whether a Pod is assigned is asked first, so its cost is not even "
    "looked at.",
    "east": "All three are ready, and {eve} costs less than the others. Cost is asked before age.",
    "south": "{gus} is not ready. Readiness is asked before cost, so the cheap {hal} stays.",
    "west": "All three are ready and cost the same: {jon} has been ready for less time by far.",
}


class Cast(msgspec.Struct, frozen=True):
    """Who plays whom: names and teams are moved on by so many places."""

    names: int = 0
    teams: int = 0

    def name(self, name: str) -> str:
        """Return who plays a Pod of the table."""
        return NAMES[(NAMES.index(name) + self.names) % len(NAMES)]

    def team(self, team: str) -> str:
        """Return which team plays a team of the table."""
        return TEAMS[(TEAMS.index(team) + self.teams) % len(TEAMS)]

    def rows(self, table: tuple[tuple[str, ...], ...]) -> list[tuple[str, ...]]:
        """Return a table with the names that are seen."""
        return [(self.name(row[0]), self.team(row[1]), *row[2:]) for row in table]

    def why(self, team: str) -> str:
        """Return what decides in a team that is seen."""
        role = next(one for one in TEAMS if self.team(one) == team)
        return WHY[role].format(**{name: self.name(name) for name in NAMES})


VARIANTS = tuple(Cast(n, t) for t in range(len(TEAMS)) for n in range(len(NAMES)))


def world(cast: Cast, seed: int) -> Cluster:
    """Return four teams of three Pods."""
    cluster = boot(seed, "".join(_pod(*row) for row in cast.rows(EARLY)))
    cluster.run(OLD)
    cluster.apply("".join(_pod(*row) for row in cast.rows(LATE)))
    cluster.settle(3)
    cluster.apply("".join(REPLICA_SET.format(team=team) for team in TEAMS))
    cluster.settle(3)
    return cluster


def _pod(name: str, team: str, cost: str, node: str, probe: str) -> str:
    annotation = f'{COST}: "{cost}"' if cost else ""
    return POD.format(name=name, team=team, cost=annotation, node=node, probe=probe)


@cache
def observe(cast: Cast, seed: int) -> Mapping[str, tuple[str, Evidence]]:
    """Scale each team to two and return who went."""
    cluster = world(cast, seed)
    before = {team: names(pods_with(cluster.view, f"team={team}")) for team in TEAMS}
    Terminal(cluster).run(f"scale rs {' '.join(TEAMS)} --replicas=2")
    cluster.run(10)
    gone: dict[str, tuple[str, Evidence]] = {}
    for team in TEAMS:
        left = names(pods_with(cluster.view, f"team={team}"))
        lost = [name for name in before[team] if name not in left]
        gone[team] = (listed(lost), seen(cluster, f"{team} is left with {listed(left)}"))
    return gone


def grade(cast: Cast, answer: Any) -> Finding:
    """Judge a mapping of teams to names."""
    expected = 'a mapping such as {"north": "ada", ...}, a name for each team'
    if not isinstance(answer, Mapping):
        return wrong_kind(expected, answer)
    given = {team: _name(answer.get(team)) for team in TEAMS}
    known = {name: team for name, team, *_ in cast.rows((*EARLY, *LATE))}
    for team, name in given.items():
        if name is None:
            return wrong_kind(expected, answer)
        if known.get(name) != team:
            return wrong(f"There is no {name!r} in the team {team}.")
    missed: dict[str, Evidence] = {}
    for seed in SEEDS:
        for team, (name, evidence) in observe(cast, seed).items():
            if given[team] != name:
                missed.setdefault(team, evidence)
    if not missed:
        return right(
            "Right, four times. Criterion by criterion: node, phase, readiness, cost, and only "
            "then time. The Pod that is worth least goes first.",
            tuple(evidence for _, evidence in observe(cast, SEEDS[0]).values()),
        )
    team = next(iter(missed))
    verdict = almost if len(missed) == 1 else wrong
    right_ones = f"{len(TEAMS) - len(missed)} of 4 are right. "
    return verdict(f"{right_ones}In {team}: {cast.why(team)}", 0, (missed[team],))


def _name(given: Any) -> str | None:
    if isinstance(given, Pod):
        return given.metadata.name
    return given.strip().lower() if isinstance(given, str) else None


def variant(cast: Cast) -> Exercise:
    """Return the exercise with that cast."""
    north, east, south, west = map(cast.team, TEAMS)
    return Exercise(
        key=KEY,
        title="Who goes first?",
        points=2,
        hints=(
            "Write one row for each Pod: has it a node, does it run, is it ready, what does it "
            "cost, since when is it ready? Then go from left to right.",
            "The first column in which a Pod differs decides, and nothing to its right counts any "
            "more. Cost stands right of readiness and left of age.",
            f"In {north} look at NODE, in {east} at the cost, in {south} at READY, in {west} at "
            "AGE.",
        ),
        grade=partial(grade, cast),
        world=partial(world, cast),
        task="the names and the teams are your own; `lab` shows them.",
        variant_for=variant_for,
    )


def variant_for(learner: str) -> Exercise:
    """Return the learner's own."""
    return variant(pick(learner, KEY, VARIANTS))


EXERCISE = variant(VARIANTS[0])
