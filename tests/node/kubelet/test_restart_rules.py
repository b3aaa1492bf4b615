"""What a container's exit code leads to: nothing, its restart, or that of all containers."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.core import Container, PodSpec
from k8slab.api.pods import container_should_restart
from tests.node.kubelet.lab import Lab, shell


def rule(action: str, *codes: int, operator: str = "In") -> dict[str, Any]:
    return {"action": action, "exitCodes": {"operator": operator, "values": list(codes)}}


@pytest.mark.parametrize(
    ("policy", "own", "rules", "code", "again"),
    [
        ("Never", None, [rule("Restart", 42)], 42, True),
        ("Never", None, [rule("Restart", 42)], 1, False),
        ("Never", None, [rule("Restart", 42, operator="NotIn")], 1, True),
        ("Always", "Never", [], 1, False),
        ("Never", "OnFailure", [], 1, True),
        ("Never", "OnFailure", [], 0, False),
        ("Never", "Never", [rule("RestartAllContainers", 88)], 88, True),
    ],
)
def test_rules_come_before_the_containers_policy_and_that_before_the_pods(
    policy: str, own: str | None, rules: list[dict[str, Any]], code: int, again: bool
) -> None:
    import msgspec

    container = msgspec.convert({"name": "c", "restartPolicyRules": rules}, Container)
    container = msgspec.structs.replace(container, restartPolicy=own)
    assert container_should_restart(container, PodSpec(restartPolicy=policy), code) == again


# -- all of the Pod's containers begin again

TRIGGER = {"restartPolicy": "Never", "restartPolicyRules": [rule("RestartAllContainers", 88)]}
ONCE = "if [ -f /shared/again ]; then sleep 3600; fi; touch /shared/again; sleep 5; exit 88"
SHARED = {"volumeMounts": [{"name": "shared", "mountPath": "/shared"}]}


def start(lab: Lab, *others: dict[str, Any], **spec: Any) -> None:
    trigger = shell(ONCE, "trigger", **TRIGGER, **SHARED)
    volumes = [{"name": "shared", "emptyDir": {}}]
    init = [shell("echo ready", "init", **SHARED)]
    spec = {"terminationGracePeriodSeconds": 1, **spec}
    lab.run_pod(trigger, *others, initContainers=init, volumes=volumes, **spec)


def restarting(lab: Lab) -> str:
    return lab.conditions().get("AllContainersRestarting", "")


def test_all_containers_begin_again_init_containers_first(lab: Lab) -> None:
    start(lab, shell("sleep 3600", "other"), restartPolicy="Never")
    lab.run(8)
    before = lab.pod().status
    lab.run(40)
    after = lab.pod().status
    assert [s.restartCount for s in before.containerStatuses] == [0, 0]
    assert [s.restartCount for s in after.containerStatuses] == [1, 1]
    assert [s.restartCount for s in after.initContainerStatuses] == [1]
    assert (after.phase, after.podIP) == ("Running", before.podIP)


def test_a_condition_says_so_meanwhile(lab: Lab) -> None:
    stubborn = shell("trap '' TERM; while true; do sleep 1; done", "stubborn")
    start(lab, stubborn, terminationGracePeriodSeconds=10)
    lab.run(6)
    assert restarting(lab) == "False"
    lab.run(6)
    assert restarting(lab) == "True"
    lab.run(20)
    assert restarting(lab) == "False"
    assert lab.pod().status.phase == "Running"


def test_pre_stop_hooks_are_not_run(lab: Lab) -> None:
    hook = {"preStop": {"exec": {"command": ["touch", "/shared/hook"]}}}
    start(lab, shell("sleep 3600", "other", lifecycle=hook, **SHARED))
    lab.run(40)
    uid = lab.pod().metadata.uid
    folder = lab.machine.disk.read(f"var/lib/kubelet/pods/{uid}/volumes/shared")
    assert list(folder.files) == ["again"]
    assert lab.pod().status.containerStatuses[1].restartCount == 1


def test_a_new_kubelet_goes_on_with_it(lab: Lab) -> None:
    stubborn = shell("trap '' TERM; while true; do sleep 1; done", "stubborn")
    start(lab, stubborn, terminationGracePeriodSeconds=10)
    lab.run(12)
    assert restarting(lab) == "True"
    lab.stop_kubelet()
    trigger = next(c for c in lab.runtime.containers() if c.config.name == "trigger")
    lab.do(lab.runtime.remove_container(trigger.id))  # what began it is not to be seen any more
    lab.start_kubelet()
    lab.run(40)
    assert [s.restartCount for s in lab.pod().status.containerStatuses] == [1, 1]


def test_an_ephemeral_container_ends_with_it_and_stays_so(lab: Lab) -> None:
    start(lab)
    lab.run(4)
    lab.change("ephemeralcontainers", ephemeralContainers=[shell("sleep 999", "look")])
    lab.run(40)
    (look,) = lab.pod().status.ephemeralContainerStatuses
    assert look.state.terminated is not None
    assert lab.pod().status.containerStatuses[0].restartCount == 1


def test_what_the_last_run_said_is_kept(lab: Lab) -> None:
    start(lab)
    lab.run(60)
    (status,) = lab.pod().status.containerStatuses
    assert status.lastState.terminated is not None
    assert status.lastState.terminated.exitCode == 88


def test_a_pod_without_such_a_rule_has_no_such_condition(lab: Lab) -> None:
    lab.run_pod(shell("sleep 3600"))
    lab.run(5)
    assert restarting(lab) == ""
