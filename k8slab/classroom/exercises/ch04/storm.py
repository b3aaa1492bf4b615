"""Exercise 04.5: a liveness probe that asks a shared database: one outage restarts everything.

The database is down on purpose, and stays down. A repair must end the restarts of the shop, keep a
liveness probe, and let the shop be ready again once the database is back.

Rule of use: whatever manifest does it is accepted; what must be kept is compared before and after.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.apps import Deployment
from k8slab.api.core import Pod
from k8slab.api.pods import is_pod_ready
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (7, 22)
BEFORE, SETTLE, WATCHED = 120.0, 60.0, 300.0  # virtual seconds
WORLD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: shop}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: shop
        image: nginx:1.27
        ports: [{containerPort: 80}]
        livenessProbe:
          exec: {command: [wget, -q, -O, "-", -T, "1", "http://db"]}
          periodSeconds: 5
          failureThreshold: 2
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  replicas: 1
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: db, image: "traefik/whoami:v1.11", ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: db}
spec: {selector: {app: db}, ports: [{port: 80}]}
"""


def world(seed: int) -> Cluster:
    """Return the shop in its storm: the database is down."""
    cluster = boot(seed, WORLD, workers=1)
    Terminal(cluster).run("scale deployment db --replicas=0")
    cluster.run(BEFORE)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl describe deployment shop",
        seeds=SEEDS,
        attempt=attempt_of(world, _uid, _judge, after=SETTLE),
        praise="The storm is over: with the database down, nobody is restarted any more, and with "
        "the database back all three are ready. Liveness asks for what a restart can mend.",
    )


def _judge(cluster: Cluster, uid: str) -> Finding:
    return _kept(cluster, uid) or _calm(cluster) or _put_off(cluster) or _recovers(cluster)


def _uid(cluster: Cluster) -> str:
    shop = cluster.view.get(Deployment, "shop")
    return shop.metadata.uid if shop is not None else ""


def _kept(cluster: Cluster, uid: str) -> Finding | None:
    shop, db = (cluster.view.get(Deployment, name) for name in ("shop", "db"))
    if shop is None or shop.metadata.uid != uid:
        return wrong("The Deployment shop was deleted. A repair changes it in place.", 14)
    if (shop.spec.replicas or 0) < 3:
        return wrong("The shop has fewer than three replicas now. That is less of it, no repair.")
    if db is None:
        return wrong("The Deployment db is gone, and others need it.")
    if pods_with(cluster.view, "app=db"):
        return wrong(
            "You brought the database back. That ends this storm, and the next outage brings the "
            "next one: the fault is in the shop's probe."
        )
    if all(one.livenessProbe is None for one in shop.spec.template.spec.containers):
        return wrong(
            "The shop has no liveness probe any more: now a shop that hangs is never restarted. "
            "Ask it for something of its own.",
            10,
        )
    return None


def _calm(cluster: Cluster) -> Finding | None:
    before = _restarts(cluster)
    cluster.run(WATCHED)
    after = _restarts(cluster)
    if after == before and all(_runs(pod) for pod in pods_with(cluster.view, "app=shop")):
        return None
    told = (seen(cluster, f"{after - before} restarts in five minutes"),)
    if _is_half_way(cluster):
        return almost(
            "Your new Pods do not get ready while the database is down, so the rollout waits for "
            "them, and the old Pods stay and go on restarting. What is wrong with their readiness?",
            10,
            told,
        )
    return wrong(
        "The storm goes on: with the database down, shops are still restarted. A restart of the "
        "shop cannot mend the database. Does its liveness probe still ask for it?",
        10,
        told,
    )


def _is_half_way(cluster: Cluster) -> bool:
    """Say whether there are Pods of the new template beside old ones."""
    hashes = {
        pod.metadata.labels.get("pod-template-hash") for pod in pods_with(cluster.view, "app=shop")
    }
    return len(hashes) > 1


def _put_off(cluster: Cluster) -> Finding | None:
    """Return what to say if the probe still fails, and only nothing has come of it yet."""
    since = cluster.now - WATCHED
    for pod in pods_with(cluster.view, "app=shop"):
        for record in cluster.trace.about(f"Pod/{pod.metadata.name}"):
            if record.time > since and "Liveness probe failed" in record.detail:
                text = f"{record.component}: {record.detail.partition(chr(10))[0]}"
                return almost(
                    "Nobody was restarted in five minutes. But the liveness probe fails all the "
                    "while, so the storm is only put off. Ask for something that a restart can "
                    "mend.",
                    10,
                    (Evidence(cluster.seed, record.time, text),),
                )
    return None


def _recovers(cluster: Cluster) -> Finding:
    Terminal(cluster).run("scale deployment db --replicas=1")
    cluster.run(SETTLE)
    pods = pods_with(cluster.view, "app=shop")
    ready = sum(map(is_pod_ready, pods))
    told = (seen(cluster, f"the database is back: {ready} of {len(pods)} shops are ready"),)
    if ready >= 3 and ready == len(pods):
        return right("", told)
    return almost(
        "Nobody is restarted any more. But with the database back, not all shops are ready: what "
        "does the readiness probe ask for?",
        10,
        told,
    )


def _restarts(cluster: Cluster) -> int:
    pods = pods_with(cluster.view, "app=shop")
    return sum(one.restartCount for pod in pods for one in pod.status.containerStatuses)


def _runs(pod: Pod) -> bool:
    return all(status.state.running is not None for status in pod.status.containerStatuses)


EXERCISE = Exercise(
    key="04.5",
    title="A storm of restarts",
    points=2,
    hints=(
        "`kubectl describe deployment shop` shows what the liveness probe asks for. Whose fault is "
        "it when that fails?",
        "Let liveness ask nginx itself, on port 80. Whether the database is there may be a matter "
        "of readiness.",
        "One patch of spec.template: the list of containers, with name shop, and a livenessProbe "
        "with tcpSocket: {port: 80} and exec: null.",
    ),
    grade=grade,
    world=world,
)
