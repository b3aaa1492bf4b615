"""Exercise 05.4: not half of the cluster is requested, and a Pod fits nowhere; make room for it.

Eight stalls stand two on each worker, and the organ asks for more than any worker has left.
Accepted is whatever gets it a worker: smaller requests of the organ or of the stalls, stalls that
stand closer together, or a priority by which one stall has to move.

Rule of use: a repair keeps all eight stalls, and nobody asks for less than they use.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.core import Node, Pod
from k8slab.api.pods import is_pod_ready
from k8slab.api.requests import pod_requests
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, pods_with, seen
from k8slab.classroom.verdicts import Finding, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (8, 21)
WORKERS, STALLS = 4, 8
BEFORE, AFTER = 20.0, 120.0  # virtual seconds
ORGAN_USES, STALL_USES = 1000, 100  # millicores: the least that may be asked for
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: {image}
        resources: {{requests: {{cpu: {cpu}}}}}
"""
STALLS_YAML = DEPLOYMENT.format(
    name="stalls", replicas=STALLS, image="registry.k8s.io/pause:3.10", cpu="850m"
)
ORGAN_YAML = DEPLOYMENT.format(name="organ", replicas=1, image="polinux/stress", cpu="2500m")
ORGAN_YAML += '        command: [stress, --cpu, "1"]\n'


def world(seed: int) -> Cluster:
    """Return the fair: eight stalls that run, and an organ that waits."""
    cluster = boot(seed, STALLS_YAML, workers=WORKERS)
    Terminal(cluster).run(f"apply -f -\n{ORGAN_YAML}")
    cluster.run(BEFORE)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl describe pod -l app=organ",
        seeds=SEEDS,
        attempt=attempt_of(world, _nodes, _judge, after=AFTER),
        praise="The organ plays, and every stall stands. There was room enough all the time, and "
        "none of it in one piece. Smaller requests, stalls moved together, or a priority: each of "
        "them makes a piece that is large enough.",
    )


def _nodes(cluster: Cluster) -> int:
    return len(cluster.view.list(Node))


def _judge(cluster: Cluster, nodes: int) -> Finding:
    if _nodes(cluster) != nodes:
        return wrong("A node was deleted. A repair keeps the machines.")
    organs, stalls = (pods_with(cluster.view, f"app={name}") for name in ("organ", "stalls"))
    everybody = [*organs, *stalls]
    if len(stalls) < STALLS:
        message = f"There are {len(stalls)} stalls of {STALLS}. Make room without sending any away."
        return wrong(message)
    if not organs:
        return wrong("There is no organ any more, or none with the label app=organ.")
    if any(pod.spec.nodeName == "control-plane" for pod in everybody):
        text = "Something of the fair runs on the control plane now. Its taint keeps room for the "
        return wrong(f"{text}API server and etcd; leave it to them.")
    for pod in everybody:
        least = ORGAN_USES if pod in organs else STALL_USES
        asked = pod_requests(pod).get("cpu", 0)
        if asked < least:
            what = f"{pod.metadata.name} asks for {asked}m CPU and uses up to {least}m."
            text = "The scheduler would promise the rest to others. Ask for what is used."
            return wrong(f"{what} {text}", 13)
    waiting = [pod for pod in everybody if not is_pod_ready(pod)]
    if waiting:
        first = waiting[0]
        said = [c.message for c in first.status.conditions if c.type == "PodScheduled"]
        where = seen(cluster, f"{first.metadata.name}: {said[0] if said else first.status.phase}")
        return wrong(_said(cluster, first, organs), 13, (where,))
    landed = ", ".join(pod.spec.nodeName for pod in organs)
    return right("", (seen(cluster, f"the organ is on {landed}, {len(stalls)} stalls are ready"),))


def _said(cluster: Cluster, waiting: Pod, organs: list[Pod]) -> str:
    """Say what keeps a Pod waiting, and what has not been done."""
    if waiting not in organs:
        return f"Now {waiting.metadata.name} waits: what you made room with is missing elsewhere."
    newest = max(organs, key=lambda pod: pod.metadata.creationTimestamp or "")
    asked = pod_requests(newest).get("cpu", 0)
    closed = [n.metadata.name for n in cluster.view.list(Node) if n.spec.unschedulable]
    if closed:
        return f"The organ still waits, and {', '.join(closed)} is closed for new Pods (cordoned)."
    if asked < 4000:
        return (
            f"The organ still waits for {asked}m CPU on one worker. What is free on several does "
            "not add up."
        )
    return f"The organ asks for {asked}m CPU. A whole worker has 4000m, and not all of that free."


EXERCISE = Exercise(
    key="05.4",
    title="Not half full, and nothing fits",
    points=3,
    hints=(
        "`print(bin_packing(cluster, pod=...).text)` or `kubectl describe nodes`: how much is free "
        "in all, and how much on one worker?",
        "Ask for less (kubectl set resources), move stalls closer together (kubectl drain, then "
        "uncordon), or let the organ go first (a PriorityClass). One of them is enough.",
        "The organ burns one CPU, and asks for two and a half: kubectl set resources deployment "
        "organ --requests=cpu=...",
    ),
    grade=grade,
    world=world,
)
