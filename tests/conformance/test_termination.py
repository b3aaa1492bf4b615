"""Behaviours 7 and 8: how Pods end, and what their clients see."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.meta import seconds
from tests.conformance.lab import (
    STUBBORN,
    apply,
    condition,
    container,
    deployment,
    endpoints,
    events,
    every,
    exists,
    get,
    pod,
    pods,
    ready,
    service,
    shell,
    sleeper,
)

BUSY = "while true; do sleep 1; done"


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


def delete(cluster: Cluster, name: str, flags: str = "") -> float:
    """Ask for the deletion and return when."""
    cluster.kubectl(f"delete pod {name} --wait=false {flags}")
    return cluster.now


def gone(cluster: Cluster, name: str) -> float:
    return cluster.run_until(f"pod/{name} deleted")


def test_a_deletion_is_a_mark_with_a_deadline(cluster: Cluster) -> None:
    apply(cluster, pod("web", shell(STUBBORN), terminationGracePeriodSeconds=None))
    ready(cluster, "web")
    asked = delete(cluster, "web")
    marked = get(cluster, "web").metadata
    assert marked.deletionGracePeriodSeconds == 30
    assert seconds(marked.deletionTimestamp) == pytest.approx(asked + 30, abs=1)
    assert cluster.kubectl("get pods").splitlines()[1].split()[2] == "Terminating"
    assert get(cluster, "web").status.phase == "Running"
    assert 30 <= gone(cluster, "web") - asked <= 33


def test_sigterm_ends_a_container_that_listens_to_it_at_once(cluster: Cluster) -> None:
    apply(cluster, pod("web", container(), terminationGracePeriodSeconds=30))
    ready(cluster, "web")
    asked = delete(cluster, "web")
    assert gone(cluster, "web") - asked < 3


def test_sigterm_comes_after_pre_stop_which_eats_the_grace_period(cluster: Cluster) -> None:
    hook = {"preStop": {"sleep": {"seconds": 5}}}
    apply(
        cluster,
        pod(
            "web",
            shell(f"trap 'echo term; sleep 20' TERM; {BUSY}", lifecycle=hook),
            terminationGracePeriodSeconds=10,
        ),
    )
    ready(cluster, "web")
    asked = delete(cluster, "web")
    cluster.run(4)
    assert cluster.kubectl("logs web") == ""
    cluster.run(3)
    assert cluster.kubectl("logs web") == "term\n"
    assert gone(cluster, "web") - asked == pytest.approx(10, abs=2)


def test_at_least_two_seconds_remain_before_sigkill(cluster: Cluster) -> None:
    hook = {"preStop": {"sleep": {"seconds": 10}}}
    apply(cluster, pod("web", shell(STUBBORN, lifecycle=hook), terminationGracePeriodSeconds=10))
    ready(cluster, "web")
    asked = delete(cluster, "web")
    assert 11.5 <= gone(cluster, "web") - asked <= 14


def test_while_deleting_liveness_stops_and_readiness_goes_on(cluster: Cluster) -> None:
    probe: dict[str, Any] = {
        "exec": {"command": ["cat", "/tmp/ok"]},
        "periodSeconds": 1,
        "failureThreshold": 1,
    }
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "rm /tmp/ok; sleep 15"]}}}
    script = f"touch /tmp/ok; {BUSY}"
    server = shell(script, livenessProbe=probe, readinessProbe=probe, lifecycle=hook)
    apply(cluster, pod("web", server, terminationGracePeriodSeconds=20))
    ready(cluster, "web")
    cluster.run(3)
    delete(cluster, "web")
    cluster.run(8)
    assert condition(get(cluster, "web"), "Ready").status == "False"
    kinds = {message.partition(" ")[0] for message in events(cluster, "web", "Unhealthy")}
    assert kinds == {"Readiness"}


def test_the_object_goes_only_when_the_containers_are_gone(cluster: Cluster) -> None:
    apply(cluster, pod("web", shell(STUBBORN), terminationGracePeriodSeconds=5))
    ready(cluster, "web")
    delete(cluster, "web")
    seen = []
    for _ in every(cluster, 0.25, 10):
        running = " main " in cluster.node("worker-1").shell("crictl ps")
        seen.append((running, exists(cluster, "web")))
    assert (True, True) in seen
    assert (True, False) not in seen
    assert seen[-1] == (False, False)


def test_a_forced_deletion_removes_the_object_before_its_containers(cluster: Cluster) -> None:
    apply(cluster, pod("web", shell(STUBBORN), terminationGracePeriodSeconds=300))
    ready(cluster, "web")
    delete(cluster, "web", "--grace-period=0 --force")
    assert not exists(cluster, "web")
    assert " main " in cluster.node("worker-1").shell("crictl ps")
    cluster.run(10)
    assert " main " not in cluster.node("worker-1").shell("crictl ps")


def test_the_kubelet_moves_a_deleted_pod_to_a_final_phase_first(cluster: Cluster) -> None:
    apply(
        cluster, pod("web", shell(f"trap 'exit 0' TERM; {BUSY}"), finalizers=["example.com/hold"])
    )
    ready(cluster, "web")
    delete(cluster, "web")
    cluster.run(10)
    assert get(cluster, "web").status.phase == "Succeeded"
    cluster.kubectl("""patch pod web -p '{"metadata":{"finalizers":null}}'""")
    assert not exists(cluster, "web")


# -- 8: endpoints and SIGTERM race


def test_a_terminating_pod_leaves_its_service_at_once(cluster: Cluster) -> None:
    hook = {"preStop": {"sleep": {"seconds": 20}}}
    server = pod("web", container(lifecycle=hook), terminationGracePeriodSeconds=30)
    apply(cluster, server, service("web", 80))
    ready(cluster, "web")
    cluster.run(3)
    delete(cluster, "web")
    cluster.run(1)
    [endpoint] = endpoints(cluster, "web")
    found = endpoint.conditions
    assert (found.ready, found.serving, found.terminating) == (False, True, True)


def lost(hook: dict[str, Any] | None) -> int:
    """Return how many requests of a client fail while a rollout replaces a server."""
    cluster = Cluster(workers=2, seed=3)
    server = container(**({"lifecycle": hook} if hook else {}))
    web = deployment("web", 2, server, pod={"terminationGracePeriodSeconds": 30})
    apply(cluster, web, service("web", 80), pod("client", sleeper()))
    ready(cluster, "deployment/web", "client")
    cluster.run(3)
    victim = pods(cluster, "web")[0].metadata.name
    delete(cluster, victim)
    address = f"http://{cluster.view.get('Service', 'web').spec.clusterIP}"  # type: ignore[union-attr]
    failed = 0
    for _ in range(60):
        failed += not cluster.request("pod/client", address, timeout=0.5).ok
        cluster.run(0.02)
    return failed


def test_without_a_pre_stop_sleep_requests_are_lost_and_with_one_none() -> None:
    assert lost(None) > 0
    assert lost({"preStop": {"sleep": {"seconds": 5}}}) == 0
