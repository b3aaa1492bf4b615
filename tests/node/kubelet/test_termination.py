"""How Pods end: hooks, signals, grace periods, and when the object disappears."""

from __future__ import annotations

from tests.node.kubelet.lab import Lab, container, shell

STUBBORN = "trap '' TERM; while true; do sleep 1; done"


def test_the_object_goes_only_after_the_containers(lab: Lab) -> None:
    lab.run_pod(shell("trap 'sleep 5; exit 0' TERM; while true; do sleep 1; done"))
    lab.run(5)
    lab.delete()
    lab.run(3)
    assert lab.exists()
    assert lab.pod().metadata.deletionTimestamp is not None
    lab.run(10)
    assert not lab.exists()
    assert lab.runtime.sandboxes() == []


def test_a_stubborn_container_is_killed_at_the_end_of_the_grace_period(lab: Lab) -> None:
    lab.run_pod(shell(STUBBORN), terminationGracePeriodSeconds=10)
    lab.run(5)
    lab.delete()
    asked = lab.sim.now
    while lab.exists():
        lab.run(0.5)
    assert 10 <= lab.sim.now - asked <= 12


def test_pre_stop_eats_the_grace_period_and_at_least_two_seconds_remain(lab: Lab) -> None:
    hook = {"preStop": {"sleep": {"seconds": 9}}}
    lab.run_pod(shell(STUBBORN, lifecycle=hook), terminationGracePeriodSeconds=10)
    lab.run(5)
    lab.delete()
    asked = lab.sim.now
    while lab.exists():
        lab.run(0.25)
    assert 11 <= lab.sim.now - asked <= 12.5


def test_sigterm_comes_only_after_pre_stop(lab: Lab) -> None:
    hook = {"preStop": {"exec": {"command": ["sh", "-c", "echo hook >> /tmp/log; sleep 4"]}}}
    lab.run_pod(
        shell("trap 'echo term; exit 0' TERM; while true; do sleep 1; done", lifecycle=hook)
    )
    lab.run(5)
    id_ = lab.runtime.containers()[0].id
    lab.delete()
    lab.run(3)
    assert lab.runtime.log(id_) == []
    assert lab.exists()
    lab.run(4)
    assert not lab.exists()


def test_readiness_goes_on_while_a_pod_ends_and_liveness_does_not(lab: Lab) -> None:
    probe = {"httpGet": {"port": 80}, "periodSeconds": 2, "failureThreshold": 1}
    hook = {"preStop": {"sleep": {"seconds": 20}}}
    lab.run_pod(container(readinessProbe=probe, livenessProbe=probe, lifecycle=hook))
    lab.run(5)
    lab.delete()
    lab.health = 500
    lab.run(10)
    unhealthy = {message for reason, message in lab.events() if reason == "Unhealthy"}
    assert unhealthy == {"Readiness probe failed: HTTP probe failed with statuscode: 500"}
    assert lab.conditions()["Ready"] == "False"


def test_a_shorter_grace_period_cuts_a_longer_one_short(lab: Lab) -> None:
    lab.run_pod(shell(STUBBORN), terminationGracePeriodSeconds=300)
    lab.run(5)
    lab.delete()
    lab.run(5)
    lab.delete(grace=5)
    lab.run(10)
    assert not lab.exists()


def test_a_forced_deletion_removes_the_object_at_once_and_the_containers_soon(lab: Lab) -> None:
    lab.run_pod(shell(STUBBORN))
    lab.run(5)
    lab.delete(grace=0)
    assert not lab.exists()
    lab.run(6)
    assert lab.runtime.sandboxes() == []


def test_a_pod_that_still_pulls_its_image_is_deleted_without_delay(lab: Lab) -> None:
    lab.registry.image("example.com/huge:v1", size=50_000_000_000)(lab.web)
    lab.run_pod(container(image="example.com/huge:v1"))
    lab.run(10)
    lab.delete()
    lab.run(3)
    assert not lab.exists()
    lab.run_pod(container())  # others are not held up by the pull that was given up
    lab.run(10)
    assert lab.pod().status.phase == "Running"
    lab.delete()
    lab.run(2000)
    assert "Failed to pull" not in str(lab.events())
    pulled = [message for reason, message in lab.events() if reason == "Pulled"]
    assert "huge" not in str(pulled)


def test_sidecars_get_sigterm_after_the_others_last_defined_first(lab: Lab) -> None:
    ends = "trap 'sleep 2; exit 0' TERM; while true; do sleep 1; done"
    sidecars = [shell(ends, name, restartPolicy="Always") for name in ("one", "two")]
    lab.run_pod(shell(ends), initContainers=sidecars)
    lab.run(10)
    lab.delete()
    lab.run(20)
    ended = [record.detail for record in lab.sim.trace if record.verb == "exit"]
    assert [detail.split(":")[0].split()[-1] for detail in ended] == ["web", "two", "one"]


def test_a_failing_post_start_hook_costs_the_container_its_life(lab: Lab) -> None:
    hook = {"postStart": {"exec": {"command": ["false"]}}}
    lab.run_pod(shell("sleep 9999", lifecycle=hook))
    lab.run(90)  # a shell as process 1 ignores SIGTERM
    assert "FailedPostStartHook" in [reason for reason, _ in lab.events()]
    assert lab.pod().status.containerStatuses[0].restartCount >= 1


def test_a_container_may_name_the_signal_that_stops_it(lab: Lab) -> None:
    script = "trap 'echo usr1; exit 7' USR1; trap '' TERM; while true; do sleep 1; done"
    lab.run_pod(shell(script, lifecycle={"stopSignal": "SIGUSR1"}), os={"name": "linux"})
    lab.run(5)
    lines = lab.runtime.log(lab.runtime.containers()[0].id)
    lab.delete(grace=20)
    lab.run(3)
    assert [line.text for line in lines] == ["usr1"]
