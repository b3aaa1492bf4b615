from __future__ import annotations

from typing import Any

from k8slab.api.apps import ReplicaSet
from k8slab.api.core import Pod
from k8slab.client import Client, EventRecorder, Informers
from k8slab.control_plane.controller_manager import ControllerManager
from k8slab.sim import Group


class OnePodOnly:
    """A learner's controller: every ReplicaSet gets one Pod named after it."""

    component = "one-pod-only"

    def __init__(self, informers: Informers, client: Client, recorder: EventRecorder) -> None:
        self.sim, self.client = informers.sim, client
        self.replica_sets = informers.informer(ReplicaSet)

    async def run(self) -> None:
        await self.replica_sets.synced.wait()
        self.replica_sets.add_handler(self.on_replica_set)

    def on_replica_set(self, old: ReplicaSet | None, new: ReplicaSet | None) -> None:
        if old is None and new is not None:
            self.sim.spawn(self.create(new), "create")

    async def create(self, rs: ReplicaSet) -> None:
        meta = rs.spec.template.metadata
        named = type(meta)(name=rs.metadata.name, namespace="default", labels=meta.labels)
        await self.client.create(Pod(metadata=named, spec=rs.spec.template.spec))


def test_each_controller_writes_as_its_own_service_account(lab: Any, web: Any) -> None:
    lab.apply(web(1))
    lab.run(1)
    assert lab.writes("deployment-controller")[0].startswith("create ReplicaSet/")
    assert lab.writes("replicaset-controller")[0].startswith("create Pod/")


def test_without_its_controller_a_replica_set_stays_empty(lab_with: Any, web: Any) -> None:
    lab = lab_with(replace={"replicaset-controller": None})
    lab.apply(web(2))
    lab.run(5)
    assert (len(lab.all("ReplicaSet")), lab.all("Pod")) == (1, [])


def test_a_controller_can_be_replaced_by_another(lab_with: Any, web: Any) -> None:
    lab = lab_with(replace={"replicaset-controller": OnePodOnly})
    lab.apply(web(3))
    lab.run(5)
    (made,) = lab.all("Pod")
    assert made.metadata.name == lab.all("ReplicaSet")[0].metadata.name


def test_a_new_manager_goes_on_where_the_last_one_was_killed(lab_with: Any, web: Any) -> None:
    lab = lab_with(replace={"replicaset-controller": None, "deployment-controller": None})
    first = Group("kube-controller-manager")
    lab.sim.spawn(ControllerManager(lab.sim, lab.client, lab).run(), "first", first)
    lab.run(1)
    lab.apply(web(8))
    lab.run(0.02)  # the ReplicaSet is there, and the first Pods
    first.kill()
    lab.run(5)
    there = len(lab.all("Pod"))
    assert 0 < there < 8
    lab.sim.spawn(ControllerManager(lab.sim, lab.client, lab).run(), "second")
    lab.run(5)
    assert lab.get("Deployment", "web").status.availableReplicas == 8
    assert len(lab.all("Pod")) == 8


def test_why_leads_from_a_pod_to_the_deployment_s_creation(lab: Any, web: Any) -> None:
    lab.apply(web(1))
    lab.run(1)
    trace = lab.sim.trace
    (made,) = [r for r in trace if r.verb == "create" and r.subject.startswith("Pod/")]
    chain = [(r.verb, r.subject.split("/")[0]) for r in trace.why(made.id)]
    assert chain == [
        ("create", "Pod"),
        ("decide", "ReplicaSet"),
        ("create", "ReplicaSet"),
        ("decide", "Deployment"),
        ("create", "Deployment"),
    ]
    assert trace.why(made.id)[1].detail == "0 of 1 replicas: create 1"
