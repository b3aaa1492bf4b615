"""Exercise 13.3: no request is lost while a Deployment is rolled out, though rules come late.

Each node needs 2 s to write its rules. A ferry stops at once when it is told to, and its grace
period is short. The learner's commands come first; then the check itself starts a rollout, and asks
the Service all the while.

Rule of use: the requests are the judge; the Pods' templates are read for the explanation only.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from k8slab.api.apps import Deployment
from k8slab.api.core import Container, Pod, Service
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import CLIENT, pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong
from k8slab.client import Latency

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (6, 17)
FERRIES = 3
SLOW = 2.0  # s, that a node needs to write its rules
GAP, TIMEOUT = 0.2, 1.0  # s, between two requests, and until one is given up
ROLLOUT, QUIET = 120.0, 5.0  # s, that a rollout may take, and of requests after it
WORLD = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: ferry}}
spec:
  replicas: {FERRIES}
  selector: {{matchLabels: {{app: ferry}}}}
  template:
    metadata: {{labels: {{app: ferry}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: nginx:1.27
        ports: [{{name: http, containerPort: 80}}]
        readinessProbe: {{httpGet: {{path: /, port: http}}, periodSeconds: 1}}
---
apiVersion: v1
kind: Service
metadata: {{name: ferry}}
spec: {{selector: {{app: ferry}}, ports: [{{port: 80, targetPort: http}}]}}
{CLIENT}"""


class Kept(msgspec.Struct, frozen=True):
    """What a repair leaves as it is."""

    service: str
    deployment: str


def world(seed: int) -> Cluster:
    """Return three ferries, a Service and a client, on nodes that write rules slowly."""
    from k8slab.cluster import Cluster

    cluster = Cluster(workers=2, seed=seed, latency=Latency(iptables_restore=SLOW))
    cluster.apply(WORLD)
    cluster.run(20)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get deployment ferry -o yaml",
        seeds=SEEDS,
        attempt=attempt_of(world, _kept, _judge, after=60.0),
        praise="Not one request was lost. A ferry that is told to end goes on serving until no "
        "rule leads to it any more, and its grace period is long enough to let it.",
    )


def _kept(cluster: Cluster) -> Kept:
    service = cluster.view.get(Service, "ferry")
    deployment = cluster.view.get(Deployment, "ferry")
    front = "" if service is None else f"{service.metadata.uid} {service.spec.ports[0].port}"
    return Kept(front, "" if deployment is None else deployment.metadata.uid)


def _judge(cluster: Cluster, before: Kept) -> Finding:
    after = _kept(cluster)
    if after.service != before.service:
        return wrong("The Service is another one, or gone. Its clients know its address: keep it.")
    if after.deployment != before.deployment:
        return wrong("The Deployment is another one, or gone. Change the one that is there.")
    ferries = pods_with(cluster.view, "app=ferry")
    if len(ferries) != FERRIES:
        return wrong(
            f"The number of ferries is {len(ferries)} now. Keep it at {FERRIES}: the rollout has "
            "to be seamless with so many."
        )
    return _roll(cluster, {pod.metadata.uid for pod in ferries})


def _roll(cluster: Cluster, old: set[str]) -> Finding:
    """Roll out, ask all the while, and judge the answers."""
    result = Terminal(cluster).run("rollout restart deployment ferry")
    if result.exit_code != 0:
        return wrong(f"Nothing can be rolled out any more: {result.stderr.strip()}")
    begun, over = cluster.now, None
    asked, lost = 0, 0
    while cluster.now < (over if over is not None else begun + ROLLOUT):
        answer = cluster.request("pod/client", "http://ferry", timeout=TIMEOUT)
        asked, lost = asked + 1, lost + (not answer.ok)
        cluster.run(GAP)
        if over is None and _replaced(cluster, old):
            over = cluster.now + QUIET
    if over is None:
        return wrong(f"{ROLLOUT:g} s after a rollout began the ferries are not all new ones.")
    shown = seen(cluster, f"{lost} of {asked} requests were lost in a rollout")
    return right("", (shown,)) if not lost else _why(cluster, lost, asked, shown)


def _replaced(cluster: Cluster, old: set[str]) -> bool:
    """Return whether no Pod of before is left."""
    found = cluster.view.list(Pod, "default", labels="app=ferry")
    return len(found) == FERRIES and not old & {pod.metadata.uid for pod in found}


def _why(cluster: Cluster, lost: int, asked: int, shown: Evidence) -> Finding:
    """Say what of the template lets requests get lost."""
    deployment = cluster.view.get(Deployment, "ferry")
    assert deployment is not None
    share = f"{lost} of {asked} requests were lost."
    if deployment.spec.strategy.type == "Recreate":
        return wrong(
            f"{share} Recreate ends all the old ferries first: for a while there is none.",
            17,
            (shown,),
        )
    spec = deployment.spec.template.spec
    hooks = [one for one in spec.containers if _has_hook(one)]
    if not hooks:
        return wrong(
            f"{share} A ferry that is told to end stops at once, while the rules of the nodes lead "
            "to it for some seconds more. What may a container do before it is told?",
            17,
            (shown,),
        )
    grace = spec.terminationGracePeriodSeconds or 0
    if grace <= 2 * SLOW:
        return almost(
            f"{share} There is a hook now, but the grace period is {grace} s. It counts from the "
            "deletion: when it is over, hook and process are killed.",
            17,
            (shown,),
        )
    return almost(
        f"{share} There is a hook now. But is it still at work when the slowest node has its new "
        f"rules? A write takes {SLOW:g} s here, and may have to wait for the one before.",
        17,
        (shown,),
    )


def _has_hook(container: Container) -> bool:
    return container.lifecycle is not None and container.lifecycle.preStop is not None


EXERCISE = Exercise(
    key="13.3",
    title="A rollout that nobody notices",
    points=4,
    hints=(
        "A deletion begins two things at once: the Pod is told to end, and its row is taken from "
        "the rules. Which is faster here, and which of the two can be made to wait?",
        "`kubectl explain pod.spec.containers.lifecycle.preStop`: before a container is told to "
        "end, it may sleep. `terminationGracePeriodSeconds` counts from the deletion, and so has "
        "to be longer.",
        "Patch the Deployment's template: a preStop that sleeps 10 s, and a grace period of 30 s.",
    ),
    grade=grade,
    world=world,
)
