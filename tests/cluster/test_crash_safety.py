"""Whatever dies at whatever write, and starts again: the cluster comes to the same end.

A fault plan names some writes by number, says whether each is lost or done, and who dies of it at
that moment. The kubelet starts containers again; a kubelet comes back after two seconds. What there
is at the end is compared with a run in which nothing died; names and addresses may differ.
K8SLAB_CRASH_EXAMPLES sets how many plans are tried.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from k8slab import Cluster
from k8slab.api.apps import DaemonSet, Deployment, ReplicaSet, StatefulSet
from k8slab.api.batch import Job
from k8slab.api.core import ConfigMap, Endpoints, Pod
from k8slab.api.discovery import EndpointSlice
from k8slab.api.meta import controller_of
from k8slab.api.pods import is_pod_ready
from k8slab.client import ConnectionFailed, Request
from k8slab.cluster import faults

EXAMPLES = int(os.environ.get("K8SLAB_CRASH_EXAMPLES", "8"))
READS = ("get", "list", "watch")
VICTIMS = (
    "kube-controller-manager",
    "kube-scheduler",
    "kube-apiserver",
    "etcd",
    "kubelet/worker-1",
    "kubelet/control-plane",
)
Fault = tuple[int, str, bool]  # number of the write, who dies, whether the write was done
MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: web, image: "nginx:1.26"}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db}
spec:
  serviceName: db
  replicas: 2
  selector: {matchLabels: {app: db}}
  template:
    metadata: {labels: {app: db}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: db, image: "redis:7"}]
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: agent}
spec:
  selector: {matchLabels: {app: agent}}
  template:
    metadata: {labels: {app: agent}}
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{name: agent, image: "redis:7"}]
---
apiVersion: batch/v1
kind: Job
metadata: {name: sum}
spec:
  completions: 3
  parallelism: 2
  template:
    spec:
      restartPolicy: Never
      containers: [{name: sum, image: "busybox:1.37", command: [sleep, "3"]}]
---
apiVersion: v1
kind: ConfigMap
metadata: {name: old}
"""


class Tap:
    """An API server that counts the writes of everybody but the operator, and strikes."""

    def __init__(self, cluster: Cluster, plan: tuple[Fault, ...]) -> None:
        self.cluster = cluster
        self.plan = {number: (victim, done) for number, victim, done in plan}
        self.count = 0
        self.died: list[str] = []
        world = cluster.world
        reach = world.api.reach
        handle = self.handle

        class Tapped:
            def __init__(self, server: Any) -> None:
                self.server = server

            def handle(self, request: Request) -> Any:
                return handle(self.server, request)

        world.api.reach = lambda host: Tapped(reach(host))  # type: ignore[assignment,return-value]

    def handle(self, server: Any, request: Request) -> Any:
        if request.verb in READS or request.user == "kubernetes-admin":
            return server.handle(request)
        self.count += 1
        victim, done = self.plan.get(self.count, ("", True))
        answer = server.handle(request) if done else None
        if victim:
            self.cluster.sim.after(0, lambda: self.strike(victim), f"kill {victim}")
        if not done:
            raise ConnectionFailed("the process died")
        return answer

    def strike(self, victim: str) -> None:
        """Kill, if there is anything to kill just now."""
        world = self.cluster.world
        try:
            faults.kill(world, victim)
        except ValueError:
            return
        self.died.append(victim)
        name, _, node = victim.partition("/")
        if name == "kubelet":
            host = world.hosts[node]

            def back() -> None:
                host.group.kill()
                world.renew_kubelet(host)
                world.start_kubelet(host)

            self.cluster.sim.after(2.0, back, f"{victim} starts again")


def live(plan: tuple[Fault, ...]) -> tuple[dict[str, Any], Tap]:
    """Return what there is after a rollout, a scaling and two deletions, under a fault plan."""
    cluster = Cluster(workers=2, seed=11)
    tap = Tap(cluster, plan)
    steps = (
        ("apply -f -", MANIFESTS),
        ("set image deployment/web web=nginx:1.27", ""),
        ("scale statefulset db --replicas=3", ""),
        ("delete daemonset agent --wait=false", ""),
        ("delete configmap old", ""),
    )
    for command, stdin in steps:
        for _ in range(20):  # as people do when the server does not answer
            said = cluster.kubectl(command, stdin)
            if "refused" not in said and "etcdserver" not in said and "Unable" not in said:
                break
            cluster.run(5)
        cluster.run(4)
    cluster.run(400)
    return summary(cluster), tap


def summary(cluster: Cluster) -> dict[str, Any]:
    """Return what there is, without names that were drawn."""
    view = cluster.view
    deployment = view.get(Deployment, "web")
    stateful = view.get(StatefulSet, "db")
    job = view.get(Job, "sum")
    assert deployment is not None
    assert stateful is not None
    assert job is not None
    pods = []
    for pod in view.list(Pod, "default"):
        owner = controller_of(pod)
        kind = owner.kind if owner is not None else ""
        name = pod.metadata.name if kind == "StatefulSet" else ""
        image = pod.spec.containers[0].image
        leaving = pod.metadata.deletionTimestamp is not None
        state = (pod.status.phase, is_pod_ready(pod), leaving)
        pods.append((kind, name, image, *state, tuple(pod.metadata.finalizers)))
    status = deployment.status
    return {
        "pods": sorted(pods),
        "web": (status.replicas, status.updatedReplicas, status.availableReplicas),
        "conditions": sorted((c.type, c.status, c.reason) for c in status.conditions),
        "replica sets": sorted(
            (rs.spec.template.spec.containers[0].image, rs.spec.replicas, rs.status.readyReplicas)
            for rs in view.list(ReplicaSet, "default")
        ),
        "db": (stateful.status.readyReplicas, stateful.status.updatedReplicas),
        "job": (job.status.succeeded, job.status.active, bool(job.status.completionTime)),
        "daemons": len(view.list(DaemonSet, "default")),
        "endpoints": sorted(
            (len(s.endpoints), all(e.conditions.ready for e in s.endpoints))
            for s in view.list(EndpointSlice, "default", labels="kubernetes.io/service-name=web")
        ),
        "old endpoints": [
            sum(len(s.addresses) for s in e.subsets)
            for e in view.list(Endpoints, "default")
            if e.metadata.name == "web"
        ],
        "config maps": sorted(c.metadata.name for c in view.list(ConfigMap, "default")),
    }


@cache
def undisturbed() -> tuple[dict[str, Any], int]:
    """Return what there is when nobody dies, and how many writes that takes."""
    found, tap = live(())
    return found, tap.count


def test_undisturbed_it_ends_as_asked() -> None:
    found, writes = undisturbed()
    assert found["web"] == (3, 3, 3)
    assert found["db"] == (3, 3)
    assert found["job"] == (3, None, True) or found["job"] == (3, 0, True)
    assert writes > 100


def faults_of() -> st.SearchStrategy[tuple[Fault, ...]]:
    fault = st.tuples(st.integers(1, undisturbed()[1]), st.sampled_from(VICTIMS), st.booleans())
    return st.lists(fault, min_size=1, max_size=2).map(tuple)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.deferred(faults_of))
def test_whoever_dies_at_any_write_the_end_is_the_same(plan: tuple[Fault, ...]) -> None:
    found, tap = live(plan)
    assert found == undisturbed()[0], f"after the end of {', '.join(tap.died)}"


@pytest.mark.parametrize("done", [True, False])
def test_a_controller_manager_that_dies_again_and_again_gets_there(done: bool) -> None:
    plan = tuple((number, "kube-controller-manager", done) for number in range(20, 120, 17))
    found, tap = live(plan)
    assert len(tap.died) > 2
    assert found == undisturbed()[0]
