"""Behaviour 6: probes."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from tests.conformance.lab import (
    apply,
    column,
    condition,
    container,
    endpoints,
    events,
    get,
    main,
    pod,
    ready,
    restarts,
    service,
    sleeper,
)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


def file_probe(path: str, **fields: Any) -> dict[str, Any]:
    return {"exec": {"command": ["cat", path]}, "periodSeconds": 1, **fields}


def test_a_probe_has_defaults(cluster: Cluster) -> None:
    apply(cluster, pod("web", container(livenessProbe={"httpGet": {"port": 80}})))
    probe = main(get(cluster, "web")).livenessProbe
    assert probe is not None
    assert (probe.periodSeconds, probe.timeoutSeconds) == (10, 1)
    assert (probe.successThreshold, probe.failureThreshold) == (1, 3)
    assert not probe.initialDelaySeconds


def test_readiness_failure_never_restarts_but_takes_out_of_the_service(cluster: Cluster) -> None:
    apply(cluster, pod("web", sleeper(readinessProbe=file_probe("/tmp/ok"))), service("web", 80))
    cluster.run(60)
    assert restarts(cluster, "web") == 0
    assert column(cluster, "pod", "web", "READY") == "0/1"
    assert [e.conditions.ready for e in endpoints(cluster, "web")] == [False]
    cluster.kubectl("exec web -- touch /tmp/ok")
    cluster.run(3)
    assert [e.conditions.ready for e in endpoints(cluster, "web")] == [True]


def test_a_pod_becomes_unready_after_three_failures_and_ready_after_one_success(
    cluster: Cluster,
) -> None:
    probe = file_probe("/tmp/ok", periodSeconds=10)
    apply(cluster, pod("web", sleeper(readinessProbe=probe)))
    cluster.run(5)
    cluster.kubectl("exec web -- touch /tmp/ok")
    ready(cluster, "web")
    cluster.kubectl("exec web -- rm /tmp/ok")
    broken = cluster.now
    cluster.run_until(lambda c: condition(get(c, "web"), "Ready").status == "False")
    assert 20 <= cluster.now - broken <= 32
    cluster.kubectl("exec web -- touch /tmp/ok")
    mended = cluster.now
    ready(cluster, "web")
    assert cluster.now - mended <= 12


def test_liveness_failure_restarts_the_container_and_not_the_pod(cluster: Cluster) -> None:
    apply(cluster, pod("web", sleeper(livenessProbe=file_probe("/tmp/ok"))))
    cluster.run_until(lambda c: restarts(c, "web") == 1)
    after = get(cluster, "web")
    assert events(cluster, "web", "Killing") == [
        "Container main failed liveness probe, will be restarted"
    ]
    assert events(cluster, "web", "Unhealthy") == [
        "Liveness probe failed: cat: can't open '/tmp/ok': No such file or directory\n"
    ]
    assert len(cluster.view.list("Pod", "default")) == 1
    assert after.metadata.deletionTimestamp is None


def test_a_startup_probe_blocks_the_other_two(cluster: Cluster) -> None:
    slow = sleeper(
        startupProbe=file_probe("/tmp/up", failureThreshold=60),
        livenessProbe=file_probe("/tmp/never", failureThreshold=1),
        readinessProbe=file_probe("/tmp/up"),
    )
    apply(cluster, pod("web", slow))
    cluster.run(40)
    assert restarts(cluster, "web") == 0
    assert {m.partition(":")[0] for m in events(cluster, "web", "Unhealthy")} == {
        "Startup probe failed"
    }
    cluster.kubectl("exec web -- touch /tmp/up")
    cluster.run_until(lambda c: restarts(c, "web") == 1)


def test_startup_failure_restarts_as_liveness_does(cluster: Cluster) -> None:
    probe = file_probe("/tmp/up", failureThreshold=2)
    apply(cluster, pod("web", sleeper(startupProbe=probe)))
    cluster.run_until(lambda c: restarts(c, "web") == 1)
    assert "Container main failed startup probe, will be restarted" in events(
        cluster, "web", "Killing"
    )


def test_a_probe_of_a_closed_port_says_who_refused(cluster: Cluster) -> None:
    apply(cluster, pod("web", container(readinessProbe={"httpGet": {"port": 81, "path": "/ok"}})))
    cluster.run(20)
    ip = get(cluster, "web").status.podIP
    assert events(cluster, "web", "Unhealthy") == [
        f'Readiness probe failed: Get "http://{ip}:81/ok": dial tcp {ip}:81: connect: '
        "connection refused"
    ]
