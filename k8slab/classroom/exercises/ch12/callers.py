"""Exercise 12.2: clerks who see who calls, at every worker.

A Service of type NodePort hides its callers. With externalTrafficPolicy Local it does not, but then
a node without a clerk drops what comes. Right is whatever makes both workers answer, and the clerks
see the caller.

Rule of use: the caller outside asks both workers; what the clerks say of it is the judge.

Upstream: none
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from k8slab.api.core import Service
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch12.stage import NODE_IPS, OUTSIDE_IP, clerks
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import boot, members, seen
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (6, 18)
REQUESTS = 6  # to each worker
NODE_PORT = 30080
WORKERS = ("worker-1", "worker-2")
WORLD = (
    clerks("worker-1", 2)
    + f"""
apiVersion: v1
kind: Service
metadata: {{name: office}}
spec:
  type: NodePort
  selector: {{app: clerk}}
  ports: [{{port: 80, targetPort: 8080, nodePort: {NODE_PORT}}}]
"""
)


def world(seed: int) -> Cluster:
    """Return the office whose clerks see nobody but nodes."""
    return boot(seed, WORLD)


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get service office",
        seeds=SEEDS,
        attempt=attempt_of(world, _uid, _judge),
        praise="Right: every call at every worker is answered by a clerk of that worker, who sees "
        "the caller. That is the bargain of Local: no detour, and a clerk wherever calls come in.",
    )


def _judge(cluster: Cluster, before: str) -> Finding:
    return _broken(cluster, before) or _calls(cluster)


def _uid(cluster: Cluster) -> str:
    service = cluster.view.get(Service, "office")
    return service.metadata.uid if service is not None else ""


def _broken(cluster: Cluster, before: str) -> Finding | None:
    service = cluster.view.get(Service, "office")
    if service is None or service.metadata.uid != before:
        return wrong("The Service office is gone, or another one. Change it in place.")
    if not any(port.nodePort == NODE_PORT and port.port == 80 for port in service.spec.ports):
        return wrong(
            f"Callers ask port {NODE_PORT} of the nodes, and inside the cluster port 80. The "
            "Service has lost one of them.",
            7,
        )
    if not members(cluster.view, "office"):
        return wrong("No clerk is left behind the Service, so there is nobody to see anybody.", 18)
    return None


def _calls(cluster: Cluster) -> Finding:
    """Ask both workers from outside, and read whom the clerks saw."""
    service = cluster.view.get(Service, "office")
    assert service is not None
    hidden: set[str] = set()
    for node in WORKERS:
        url = f"http://{NODE_IPS[node]}:{NODE_PORT}/clientip"
        for _ in range(REQUESTS):
            answer = cluster.request("outside", url, timeout=2)
            if not answer.ok:
                said = seen(cluster, f"outside -> {url}: {answer.outcome}")
                return _silent(node, service.spec.externalTrafficPolicy or "", said)
            saw = answer.body.rpartition(":")[0]
            if saw != OUTSIDE_IP:
                hidden.add(saw)
    if hidden:
        shown = seen(cluster, f"the clerks saw {', '.join(sorted(hidden))}, not {OUTSIDE_IP}")
        return wrong(_hidden(service), 0, (shown,))
    total = REQUESTS * len(WORKERS)
    return right("", (seen(cluster, f"{total} of {total} calls answered, all saw {OUTSIDE_IP}"),))


def _silent(node: str, policy: str, said: Any) -> Finding:
    if policy == "Local":
        return almost(
            f"With Local the clerks see the caller. But {node} has no clerk of its own, and drops "
            "every call. Where calls come in, somebody has to stand.",
            0,
            (said,),
        )
    return wrong(f"A call at {node} is not answered.", 18, (said,))


def _hidden(service: Service) -> str:
    """Say why clerks still see a node; a near miss is told apart."""
    if service.spec.internalTrafficPolicy == "Local":
        return (
            "internalTrafficPolicy is about callers inside the cluster. Those of a NodePort come "
            "from outside, and are still masqueraded."
        )
    if service.spec.sessionAffinity == "ClientIP":
        return (
            "sessionAffinity ClientIP brings a caller back to the same clerk. It does not show "
            "the clerk who it is: the calls are masqueraded as before."
        )
    return (
        "The clerks still see a node as their caller. It is masqueraded where it comes in, as "
        "long as it may be sent to a clerk of another node: which field says that it may?"
    )


EXERCISE = Exercise(
    key="12.2",
    title="Keep the caller's address",
    points=2,
    hints=(
        "Two things have to change: whether nodes may hand calls to one another, and where clerks "
        "stand. `kubectl explain service.spec.externalTrafficPolicy` tells of the first.",
        "With externalTrafficPolicy Local, a node without a clerk drops. The Deployment has a "
        "nodeSelector that keeps all clerks on worker-1.",
        "Patch the Service to Local. Then remove the nodeSelector (a merge patch with null) and "
        "let the clerks spread, or put a DaemonSet with the label app=clerk beside them.",
    ),
    grade=grade,
    world=world,
)
