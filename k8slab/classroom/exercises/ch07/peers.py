"""Exercise 07.5: peers that wait for each other's names before they are ready.

The database's members find one another by name, and are ready when they have. Their headless
Service gives names to ready Pods only. The repair lets them find each other, and keeps the probe.

Rule of use: what must be kept is compared before and after.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.apps import StatefulSet
from k8slab.api.core import Service
from k8slab.api.pods import is_pod_ready
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, pods_with, seen
from k8slab.classroom.verdicts import Finding, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (8, 17)
BEFORE, AFTER = 60.0, 120.0  # virtual seconds
MEMBERS = 3
ASK = " && ".join(f"nslookup peer-{n}.peer.default.svc.cluster.local" for n in range(MEMBERS))
WORLD = f"""
apiVersion: v1
kind: Service
metadata: {{name: peer}}
spec: {{clusterIP: None, selector: {{app: peer}}, ports: [{{port: 80}}]}}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {{name: peer}}
spec:
  serviceName: peer
  podManagementPolicy: Parallel
  replicas: {MEMBERS}
  selector: {{matchLabels: {{app: peer}}}}
  template:
    metadata: {{labels: {{app: peer}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: peer
        image: busybox:1.37
        command: [sleep, "1000000"]
        readinessProbe:
          exec: {{command: [sh, -c, "{ASK}"]}}
          periodSeconds: 5
"""


def world(seed: int) -> Cluster:
    """Return three members, none of which is ready."""
    cluster = boot(seed, workers=2)
    cluster.apply(WORLD)
    cluster.run(BEFORE)
    return cluster


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl describe service peer",
        seeds=SEEDS,
        attempt=attempt_of(world, _uids, _judge, after=AFTER),
        praise="All members have found each other. Names of members are for members: they are "
        "needed before anybody is ready, and publishNotReadyAddresses says so.",
    )


def _uids(cluster: Cluster) -> tuple[str, ...]:
    found = (cluster.view.get(StatefulSet, "peer"), cluster.view.get(Service, "peer"))
    return tuple(one.metadata.uid if one is not None else "" for one in found)


def _judge(cluster: Cluster, before: tuple[str, ...]) -> Finding:
    members = cluster.view.get(StatefulSet, "peer")
    service = cluster.view.get(Service, "peer")
    if members is None or members.metadata.uid != before[0]:
        return wrong("The StatefulSet was deleted, and with it its members.", 14)
    if service is None:
        return wrong("The Service peer is gone, and with it the names of its members.", 18)
    if (members.spec.replicas or 0) < MEMBERS:
        return wrong("There are fewer members now; each of the three holds a part of the data.")
    probes = [one.readinessProbe for one in members.spec.template.spec.containers]
    if any(probe is None or "nslookup" not in str(probe.exec) for probe in probes):
        return wrong(
            "The members no longer look for each other before they are ready: now clients are sent "
            "to a member that is alone.",
            9,
        )
    if service.spec.clusterIP != "None":
        return wrong(
            "The Service has a ClusterIP now: one address for all, and no names for members.", 20
        )
    pods = pods_with(cluster.view, "app=peer")
    ready = sum(map(is_pod_ready, pods))
    told = (seen(cluster, f"{ready} of {len(pods)} members are ready"),)
    if ready >= MEMBERS:
        return right("", told)
    return wrong(
        f"{ready} of {len(pods)} members are ready. A headless Service gives a name to a Pod when "
        "it is ready, and these get ready when they have found the names. Which of the two can "
        "come first?",
        20,
        told,
    )


EXERCISE = Exercise(
    key="07.5",
    title="After you, no, after you",
    points=2,
    hints=(
        "`kubectl exec peer-0 -- nslookup peer-1.peer.default.svc.cluster.local` says what each "
        "member meets. "
        "`kubectl get endpointslices -o yaml` says which of them are ready.",
        "`kubectl explain service.spec` has a field for addresses that are not ready.",
        "kubectl patch service peer -p with spec.publishNotReadyAddresses: true.",
    ),
    grade=grade,
    world=world,
)
