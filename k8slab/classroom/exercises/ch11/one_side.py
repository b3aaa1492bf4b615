"""Exercise 11.4: one side of town gets no cabs, because its rules drop every call.

The Service's `internalTrafficPolicy` is Local, and all cabs stand on worker-1. So worker-2 has a
rule that drops what is sent to the Service, and worker-1 has none. Whatever brings cabs to callers
of both sides is right, as long as nobody is replaced for it.

Rule of use: calls from both nodes are the judge, also after a cab was replaced.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8slab.api.apps import Deployment
from k8slab.api.core import Pod, Service
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.answers import Terminal
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, listed, pods_with, seen
from k8slab.classroom.verdicts import Evidence, Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (7, 19)
CALLS = 8  # from each side
URL = "http://calls"
SIDES = {"east": "worker-1", "west": "worker-2"}  # callers and their nodes
CABS = 3
CALLER = """
apiVersion: v1
kind: Pod
metadata: {{name: {name}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  containers: [{{name: main, image: "busybox:1.37", command: [sleep, "1000000"]}}]
---"""
WORLD = (
    "".join(CALLER.format(name=name, node=node) for name, node in SIDES.items())
    + """
apiVersion: apps/v1
kind: Deployment
metadata: {name: cabs}
spec:
  replicas: 3
  selector: {matchLabels: {app: cabs}}
  template:
    metadata: {labels: {app: cabs}}
    spec:
      nodeSelector: {kubernetes.io/hostname: worker-1}
      terminationGracePeriodSeconds: 1
      containers: [{name: main, image: "traefik/whoami:v1.11"}]
---
apiVersion: v1
kind: Service
metadata: {name: calls}
spec:
  selector: {app: cabs}
  internalTrafficPolicy: Local
  ports: [{port: 80}]
"""
)


def world(seed: int) -> Cluster:
    """Return the cluster in which calls from worker-2 are dropped."""
    return boot(seed, WORLD)


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl describe service calls",
        seeds=SEEDS,
        attempt=attempt_of(world, _kept, _judge),
        praise="Repaired: both sides of town are served. The Service was the same on both nodes, "
        "and the rules were not: each kube-proxy writes what holds for its own node.",
    )


def _kept(cluster: Cluster) -> dict[str, str]:
    """Return who must be the same after a repair."""
    view = cluster.view
    callers = [view.get(Pod, side) for side in SIDES]
    found = {
        name: one.metadata.uid if one is not None else ""
        for name, one in (("cabs", view.get(Deployment, "cabs")), *zip(SIDES, callers, strict=True))
    }
    service = view.get(Service, "calls")
    found["calls"] = f"{service.metadata.uid} {service.spec.clusterIP}" if service else ""
    return found


def _judge(cluster: Cluster, before: Mapping[str, str]) -> Finding:
    return _broken(cluster, before) or _waiting(cluster) or _lasts(cluster)


def _broken(cluster: Cluster, before: Mapping[str, str]) -> Finding | None:
    after = _kept(cluster)
    for name, known in before.items():
        if after[name] != known:
            gone = "is gone" if not after[name] else "is another one now"
            return wrong(f"{name} {gone}. A repair keeps the callers, the cabs and the address.")
    if len(pods_with(cluster.view, "app=cabs")) < CABS:
        return wrong(f"There are fewer than {CABS} cabs now. Nobody is sent home.", 14)
    return None


def heard(cluster: Cluster) -> dict[str, list[str]]:
    """Return what calls from each side ended with."""
    return {
        side: [cluster.request(f"pod/{side}", URL).outcome for _ in range(CALLS)] for side in SIDES
    }


def _told(cluster: Cluster, found: Mapping[str, list[str]]) -> tuple[Evidence, ...]:
    counts = (
        f"{side} ({SIDES[side]}): {ends.count('answered')} of {CALLS} answered"
        for side, ends in found.items()
    )
    return (seen(cluster, "; ".join(counts)),)


def _waiting(cluster: Cluster) -> Finding | None:
    """Say who still gets no cab, and where that stands in the rules."""
    found = heard(cluster)
    failed = [side for side, ends in found.items() if ends.count("answered") < CALLS]
    if not failed:
        return None
    told = _told(cluster, found)
    if failed == ["west"] and "timed out" in found["west"]:
        return wrong(
            "Calls from west still time out. kube-proxy runs, and it has written a rule for them: "
            'look for "has no local endpoints" in `iptables-save` of worker-2. What in the '
            "Service makes it write that?",
            18,
            told,
        )
    if "unresolved" in {end for ends in found.values() for end in ends}:
        return wrong("The name `calls` leads nowhere any more.", 18, told)
    return almost(f"Some calls fail now, from {listed(failed)}.", 0, told)


def _lasts(cluster: Cluster) -> Finding:
    """Replace a cab, and see whether both sides are served still."""
    cab = pods_with(cluster.view, "app=cabs")[0].metadata.name
    Terminal(cluster).run(f"delete pod {cab}")
    cluster.settle(5)
    found = heard(cluster)
    told = _told(cluster, found)
    if all(end == "answered" for ends in found.values() for end in ends):
        return right("", told)
    return almost(
        "Both sides are served until a cab is replaced: the next one may start elsewhere. Mend "
        "what decides which cabs a caller may have, not where they happen to stand.",
        14,
        told,
    )


EXERCISE = Exercise(
    key="11.4",
    title="One side of town",
    points=3,
    hints=(
        "Call from both Pods: `kubectl exec west -- wget -T 2 -qO- http://calls`. Then compare "
        "`iptables-save` of both workers, the lines with `default/calls`.",
        "worker-2 has a line in the table filter that drops. Its comment says why: there is no "
        "endpoint on this node, and only those may be used.",
        "`kubectl explain service.spec.internalTrafficPolicy`. Change it with `kubectl patch "
        "service calls -p ...`, or let cabs stand on both nodes and stay there.",
    ),
    grade=grade,
    world=world,
)
