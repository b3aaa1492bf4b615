from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load
from k8slab.control_plane.controllers.daemon_set import daemon_pod, node_should_run, plan
from k8slab.control_plane.controllers.daemon_set.placement import target_node
from k8slab.control_plane.controllers.daemon_set.plan import standing


def ds(**spec: Any) -> Any:
    return load(
        {
            "apiVersion": "apps/v1",
            "kind": "DaemonSet",
            "metadata": {"name": "agent", "uid": "ds"},
            "spec": {
                "selector": {"matchLabels": {"app": "agent"}},
                "template": {
                    "metadata": {"labels": {"app": "agent"}},
                    "spec": {"containers": [{"name": "c", "image": "agent:1"}], **spec},
                },
            },
        }
    )


def node(name: str = "n1", *taints: tuple[str, str], **labels: str) -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": labels},
            "spec": {"taints": [{"key": key, "effect": effect} for key, effect in taints]},
        }
    )


def pod(node_name: str, revision: str = "new", *, ready: bool = True, **metadata: Any) -> Any:
    return load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": f"agent-{node_name}",
                "labels": {"controller-revision-hash": revision},
                **metadata,
            },
            "spec": {"nodeName": node_name},
            "status": {
                "phase": "Running",
                "conditions": [{"type": "Ready", "status": "True" if ready else "False"}],
            },
        }
    )


ZONE_EXPRESSION = {"key": "zone", "operator": "In", "values": ["a", "b"]}
REQUIRED = {"nodeSelectorTerms": [{"matchExpressions": [ZONE_EXPRESSION]}]}
IN_ZONE = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": REQUIRED}}


@pytest.mark.parametrize(
    ("spec", "on", "expected"),
    [
        ({}, node(), (True, True)),
        ({"nodeSelector": {"disk": "ssd"}}, node(), (False, False)),
        ({"nodeSelector": {"disk": "ssd"}}, node(disk="ssd"), (True, True)),
        ({"affinity": IN_ZONE}, node(zone="b"), (True, True)),
        ({"affinity": IN_ZONE}, node(zone="c"), (False, False)),
        ({"nodeName": "other"}, node(), (False, False)),
        ({}, node("n1", ("dedicated", "NoSchedule")), (False, True)),
        ({}, node("n1", ("dedicated", "NoExecute")), (False, False)),
        ({}, node("n1", ("node.kubernetes.io/unreachable", "NoExecute")), (True, True)),
        ({"tolerations": [{"operator": "Exists"}]}, node("n1", ("x", "NoExecute")), (True, True)),
    ],
)
def test_which_nodes_should_run_it(spec: Any, on: Any, expected: tuple[bool, bool]) -> None:
    assert node_should_run(ds(**spec), on) == expected


def test_the_pod_of_a_node_leaves_the_scheduler_one_choice() -> None:
    made = daemon_pod(ds(affinity=IN_ZONE), "n7", "abc")
    assert target_node(made) == "n7"
    assert made.spec.nodeName == ""
    assert made.metadata.labels["controller-revision-hash"] == "abc"
    assert len(made.spec.tolerations) == 6


def test_each_node_gets_exactly_one_pod() -> None:
    nodes = [node(name) for name in ("n1", "n2", "n3")]
    second = pod("n1", name="second", creationTimestamp="2026-01-01T00:00:09Z")
    result = plan(ds(), [pod("n1"), second, pod("n2")], nodes, revision_hash="new", now=0)
    assert result.create == ("n3",)
    assert [p.metadata.name for p in result.delete] == ["second"]


def test_a_node_whose_pod_is_ending_waits_for_it() -> None:
    going = pod("n1", deletionTimestamp="2026-01-01T00:00:00Z")
    assert plan(ds(), [going], [node()], revision_hash="new", now=0).create == ()


def test_a_rolling_update_takes_one_node_at_a_time_broken_ones_first() -> None:
    nodes = [node(name) for name in ("n1", "n2", "n3")]
    old = [pod(name, "old") for name in ("n1", "n2", "n3")]
    assert len(plan(ds(), old, nodes, revision_hash="new", now=0).delete) == 1
    broken = [pod("n1", "old"), pod("n2", "old", ready=False), pod("n3", "old")]
    result = plan(ds(), broken, nodes, revision_hash="new", now=0)
    assert [p.spec.nodeName for p in result.delete] == ["n2"]
    waiting = [pod("n1", "new", ready=False), pod("n2", "old"), pod("n3", "old")]
    assert plan(ds(), waiting, nodes, revision_hash="new", now=0).delete == ()


MANIFEST = {
    "apiVersion": "apps/v1",
    "kind": "DaemonSet",
    "metadata": {"name": "agent"},
    "spec": {
        "selector": {"matchLabels": {"app": "agent"}},
        "template": {
            "metadata": {"labels": {"app": "agent"}},
            "spec": {"containers": [{"name": "c", "image": "agent:1"}]},
        },
    },
}


def test_a_new_node_gets_a_pod_and_an_update_keeps_a_revision(lab: Any) -> None:
    lab.apply(MANIFEST)
    lab.run(2)
    lab.add_node("worker-4")
    lab.run(2)
    status = lab.get("DaemonSet", "agent").status
    assert (status.desiredNumberScheduled, status.numberReady) == (4, 4)
    containers = [{"name": "c", "image": "agent:2"}]
    lab.patch("DaemonSet", "agent", {"spec": {"template": {"spec": {"containers": containers}}}})
    lab.run(10)
    assert {p.spec.containers[0].image for p in lab.all("Pod")} == {"agent:2"}
    assert sorted(r.revision for r in lab.all("ControllerRevision")) == [1, 2]
    assert lab.get("DaemonSet", "agent").status.updatedNumberScheduled == 4


def test_a_pod_that_fails_again_and_again_is_replaced_ever_later(lab: Any) -> None:
    from msgspec.structs import replace

    lab.hands.dead |= {"worker-1", "worker-2", "worker-3"}
    lab.apply(MANIFEST)
    made, end = set(), lab.sim.now + 20
    while lab.sim.now < end:
        for found in lab.all("Pod"):
            made.add(found.metadata.uid)
            if found.spec.nodeName and found.status.phase == "Pending":
                body = replace(found, status=replace(found.status, phase="Failed"))
                name = found.metadata.name
                lab.request("update", "Pod", name, subresource="status", body=body)
        lab.run(0.1)
    assert 3 * 4 <= len(made) <= 3 * 6  # after 0, 1, 2, 4, 8 s


ZONE = "topology.kubernetes.io/zone"
HASHED = {"app": "agent", "controller-revision-hash": "new"}


@pytest.mark.parametrize(
    ("later", "the_same"),
    [
        (pod("n1", labels=HASHED | {ZONE: "a"}), True),  # bound: the node's zone was copied
        (pod("n1", labels=HASHED | {"controller-revision-hash": "old"}), False),
        (pod("n1", labels={"controller-revision-hash": "new"}), False),  # no longer selected
        (pod("n2", labels=HASHED), False),
        (pod("n1", labels=HASHED, ready=False), False),
        (pod("n1", labels=HASHED, deletionTimestamp="2026-01-01T00:00:00Z"), False),
    ],
)
def test_a_pod_is_worth_a_look_when_it_stands_otherwise(later: Any, the_same: bool) -> None:
    before = pod("n1", labels=HASHED)
    assert (standing(ds(), before) == standing(ds(), later)) == the_same


def test_a_pod_that_begins_to_say_that_it_is_not_ready_stands_as_before() -> None:
    silent = load({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "agent-n1"}})
    unready = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "agent-n1"},
            "status": {"conditions": [{"type": "Ready", "status": "False"}]},
        }
    )
    assert standing(ds(), silent) == standing(ds(), unready)
