"""What upstream's conformance suite asks of the controllers of workloads."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.apps import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from k8slab.api.batch import Job
from k8slab.api.core import Pod, ReplicationController
from k8slab.api.errors import ApiError
from k8slab.api.meta import controller_of
from k8slab.api.policy import PodDisruptionBudget
from k8slab.client import MERGE_PATCH
from tests.conformance.lab import (
    apply,
    call,
    condition,
    container,
    deployment,
    events,
    get,
    pod,
    pods,
    ready,
    replica_set,
    service,
    shell,
    sleeper,
)
from tests.conformance.test_apps_api import budget, daemon_set, replication_controller

HOSTNAME = container(image="registry.k8s.io/e2e-test-images/agnhost:2.53", args=["serve-hostname"])


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=2, seed=1)


def uids(cluster: Cluster, app: str) -> dict[str, str]:
    return {p.metadata.name: p.metadata.uid for p in pods(cluster, app)}


def images(cluster: Cluster, app: str) -> list[str]:
    return sorted(p.spec.containers[0].image for p in pods(cluster, app))


def owner(obj: Any) -> str:
    found = controller_of(obj)
    return "" if found is None else found.name


def strip_owner(cluster: Cluster, name: str) -> None:
    body = {"metadata": {"ownerReferences": None}}
    call(cluster, "patch", Pod, name=name, body=body, patch_type=MERGE_PATCH)


# -- ReplicaSets and ReplicationControllers


@pytest.mark.parametrize(
    "manifest",
    [
        replica_set("web", 2, HOSTNAME),
        {
            **replication_controller("web", 2),
            "spec": {
                "replicas": 2,
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [HOSTNAME], "terminationGracePeriodSeconds": 1},
                },
            },
        },
    ],
    ids=["ReplicaSet", "ReplicationController"],
)
def test_each_replica_serves_the_image_under_its_own_name(
    cluster: Cluster, manifest: dict[str, Any]
) -> None:
    apply(cluster, manifest, pod("client", sleeper()))
    cluster.run(15)
    ready(cluster, "client")
    found = pods(cluster, "web")
    said = [cluster.request("pod/client", f"http://{p.status.podIP}:9376").body for p in found]
    assert [text.strip() for text in said] == [p.metadata.name for p in found]


def test_a_replication_controller_adopts_and_releases(cluster: Cluster) -> None:
    apply(cluster, pod("web", sleeper()))
    ready(cluster, "web")
    apply(cluster, replication_controller("web"))
    cluster.run(5)
    assert list(uids(cluster, "web")) == ["web"]
    assert owner(get(cluster, "web")) == "web"
    cluster.kubectl("label pod web app=other --overwrite")
    cluster.run(5)
    assert owner(get(cluster, "web")) == ""
    assert len(pods(cluster, "web")) == 1


def test_a_quota_that_is_used_up_shows_as_a_failure_of_the_replication_controller(
    cluster: Cluster,
) -> None:
    cluster.kubectl("create quota few --hard=pods=2")
    cluster.run(2)
    apply(cluster, replication_controller("web", 3))
    cluster.run(5)
    rc = cluster.view.get(ReplicationController, "web")
    failed = condition(rc, "ReplicaFailure")
    assert (failed.reason, len(pods(cluster, "web"))) == ("FailedCreate", 2)
    assert "exceeded quota: few" in failed.message
    cluster.kubectl("scale rc web --replicas=2")
    cluster.run(5)
    rc = cluster.view.get(ReplicationController, "web")
    assert rc is not None
    assert rc.status.conditions == ()


# -- Deployments


def test_a_rolling_update_leaves_one_empty_replica_set_behind(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 2, container(image="nginx:1.26")))
    ready(cluster, "deployment/web")
    cluster.kubectl("set image deployment/web main=nginx:1.27")
    cluster.kubectl("rollout status deployment/web --timeout=60s")
    found = cluster.view.list(ReplicaSet, "default")
    assert sorted((rs.spec.replicas or 0) for rs in found) == [0, 2]
    revisions = [rs.metadata.annotations["deployment.kubernetes.io/revision"] for rs in found]
    assert sorted(revisions) == ["1", "2"]
    assert images(cluster, "web") == ["nginx:1.27"] * 2


def test_old_replica_sets_beyond_the_limit_are_deleted(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 1, container(image="nginx:1.0"), revisionHistoryLimit=0))
    for minor in (1, 2):
        ready(cluster, "deployment/web")
        cluster.kubectl(f"set image deployment/web main=nginx:1.{minor}")
        cluster.kubectl("rollout status deployment/web --timeout=60s")
        cluster.run(3)
    (only,) = cluster.view.list(ReplicaSet, "default")
    assert only.spec.template.spec.containers[0].image == "nginx:1.2"


def test_a_rollout_is_overtaken_by_the_next(cluster: Cluster) -> None:
    slow = {"minReadySeconds": 10, "strategy": {"rollingUpdate": {"maxUnavailable": 0}}}
    apply(cluster, deployment("web", 2, container(image="nginx:1.26"), **slow))
    ready(cluster, "deployment/web")
    cluster.kubectl("set image deployment/web main=nginx:1.27")
    cluster.run(3)
    cluster.kubectl("set image deployment/web main=nginx:1.28")
    cluster.kubectl("rollout status deployment/web --timeout=120s")
    sizes = {
        rs.spec.template.spec.containers[0].image: rs.spec.replicas
        for rs in cluster.view.list(ReplicaSet, "default")
    }
    assert sizes == {"nginx:1.26": 0, "nginx:1.27": 0, "nginx:1.28": 2}


def test_a_paused_deployment_rolls_when_it_is_resumed(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 2, container(image="nginx:1.26")))
    ready(cluster, "deployment/web")
    cluster.kubectl("rollout pause deployment/web")
    cluster.kubectl("set image deployment/web main=nginx:1.27")
    cluster.run(20)
    assert images(cluster, "web") == ["nginx:1.26"] * 2
    paused = condition(cluster.view.get(Deployment, "web"), "Progressing")
    assert (paused.status, paused.reason) == ("Unknown", "DeploymentPaused")
    cluster.kubectl("rollout resume deployment/web")
    cluster.kubectl("rollout status deployment/web --timeout=60s")
    assert images(cluster, "web") == ["nginx:1.27"] * 2


def test_a_pod_is_available_only_after_min_ready_seconds(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 1, minReadySeconds=30))
    cluster.run(20)
    found = cluster.view.get(Deployment, "web")
    assert found is not None
    assert (found.status.readyReplicas, found.status.availableReplicas) == (1, 0)
    cluster.run(20)
    found = cluster.view.get(Deployment, "web")
    assert found is not None
    assert found.status.availableReplicas == 1


# -- DaemonSets


def daemons(cluster: Cluster, **strategy: Any) -> None:
    made = daemon_set("agent")
    if strategy:
        made["spec"]["updateStrategy"] = strategy
    apply(cluster, made)
    cluster.run(8)


def test_a_deleted_daemon_comes_again(cluster: Cluster) -> None:
    daemons(cluster)
    before = uids(cluster, "agent")
    cluster.kubectl(f"delete pod {next(iter(before))} --now")
    cluster.run(8)
    after = uids(cluster, "agent")
    assert (len(before), len(after)) == (2, 2)
    assert len(set(before.values()) & set(after.values())) == 1


def test_a_failed_daemon_is_replaced_and_told_of(cluster: Cluster) -> None:
    daemons(cluster)
    name = next(iter(uids(cluster, "agent")))
    failed = {"status": {"phase": "Failed"}}
    call(
        cluster, "patch", Pod, name=name, subresource="status", body=failed, patch_type=MERGE_PATCH
    )
    cluster.run(8)
    assert name not in uids(cluster, "agent")
    assert len(pods(cluster, "agent")) == 2
    (told,) = events(cluster, "agent", "FailedDaemonPod")
    assert told.startswith(f"Found failed daemon pod default/{name} on node ")


def test_daemons_are_updated_node_by_node(cluster: Cluster) -> None:
    daemons(cluster)
    cluster.kubectl("set image daemonset/agent main=busybox:1.36")
    cluster.run(1)
    assert len(images(cluster, "agent")) >= 1  # one at a time is away
    cluster.kubectl("rollout status daemonset/agent --timeout=60s")
    assert images(cluster, "agent") == ["busybox:1.36"] * 2


def test_daemons_surge_before_the_old_ones_go(cluster: Cluster) -> None:
    rolling = {"maxSurge": 1, "maxUnavailable": 0}
    daemons(cluster, type="RollingUpdate", rollingUpdate=rolling)
    cluster.kubectl("set image daemonset/agent main=busybox:1.36")
    fewest = 2
    for _ in range(60):
        cluster.run(0.5)
        found = cluster.view.get(DaemonSet, "agent")
        assert found is not None
        fewest = min(fewest, found.status.numberAvailable)
    assert fewest == 2
    assert images(cluster, "agent") == ["busybox:1.36"] * 2


def test_a_rollback_leaves_daemons_alone_that_were_never_updated(cluster: Cluster) -> None:
    daemons(cluster)
    before = uids(cluster, "agent")
    cluster.kubectl("set image daemonset/agent main=registry.invalid/no:such")
    cluster.run(10)
    cluster.kubectl("rollout undo daemonset/agent")
    cluster.run(15)
    after = uids(cluster, "agent")
    assert len(set(before.values()) & set(after.values())) == 1
    assert images(cluster, "agent") == ["busybox:1.37"] * 2


def test_revisions_can_be_labelled_deleted_and_are_made_anew(cluster: Cluster) -> None:
    daemons(cluster)
    (first,) = cluster.view.list(ControllerRevision, "default")
    cluster.kubectl(f"label controllerrevision {first.metadata.name} mine=yes")
    cluster.kubectl("set image daemonset/agent main=busybox:1.36")
    cluster.run(20)
    numbers = {
        r.metadata.name: r.revision for r in cluster.view.list(ControllerRevision, "default")
    }
    assert sorted(numbers.values()) == [1, 2]
    cluster.kubectl(f"delete controllerrevision {first.metadata.name}")
    cluster.run(3)
    left = cluster.view.list(ControllerRevision, "default")
    assert [r.revision for r in left] == [2]
    assert {r.metadata.ownerReferences[0].name for r in left} == {"agent"}


# -- StatefulSets


def stateful(replicas: int, *containers: dict[str, Any], **spec: Any) -> dict[str, Any]:
    made = deployment("db", replicas, *(containers or (sleeper(),)))
    made["kind"] = "StatefulSet"
    made["spec"] |= {"serviceName": "db", **spec}
    return made


GATED = container(
    image="busybox:1.37",
    command=["sleep", "86400"],
    readinessProbe={"exec": {"command": ["test", "-f", "/ready"]}, "periodSeconds": 1},
)


def test_scaling_halts_at_a_pod_that_is_not_ready_in_both_directions(cluster: Cluster) -> None:
    apply(cluster, stateful(3, GATED))
    cluster.run(10)
    assert list(uids(cluster, "db")) == ["db-0"]
    for name in ("db-0", "db-1", "db-2"):
        cluster.kubectl(f"exec {name} -- touch /ready")
        cluster.run(6)
    assert list(uids(cluster, "db")) == ["db-0", "db-1", "db-2"]
    cluster.kubectl("exec db-0 -- rm /ready")
    cluster.run(6)
    cluster.kubectl("scale statefulset db --replicas=1")
    cluster.run(10)
    assert len(pods(cluster, "db")) == 3
    cluster.kubectl("exec db-0 -- touch /ready")
    cluster.run(15)
    assert list(uids(cluster, "db")) == ["db-0"]


def test_a_parallel_set_scales_past_pods_that_are_not_ready(cluster: Cluster) -> None:
    apply(cluster, stateful(2, GATED, podManagementPolicy="Parallel"))
    cluster.run(8)
    cluster.kubectl("scale statefulset db --replicas=4")
    cluster.run(8)
    assert len(pods(cluster, "db")) == 4
    cluster.kubectl("scale statefulset db --replicas=0")
    cluster.run(10)
    assert pods(cluster, "db") == []


def test_a_pod_that_failed_is_made_anew_under_its_name(cluster: Cluster) -> None:
    apply(cluster, stateful(1))
    ready_by = uids_after(cluster, 8)
    evicted = {"status": {"phase": "Failed", "reason": "Evicted"}}
    call(
        cluster,
        "patch",
        Pod,
        name="db-0",
        subresource="status",
        body=evicted,
        patch_type=MERGE_PATCH,
    )
    after = uids_after(cluster, 8)
    assert list(after) == ["db-0"]
    assert after["db-0"] != ready_by["db-0"]


def uids_after(cluster: Cluster, seconds: float) -> dict[str, str]:
    cluster.run(seconds)
    return uids(cluster, "db")


def test_a_canary_keeps_the_others_and_a_deleted_pod_keeps_its_revision(cluster: Cluster) -> None:
    partition = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    apply(cluster, stateful(3, updateStrategy=partition))
    cluster.run(12)
    cluster.kubectl("set image statefulset/db main=busybox:1.36")
    cluster.run(12)
    assert images(cluster, "db") == ["busybox:1.36", "busybox:1.37", "busybox:1.37"]
    cluster.kubectl("delete pod db-0 db-2 --now")
    cluster.run(15)
    assert get(cluster, "db-0").spec.containers[0].image == "busybox:1.37"
    assert get(cluster, "db-2").spec.containers[0].image == "busybox:1.36"
    all_of_it = {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}
    call(cluster, "patch", StatefulSet, name="db", body=all_of_it, patch_type=MERGE_PATCH)
    cluster.run(30)
    assert images(cluster, "db") == ["busybox:1.36"] * 3


def test_a_rollback_of_a_set_uses_the_old_revision_again(cluster: Cluster) -> None:
    apply(cluster, stateful(2))
    cluster.run(10)
    first = cluster.view.get(StatefulSet, "db")
    cluster.kubectl("set image statefulset/db main=busybox:1.36")
    cluster.run(20)
    second = cluster.view.get(StatefulSet, "db")
    cluster.kubectl("set image statefulset/db main=busybox:1.37")
    cluster.run(20)
    third = cluster.view.get(StatefulSet, "db")
    assert first is not None
    assert second is not None
    assert third is not None
    assert second.status.currentRevision != first.status.currentRevision
    assert third.status.currentRevision == first.status.currentRevision
    assert third.status.updateRevision == first.status.updateRevision
    assert len(cluster.view.list(ControllerRevision, "default")) == 2


# -- Jobs


def job(script: str, restart: str = "Never", **spec: Any) -> dict[str, Any]:
    labels = {"app": "j"}
    inner = {"spec": {"restartPolicy": restart, "containers": [shell(script)]}}
    inner["metadata"] = {"labels": labels}  # type: ignore[assignment]
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "j"},
        "spec": {**spec, "template": inner},
    }


def ended(cluster: Cluster) -> tuple[str, str]:
    found = cluster.view.get(Job, "j")
    assert found is not None
    last = found.status.conditions[-1]
    return last.type, last.reason


def test_a_job_takes_its_orphan_back_and_lets_go_of_a_stranger(cluster: Cluster) -> None:
    apply(cluster, job("sleep 1000", parallelism=2, completions=2))
    cluster.run(8)
    one, other = uids(cluster, "j")
    strip_owner(cluster, one)
    cluster.run(5)
    assert owner(get(cluster, one)) == "j"
    cluster.kubectl(f"label pod {other} batch.kubernetes.io/job-name- job-name-")
    labels = "batch.kubernetes.io/controller-uid- controller-uid-"
    cluster.kubectl(f"label pod {other} {labels}")
    cluster.run(5)
    assert owner(get(cluster, other)) == ""


def test_tasks_that_fail_once_are_restarted_in_place(cluster: Cluster) -> None:
    script = "if test -f /data/seen; then exit 0; fi; touch /data/seen; exit 1"
    made = job(script, restart="OnFailure", completions=2, parallelism=2)
    inner = made["spec"]["template"]["spec"]
    inner["volumes"] = [{"name": "data", "emptyDir": {}}]
    inner["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    apply(cluster, made)
    cluster.run(40)
    assert ended(cluster) == ("Complete", "CompletionsReached")
    counts = [p.status.containerStatuses[0].restartCount for p in pods(cluster, "j")]
    assert counts == [1, 1]


def test_an_exit_code_fails_the_whole_job_at_once(cluster: Cluster) -> None:
    rule = {
        "action": "FailJob",
        "onExitCodes": {"containerName": "main", "operator": "In", "values": [3]},
    }
    policy = {"rules": [rule]}
    apply(cluster, job("exit 3", podFailurePolicy=policy, backoffLimit=6))
    cluster.run(20)
    assert ended(cluster) == ("Failed", "PodFailurePolicy")
    assert len(pods(cluster, "j")) == 1


def test_a_failure_by_eviction_is_ignored(cluster: Cluster) -> None:
    rules = [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": {"operator": "NotIn", "values": [0]}},
    ]
    made = job(
        "sleep 20", backoffLimit=0, completionMode="Indexed", completions=2, parallelism=2,
        podFailurePolicy={"rules": rules},
    )  # fmt: skip
    apply(cluster, made)
    cluster.run(8)
    first = next(iter(uids(cluster, "j")))
    cluster.sim.complete(evict(cluster, first), "evict", timeout=60)
    cluster.run(90)
    assert ended(cluster) == ("Complete", "CompletionsReached")


def evict(cluster: Cluster, name: str) -> Any:
    from tests.conformance.lab import client

    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name}}
    return client(cluster).call(
        "create", Pod, namespace="default", name=name, subresource="eviction", body=body
    )


def test_deleting_a_job_ends_its_pods(cluster: Cluster) -> None:
    apply(cluster, job("sleep 1000", parallelism=2, completions=2))
    cluster.run(8)
    found = cluster.view.get(Job, "j")
    assert found is not None
    assert found.status.active == 2
    cluster.kubectl("delete job j")
    cluster.run(40)
    assert pods(cluster, "j") == []


def test_another_controllers_job_is_left_alone(cluster: Cluster) -> None:
    apply(cluster, job("true", managedBy="example.com/other"))
    cluster.run(10)
    found = cluster.view.get(Job, "j")
    assert found is not None
    assert (pods(cluster, "j"), found.status.startTime) == ([], None)


# -- CronJobs


def cron(script: str, **spec: Any) -> dict[str, Any]:
    inner = {"spec": {"restartPolicy": "Never", "containers": [shell(script)]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": "tick"},
        "spec": {"schedule": "* * * * *", "jobTemplate": {"spec": {"template": inner}}, **spec},
    }


@pytest.mark.parametrize(
    ("policy", "jobs", "active"), [("Allow", 3, 3), ("Forbid", 1, 1), ("Replace", 1, 1)]
)
def test_what_becomes_of_jobs_that_overlap(
    cluster: Cluster, policy: str, jobs: int, active: int
) -> None:
    apply(cluster, cron("sleep 1000", concurrencyPolicy=policy))
    cluster.run(190)
    found = cluster.view.list(Job, "default")
    assert len(found) == jobs
    cluster.run(5)
    from k8slab.api.batch import CronJob

    tick = cluster.view.get(CronJob, "tick")
    assert tick is not None
    assert len(tick.status.active) == active
    if policy == "Replace":
        assert found[0].metadata.creationTimestamp == tick.status.lastScheduleTime


def test_a_suspended_cron_job_starts_nothing(cluster: Cluster) -> None:
    apply(cluster, cron("true", suspend=True))
    cluster.run(190)
    assert cluster.view.list(Job, "default") == []


# -- budgets


def allowed(cluster: Cluster) -> int:
    found = cluster.view.get(PodDisruptionBudget, "web")
    assert found is not None
    return found.status.disruptionsAllowed


def test_a_budget_blocks_an_eviction_until_it_is_changed(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 1), budget("web"))
    ready(cluster, "deployment/web")
    cluster.run(3)
    name = next(iter(uids(cluster, "web")))
    with pytest.raises(ApiError, match="Cannot evict pod as it would violate") as refused:
        cluster.sim.complete(evict(cluster, name), "evict", timeout=60)
    assert (refused.value.code, allowed(cluster)) == (429, 0)
    none = {"spec": {"minAvailable": 0}}
    call(cluster, "patch", PodDisruptionBudget, name="web", body=none, patch_type=MERGE_PATCH)
    cluster.run(3)
    assert allowed(cluster) == 1
    cluster.sim.complete(evict(cluster, name), "evict", timeout=60)
    cluster.run(10)
    assert name not in uids(cluster, "web")


def test_a_budget_follows_what_is_healthy(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 3), budget("web"), service("web", 80))
    ready(cluster, "deployment/web")
    cluster.run(3)
    assert allowed(cluster) == 2
    cluster.kubectl("scale deployment web --replicas=1")
    cluster.run(10)
    assert allowed(cluster) == 0
