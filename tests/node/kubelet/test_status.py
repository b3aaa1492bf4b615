"""Phase and conditions as pure functions."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.core import (
    ContainerState,
    ContainerStateRunning,
    ContainerStateTerminated,
    ContainerStateWaiting,
    ContainerStatus,
    Pod,
    PodCondition,
)
from k8slab.node.kubelet import pod_conditions, pod_phase

WAITING = ContainerState(waiting=ContainerStateWaiting(reason="ContainerCreating"))
RUNNING = ContainerState(running=ContainerStateRunning(startedAt="2026-01-01T00:00:00Z"))
OK = ContainerState(terminated=ContainerStateTerminated(exitCode=0))
FAILED = ContainerState(terminated=ContainerStateTerminated(exitCode=1))
STATES = (WAITING, RUNNING, OK, FAILED)


def pod(policy: str, init: tuple[str, ...] = (), sidecars: tuple[str, ...] = ()) -> Pod:
    inits: list[dict[str, Any]] = [{"name": name} for name in init]
    inits += [{"name": name, "restartPolicy": "Always"} for name in sidecars]
    spec = {
        "restartPolicy": policy,
        "initContainers": inits,
        "containers": [{"name": "a"}, {"name": "b"}],
    }
    loaded = load({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec})
    assert isinstance(loaded, Pod)
    return loaded


def statuses(**states: ContainerState | tuple[ContainerState, ContainerState]) -> Any:
    found = []
    for name, state in states.items():
        now, last = state if isinstance(state, tuple) else (state, ContainerState())
        running = now.running is not None
        found.append(
            ContainerStatus(name=name, state=now, lastState=last, ready=running, started=running)
        )
    return tuple(found)


CRASHING = (ContainerState(waiting=ContainerStateWaiting(reason="CrashLoopBackOff")), FAILED)


@pytest.mark.parametrize(
    ("policy", "a", "b", "phase"),
    [
        ("Always", WAITING, WAITING, "Pending"),
        ("Always", RUNNING, WAITING, "Pending"),
        ("Always", RUNNING, RUNNING, "Running"),
        ("Always", RUNNING, CRASHING, "Running"),
        ("Always", CRASHING, CRASHING, "Running"),
        ("Always", OK, OK, "Running"),
        ("OnFailure", OK, OK, "Succeeded"),
        ("OnFailure", OK, FAILED, "Running"),
        ("Never", OK, FAILED, "Failed"),
        ("Never", OK, OK, "Succeeded"),
        ("Never", RUNNING, FAILED, "Running"),
    ],
)
def test_phase_of_two_containers(policy: str, a: Any, b: Any, phase: str) -> None:
    assert pod_phase(pod(policy).spec, statuses(a=a, b=b), ()) == phase


@pytest.mark.parametrize(
    ("policy", "init", "phase"),
    [
        ("Always", WAITING, "Pending"),
        ("Always", RUNNING, "Pending"),
        ("Always", CRASHING, "Pending"),
        ("OnFailure", FAILED, "Pending"),
        ("Never", FAILED, "Failed"),
    ],
)
def test_a_failing_init_container_fails_the_pod_only_under_never(
    policy: str, init: Any, phase: str
) -> None:
    spec = pod(policy, init=("i",)).spec
    assert pod_phase(spec, statuses(a=WAITING, b=WAITING), statuses(i=init)) == phase


@pytest.mark.parametrize("sidecar", [OK, FAILED, RUNNING, CRASHING])
def test_the_exit_code_of_a_sidecar_does_not_affect_the_phase(sidecar: Any) -> None:
    spec = pod("Never", sidecars=("s",)).spec
    given_ = statuses(a=OK, b=OK)
    expected = "Running" if sidecar is RUNNING else "Succeeded"
    assert pod_phase(spec, given_, statuses(s=sidecar), initialized=True) == expected


def test_a_restarting_sidecar_does_not_make_a_pod_pending_again() -> None:
    spec = pod("Always", sidecars=("s",)).spec
    starting = (ContainerStatus(name="s", state=RUNNING, started=False),)
    regular = statuses(a=RUNNING, b=RUNNING)
    assert pod_phase(spec, regular, starting, initialized=True) == "Running"
    assert pod_phase(spec, regular, starting, initialized=False) == "Pending"


@given(
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.sampled_from(STATES),
    st.sampled_from(STATES),
)
def test_a_pod_that_may_restart_is_never_final(
    policy: str, a: ContainerState, b: ContainerState
) -> None:
    phase = pod_phase(pod(policy).spec, statuses(a=a, b=b), ())
    if policy == "Always" or RUNNING in (a, b):
        assert phase in ("Pending", "Running")
    terminal = pod_phase(pod(policy).spec, statuses(a=a, b=b), (), terminal=True)
    if {a.running, b.running, a.waiting, b.waiting} == {None}:
        assert terminal == ("Failed" if FAILED in (a, b) else "Succeeded")


def by_type(conditions: tuple[PodCondition, ...]) -> dict[str, PodCondition]:
    return {condition.type: condition for condition in conditions}


def test_ready_copies_the_reason_and_message_of_containers_ready() -> None:
    found = by_type(pod_conditions(pod("Always"), statuses(a=RUNNING, b=WAITING), (), "Pending"))
    assert found["Ready"].reason == found["ContainersReady"].reason == "ContainersNotReady"
    assert found["Ready"].message == "containers with unready status: [b]"


def test_readiness_gates_come_after_the_containers() -> None:
    gated = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p"},
            "spec": {"containers": [{"name": "a"}], "readinessGates": [{"conditionType": "x/y"}]},
        }
    )
    assert isinstance(gated, Pod)
    found = by_type(pod_conditions(gated, statuses(a=RUNNING), (), "Running"))
    assert found["ContainersReady"].status == "True"
    assert found["Ready"].reason == "ReadinessGatesNotReady"
    assert found["Ready"].message == (
        'corresponding condition of pod readiness gate "x/y" does not exist.'
    )
    others = (PodCondition(type="x/y", status="True"),)
    done = by_type(pod_conditions(gated, statuses(a=RUNNING), (), "Running", others=others))
    assert done["Ready"].status == "True"


def test_initialized_names_the_init_containers_that_are_not_done() -> None:
    waiting = pod("Always", init=("one", "two"))
    found = by_type(pod_conditions(waiting, (), statuses(one=RUNNING, two=WAITING), "Pending"))
    # a running init container is not ready, whatever its probe-less status says
    assert found["Initialized"].status == "False"
    assert "two" in found["Initialized"].message


def test_a_succeeded_pod_is_initialized_and_not_ready_because_it_completed() -> None:
    found = by_type(pod_conditions(pod("Never"), statuses(a=OK, b=OK), (), "Succeeded"))
    assert found["Initialized"].reason == "PodCompleted"
    assert (found["Ready"].status, found["Ready"].reason) == ("False", "PodCompleted")


@pytest.mark.parametrize(("code", "phase"), [(42, "Running"), (1, "Failed"), (0, "Succeeded")])
def test_a_restart_rule_keeps_a_pod_running_that_never_restarts(code: int, phase: str) -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    container = {"name": "a", "image": "a", "restartPolicy": "Never", "restartPolicyRules": [rule]}
    spec: Any = load(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "spec": {"restartPolicy": "Never", "containers": [container]},
        }
    )
    ended = ContainerState(terminated=ContainerStateTerminated(exitCode=code))
    assert pod_phase(spec.spec, statuses(a=ended), ()) == phase
    assert pod_phase(spec.spec, statuses(a=ended), (), terminal=True) != "Running"
