"""Each mutant makes its belief true, and leaves the rest of a cluster as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Pod, Service
from k8slab.classroom import predict, reveal, what_if
from k8slab.classroom.chapters import load
from k8slab.classroom.ledger import Ledger
from k8slab.classroom.mutants import MUTANTS
from k8slab.classroom.plan import PLAN, written
from k8slab.classroom.questions import Choice, Question
from k8slab.classroom.scoring import mutant_for

SHOP = """
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
      - name: main
        image: traefik/whoami:v1.11
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Pod
metadata: {name: client, namespace: default}
spec: {containers: [{name: main, image: "busybox:1.37", command: [sleep, "100000"]}]}
"""
CRASH = """
apiVersion: v1
kind: Pod
metadata: {name: crash}
spec: {containers: [{name: main, image: "busybox:1.37", command: [sh, -c, "sleep 5; exit 1"]}]}
"""
PROBED = """
apiVersion: v1
kind: Pod
metadata: {{name: probed}}
spec:
  containers:
  - name: main
    image: nginx:1.27
    {probe}Probe: {{exec: {{command: ["false"]}}, periodSeconds: 2, failureThreshold: 2}}
"""
Look = Callable[[Cluster], Any]


def probed(probe: str) -> Look:
    def look(cluster: Cluster) -> bool:
        cluster.apply(PROBED.format(probe=probe))
        cluster.run(60)
        (status,) = cluster.view.get(Pod, "probed").status.containerStatuses
        return status.restartCount > 0

    return look


def phase(manifest: str, name: str) -> Look:
    def look(cluster: Cluster) -> Any:
        cluster.apply(manifest)
        cluster.run(60)
        return cluster.view.get(Pod, name).status.phase

    return look


def turns(cluster: Cluster) -> bool:
    who = [cluster.request("pod/client", "http://shop").served_by for _ in range(9)]
    return who[:3] * 3 == who and len(set(who)) == 3


def pods_after(command: str) -> Look:
    def look(cluster: Cluster) -> int:
        one, *_ = cluster.view.list(Pod, "default", labels="app=shop")
        cluster.kubectl(command.format(one.metadata.name))
        cluster.run(10)
        return len(cluster.view.list(Pod, "default")) - 1  # the client

    return look


def answered(url: str, command: str) -> Look:
    def look(cluster: Cluster) -> Any:
        cluster.kubectl(command)
        cluster.run(15)
        return cluster.request("pod/client", url, timeout=1).outcome

    return look


def refused_after_a_deletion(cluster: Cluster) -> bool:
    one, *_ = cluster.view.list(Pod, "default", labels="app=shop")
    url = f"http://{cluster.view.get(Service, 'shop').spec.clusterIP}"
    cluster.kubectl(f"delete pod {one.metadata.name} --wait=false")
    return any(not cluster.request("pod/client", url, timeout=1).ok for _ in range(60))


def pods_that_answer_one_command(cluster: Cluster) -> bool:
    """Say whether more than one Pod answers the requests of one curl."""
    cluster.kubectl("run curl --image=curlimages/curl:8.17.0 --command -- sleep 1000")
    cluster.run(10)
    said = cluster.kubectl(f"exec curl -- curl -s {' '.join(['http://shop'] * 9)}")
    return len({line for line in said.splitlines() if line.startswith("Hostname")}) > 1


# by name: what is looked at, and what is so in a real cluster and in the mutant
CASES: dict[str, list[tuple[Look, Any, Any]]] = {
    "Services take turns": [(turns, False, True)],
    "each request is balanced": [(pods_that_answer_one_command, False, True)],
    "the Service lets go first": [(refused_after_a_deletion, True, False)],
    "Running means ready": [
        (phase(PROBED.format(probe="readiness"), "probed"), "Running", "Pending")
    ],
    "a crash makes a Pod Failed": [(phase(CRASH, "crash"), "Running", "Failed")],
    "readiness restarts": [
        (probed("readiness"), False, True),
        (probed("liveness"), True, False),
    ],
    "a deleted Pod is gone": [(pods_after("delete pod {}"), 3, 2)],
    "a ReplicaSet keeps what it made": [
        (pods_after("label pod {} app=other --overwrite"), 4, 3),
    ],
    "no endpoints, no name": [
        (answered("http://shop", "scale deployment shop --replicas=0"), "refused", "unresolved"),
        (answered("http://shop", "get pods"), "answered", "answered"),
    ],
    "names are global": [
        (answered("http://kube-dns", "get pods"), "unresolved", "timed out"),
        (answered("http://nobody", "get pods"), "unresolved", "unresolved"),
    ],
}
ROWS = [(name, *row) for name, rows in CASES.items() for row in rows]


def shop(name: str = "") -> Cluster:
    change = {MUTANTS[name].replaces: MUTANTS[name].by} if name else {}
    cluster = Cluster(workers=2, seed=3, replace=change)
    cluster.apply(SHOP)
    cluster.run(15)
    return cluster


@pytest.mark.parametrize(("name", "look", "real", "mutant"), ROWS)
def test_a_mutant_makes_its_belief_true(name: str, look: Look, real: Any, mutant: Any) -> None:
    assert look(shop()) == real
    assert look(shop(name)) == mutant


def test_a_service_belongs_to_the_deployment_of_its_name() -> None:
    name = "a Service belongs to a Deployment"
    for world, served in ((shop(), 4), (shop(name), 3)):
        world.apply(SHOP.partition("---")[0].replace("name: shop", "name: copy", 1).replace(
            "app: shop", "app: shop, of: copy").replace("replicas: 3", "replicas: 1"))  # fmt: skip
        world.run(10)
        slices = world.view.list(
            "endpointslice", "default", labels="kubernetes.io/service-name=shop"
        )
        assert sum(len(one.endpoints) for one in slices) == served


def test_every_mutant_is_tried_and_is_one_of_the_twenty() -> None:
    assert {*CASES, "a Service belongs to a Deployment"} == set(MUTANTS)
    assert all(1 <= mutant.misconception <= 20 for mutant in MUTANTS.values())
    assert len({mutant.misconception for mutant in MUTANTS.values()}) >= 5


def test_every_choice_names_a_mutant_that_there_is() -> None:
    chapters = [load(stop.number) for stop in PLAN if written(stop.number)]
    asked = [q for one in chapters for q in (*one.warm_up, *one.ticket, *one.predictions)]
    named = {choice.mutant for question in asked for choice in question.choices} - {""}
    assert named <= set(MUTANTS)
    assert len(named) >= 4


def test_the_two_worlds_part_at_the_event_that_the_belief_denies() -> None:
    cluster = shop()
    one, *_ = cluster.view.list(Pod, "default", labels="app=shop")
    cluster.kubectl(f"delete pod {one.metadata.name}")
    cluster.run(5)
    world = what_if(cluster, "a deleted Pod is gone")
    here, _ = world.difference.first
    assert here is not None
    assert (here.component, here.verb) == ("replicaset-controller", "decide")
    assert "2 of 3 replicas: create 1" in world.text
    assert len(world.cluster.view.list(Pod, "default")) == 3
    assert world._repr_mimebundle_()["text/plain"] == world.text


def test_who_answers_is_compared_although_no_trace_tells() -> None:
    cluster = shop()
    for _ in range(6):
        cluster.request("pod/client", "http://shop")
    world = what_if(cluster, "Services take turns")
    assert world.served[:3] == world.served[3:]
    assert world.lines[-1] == f"  there  requests 1 to 6 of 6: {', '.join(world.served)}"


def test_what_a_command_in_a_container_prints_is_compared() -> None:
    cluster = shop()
    cluster.kubectl("run curl --image=curlimages/curl:8.17.0 --command -- sleep 1000")
    cluster.run(10)
    cluster.kubectl(f"exec curl -- sh -c 'curl -s {'http://shop ' * 6} | grep Hostname'")
    world = what_if(cluster, "each request is balanced")
    command, here, there = world.lines[-3:]
    assert command.startswith("  `kubectl exec curl -- sh -c")
    assert len({*here.partition("here")[2].strip().split(", ")}) == 1
    assert len({*there.partition("there")[2].strip().split(", ")}) > 1


def test_a_belief_that_does_not_matter_changes_nothing() -> None:
    world = what_if(shop(), "readiness restarts")
    assert world.lines[-1] == "This run would have been the same, to the last record."
    with pytest.raises(ValueError, match="did you mean 'readiness restarts'"):
        what_if(shop(), "readiness restart")


def test_a_wrong_prediction_is_answered_with_its_world(book: Ledger) -> None:
    cluster = Cluster(workers=1, seed=3)
    cluster.apply(CRASH)
    cluster.run(60)
    predict("04.phase", guess="Failed")
    shown = reveal("04.phase", world=cluster)
    assert shown.world is not None
    assert shown.world.name == "a crash makes a Pod Failed"
    assert "Suppose it were so: The phase of a Pod" in shown.text
    assert "What if it were so" in shown._repr_mimebundle_()["text/html"]
    predict("04.phase", guess="Running")
    assert reveal("04.phase", world=cluster).world is None


SET = Question(
    key="0", text="?", kind="set", choices=(Choice("a", mutant="A"), Choice("b"), Choice("c"))
)


@pytest.mark.parametrize(
    ("answer", "actual", "name"),
    [(("a",), ("b",), "A"), (("b",), ("a",), "A"), (("b",), ("c",), ""), (("a",), ("a",), "")],
)
def test_a_set_is_wrong_about_what_is_missing_too(
    answer: tuple[str, ...], actual: tuple[str, ...], name: str
) -> None:
    assert mutant_for(SET, answer, actual) == name
