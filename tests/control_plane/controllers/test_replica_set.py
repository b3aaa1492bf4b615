from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.meta import timestamp
from k8slab.control_plane.controllers.replica_set import calculate_status, plan, rank_for_deletion
from k8slab.control_plane.controllers.replica_set.plan import deletion_cost

NOW = 1000.0


def rs(replicas: int = 3, **metadata: Any) -> Any:
    return load(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"name": "web", "namespace": "default", "uid": "rs", **metadata},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}},
            },
        }
    )


def pod(name: str, owner: str = "rs", **changes: Any) -> Any:
    """A Pod that has been ready on node n for 500 s, except for what `changes` says."""
    ready = changes.pop("ready", 500)
    spec = {"nodeName": changes.pop("node", "n"), "containers": [{"name": "c", "image": "i"}]}
    conditions = [{"type": "Ready", "status": "True", "lastTransitionTime": timestamp(NOW - ready)}]
    status = {
        "phase": changes.pop("phase", "Running"),
        "conditions": conditions if ready >= 0 else [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"name": "c", "restartCount": changes.pop("restarts", 0)}],
    }
    reference = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web", "controller": True}
    metadata = {
        "name": name,
        "namespace": "default",
        "uid": name,
        "labels": {"app": "web"},
        "creationTimestamp": timestamp(NOW - changes.pop("age", 500)),
        "ownerReferences": [{**reference, "uid": owner}] if owner else [],
        **changes,
    }
    return load(
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": status}
    )


def names(pods: Any) -> list[str]:
    return [p.metadata.name for p in pods]


def test_missing_pods_are_created_and_surplus_ones_deleted() -> None:
    assert plan(rs(3), [pod("a")], now=NOW).create == 2
    assert names(plan(rs(1), [pod("a"), pod("b", ready=-1)], now=NOW).delete) == ["b"]
    assert plan(rs(2), [pod("a"), pod("b")], now=NOW).create == 0


def test_at_most_500_pods_are_created_or_deleted_at_once() -> None:
    assert plan(rs(2000), [], now=NOW).create == 500
    many = [pod(f"p{number}") for number in range(600)]
    assert len(plan(rs(0), many, now=NOW).delete) == 500


def test_a_terminating_or_finished_pod_is_no_replica() -> None:
    leaving = pod("a", deletionTimestamp=timestamp(NOW))
    assert plan(rs(1), [leaving], now=NOW).create == 1
    assert plan(rs(1), [pod("a", phase="Failed")], now=NOW).create == 1


def test_matching_orphans_are_adopted_and_relabelled_pods_released() -> None:
    result = plan(
        rs(3),
        [pod("orphan", owner=""), pod("odd", labels={"app": "db"}), pod("foreign", owner="x")],
        now=NOW,
    )
    assert (names(result.adopt), names(result.release)) == (["orphan"], ["odd"])
    assert result.create == 2  # the orphan counts at once, the others do not


def test_pods_of_another_namespace_are_nobody_s_orphans() -> None:
    assert not plan(rs(1), [pod("a", owner="", namespace="other")], now=NOW).adopt


def test_a_replica_set_that_is_being_deleted_does_nothing() -> None:
    going = rs(3, deletionTimestamp=timestamp(NOW))
    result = plan(going, [pod("a", owner="")], now=NOW)
    assert (result.create, result.delete, result.adopt) == (0, (), ())


FIRST_TO_GO = [
    ("unassigned before assigned", {"node": ""}, {}),
    ("Pending before Running", {"phase": "Pending"}, {}),
    ("Pending before Unknown", {"phase": "Pending"}, {"phase": "Unknown"}),
    ("not ready before ready", {"ready": -1}, {}),
    ("cheap before dear", {}, {"annotations": {"controller.kubernetes.io/pod-deletion-cost": "5"}}),
    ("shortly ready before long ready", {"ready": 10}, {"ready": 400}),
    ("often restarted before calm", {"restarts": 3}, {"restarts": 1}),
    ("young before old", {"age": 10}, {"age": 900}),
    ("not ready beats cheap", {"ready": -1, "restarts": 0}, {"restarts": 9}),
]


@pytest.mark.parametrize(("first", "second"), [row[1:] for row in FIRST_TO_GO])
def test_scale_down_order(first: dict[str, Any], second: dict[str, Any]) -> None:
    one, other = pod("z", **first), pod("a", **second)
    assert names(rank_for_deletion([other, one], [], NOW)) == ["z", "a"]


@pytest.mark.parametrize(
    ("text", "cost"),
    [("-5", -5), ("0", 0), ("10", 10), ("+5", 0), ("05", 0), ("x", 0), ("9" * 11, 0)],
)
def test_a_cost_is_a_number_as_upstream_writes_it(text: str, cost: int) -> None:
    dear = pod("a", annotations={"controller.kubernetes.io/pod-deletion-cost": text})
    assert deletion_cost(dear) == cost


def test_readiness_times_of_the_same_magnitude_tie() -> None:
    one, other = pod("b", ready=300, restarts=9), pod("a", ready=500)
    assert names(rank_for_deletion([one, other], [], NOW)) == ["a", "b"]  # by uid


def test_the_node_with_most_related_pods_gives_first() -> None:
    crowd = [pod(f"sibling{number}", owner="old", node="m") for number in range(3)]
    pods = [pod("a", node="n"), pod("b", node="m")]
    assert names(rank_for_deletion(pods, crowd, NOW)) == ["b", "a"]


@given(st.lists(st.integers(0, 2), max_size=12), st.integers(0, 12))
def test_after_the_plan_the_number_is_right(kinds: list[int], replicas: int) -> None:
    pods = [pod(f"p{i}", ready=(-1, 5, 500)[kind]) for i, kind in enumerate(kinds)]
    result = plan(rs(replicas), pods, now=NOW)
    assert len(pods) + result.create - len(result.delete) == replicas
    assert result.create == 0 or not result.delete


def test_status_counts_ready_available_and_terminating() -> None:
    pods = [pod("a"), pod("b", ready=5), pod("c", ready=-1)]
    pods += [pod("d", deletionTimestamp=timestamp(NOW)), pod("e", phase="Failed")]
    slow = load(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {"generation": 4},
            "spec": {"minReadySeconds": 30, "template": {"metadata": {"labels": {"app": "web"}}}},
        }
    )
    status = calculate_status(slow, pods, now=NOW)
    assert (status.replicas, status.readyReplicas, status.availableReplicas) == (3, 2, 1)
    assert (status.fullyLabeledReplicas, status.terminatingReplicas) == (3, 1)
    assert status.observedGeneration == 4


def test_a_deleted_pod_is_replaced_at_once(lab: Any, web: Any) -> None:
    lab.apply(web(2))
    lab.until(lambda: lab.get("Deployment", "web").status.availableReplicas == 2)
    victim = lab.all("Pod")[0].metadata.name
    lab.request("delete", "Pod", victim)
    lab.run(0.1)
    assert len(lab.all("Pod")) == 3  # the one that is ending, and two replicas


def test_events_name_the_pods_that_were_made(lab: Any, web: Any) -> None:
    lab.apply(web(1))
    lab.run(2)
    (made,) = lab.all("Pod")
    (owner,) = made.metadata.ownerReferences
    assert owner.kind == "ReplicaSet"
    assert owner.blockOwnerDeletion
    assert f"SuccessfulCreate: Created pod: {made.metadata.name}" in lab.events(owner.name)


def test_a_relabelled_pod_is_released_and_replaced(lab: Any, web: Any) -> None:
    lab.apply(web(1))
    lab.run(2)
    (before,) = lab.all("Pod")
    lab.patch("Pod", before.metadata.name, {"metadata": {"labels": {"app": "debug"}}})
    lab.run(2)
    assert lab.get("Pod", before.metadata.name).metadata.ownerReferences == ()
    assert len(lab.all("Pod")) == 2


def test_creation_starts_slowly() -> None:
    from k8slab.control_plane.controllers.controller_utils import slow_start
    from k8slab.sim import Simulation

    sim, at = Simulation(), list[float]()

    async def create() -> None:
        at.append(sim.now)
        await sim.sleep(1)

    assert sim.complete(slow_start(sim, 9, create, "create"), "test", 60) == (9, None)
    assert [at.count(float(second)) for second in range(4)] == [1, 2, 4, 2]
