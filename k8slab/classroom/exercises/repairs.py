"""What all repair exercises have in common: the answer is a list of kubectl commands.

`grade_repair` reads the answer, and lets the exercise try it on a fresh cluster for each seed;
`attempt_of` makes such an attempt of three functions: one that builds the broken cluster, one that
writes down what a repair must keep, and one that judges what became of both.

Rule of use: what is kept is compared before and after, by identity: uid, address, labels.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.meta import Object
from k8slab.classroom.exercises.answers import LearnerError, Terminal
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Evidence, Finding, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

MOST_COMMANDS = 20
MOST_REPLICAS = 150

Kept = TypeVar("Kept")  # what an exercise writes down about its world
Attempt = Callable[[int, Sequence[str]], Finding]
REST = 5.0  # virtual seconds without a write, after which a repair is judged


def grade_repair(
    answer: Any, *, example: str, seeds: Sequence[int], attempt: Attempt, praise: str
) -> Finding:
    """Judge a list of commands: right if the attempt is so for every seed.

    `example` is a command that shows a learner what is expected, `praise` what is said in the end.
    """
    commands = [answer] if isinstance(answer, str) else answer
    expected = f'a list of commands such as ["{example}"]'
    if not isinstance(commands, list | tuple) or not all(isinstance(c, str) for c in commands):
        return wrong_kind(expected, answer)
    if not any(command.strip() for command in commands):
        return wrong_kind(expected, answer)
    if len(commands) > MOST_COMMANDS:
        return wrong(f"A repair of {len(commands)} commands is too long: {MOST_COMMANDS} will do.")
    evidence: tuple[Evidence, ...] = ()
    for seed in seeds:
        finding = attempt(seed, commands)
        if finding.rung != "right":
            return finding
        evidence += finding.evidence
    return right(praise, evidence)


def attempt_of(
    world: Callable[[int], Cluster],
    keep: Callable[[Cluster], Kept],
    judge: Callable[[Cluster, Kept], Finding],
    *,
    after: float | None = None,
) -> Attempt:
    """Return an attempt: a fresh world, the commands, a wait, the judgment.

    `judge` gets the cluster and what `keep` said before the commands. It waits for `after` virtual
    seconds, or until the cluster is at rest. What kubectl had against the commands is evidence.
    """

    def attempt(seed: int, commands: Sequence[str]) -> Finding:
        cluster = world(seed)
        before = keep(cluster)
        complaints = run_commands(cluster, commands)
        if after is None:
            cluster.settle(REST)
        else:
            cluster.run(after)
        finding = judge(cluster, before)
        return msgspec.structs.replace(finding, evidence=(*complaints, *finding.evidence))

    return attempt


def nothing(cluster: Cluster) -> None:
    """Keep nothing: for worlds that begin empty."""


def run_commands(cluster: Cluster, commands: Sequence[str]) -> tuple[Evidence, ...]:
    """Run the commands and return what kubectl had against them."""
    terminal = Terminal(cluster)
    evidence: tuple[Evidence, ...] = ()
    for command in filter(str.strip, commands):
        result = terminal.run(command)
        wanted = max(_replicas(cluster, Deployment), _replicas(cluster, ReplicaSet))
        if wanted > MOST_REPLICAS:  # before they come, which takes long
            raise LearnerError(f"A repair needs no {wanted} Pods.")
        cluster.run(1)
        if result.exit_code != 0:
            first = command.strip().splitlines()[0]
            said = [line for line in (result.stderr or result.stdout).splitlines() if line.strip()]
            text = f"`{first}` said: {' '.join(said) or 'nothing'}"
            evidence += (seen(cluster, text),)
    return evidence


def _replicas(cluster: Cluster, kind: type[Object]) -> int:
    workloads: list[Any] = cluster.view.list(kind)
    return sum(one.spec.replicas or 0 for one in workloads)
