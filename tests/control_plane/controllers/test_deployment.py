from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from k8slab.api import load
from k8slab.api.rollouts import resolve_fenceposts
from k8slab.control_plane.controllers.deployment import plan

DESIRED, MAX = "deployment.kubernetes.io/desired-replicas", "deployment.kubernetes.io/max-replicas"
REVISION = "deployment.kubernetes.io/revision"


def deployment(replicas: int = 4, image: str = "new", **spec: Any) -> Any:
    return load(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "uid": "d", "generation": 1},
            "spec": {
                "replicas": replicas,
                "selector": {"matchLabels": {"app": "web"}},
                "progressDeadlineSeconds": 600,
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "c", "image": image}]},
                },
                **spec,
            },
        }
    )


def rs(
    name: str, replicas: int, available: int | None = None, image: str = "", **notes: str
) -> Any:
    available = replicas if available is None else available
    annotations = {key.replace("_", "-"): value for key, value in notes.items()}
    return load(
        {
            "apiVersion": "apps/v1",
            "kind": "ReplicaSet",
            "metadata": {
                "name": name,
                "namespace": "default",
                "uid": name,
                "annotations": {f"deployment.kubernetes.io/{k}": v for k, v in annotations.items()},
            },
            "spec": {
                "replicas": replicas,
                "template": {
                    "metadata": {"labels": {"app": "web", "pod-template-hash": name}},
                    "spec": {"containers": [{"name": "c", "image": image or name}]},
                },
            },
            "status": {
                "replicas": replicas,
                "readyReplicas": available,
                "availableReplicas": available,
            },
        }
    )


@pytest.mark.parametrize(
    ("surge", "unavailable", "desired", "expected"),
    [
        ("25%", "25%", 10, (3, 2)),
        ("25%", "25%", 1, (1, 0)),
        (1, 0, 3, (1, 0)),
        (0, 0, 3, (0, 1)),
        ("0%", "10%", 5, (0, 1)),
        ("100%", "100%", 7, (7, 7)),
        (None, 2, 7, (0, 2)),
    ],
)
def test_surge_rounds_up_and_unavailable_down(
    surge: Any, unavailable: Any, desired: int, expected: tuple[int, int]
) -> None:
    assert resolve_fenceposts(surge, unavailable, desired) == expected


def test_the_first_pass_makes_the_replica_set_at_full_size() -> None:
    result = plan(deployment(3), [], now=0)
    assert result.create is not None
    name = result.create.metadata.name
    assert result.sizes == {name: 3}
    assert result.events == (f"Scaled up replica set {name} from 0 to 3",)
    assert result.create.metadata.annotations == {REVISION: "1", DESIRED: "3", MAX: "4"}
    assert result.deployment.metadata.annotations == {REVISION: "1"}
    reasons = [condition.reason for condition in result.deployment.status.conditions]
    assert reasons == ["NewReplicaSetCreated", "MinimumReplicasUnavailable"]


def test_equal_templates_share_a_hash_and_different_ones_do_not() -> None:
    one, same, other = (
        plan(deployment(image=image), [], now=0).create for image in ("a", "a", "b")
    )
    assert one is not None
    assert same is not None
    assert other is not None
    assert one.metadata.name == same.metadata.name != other.metadata.name


def test_a_rollout_starts_with_the_surge_and_an_old_pod_goes() -> None:
    result = plan(deployment(4), [rs("old", 4, desired_replicas="4", revision="1")], now=0)
    assert list(result.sizes.values()) == [3, 1]
    assert result.create is not None
    assert result.create.metadata.annotations[REVISION] == "2"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ((4, 4), (1, 0), {"old": 3, "new": 1}),
        ((3, 3), (1, 1), {"old": 3, "new": 2}),
        ((3, 3), (2, 1), {"old": 2, "new": 2}),
        ((3, 3), (2, 0), {"old": 3, "new": 2}),
        ((3, 2), (2, 0), {"old": 3, "new": 2}),
        ((3, 3), (2, 2), {"old": 1, "new": 2}),
        ((0, 0), (4, 4), {"old": 0, "new": 4}),
    ],
)
def test_a_pass_takes_one_step_within_the_fence(
    old: tuple[int, int], new: tuple[int, int], expected: dict[str, int]
) -> None:
    sets = [rs("old", *old, desired_replicas="4"), rs("new", *new, desired_replicas="4")]
    assert plan(deployment(4), sets, now=0).sizes == expected


def test_a_broken_new_replica_set_halts_the_rollout() -> None:
    sets = [rs("old", 3, desired_replicas="4"), rs("new", 2, 0, desired_replicas="4")]
    result = plan(deployment(4), sets, now=0)
    assert result.sizes == {"old": 3, "new": 2}
    assert result.update == tuple(result.update[:1])  # at most its revision is noted


def test_unhealthy_old_pods_go_first() -> None:
    sets = [rs("old", 4, 1, desired_replicas="4"), rs("new", 1, 1, desired_replicas="4")]
    assert plan(deployment(4), sets, now=0).sizes == {"old": 2, "new": 1}


def test_no_old_pod_goes_while_a_replica_set_has_not_seen_its_size() -> None:
    # "old" was scaled to 2 a moment ago and still counts 3 available Pods: one of them is going
    before = replace(rs("old", 2), status=replace(rs("old", 3).status, availableReplicas=3))
    strategy = {"rollingUpdate": {"maxSurge": "100%", "maxUnavailable": 0}}
    sizes = plan(deployment(3, strategy=strategy), [before, rs("new", 3, 2)], now=0).sizes
    assert sizes == {"old": 2, "new": 3}


def test_scaling_in_mid_rollout_is_proportional() -> None:
    spec = {"strategy": {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 1}}}
    sets = [
        rs("old", 3, desired_replicas="4", max_replicas="6"),
        rs("new", 3, 0, desired_replicas="4", max_replicas="6"),
    ]
    assert plan(deployment(8, **spec), sets, now=0).sizes == {"old": 5, "new": 5}


def test_what_cannot_be_shared_evenly_goes_to_the_newest_when_growing() -> None:
    wanted = deployment(3, strategy={"rollingUpdate": {"maxSurge": 1}})
    sets = []
    for name, created in (("old", "2026-01-01T00:00:00Z"), ("b", "2026-01-02T00:00:00Z")):
        one = rs(name, 1, desired_replicas="2", max_replicas="3")
        sets.append(replace(one, metadata=replace(one.metadata, creationTimestamp=created)))
    newest = rs("new", 1, desired_replicas="2", max_replicas="3")
    meta = replace(newest.metadata, creationTimestamp="2026-01-03T00:00:00Z")
    sets.append(replace(newest, metadata=meta))
    assert plan(wanted, sets, now=0).sizes == {"old": 1, "b": 1, "new": 2}


def test_scaling_a_settled_deployment_changes_its_only_replica_set() -> None:
    result = plan(deployment(7), [rs("new", 4, desired_replicas="4")], now=0)
    assert result.sizes == {"new": 7}
    assert result.update[0].metadata.annotations[DESIRED] == "7"


def test_a_paused_deployment_scales_but_does_not_roll() -> None:
    old = rs("old", 4, desired_replicas="4")
    assert plan(deployment(6, paused=True), [old], now=0).sizes == {"old": 6}
    result = plan(deployment(4, paused=True), [old], now=0)
    assert (result.create, result.sizes) == (None, {"old": 4})


def test_recreate_waits_for_the_old_pods_to_be_gone() -> None:
    spec = {"strategy": {"type": "Recreate"}}
    first = plan(deployment(3, **spec), [rs("old", 3, desired_replicas="3")], now=0)
    assert (first.create, first.sizes) == (None, {"old": 0})
    waiting = replace(rs("old", 0), status=rs("old", 2).status)
    assert plan(deployment(3, **spec), [waiting], now=0).create is None
    made = plan(deployment(3, **spec), [rs("old", 0)], now=0).create
    assert made is not None
    assert made.spec.replicas == 3


def test_going_back_gives_an_old_replica_set_the_newest_revision() -> None:
    sets = [rs("new", 0, revision="1"), rs("old", 4, revision="2", desired_replicas="4")]
    result = plan(deployment(4), sets, now=0)
    (back,) = [one for one in result.update if one.metadata.name == "new"]
    assert back.metadata.annotations[REVISION] == "3"
    assert back.metadata.annotations["deployment.kubernetes.io/revision-history"] == "1"
    assert result.deployment.metadata.annotations[REVISION] == "3"


def test_history_beyond_the_limit_is_deleted_oldest_first() -> None:
    done = load(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"generation": 1},
            "status": {
                "replicas": 1,
                "updatedReplicas": 1,
                "availableReplicas": 1,
                "observedGeneration": 1,
            },
        }
    ).status
    wanted = replace(deployment(1, revisionHistoryLimit=1), status=done)
    sets = [rs(f"r{n}", 0, revision=str(n)) for n in (3, 1, 2)]
    result = plan(wanted, [*sets, rs("new", 1, desired_replicas="1", revision="4")], now=0)
    assert [one.metadata.name for one in result.delete] == ["r1", "r2"]


def test_a_rollout_without_progress_for_too_long_is_reported_and_not_rolled_back() -> None:
    first = plan(deployment(4), [rs("old", 4, desired_replicas="4", revision="1")], now=0)
    assert first.create is not None
    stuck = [*first.update, replace(first.create, status=rs("new", 1, 0).status)]
    second = plan(first.deployment, stuck, now=10)
    late = plan(second.deployment, stuck, now=700)
    condition = late.deployment.status.conditions[-1]
    assert (condition.status, condition.reason) == ("False", "ProgressDeadlineExceeded")
    assert condition.message == (
        f'ReplicaSet "{first.create.metadata.name}" has timed out progressing.'
    )
    assert late.sizes == second.sizes


@settings(deadline=None)
@given(
    st.integers(1, 20),
    st.one_of(st.integers(0, 5), st.sampled_from(["10%", "25%", "100%"])),
    st.one_of(st.integers(0, 5), st.sampled_from(["0%", "25%", "100%"])),
    st.data(),
)
def test_a_rollout_ends_and_never_leaves_the_fence(
    replicas: int, surge: Any, unavailable: Any, data: st.DataObject
) -> None:
    strategy = {"rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    wanted = deployment(replicas, strategy=strategy)
    above, below = resolve_fenceposts(surge, unavailable, replicas)
    sets = [rs("old", replicas, desired_replicas=str(replicas), revision="1")]
    for _ in range(200):
        result = plan(wanted, sets, now=0)
        written = {one.metadata.name: one for one in (*sets, *result.update)}
        if result.create is not None:
            written[result.create.metadata.name] = result.create
        sets = []
        for one in written.values():
            size = one.spec.replicas
            ready = min(one.status.availableReplicas, size)
            ready += data.draw(st.integers(0, size - ready)) if size > ready else 0
            status = replace(one.status, replicas=size, availableReplicas=ready)
            sets.append(replace(one, status=status))
        assert sum(one.spec.replicas for one in sets) <= replicas + above
        assert sum(one.status.availableReplicas for one in sets) >= replicas - below
        if sets[0].spec.replicas == 0 and sets[-1].status.availableReplicas == replicas:
            return
        for index, one in enumerate(sets):  # whatever was slow becomes available in the end
            if data.draw(st.booleans()):
                status = replace(one.status, availableReplicas=one.spec.replicas)
                sets[index] = replace(one, status=status)


def test_a_rolling_update_in_a_cluster_replaces_pod_by_pod(lab: Any, web: Any) -> None:
    lab.apply(web(4))
    lab.until(lambda: lab.get("Deployment", "web").status.availableReplicas == 4)
    template = {"spec": {"containers": [{"name": "c", "image": "nginx:1.26"}]}}
    lab.patch("Deployment", "web", {"spec": {"template": template}})
    lab.run(8)
    status = lab.get("Deployment", "web").status
    assert (status.updatedReplicas, status.replicas, status.terminatingReplicas) == (4, 4, 0)
    scaled = [e.partition("set web-")[2][-6:] for e in lab.events("web") if "down" in e]
    assert sorted(scaled) == ["1 to 0", "2 to 1", "3 to 2", "4 to 3"]
    reasons = [condition.reason for condition in status.conditions]
    assert reasons == ["MinimumReplicasAvailable", "NewReplicaSetAvailable"]


def test_a_stuck_rollout_is_noticed_when_the_deadline_passes(lab: Any, web: Any) -> None:
    lab.apply(web(2, image="broken:1", progressDeadlineSeconds=30))
    lab.run(40)
    conditions = {c.type: c for c in lab.get("Deployment", "web").status.conditions}
    assert conditions["Progressing"].reason == "ProgressDeadlineExceeded"


def test_a_taken_name_is_evaded_by_another_hash(lab: Any, web: Any) -> None:
    lab.apply(web(1))
    lab.run(2)
    (first,) = lab.all("ReplicaSet")
    name = first.metadata.name
    lab.request("delete", "Deployment", "web", body=None)
    lab.run(2)
    other = replace(
        first,
        metadata=replace(first.metadata, resourceVersion="", uid="", ownerReferences=(), name=name),
        spec=replace(first.spec, replicas=0),
    )
    spec = replace(first.spec.template.spec, hostname="other")
    other = replace(
        other, spec=replace(other.spec, template=replace(other.spec.template, spec=spec))
    )
    labels = {"app": "web", "pod-template-hash": "foreign"}
    selector = replace(other.spec.selector, matchLabels=labels)
    meta = replace(other.spec.template.metadata, labels=labels)
    other = replace(
        other,
        metadata=replace(other.metadata, labels={}),
        spec=replace(
            other.spec, selector=selector, template=replace(other.spec.template, metadata=meta)
        ),
    )
    lab.request("create", "ReplicaSet", body=other)
    lab.apply(web(1))
    lab.run(3)
    assert lab.get("Deployment", "web").status.collisionCount == 1
    assert lab.get("Deployment", "web").status.availableReplicas == 1
