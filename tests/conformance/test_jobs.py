"""Jobs as a user sees them: completions, failures, indexes, deadlines."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.batch import Job
from k8slab.api.core import Pod
from tests.conformance.lab import apply, column, exists, shell


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=2, seed=1)


def job(name: str, script: str, *, restart: str = "Never", **spec: Any) -> dict[str, Any]:
    template = {"spec": {"restartPolicy": restart, "containers": [shell(script)]}}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {**spec, "template": template},
    }


def reasons(cluster: Cluster, name: str) -> list[str]:
    found = cluster.view.get(Job, name)
    assert found is not None
    return [f"{c.type}: {c.reason}" for c in found.status.conditions if c.status == "True"]


def made(cluster: Cluster, name: str) -> list[Pod]:
    return list(cluster.view.list(Pod, "default", labels=f"job-name={name}"))


def test_a_job_runs_until_enough_pods_have_succeeded(cluster: Cluster) -> None:
    apply(cluster, job("pi", "sleep 1; echo 3.14", completions=3, parallelism=2))
    cluster.run(30)
    assert column(cluster, "job", "pi", "COMPLETIONS") == "3/3"
    assert reasons(cluster, "pi")[-1] == "Complete: CompletionsReached"


def test_a_failed_pod_is_tried_again_later_each_time(cluster: Cluster) -> None:
    apply(cluster, job("bad", "exit 1", backoffLimit=2))
    cluster.run(60)
    times = sorted(pod.metadata.creationTimestamp or "" for pod in made(cluster, "bad"))
    assert reasons(cluster, "bad")[-1] == "Failed: BackoffLimitExceeded"
    seconds = [int(time[-3:-1]) + 60 * int(time[-6:-4]) for time in times]
    assert 10 <= seconds[1] - seconds[0] <= 13
    assert 20 <= seconds[2] - seconds[1] <= 23


def test_restarts_within_a_pod_count_as_well(cluster: Cluster) -> None:
    apply(cluster, job("bad", "exit 1", restart="OnFailure", backoffLimit=2))
    cluster.run(60)
    assert reasons(cluster, "bad")[-1] == "Failed: BackoffLimitExceeded"


def test_each_pod_of_an_indexed_job_knows_its_number(cluster: Cluster) -> None:
    apply(
        cluster,
        job("idx", "echo $JOB_COMPLETION_INDEX", completions=3, completionMode="Indexed"),
    )
    cluster.run(30)
    logs = sorted(cluster.kubectl(f"logs {p.metadata.name}") for p in made(cluster, "idx"))
    assert [log.strip() for log in logs] == ["0", "1", "2"]
    assert all(p.metadata.name.startswith(f"{p.spec.hostname}-") for p in made(cluster, "idx"))


def test_a_job_past_its_deadline_is_stopped(cluster: Cluster) -> None:
    apply(cluster, job("long", "trap exit TERM; sleep 1000 & wait", activeDeadlineSeconds=5))
    cluster.run(50)
    assert reasons(cluster, "long") == [
        "FailureTarget: DeadlineExceeded",
        "Failed: DeadlineExceeded",
    ]


def test_a_job_with_a_time_to_live_goes_with_its_pods(cluster: Cluster) -> None:
    apply(cluster, job("short", "true", ttlSecondsAfterFinished=5))
    cluster.run(30)
    assert (exists(cluster, "short", Job), made(cluster, "short")) == (False, [])


def test_kubectl_waits_for_a_job(cluster: Cluster) -> None:
    apply(cluster, job("pi", "sleep 3"))
    said = cluster.kubectl("wait --for=condition=complete job/pi --timeout=60s")
    assert said.strip() == "job.batch/pi condition met"
