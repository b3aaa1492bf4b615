"""Exercise 03.5: three Pods are stuck at three different steps; get each of them going.

One has no node, one has no volume, one has no image. The repair is a list of kubectl commands.
Whatever makes the very same Pods run is accepted; deleting one and making another is not.

Rule of use: a Pod is known by its uid; other objects may be added and changed.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8slab.api.core import Node, Pod
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.ch03.last_step import SAID, reached
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (5, 23)
BEFORE = 90.0  # virtual seconds in which all three get stuck
AFTER = 420.0  # virtual seconds; the longest wait of a kubelet between two tries is 300
MISSING_IMAGE = "nginx:1.72"
POD = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  containers: [{{name: {name}, image: "{image}"{mount}}}]
  {more}
---"""
MOUNT = ", volumeMounts: [{name: menu, mountPath: /menu}]"
WORLD = "".join(
    POD.format(name=name, image=image, mount=mount, more=more)
    for name, image, mount, more in (
        ("porter", "nginx:1.27", "", "nodeSelector: {lift: heavy}"),
        ("waiter", "nginx:1.27", MOUNT, "volumes: [{name: menu, configMap: {name: menu}}]"),
        ("cook", MISSING_IMAGE, "", ""),
    )
)
NAMES = ("porter", "waiter", "cook")
LOOK: Mapping[str, str] = {
    "porter": "No node has the label that its nodeSelector asks for, and the selector of a Pod "
    "cannot be changed. What can?",
    "waiter": "Its volume names a ConfigMap that does not exist; the kubelet goes on looking.",
    "cook": "No registry has that tag. A container's image is one of the few fields of a Pod that "
    "can be changed.",
}


def world(seed: int) -> Cluster:
    """Return the three Pods, stuck."""
    cluster = boot(seed)
    cluster.break_image(MISSING_IMAGE)
    Terminal(cluster).run(f"apply -f -\n{WORLD}")
    cluster.run(BEFORE)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl describe pod cook",
        seeds=SEEDS,
        attempt=attempt_of(world, _kept, _judge, after=AFTER),
        praise="All three run, and they are the same Pods as before: each went on from the step at "
        "which it had stopped, as soon as what it waited for was there.",
    )


def _judge(cluster: Cluster, before: tuple[set[str], dict[str, str]]) -> Finding:
    nodes, pods = before
    if nodes != _kept(cluster)[0]:
        return wrong("A node was deleted. A repair keeps the machines.")
    for name in NAMES:
        finding = _goes_on(cluster, name, pods[name])
        if finding is not None:
            return finding
    return right("", (seen(cluster, "porter, waiter and cook are Running"),))


def _goes_on(cluster: Cluster, name: str, uid: str) -> Finding | None:
    """Say what still holds a Pod up, or what was done to it."""
    pod = cluster.view.get(Pod, name)
    if pod is None:
        return wrong(f"{name} is gone. A repair keeps the Pods that are stuck.", 14)
    if pod.metadata.uid != uid:
        text = f"This is another {name}: the old one was deleted, with all that belonged to it."
        return wrong(f"{text} It would have gone on by itself.", 14)
    if pod.status.phase == "Running":
        return None
    stuck = [n for n in NAMES if _phase(cluster, n) != "Running"]
    message = f"{name} is still {SAID[reached(pod)]}. {LOOK[name]}"
    finding = almost if len(stuck) == 1 else wrong
    where = f"{name}: {pod.status.phase}, node {pod.spec.nodeName or '-'}"
    return finding(message, 0, (seen(cluster, where),))


def _kept(cluster: Cluster) -> tuple[set[str], dict[str, str]]:
    """Return which nodes there are, and who the Pods are."""
    view = cluster.view
    pods = {pod.metadata.name: pod.metadata.uid for pod in view.list(Pod, "default")}
    return {node.metadata.uid for node in view.list(Node)}, pods


def _phase(cluster: Cluster, name: str) -> str:
    pod = cluster.view.get(Pod, name)
    return pod.status.phase if pod is not None else ""


EXERCISE = Exercise(
    key="03.5",
    title="Stuck at three steps",
    points=2,
    hints=(
        "`kubectl get pods -o wide` shows which one has no node. `kubectl describe pod` ends with "
        "the Events: the last one says what the Pod waits for.",
        "One waits for a node with a label, one for a ConfigMap, one for an image.",
        "kubectl label node, kubectl create configmap, kubectl set image pod/cook. Then wait: a "
        "kubelet tries again by itself.",
    ),
    grade=grade,
    world=world,
)
