"""Startup, readiness and liveness probes."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.node.kubelet.prober import ResultRun
from tests.node.kubelet.lab import Lab, container, shell


def http_probe(**fields: Any) -> dict[str, Any]:
    return {"httpGet": {"port": 80}, **fields}


@given(st.lists(st.sampled_from(["success", "failure", "unknown"])), st.integers(1, 4))
def test_a_verdict_needs_a_whole_run_and_unknown_does_not_count(
    answers: list[str], threshold: int
) -> None:
    run = ResultRun(success_threshold=1, failure_threshold=threshold)
    length = 0
    for answer in answers:
        if answer != "unknown":
            length = length + 1 if answer == "failure" else 0
        verdict = run.add(answer)
        assert (verdict == "failure") == (answer == "failure" and length >= threshold)


def test_a_pod_is_not_ready_before_its_readiness_probe_succeeds(lab: Lab) -> None:
    lab.health = 500
    lab.run_pod(container(readinessProbe=http_probe(periodSeconds=5)))
    lab.run(20)
    assert lab.conditions()["Ready"] == "False"
    assert ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 500") in (
        lab.events()
    )
    lab.health = 200
    lab.run(6)
    assert lab.conditions()["Ready"] == "True"


def test_readiness_failure_never_restarts_a_container(lab: Lab) -> None:
    lab.health = 500
    lab.run_pod(container(readinessProbe=http_probe()))
    lab.run(300)
    assert lab.pod().status.containerStatuses[0].restartCount == 0


def test_liveness_failure_restarts_the_container(lab: Lab) -> None:
    lab.run_pod(container(livenessProbe=http_probe()))
    lab.run(30)
    assert lab.pod().status.containerStatuses[0].restartCount == 0
    lab.health = 500
    lab.run(35)
    assert lab.pod().status.containerStatuses[0].restartCount == 1
    messages = [message for _, message in lab.events()]
    assert "Liveness probe failed: HTTP probe failed with statuscode: 500" in messages
    assert "Container web failed liveness probe, will be restarted" in messages


def test_a_startup_probe_blocks_the_other_two(lab: Lab) -> None:
    lab.health = 500
    lab.run_pod(
        container(
            startupProbe=http_probe(failureThreshold=30),
            livenessProbe=http_probe(failureThreshold=1),
            readinessProbe=http_probe(),
        )
    )
    lab.run(60)
    status = lab.pod().status.containerStatuses[0]
    assert (status.started, status.ready, status.restartCount) == (False, False, 0)
    assert {m for r, m in lab.events() if r == "Unhealthy"} == {
        "Startup probe failed: HTTP probe failed with statuscode: 500"
    }
    lab.health = 200
    lab.run(11)
    status = lab.pod().status.containerStatuses[0]
    assert (status.started, status.ready) == (True, True)


def test_startup_failure_restarts_the_container(lab: Lab) -> None:
    lab.health = 500
    lab.run_pod(container(startupProbe=http_probe(periodSeconds=2, failureThreshold=3)))
    lab.run(12)
    assert "Container web failed startup probe, will be restarted" in [
        message for _, message in lab.events()
    ]


@pytest.mark.parametrize(
    ("probe", "message"),
    [
        (
            {"httpGet": {"port": 81, "path": "/x"}},
            'Get "http://10.244.1.2:81/x": dial tcp 10.244.1.2:81: connect: connection refused',
        ),
        ({"tcpSocket": {"port": 81}}, "dial tcp 10.244.1.2:81: connect: connection refused"),
        (
            {"grpc": {"port": 81}},
            'timeout: failed to connect service "10.244.1.2:81" within 1s: '
            "context deadline exceeded",
        ),
    ],
)
def test_what_a_closed_port_looks_like(lab: Lab, probe: dict[str, Any], message: str) -> None:
    lab.run_pod(container(readinessProbe=probe))
    lab.run(10)
    assert ("Unhealthy", f"Readiness probe failed: {message}") in lab.events()


@pytest.mark.parametrize(
    ("script", "service", "message"),
    [
        ("", "db", ""),
        ("", "web", "error: health rpc probe failed: rpc error: code = NotFound desc = "
         "unknown service"),
        ("--delay-unhealthy-sec=0", "db", 'service unhealthy (responded with "NOT_SERVING")'),
    ],
)  # fmt: skip
def test_a_grpc_probe_asks_for_a_service(lab: Lab, script: str, service: str, message: str) -> None:
    args = ["grpc-health-checking", "--service=db", *script.split()]
    image = "registry.k8s.io/e2e-test-images/agnhost:2.53"
    probe = {"grpc": {"port": 5000, "service": service}}
    lab.run_pod(container(image=image, args=args, readinessProbe=probe))
    lab.run(10)
    failed = [m for reason, m in lab.events() if reason == "Unhealthy"]
    assert failed[-1:] == ([f"Readiness probe failed: {message}"] if message else [])
    assert lab.conditions()["Ready"] == str(not message)


def test_a_server_that_takes_the_call_and_says_nothing_is_too_late(lab: Lab) -> None:
    probe = {"grpc": {"port": 90}}
    lab.run_pod(shell("nc -l -p 90 -e sleep 9999", readinessProbe=probe))
    lab.run(10)
    text = "Readiness probe failed: timeout: health rpc did not complete within 1s"
    assert ("Unhealthy", text) in lab.events()


def test_exec_probes_run_in_the_container(lab: Lab) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/healthy"]}, "periodSeconds": 5}
    script = "sleep 20; touch /tmp/healthy; sleep 9999"
    lab.run_pod(shell(script, readinessProbe=probe))
    lab.run(10)
    assert lab.conditions()["Ready"] == "False"
    assert (
        "Unhealthy",
        "Readiness probe failed: cat: can't open '/tmp/healthy': No such file or directory\n",
    ) in lab.events()
    lab.run(20)
    assert lab.conditions()["Ready"] == "True"


def test_a_slow_command_times_out(lab: Lab) -> None:
    probe = {"exec": {"command": ["sleep", "5"]}}
    lab.run_pod(shell("sleep 9999", readinessProbe=probe))
    lab.run(10)
    assert ("Unhealthy", 'Readiness probe failed: command "sleep 5" timed out') in lab.events()


def test_a_named_port_is_looked_up(lab: Lab) -> None:
    lab.run_pod(
        container(
            ports=[{"name": "web", "containerPort": 80}],
            readinessProbe={"httpGet": {"port": "web"}},
        )
    )
    lab.run(5)
    assert lab.conditions()["Ready"] == "True"


def test_the_first_probe_comes_at_once_and_the_others_by_the_period(lab: Lab) -> None:
    lab.run_pod(container(readinessProbe=http_probe(initialDelaySeconds=7)))
    lab.run(10)
    started = lab.runtime.containers()[0].started_at
    ready = [r for r in lab.sim.trace if r.verb == "probe"]
    lab.run(10)
    ready = [r for r in lab.sim.trace if r.verb == "probe"]
    assert started + 7 <= ready[0].time < started + 7.1


def test_a_probe_slower_than_its_period_loses_ticks(lab: Lab) -> None:
    slow = {"exec": {"command": ["sleep", "9"]}, "timeoutSeconds": 3, "periodSeconds": 2}
    lab.run_pod(shell("sleep 9999", readinessProbe=slow))
    lab.run(30)
    times = [r.time for r in lab.sim.trace if r.verb == "event" and "Unhealthy" in r.detail]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert len(gaps) >= 5
    assert gaps == pytest.approx([4.0] * len(gaps), abs=0.1)
