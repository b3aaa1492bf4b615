"""Exercise 03.2: one part of the cluster is stopped, and a Pod is sent: how far does it get?

For each of five parts the learner names the last of the seven steps that still happens. The check
stops the part in fresh clusters, sends the Pod and reads the trace.

Rule of use: the steps are those of `viz.conversation`, which reads them from the trace.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.ch01.stage import read_part
from k8slab.classroom.exercises.worlds import boot
from k8slab.classroom.verdicts import Evidence, Finding, right, wrong, wrong_kind
from k8slab.viz.conversation import SEVEN, STEPS, converse

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (4, 17)
PARTS = ("etcd", "kube-scheduler", "kube-controller-manager", "kubelet", "kube-proxy")
STOPPED: Mapping[str, str] = {"kubelet": "kubelet/worker-1"}  # as the cluster calls it
COMMAND = "run web --image=nginx:1.27"
UNTIL_GONE, AFTER = 5.0, 60.0  # virtual seconds
SENT = 1  # the step that needs nobody but you
BECAUSE: Mapping[str, tuple[str, int]] = {
    "etcd": (
        "The API server keeps nothing itself. Without etcd it can store no object, so it refuses.",
        0,
    ),
    "kube-scheduler": (
        "The Pod is stored, and nobody writes a node into it. Each kubelet waits for its own name.",
        0,
    ),
    "kube-controller-manager": (
        "Controllers make objects of objects: Pods of ReplicaSets. You sent a Pod; there is "
        "nothing for them to make.",
        0,
    ),
    "kubelet": (
        "The scheduler writes the node's name and is done. Nobody but that node's kubelet would "
        "act on it, and it does not run.",
        0,
    ),
    "kube-proxy": (
        "kube-proxy writes the rules of Services. No Pod needs it to start, or to have a network.",
        2,
    ),
}


def world(seed: int) -> Cluster:
    """Return a cluster of one worker in which nothing has been asked for."""
    return boot(seed, workers=1)


@cache
def observe(seed: int, part: str) -> tuple[int, Evidence]:
    """Return the last step that happens without a part, and what showed it."""
    cluster = world(seed)
    cluster.stop(STOPPED.get(part, part))
    cluster.run(UNTIL_GONE)
    result = Terminal(cluster).run(COMMAND)
    cluster.run(AFTER)
    if result.exit_code != 0:
        said = f"{result.stderr.strip().partition(': ')[0]}: the API server could not store it"
        return SENT, Evidence(seed, cluster.now, f"without {part}: {said}")
    turns = [turn for turn in converse(cluster, "pod/web") if turn.step in SEVEN]
    last = max(turns, key=lambda turn: (turn.step, turn.time))
    text = f"without {part}: step {last.step}, {last.words}"
    return last.step, Evidence(seed, last.time, text)


def grade(answer: Any) -> Finding:
    """Judge a mapping of parts to the numbers of their last steps."""
    expected = 'a step from 1 to 7 for each part, such as {"etcd": 3, ...}'
    if not isinstance(answer, Mapping) or not answer:
        return wrong_kind(expected, answer)
    odd = {name: step for name, step in answer.items() if _read(name, step) is None}
    if odd:
        return wrong_kind(expected, odd)
    given = dict(filter(None, (_read(name, step) for name, step in answer.items())))
    for part in PARTS:
        if part not in given:
            return wrong(f"How far does it get without {part}? There is no number for it.")
    wrongs = [part for part in PARTS if given[part] != observe(SEEDS[0], part)[0]]
    if wrongs:
        return _explain(wrongs[0], given[wrongs[0]], len(PARTS) - len(wrongs))
    for seed in SEEDS[1:]:
        assert all(observe(seed, part)[0] == given[part] for part in PARTS), "seeds differ"
    evidence = tuple(observe(SEEDS[0], part)[1] for part in PARTS)
    return right(
        "Right. A step stalls only if the one who makes it is gone; the others never notice. And "
        "what stalls is not lost: start the part, and it goes on from there.",
        evidence,
    )


def _explain(part: str, given: int, count: int) -> Finding:
    actual, evidence = observe(SEEDS[0], part)
    because, number = BECAUSE[part]
    if given < actual:
        text = f"It gets further without {part} than step {given}. {because}"
    else:
        step = STEPS[given][:1].lower() + STEPS[given][1:]
        text = f"Without {part} there is no step {given} ({step}). {because}"
    return wrong(f"{count} of {len(PARTS)} are right. {text}", number, (evidence,))


def _read(name: Any, step: Any) -> tuple[str, int] | None:
    """Return a part and the number of its step, None if either is none."""
    part = read_part(name).partition("/")[0]
    if part not in PARTS or isinstance(step, bool) or step not in SEVEN:
        return None
    return part, int(step)


EXERCISE = Exercise(
    key="03.2",
    title="How far does it get?",
    points=2,
    hints=(
        "Ask of each step who makes it. If that one runs, and the step before it has happened, the "
        "step happens.",
        "`kubectl run` sends a Pod, not a Deployment. Who has to make something of it?",
        "Two of the five are not needed at all for a Pod to run.",
    ),
    grade=grade,
    world=world,
)
