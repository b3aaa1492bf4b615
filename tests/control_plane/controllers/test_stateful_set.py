from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.control_plane.controllers.stateful_set import (
    calculate_status,
    ordinal_of,
    plan,
    pod_for,
)
from k8slab.control_plane.controllers.stateful_set.history import new_revision, superfluous
from k8slab.control_plane.controllers.stateful_set.stateful_set_utils import claim_owners, claims_of

WISH = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
CLAIM = {"metadata": {"name": "data"}, "spec": WISH}


def db(replicas: int = 3, image: str = "db:1", **spec: Any) -> Any:
    return load(
        {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": {"name": "db", "namespace": "default", "uid": "set"},
            "spec": {
                "serviceName": "db",
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "db"}},
                "template": {
                    "metadata": {"labels": {"app": "db"}},
                    "spec": {"containers": [{"name": "c", "image": image}]},
                },
                **spec,
            },
        }
    )


OLD, NEW = new_revision(db(image="db:0"), 1, 0), new_revision(db(), 2, 0)
STATES = {"r": "ready", "n": "not ready", "t": "terminating", "f": "failed", ".": "missing"}


def pods(set_: Any, states: str, revisions: str = "") -> list[Any]:
    """Pods by one letter each: ready, not ready, terminating, failed, missing; old or new."""
    made = []
    start = set_.spec.ordinals.start if set_.spec.ordinals else 0
    for index, state in enumerate(states):
        if state == ".":
            continue
        revision = OLD if revisions[index : index + 1] == "o" else NEW
        pod = pod_for(set_, set_.spec.template, revision.metadata.name, start + index)
        made.append(_in_state(pod, state))
    return made


def _in_state(pod: Any, state: str) -> Any:
    from msgspec.structs import replace

    from k8slab.api.core import PodCondition, PodStatus
    from k8slab.api.meta import timestamp

    ready = PodCondition(type="Ready", status="True" if state in "rt" else "False")
    phase = "Failed" if state == "f" else "Running"
    deleted = timestamp(1) if state == "t" else None
    meta = replace(pod.metadata, uid=pod.metadata.name, deletionTimestamp=deleted)
    return replace(pod, metadata=meta, status=PodStatus(phase=phase, conditions=(ready,)))


def says(set_: Any, states: str, revisions: str = "") -> str:
    result = plan(set_, pods(set_, states, revisions), OLD, NEW, now=100.0)
    words = [f"+{ordinal_of(p.metadata.name, 'db')}" for p in result.create]
    words += [f"-{ordinal_of(p.metadata.name, 'db')}" for p in result.delete]
    words += [f"~{ordinal_of(p.metadata.name, 'db')}" for p in result.update]
    return " ".join(words) or (f"wait {result.waiting.split()[0]}" if result.waiting else "")


PARALLEL = {"podManagementPolicy": "Parallel"}


@pytest.mark.parametrize(
    ("spec", "states", "revisions", "expected"),
    [
        ({}, "", "", "+0"),
        ({}, "n", "", "wait db-0"),
        ({}, "r", "", "+1"),
        ({}, "rn.", "", "wait db-1"),
        ({}, "r.r", "", "+1"),
        ({}, "rrr", "", ""),
        ({}, "rtr", "", "wait db-1"),
        ({}, "rfr", "", "-1"),
        ({}, "rrrrr", "", "-4"),
        ({}, "rrrrt", "", "wait db-4"),
        ({}, "rrrrn", "", "-4"),
        ({}, "rrrnn", "", "wait db-3"),
        ({}, "nrrr", "", "wait db-0"),
        ({}, "rrr", "ooo", "~2"),
        ({}, "rrr", "oon", "~1"),
        ({}, "rrr", "non", "~1"),
        ({}, "rrn", "oon", "wait db-2"),
        ({"updateStrategy": {"type": "OnDelete"}}, "rrr", "ooo", ""),
        ({"updateStrategy": {"rollingUpdate": {"partition": 2}}}, "rrr", "oon", ""),
        ({"updateStrategy": {"rollingUpdate": {"maxUnavailable": 2}}}, "rrr", "ooo", "~2 ~1"),
        (PARALLEL, "", "", "+0 +1 +2"),
        (PARALLEL, "n.n", "", "+1"),
        (PARALLEL, "rrrrr", "", "-4 -3"),
        (PARALLEL, "rrrnt", "", "-3"),
        (PARALLEL, "rrr", "ooo", "~2"),
        (PARALLEL, "rrn", "ooo", ""),
        ({"ordinals": {"start": 5}}, "r", "", "+6"),
        ({"ordinals": {"start": 5}}, "rrrr", "", "-8"),
    ],
)
def test_what_one_look_does(spec: Any, states: str, revisions: str, expected: str) -> None:
    assert says(db(**spec), states, revisions) == expected


def test_below_the_partition_a_lost_pod_comes_back_in_its_old_revision() -> None:
    set_ = db(updateStrategy={"rollingUpdate": {"partition": 1}})
    (made,) = plan(set_, [], OLD, NEW, now=0).create
    assert made.metadata.labels["controller-revision-hash"] == OLD.metadata.name
    assert made.spec.containers[0].image == "db:0"


def test_a_pod_knows_its_name_its_number_and_its_service() -> None:
    made = pod_for(db(), db().spec.template, "db-abc", 2)
    assert made.metadata.labels == {
        "app": "db",
        "apps.kubernetes.io/pod-index": "2",
        "controller-revision-hash": "db-abc",
        "statefulset.kubernetes.io/pod-name": "db-2",
    }
    assert (made.metadata.name, made.spec.hostname, made.spec.subdomain) == ("db-2", "db-2", "db")


def test_each_pod_has_claims_of_its_own() -> None:
    set_ = db(volumeClaimTemplates=[CLAIM])
    made = pod_for(set_, set_.spec.template, "db-abc", 1)
    (claim,) = claims_of(set_, made)
    assert (claim.metadata.name, dict(claim.metadata.labels)) == ("data-db-1", {"app": "db"})
    assert made.spec.volumes[0].persistentVolumeClaim.claimName == "data-db-1"


@pytest.mark.parametrize(
    ("deleted", "scaled", "ordinal", "owners"),
    [
        ("Retain", "Retain", 4, []),
        ("Delete", "Retain", 4, ["StatefulSet"]),
        ("Retain", "Delete", 4, ["Pod"]),
        ("Retain", "Delete", 1, []),
        ("Delete", "Delete", 1, ["StatefulSet"]),
        ("Delete", "Delete", 4, ["Pod"]),
    ],
)
def test_who_takes_a_claim_along(
    deleted: str, scaled: str, ordinal: int, owners: list[str]
) -> None:
    policy = {"whenDeleted": deleted, "whenScaled": scaled}
    set_ = db(persistentVolumeClaimRetentionPolicy=policy)
    pod = pod_for(set_, set_.spec.template, "x", ordinal)
    assert [owner.kind for owner in claim_owners(set_, pod, ())] == owners


def test_pods_that_are_ending_still_count_but_for_no_revision() -> None:
    set_ = db()
    status = calculate_status(
        set_, pods(set_, "rnt"), current=NEW.metadata.name, update=NEW.metadata.name, now=100.0
    )
    assert (status.replicas, status.readyReplicas, status.currentReplicas) == (3, 2, 2)


def test_a_finished_rollout_makes_its_revision_the_current_one() -> None:
    old, new = OLD.metadata.name, NEW.metadata.name
    under_way = calculate_status(db(), pods(db(), "rrr", "onn"), current=old, update=new, now=9)
    done = calculate_status(db(), pods(db(), "rrr"), current=old, update=new, now=9)
    assert (under_way.currentRevision, under_way.updatedReplicas) == (old, 2)
    assert (done.currentRevision, done.currentReplicas) == (new, 3)


def test_history_spares_the_revisions_of_pods() -> None:
    revisions = [new_revision(db(image=f"db:{n}"), n, 0) for n in range(5)]
    set_ = db(revisionHistoryLimit=1)
    spared = [revisions[0].metadata.name, revisions[4].metadata.name]
    assert superfluous(set_, revisions, spared) == revisions[1:3]


@given(states=st.text("rntf.", max_size=6), size=st.integers(0, 5), sort=st.text("on", max_size=6))
def test_an_ordered_set_does_one_thing_at_a_time(states: str, size: int, sort: str) -> None:
    set_ = db(size)
    there = pods(set_, states, sort)
    result = plan(set_, there, OLD, NEW, now=100.0)
    acts = (*result.create, *result.delete, *result.update)
    assert len(acts) <= 1
    if result.create:  # never over the head of one that is not ready
        ordinal = ordinal_of(result.create[0].metadata.name, "db")
        assert states[:ordinal] == "r" * ordinal


# -- on a running cluster without real nodes


def manifest(**spec: Any) -> dict[str, Any]:
    import msgspec

    return dict(msgspec.to_builtins(db(**spec)), metadata={"name": "db"})


def test_a_deleted_pod_comes_back_under_its_name_when_it_is_gone(lab: Any) -> None:
    lab.apply(manifest(replicas=2))
    lab.until(lambda: lab.get("StatefulSet", "db").status.readyReplicas == 2)
    before = lab.get("Pod", "db-0").metadata.uid
    lab.request("delete", "Pod", "db-0")
    lab.run(0.1)
    assert lab.get("Pod", "db-0").metadata.uid == before  # still ending: no second of that name
    lab.run(2)
    assert lab.get("Pod", "db-0").metadata.uid != before


def test_rolling_back_brings_the_old_revision_to_the_top(lab: Any) -> None:
    lab.apply(manifest(replicas=1))
    lab.run(2)
    first = lab.get("StatefulSet", "db").status.currentRevision
    for image in ("db:2", "db:1"):
        containers = [{"name": "c", "image": image}]
        lab.patch("StatefulSet", "db", {"spec": {"template": {"spec": {"containers": containers}}}})
        lab.run(3)
    assert lab.get("StatefulSet", "db").status.currentRevision == first
    revisions = {r.metadata.name: r.revision for r in lab.all("ControllerRevision")}
    assert (len(revisions), revisions[first]) == (2, 3)


def test_claims_stay_when_the_set_shrinks(lab: Any) -> None:
    lab.apply(manifest(replicas=2, volumeClaimTemplates=[CLAIM]))
    lab.until(lambda: lab.get("StatefulSet", "db").status.readyReplicas == 2)
    lab.patch("StatefulSet", "db", {"spec": {"replicas": 0}})
    lab.until(lambda: not lab.all("Pod"))
    assert [c.metadata.name for c in lab.all("PersistentVolumeClaim")] == ["data-db-0", "data-db-1"]
    assert "SuccessfulCreate: Create Claim data-db-0 Pod db-0 in StatefulSet db success" in (
        lab.events("db")
    )


def test_min_ready_seconds_hold_up_the_next_pod(lab: Any) -> None:
    lab.apply(manifest(replicas=2, minReadySeconds=5))
    lab.run(3)
    assert len(lab.all("Pod")) == 1
    lab.run(6)
    assert len(lab.all("Pod")) == 2
    lab.run(10)
    assert lab.get("StatefulSet", "db").status.availableReplicas == 2


def test_an_orphan_of_the_set_s_names_is_adopted(lab: Any) -> None:
    lab.apply(manifest(replicas=1))
    lab.run(2)
    lab.request("delete", "StatefulSet", "db", body={"propagationPolicy": "Orphan"})
    lab.run(2)
    uid = lab.get("Pod", "db-0").metadata.uid
    lab.apply(manifest(replicas=1))
    lab.run(2)
    (owner,) = lab.get("Pod", "db-0").metadata.ownerReferences
    assert (lab.get("Pod", "db-0").metadata.uid, owner.kind) == (uid, "StatefulSet")
    assert len(lab.all("ControllerRevision")) == 1


@pytest.mark.parametrize("delay", [0.004, 0.012, 0.4, 0.41, 0.8, 1.1, 1.2, 1.21, 1.6, 2.0])
def test_a_killed_controller_loses_no_pod_and_makes_none_twice(lab_with: Any, delay: float) -> None:
    from k8slab.control_plane.controller_manager import ControllerManager
    from k8slab.sim import Group

    lab = lab_with(replace={"statefulset-controller": None})
    first = Group("kube-controller-manager")
    lab.sim.spawn(ControllerManager(lab.sim, lab.client, lab).run(), "first", first)
    lab.run(1)
    lab.apply(manifest(replicas=3))
    lab.run(delay)
    containers = [{"name": "c", "image": "db:2"}]
    lab.patch("StatefulSet", "db", {"spec": {"template": {"spec": {"containers": containers}}}})
    lab.run(delay)
    first.kill()
    lab.run(2)
    lab.sim.spawn(ControllerManager(lab.sim, lab.client, lab).run(), "second")
    lab.run(8)
    status = lab.get("StatefulSet", "db").status
    assert (status.readyReplicas, status.updatedReplicas, status.currentReplicas) == (3, 3, 3)
    assert status.currentRevision == status.updateRevision
    assert {p.spec.containers[0].image for p in lab.all("Pod")} == {"db:2"}
