"""Exercise 10.4: half of the fleet gets no calls, and every Pod is ready.

The Service asks for a port by its name, and the new half of the fleet calls it otherwise. Its Pods
stand in a slice of their own, without ports. Several repairs are right; sending cabs away is none.

Rule of use: the world is broken in one place only, and `_missing` says what is left of it.

Upstream: none
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from k8slab.api.apps import Deployment
from k8slab.api.core import Service
from k8slab.api.discovery import EndpointSlice
from k8slab.classroom.exercises import Exercise
from k8slab.classroom.exercises.ch10.calls import rows
from k8slab.classroom.exercises.repairs import attempt_of, grade_repair
from k8slab.classroom.exercises.worlds import (
    CLIENT,
    SERVICE_NAME,
    boot,
    listed,
    names,
    pods_with,
    seen,
)
from k8slab.classroom.verdicts import Finding, almost, right, wrong

if TYPE_CHECKING:
    from k8slab.cluster import Cluster

SEEDS = (3, 17)
REQUESTS = 12
URL = "http://calls"
FLEETS: Mapping[str, tuple[str, int]] = {"old-cabs": ("http", 80), "new-cabs": ("web", 8080)}
EACH = 3  # cabs of a fleet
FLEET = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}}}
spec:
  replicas: 3
  selector: {{matchLabels: {{fleet: {name}}}}}
  template:
    metadata: {{labels: {{fleet: {name}, team: cabs}}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
      - name: main
        image: registry.k8s.io/e2e-test-images/agnhost:2.53
        args: [netexec, --http-port={port}, --udp-port=-1]
        ports: [{{name: {called}, containerPort: {port}}}]
---"""
WORLD = (
    "".join(
        FLEET.format(name=name, called=called, port=port) for name, (called, port) in FLEETS.items()
    )
    + """
apiVersion: v1
kind: Service
metadata: {name: calls}
spec: {selector: {team: cabs}, ports: [{port: 80, targetPort: http}]}
"""
    + CLIENT
)


def world(seed: int) -> Cluster:
    """Return the cluster in which half of the cabs wait in vain."""
    return boot(seed, WORLD)


def grade(answer: Any) -> Finding:
    """Judge a list of kubectl commands."""
    return grade_repair(
        answer,
        example="kubectl get endpointslices",
        seeds=SEEDS,
        attempt=attempt_of(world, _kept, _judge),
        praise="Repaired: all six cabs are called, old and new. A name for a port is an agreement "
        "between a Service and each of its Pods, and nobody checks it for you.",
    )


def reachable(cluster: Cluster) -> dict[str, bool]:
    """Return for each address with a port whether it gets new connections."""
    slices = cluster.view.list(EndpointSlice, "default", labels=f"{SERVICE_NAME}=calls")
    return {address: row.ready for address, row in rows(slices)}


def _judge(cluster: Cluster, before: Mapping[str, str]) -> Finding:
    return _broken(cluster, before) or _missing(cluster) or _answers(cluster)


def _kept(cluster: Cluster) -> dict[str, str]:
    view = cluster.view
    found = {one.metadata.name: one.metadata.uid for one in view.list(Deployment, "default")}
    service = view.get(Service, "calls")
    if service is not None:
        found["calls"] = f"{service.metadata.uid} {service.spec.clusterIP}"
    return found


def _broken(cluster: Cluster, before: Mapping[str, str]) -> Finding | None:
    after = _kept(cluster)
    for name, known in before.items():
        if after.get(name) != known:
            what = "Service" if name == "calls" else "Deployment"
            return wrong(
                f"The {what} {name} is gone, or another one. A repair changes it in place."
            )
    service = cluster.view.get(Service, "calls")
    assert service is not None
    if not any(port.port == 80 for port in service.spec.ports):
        return wrong("The Service has no port 80 any more, and that is where people call.", 7)
    for name in FLEETS:
        own = pods_with(cluster.view, f"fleet={name}")
        if len(own) < EACH:
            return wrong(f"{len(own)} cabs of {name} are left of {EACH}. Nobody is sent away.", 14)
    return None


def _missing(cluster: Cluster) -> Finding | None:
    """Say which cabs no port leads to."""
    found = reachable(cluster)
    by_fleet = {
        name: [
            pod
            for pod in pods_with(cluster.view, f"fleet={name}")
            if not found.get(pod.status.podIP)
        ]
        for name in FLEETS
    }
    if not any(by_fleet.values()):
        return None
    name, pods = next((name, pods) for name, pods in by_fleet.items() if pods)
    lost = seen(
        cluster, f"not called: {listed(names(each for p in by_fleet.values() for each in p))}"
    )
    if name == "old-cabs":
        return wrong(
            "Now the old cabs are not called: their port is named `http`, and the number is 80. "
            "What you changed has to fit both fleets.",
            7,
            (lost,),
        )
    if len(pods) < EACH:
        return almost(f"Some of {name} are called, and not all of them.", 0, (lost,))
    return wrong(
        f"{name} are still not called. They are ready and selected; look at the ports of their "
        "EndpointSlice, and at what the Service asks for.",
        7,
        (lost,),
    )


def _answers(cluster: Cluster) -> Finding:
    """Call, and see whether both fleets answer."""
    failed, hosts = 0, set()
    for _ in range(REQUESTS):
        answer = cluster.request("pod/client", URL)
        failed += not answer.ok
        hosts.add(answer.served_by or "")
    if failed:
        return almost(
            f"All cabs have a row, and {failed} of {REQUESTS} calls fail: somebody does not listen "
            "where the slice says.",
            7,
            (seen(cluster, f"{URL} from pod/client: {failed} of {REQUESTS} failed"),),
        )
    return right("", (seen(cluster, f"{REQUESTS} of {REQUESTS} calls answered by {len(hosts)}"),))


EXERCISE = Exercise(
    key="10.4",
    title="Half of the cabs",
    points=3,
    hints=(
        "`kubectl get endpointslices` shows two slices for one Service. What is different about "
        "them, and which Pods are in which?",
        "The Service's targetPort is a name. `kubectl get deploy -o wide` does not show the ports; "
        "`kubectl describe deploy new-cabs` does.",
        "Give the new fleet's port the name that the Service asks for (kubectl patch deployment "
        "new-cabs ...). A number cannot fit both fleets, unless they listen on the same.",
    ),
    grade=grade,
    world=world,
)
