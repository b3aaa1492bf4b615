"""Exercise 09.3: a rollout that never ends: the new template asks for readiness at a wrong port.

Several repairs correct the probe. Going back, asking no longer, and deleting are none.

Rule of use: the Deployment, its probe and its new version have to stay; who is available judges.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.apps import Deployment
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, seen
from k8slab.classroom.verdicts import Finding, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (3, 17)
COUNT = 3
NEW = "nginx:1.28"
WAIT = 45.0  # virtual seconds for a rollout of three
WORLD = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: crew}
spec:
  replicas: 3
  progressDeadlineSeconds: 30
  strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
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
CHANGE = (
    '{"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:1.28", '
    '"readinessProbe": {"httpGet": {"port": 8080}}}]}}}}'
)


def world(seed: int) -> Cluster:
    """Return a cluster in which a rollout has stood still beyond its deadline."""
    cluster = boot(seed, WORLD)
    Terminal(cluster).run(f"patch deployment crew -p '{CHANGE}'")
    cluster.run(45)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get pods",
        seeds=SEEDS,
        attempt=attempt_of(world, _kept, _judge, after=WAIT),
        praise="Repaired. A third template made a third ReplicaSet, whose Pods answer when they "
        "are asked. The rollout had waited: nobody was ever missing.",
    )


def _kept(cluster: Cluster) -> str:
    crew = cluster.view.get(Deployment, "crew")
    return crew.metadata.uid if crew is not None else ""


def _judge(cluster: Cluster, before: str) -> Finding:
    crew = cluster.view.get(Deployment, "crew")
    if crew is None or crew.metadata.uid != before:
        return wrong("The Deployment is another one, or gone. So nobody served for a while.")
    status = crew.status
    text = f"{status.updatedReplicas} updated, {status.availableReplicas} available"
    evidence = (seen(cluster, text),)
    if (crew.spec.replicas or 0) < COUNT:
        return wrong(f"{COUNT} are wanted, and now there are fewer.", 0, evidence)
    (main, *_) = crew.spec.template.spec.containers
    if main.image != NEW:
        return wrong(
            f"Everybody serves, in the old version. {NEW} is wanted, and nothing is wrong with it.",
            0,
            evidence,
        )
    if main.readinessProbe is None:
        return wrong(
            "Nobody asks any more, so Pods count that may not serve. Correct the question.",
            9,
            evidence,
        )
    if status.updatedReplicas != crew.spec.replicas or status.availableReplicas < COUNT:
        return wrong(
            "The rollout does not end: new Pods run, and are not ready. What are they asked, and "
            "where? `kubectl describe pods` shows how the probe fails.",
            9,
            evidence,
        )
    return right("", evidence)


EXERCISE = Exercise(
    key="09.3",
    title="The rollout that never ends",
    points=3,
    hints=(
        "Go down: the Deployment's conditions, its new ReplicaSet, the Pod that is not ready, and "
        "that Pod's events.",
        "The events say `Readiness probe failed`, and with which address. nginx listens at port "
        "80.",
        "Patch the Deployment's template: readinessProbe, httpGet, port. The image stays.",
    ),
    grade=grade,
    world=world,
)
