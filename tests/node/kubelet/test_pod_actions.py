"""What one pass over a Pod decides."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from k8slab.api import load
from k8slab.api.core import Pod
from k8slab.node.interfaces import (
    EXITED,
    RUNNING,
    SANDBOX_NOTREADY,
    SANDBOX_READY,
    ContainerConfig,
    ContainerStatus,
    PodSandboxConfig,
    PodSandboxStatus,
)
from k8slab.node.kubelet.container import PodRuntimeStatus
from k8slab.node.kubelet.kuberuntime_manager import (
    PodActions,
    ProbeVerdicts,
    compute_pod_actions,
)
from k8slab.node.kubelet.kuberuntime_termination import before_sidecar

RUNS, OK, FAILED = (RUNNING, 0), (EXITED, 0), (EXITED, 1)


def pod(policy: str = "Always", **spec: Any) -> Pod:
    body = {"restartPolicy": policy, "containers": [{"name": "a"}, {"name": "b"}], **spec}
    loaded = load({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": body})
    assert isinstance(loaded, Pod)
    return loaded


def runtime(*, ready: bool = True, attempt: int = 0, **containers: Any) -> PodRuntimeStatus:
    sandbox = PodSandboxStatus(
        id="s",
        config=PodSandboxConfig(name="p", namespace="default", uid="u", attempt=attempt),
        state=SANDBOX_READY if ready else SANDBOX_NOTREADY,
        created_at=0.0,
        ips=("10.244.1.2",),
    )
    found = [
        ContainerStatus(
            id=f"id-{name}",
            sandbox_id="s",
            config=ContainerConfig(name=name, image=""),
            state=state,
            created_at=1.0,
            started_at=1.0,
            exit_code=code,
        )
        for name, (state, code) in containers.items()
    ]
    return PodRuntimeStatus((sandbox,), tuple(reversed(found)))


def started(actions: PodActions) -> list[str]:
    to_start = (*actions.init_containers_to_start, *actions.containers_to_start)
    return [container.name for container in to_start]


LOOKING = {"ephemeralContainers": [{"name": "look", "targetContainerName": "a"}]}


@pytest.mark.parametrize(
    ("found", "started"),
    [({}, ["look"]), ({"look": RUNS}, []), ({"look": OK}, []), ({"look": FAILED}, [])],
)
def test_an_ephemeral_container_is_started_once(found: Any, started: list[str]) -> None:
    actions = compute_pod_actions(pod(**LOOKING), runtime(a=RUNS, b=RUNS, **found))
    assert [c.name for c in actions.ephemeral_containers_to_start] == started
    assert not actions.kill_pod


def test_an_ephemeral_container_keeps_no_pod_alive() -> None:
    actions = compute_pod_actions(pod("Never", **LOOKING), runtime(a=OK, b=OK, look=RUNS))
    assert actions.kill_pod


def test_an_ephemeral_container_does_not_wait_for_init_containers() -> None:
    broken = pod(initContainers=[{"name": "init"}], **LOOKING)
    actions = compute_pod_actions(broken, runtime(init=RUNS))
    assert [c.name for c in actions.ephemeral_containers_to_start] == ["look"]


def test_a_new_pod_needs_a_sandbox_and_all_containers_at_once() -> None:
    actions = compute_pod_actions(pod(), PodRuntimeStatus())
    assert (actions.create_sandbox, actions.attempt, started(actions)) == (True, 0, ["a", "b"])


def test_a_new_pod_with_init_containers_starts_only_the_first() -> None:
    actions = compute_pod_actions(
        pod(initContainers=[{"name": "i"}, {"name": "j"}]), PodRuntimeStatus()
    )
    assert started(actions) == ["i"]


def test_a_lost_sandbox_begins_everything_anew_unless_never() -> None:
    gone = runtime(ready=False, a=FAILED, b=FAILED)
    actions = compute_pod_actions(pod(), gone)
    assert (actions.create_sandbox, actions.attempt, started(actions)) == (True, 1, ["a", "b"])
    assert not compute_pod_actions(pod("Never"), gone).create_sandbox


def test_under_on_failure_a_success_outlives_the_sandbox() -> None:
    gone = runtime(ready=False, a=OK, b=FAILED)
    assert started(compute_pod_actions(pod("OnFailure"), gone)) == ["b"]


@pytest.mark.parametrize(
    ("policy", "a", "expected"),
    [
        ("Always", OK, ["a"]),
        ("Always", FAILED, ["a"]),
        ("OnFailure", OK, []),
        ("OnFailure", FAILED, ["a"]),
        ("Never", FAILED, []),
        ("Always", RUNS, []),
    ],
)
def test_the_restart_policy_decides_what_starts_again(
    policy: str, a: Any, expected: list[str]
) -> None:
    actions = compute_pod_actions(pod(policy), runtime(a=a, b=RUNS))
    assert (started(actions), actions.kill_pod) == (expected, False)


def test_a_pod_of_which_nothing_will_run_is_taken_down() -> None:
    assert compute_pod_actions(pod("Never"), runtime(a=OK, b=FAILED)).kill_pod


@pytest.mark.parametrize(("first", "expected"), [(RUNS, []), (OK, ["j"]), (FAILED, ["i"])])
def test_init_containers_follow_one_another(first: Any, expected: list[str]) -> None:
    inits = [{"name": "i"}, {"name": "j"}]
    assert started(compute_pod_actions(pod(initContainers=inits), runtime(i=first))) == expected


def test_a_failed_init_container_under_never_ends_the_pod() -> None:
    inits = [{"name": "i"}]
    assert compute_pod_actions(pod("Never", initContainers=inits), runtime(i=FAILED)).kill_pod


SIDECAR = [{"name": "s", "restartPolicy": "Always"}, {"name": "i"}]


def test_the_next_one_waits_until_the_sidecar_has_started() -> None:
    probed = [SIDECAR[0] | {"startupProbe": {"tcpSocket": {"port": 1}}}, SIDECAR[1]]
    now = runtime(s=RUNS)
    starting = ProbeVerdicts(starting=("id-s",))
    assert started(compute_pod_actions(pod(initContainers=probed), now, starting)) == []
    assert started(compute_pod_actions(pod(initContainers=probed), now)) == ["i"]


def test_a_crashed_sidecar_comes_back_while_later_init_containers_go_on() -> None:
    actions = compute_pod_actions(pod(initContainers=SIDECAR), runtime(s=FAILED, i=RUNS))
    assert started(actions) == ["s"]


def test_a_crashed_sidecar_comes_back_beside_the_running_containers() -> None:
    now = runtime(s=FAILED, i=OK, a=RUNS, b=RUNS)
    actions = compute_pod_actions(pod(initContainers=SIDECAR), now)
    assert (started(actions), actions.kill_pod) == (["s"], False)


def test_a_sidecar_does_not_keep_a_finished_pod_alive() -> None:
    now = runtime(s=RUNS, i=OK, a=OK, b=OK)
    assert compute_pod_actions(pod("Never", initContainers=SIDECAR), now).kill_pod


def test_a_failed_probe_kills_and_restarts() -> None:
    verdicts = ProbeVerdicts(failed={"id-a": "liveness"})
    actions = compute_pod_actions(pod(), runtime(a=RUNS, b=RUNS), verdicts)
    assert [kill.message for kill in actions.containers_to_kill] == [
        "Container a failed liveness probe, will be restarted"
    ]
    assert started(actions) == ["a"]


def test_under_never_a_failed_probe_only_kills() -> None:
    verdicts = ProbeVerdicts(failed={"id-a": "liveness"})
    actions = compute_pod_actions(pod("Never"), runtime(a=RUNS, b=RUNS), verdicts)
    assert actions.containers_to_kill[0].message == "Container a failed liveness probe"
    assert started(actions) == []


def test_restart_rules_can_restart_a_container_that_its_policy_would_not() -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    container = {"name": "a", "restartPolicy": "Never", "restartPolicyRules": [rule]}
    subject = pod("Never", containers=[container, {"name": "b"}])
    assert started(compute_pod_actions(subject, runtime(a=(EXITED, 42), b=RUNS))) == ["a"]
    assert started(compute_pod_actions(subject, runtime(a=(EXITED, 1), b=RUNS))) == []


@given(
    st.sampled_from(["Always", "OnFailure", "Never"]),
    st.sampled_from([RUNS, OK, FAILED]),
    st.sampled_from([RUNS, OK, FAILED]),
)
def test_a_pass_never_starts_what_runs_and_never_kills_and_keeps(
    policy: str, a: Any, b: Any
) -> None:
    actions = compute_pod_actions(pod(policy), runtime(a=a, b=b))
    assert "a" not in started(actions) or a is not RUNS
    assert not (actions.kill_pod and (started(actions) or RUNS in (a, b)))


def test_sidecars_wait_for_the_regular_containers_and_the_later_sidecars() -> None:
    inits = [{"name": name, "restartPolicy": "Always"} for name in ("one", "two")]
    subject = pod(initContainers=inits)
    running = dict.fromkeys(["a", "b", "one", "two"])
    assert before_sidecar(subject, "a", running) == []
    assert before_sidecar(subject, "two", running) == ["a", "b"]
    assert before_sidecar(subject, "one", running) == ["a", "b", "two"]
