"""Exercise 05.2: a Pod waits, for another reason on each node; which single changes would help?

Eight changes are proposed. The check makes each of them in a fresh cluster, alone, and looks
whether the Pod gets a node. The answer is the set of those that help.

Rule of use: what a change does is observed, never looked up.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from k8slab.api.core import Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong, wrong_kind

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (12, 30)
AFTER = 90.0  # virtual seconds
WORLD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: oats}
spec:
  replicas: 3
  selector: {matchLabels: {app: oats}}
  template:
    metadata: {labels: {app: oats}}
    spec:
      nodeSelector: {kubernetes.io/hostname: worker-1}
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
        resources: {requests: {cpu: "1"}, limits: {cpu: "2"}}
"""
PIANO = """
apiVersion: v1
kind: Pod
metadata: {name: piano}
spec:
  nodeSelector: {deck: dry}
  containers:
  - name: main
    image: registry.k8s.io/pause:3.10
    resources: {requests: {cpu: "2"}}
"""
CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
CHANGES: Mapping[str, str] = {
    "A": "kubectl uncordon worker-2",
    "B": "kubectl label node worker-3 deck=dry",
    "C": "kubectl scale deployment oats --replicas=2",
    "D": "kubectl set resources deployment oats --limits=cpu=1",
    "E": f"kubectl taint node control-plane {CONTROL_PLANE}-",
    "F": "kubectl label node control-plane deck=dry",
    "G": "kubectl set resources deployment oats --requests=cpu=300m",
    "H": "kubectl label pod piano deck=dry",
}
BECAUSE: Mapping[str, tuple[str, int]] = {
    "A": ("worker-2 has the label and the room. It is only closed for new Pods.", 0),
    "B": ("worker-3 has the room and no taint; the label is all that it lacks.", 0),
    "C": ("One CPU more is free on worker-1, 1900m in all. piano asks for 2000m.", 13),
    "D": ("Limits are the kubelet's affair. The scheduler adds up requests, and they stay.", 13),
    "E": ("The control plane lacks the label as well: two filters, one of them would go on.", 0),
    "F": ("The taint is still there, and piano does not tolerate it: one filter is enough.", 0),
    "G": ("Three Pods that ask for 300m leave 3000m of worker-1. What counts is requests.", 13),
    "H": ("A nodeSelector looks at the labels of nodes. What the Pod wears is all the same.", 0),
}


def world(seed: int) -> Cluster:
    """Return the cluster in which piano waits."""
    cluster = boot(seed, WORLD, workers=3)
    terminal = Terminal(cluster)
    for node in ("worker-1", "worker-2"):
        terminal.run(f"label node {node} deck=dry")
    terminal.run("cordon worker-2")
    cluster.run(2)
    terminal.run(f"apply -f -\n{PIANO}")
    cluster.run(10)
    return cluster


@cache
def observe(letter: str, seed: int = SEEDS[0]) -> tuple[bool, Evidence]:
    """Make one change in a fresh cluster; return whether the Pod got a node, and what was seen."""
    cluster = world(seed)
    result = Terminal(cluster).run(CHANGES[letter])
    assert result.exit_code == 0, result.stderr
    cluster.run(AFTER)
    pod = cluster.view.get(Pod, "piano")
    assert pod is not None
    if pod.spec.nodeName:
        return True, seen(cluster, f"after {letter}, piano is on {pod.spec.nodeName}")
    said = next(c.message for c in pod.status.conditions if c.type == "PodScheduled")
    return False, seen(cluster, f"after {letter}, piano still waits: {said.partition('. ')[0]}")


def grade(answer: Any) -> Finding:
    """Judge the letters of the changes that help, each made alone."""
    if isinstance(answer, list | tuple | set | frozenset):
        answer = "".join(map(str, answer))
    if not isinstance(answer, str) or not answer.strip():
        return wrong_kind('letters, such as "AC"', answer)
    given = [letter for letter in answer.upper() if letter not in " ,;"]
    if not given or any(letter not in CHANGES for letter in given):
        return wrong_kind(f"letters from {''.join(CHANGES)}", answer)
    wrongs = [letter for letter in CHANGES if (letter in given) != observe(letter)[0]]
    if not wrongs:
        helping = [letter for letter in CHANGES if letter in given]
        assert all(observe(letter, SEEDS[1])[0] for letter in helping), "seeds differ"
        evidence = tuple(observe(letter)[1] for letter in helping)
        return right(
            "Right. Each node has reasons of its own, and a node is won only when the last of "
            "them is gone. Then the scheduler comes back by itself.",
            evidence,
        )
    first = next((letter for letter in wrongs if letter in given), wrongs[0])
    because, number = BECAUSE[first]
    helps = "would not help" if first in given else "would help, and you left it out"
    finding = almost if len(wrongs) == 1 else wrong
    count = len(CHANGES) - len(wrongs)
    message = f"{count} of {len(CHANGES)} are right. {first} {helps}. {because}"
    return finding(message, number, (observe(first)[1],))


EXERCISE = Exercise(
    key="05.2",
    title="Why does the piano wait?",
    points=2,
    hints=(
        "`kubectl describe pod piano` ends with an Event: so many nodes for this reason, so many "
        'for that. `cluster.explain("pod/piano")` says which node is which.',
        "The scheduler names the first filter that refuses a node. Another one may stand behind "
        "it: look at the node's labels, taints and requests yourself.",
        "worker-1 lacks room, worker-2 is cordoned, worker-3 lacks a label, the control plane "
        "lacks a label and has a taint. Add up requests for each change of oats.",
    ),
    grade=grade,
    world=world,
)
