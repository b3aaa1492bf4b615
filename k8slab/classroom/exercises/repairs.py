"""What all repair exercises have in common: the answer is a list of kubectl commands.

`grade_repair` reads the answer, and lets the exercise try it on a fresh cluster for each seed;
`run_commands` types the commands and keeps what kubectl had against them.

Rule of use: an exercise brings `attempt(seed, commands)`, which builds its broken cluster, runs the
commands and judges what became of it.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from k8slab.api.apps import Deployment, ReplicaSet
from k8slab.api.meta import Object
from k8slab.classroom.exercises.answers import LearnerError, Terminal
from k8slab.classroom.exercises.worlds import seen
from k8slab.classroom.verdicts import Evidence, Finding, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

MOST_COMMANDS = 20
MOST_REPLICAS = 100

Attempt = Callable[[int, Sequence[str]], Finding]


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
