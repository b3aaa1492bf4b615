"""The life of a Pod on a node, as the API shows it."""

from __future__ import annotations

from itertools import pairwise

from k8slab.api.core import ConfigMap, Pod, ServiceAccount
from k8slab.api.meta import ObjectMeta
from tests.node.kubelet.lab import Lab, container, shell


def test_a_pod_runs_and_tells_its_address(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    pod = lab.pod()
    assert (pod.status.phase, pod.status.podIP) == ("Running", "10.244.1.2")
    assert lab.conditions() == dict.fromkeys(
        ["PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled"],
        "True",
    )


def test_the_events_of_a_start(lab: Lab) -> None:
    lab.run_pod(container())
    lab.run(5)
    assert lab.events() == [
        ("Pulling", 'Pulling image "example.com/web:v1"'),
        (
            "Pulled",
            'Successfully pulled image "example.com/web:v1" in 1.4s (1.4s including waiting). '
            "Image size: 50000000 bytes.",
        ),
        ("Created", "Container created"),
        ("Started", "Container started"),
    ]


def test_a_pod_that_waits_says_why(lab: Lab) -> None:
    lab.run_pod(container(), initContainers=[shell("sleep 60", "init")])
    lab.run(5)
    assert lab.pod().status.phase == "Pending"
    assert lab.state() == {"waiting": {"reason": "PodInitializing"}}
    assert lab.conditions()["Initialized"] == "False"


def test_a_crash_looping_container_leaves_its_pod_running(lab: Lab) -> None:
    lab.run_pod(shell("exit 3"))
    lab.run(60)
    pod = lab.pod()
    status = pod.status.containerStatuses[0]
    assert pod.status.phase == "Running"
    assert status.state.waiting is not None
    assert status.state.waiting.reason == "CrashLoopBackOff"
    assert status.lastState.terminated is not None
    assert (status.lastState.terminated.exitCode, status.lastState.terminated.reason) == (
        3,
        "Error",
    )
    uid = pod.metadata.uid
    assert status.state.waiting.message == (
        f"back-off 40s restarting failed container=web pod=web_default({uid})"
    )


def test_restarts_come_at_once_then_after_10_20_and_40_seconds(lab: Lab) -> None:
    lab.run_pod(shell("exit 1"))
    starts = []
    for _ in range(900):
        lab.run(0.1)
        for found in lab.runtime.containers():
            if found.started_at and found.started_at not in starts:
                starts.append(found.started_at)
    gaps = [later - earlier for earlier, later in pairwise(starts)]
    # an exit is noticed within a second, a start takes a quarter of one
    assert len(gaps) == 4
    for gap, wait in zip(gaps, (0, 10, 20, 40), strict=True):
        assert wait <= gap <= wait + 2


def test_a_restart_keeps_the_address_and_counts(lab: Lab) -> None:
    lab.run_pod(shell("sleep 5; exit 1"))
    lab.run(12)
    pod = lab.pod()
    assert pod.status.podIP == "10.244.1.2"
    assert pod.status.containerStatuses[0].restartCount == 1


def test_completed_containers_under_always_stay_running(lab: Lab) -> None:
    lab.run_pod(shell("exit 0"))
    lab.run(30)
    assert lab.pod().status.phase == "Running"


def test_never_and_on_failure_end(lab: Lab) -> None:
    lab.run_pod(shell("exit 0"), restartPolicy="OnFailure")
    lab.run(10)
    pod = lab.pod()
    assert pod.status.phase == "Succeeded"
    assert lab.state()["terminated"]["reason"] == "Completed"
    assert pod.status.podIP == "10.244.1.2"
    assert lab.conditions()["Ready"] == "False"


def test_a_failing_init_container_is_retried_unless_never(lab: Lab) -> None:
    lab.run_pod(container(), initContainers=[shell("exit 1", "init")])
    lab.run(30)
    pod = lab.pod()
    assert pod.status.phase == "Pending"
    assert pod.status.initContainerStatuses[0].restartCount == 2


def test_a_failing_init_container_under_never_fails_the_pod(lab: Lab) -> None:
    lab.run_pod(container(), initContainers=[shell("exit 1", "init")], restartPolicy="Never")
    lab.run(10)
    assert lab.pod().status.phase == "Failed"
    assert lab.state() == {"waiting": {"reason": "PodInitializing"}}


def test_init_containers_run_one_after_the_other(lab: Lab) -> None:
    first = shell("sleep 3; echo one > /work/log", "first")
    second = shell("cat /work/log; sleep 3", "second")
    mounts = [{"name": "work", "mountPath": "/work"}]
    lab.run_pod(
        container(),
        initContainers=[first | {"volumeMounts": mounts}, second | {"volumeMounts": mounts}],
        volumes=[{"name": "work", "emptyDir": {}}],
    )
    lab.run(4)
    assert len(lab.runtime.containers()) == 1
    lab.run(15)
    assert lab.pod().status.phase == "Running"
    log = [line.text for line in lab.runtime.log(lab.runtime.containers()[1].id)]
    assert log == ["one"]


def test_a_sidecar_starts_first_and_ends_last(lab: Lab) -> None:
    trap = "trap 'exit 0' TERM; while true; do sleep 1; done"
    sidecar = shell(trap, "proxy", restartPolicy="Always")
    lab.run_pod(shell("sleep 20"), initContainers=[sidecar], restartPolicy="Never")
    lab.run(10)
    started = {found.config.name: found.started_at for found in lab.runtime.containers()}
    assert started["proxy"] < started["web"]
    lab.run(60)
    ended = {found.config.name: found.finished_at for found in lab.runtime.containers()}
    assert ended["web"] < ended["proxy"]
    assert lab.pod().status.phase == "Succeeded"


def test_a_missing_config_map_in_env_is_a_configuration_error(lab: Lab) -> None:
    ref = {"configMapKeyRef": {"name": "settings", "key": "mode"}}
    lab.run_pod(container(env=[{"name": "MODE", "valueFrom": ref}]))
    lab.run(5)
    assert lab.state() == {
        "waiting": {
            "reason": "CreateContainerConfigError",
            "message": 'configmap "settings" not found',
        }
    }
    assert ("Failed", 'Error: configmap "settings" not found') in lab.events()
    lab.create(
        ConfigMap(metadata=ObjectMeta(name="settings", namespace="default"), data={"mode": "x"})
    )
    lab.run(20)
    assert lab.pod().status.phase == "Running"


def test_a_missing_config_map_in_a_volume_keeps_the_pod_waiting(lab: Lab) -> None:
    lab.run_pod(
        container(volumeMounts=[{"name": "v", "mountPath": "/etc/app"}]),
        volumes=[{"name": "v", "configMap": {"name": "settings"}}],
    )
    lab.run(5)
    assert lab.state() == {"waiting": {"reason": "ContainerCreating"}}
    message = 'MountVolume.SetUp failed for volume "v" : configmap "settings" not found'
    assert ("FailedMount", message) in lab.events()
    lab.create(
        ConfigMap(metadata=ObjectMeta(name="settings", namespace="default"), data={"a": "1"})
    )
    lab.run(20)
    assert lab.pod().status.phase == "Running"


def test_a_changed_config_map_reaches_its_volume_within_the_sync_period(lab: Lab) -> None:
    meta = ObjectMeta(name="settings", namespace="default")
    lab.create(ConfigMap(metadata=meta, data={"a": "1"}))
    lab.run_pod(
        shell("while true; do echo $(cat /etc/app/a); sleep 10; done")
        | {"volumeMounts": [{"name": "v", "mountPath": "/etc/app"}]},
        volumes=[{"name": "v", "configMap": {"name": "settings"}}],
    )
    lab.run(20)
    lab.do(lab.client.merge(ConfigMap, "settings", {"data": {"a": "2"}}, "default"))
    lab.run(120)
    texts = [line.text for line in lab.runtime.log(lab.runtime.containers()[0].id)]
    assert (texts[0], texts[-1]) == ("1", "2")


def test_a_missing_image_is_pulled_again_ever_more_rarely(lab: Lab) -> None:
    lab.registry.missing("example.com/typo:v9")
    lab.run_pod(container(image="example.com/typo:v9"), restartPolicy="Never")
    lab.run(1.5)
    assert lab.state()["waiting"]["reason"] == "ErrImagePull"
    lab.run(1.5)
    waiting = lab.state()["waiting"]
    assert waiting["reason"] == "ImagePullBackOff"
    assert waiting["message"].startswith('Back-off pulling image "example.com/typo:v9": ErrImageP')
    lab.run(600)
    pod = lab.pod()
    assert (pod.status.phase, pod.status.containerStatuses[0].restartCount) == ("Pending", 0)
    reasons = [reason for reason, _ in lab.events()]
    assert {"Pulling", "Failed", "BackOff"} <= {*reasons}


def test_an_ill_formed_image_name_is_invalid(lab: Lab) -> None:
    lab.run_pod(container(image="Not A Name"))
    lab.run(5)
    assert lab.state()["waiting"]["reason"] == "InvalidImageName"


def test_the_deadline_ends_a_pod(lab: Lab) -> None:
    lab.run_pod(container(), activeDeadlineSeconds=20)
    lab.run(60)
    status = lab.pod().status
    assert (status.phase, status.reason) == ("Failed", "DeadlineExceeded")
    assert lab.runtime.containers()[0].exit_code in (137, 143)


def test_a_pod_that_does_not_fit_is_rejected(lab: Lab) -> None:
    lab.run_pod(container(resources={"requests": {"cpu": "5"}}))
    lab.run(5)
    status = lab.pod().status
    assert (status.phase, status.reason) == ("Failed", "OutOfcpu")
    assert status.message == (
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 5000, "
        "used: 0, capacity: 4000"
    )
    assert status.conditions == status.containerStatuses == ()


def test_a_pod_that_was_rejected_can_be_deleted(lab: Lab) -> None:
    lab.run_pod(container(resources={"requests": {"cpu": "5"}}))
    lab.run(5)
    lab.delete()
    lab.run(2)
    assert not lab.exists()


def test_a_container_that_could_not_start_has_not_started_this_year(lab: Lab) -> None:
    lab.run_pod(container(command=["nowhere"]))
    lab.run(5)
    ended = lab.pod().status.containerStatuses[0].lastState.terminated
    assert ended is not None
    assert (ended.reason, ended.exitCode) == ("StartError", 128)
    assert ended.startedAt == "1970-01-01T00:00:00Z"


def test_a_pod_for_another_kind_of_node_is_rejected(lab: Lab) -> None:
    lab.run_pod(container(), nodeSelector={"disk": "ssd"})
    lab.run(5)
    assert lab.pod().status.reason == "NodeAffinity"


def test_without_a_network_pods_wait_but_not_those_on_the_hosts(bare: Lab) -> None:
    bare.start_api()
    bare.create(ServiceAccount(metadata=ObjectMeta(name="default", namespace="default")))
    bare.start_kubelet()
    bare.run(2)
    bare.run_pod(container())
    bare.run(10)
    assert bare.pod().status.phase == "Pending"
    assert "NetworkNotReady" in [reason for reason, _ in bare.events()]
    bare.connect_pods()
    bare.run(5)
    assert bare.pod().status.phase == "Running"


def test_service_variables_are_fixed_when_the_container_starts(lab: Lab) -> None:
    lab.run_pod(shell("env | grep SERVICE_HOST; sleep 9999"))
    lab.run(5)
    assert [line.text for line in lab.runtime.log(lab.runtime.containers()[0].id)] == [
        "KUBERNETES_SERVICE_HOST=10.96.0.1"
    ]


def test_a_readiness_gate_is_opened_by_somebody_else(lab: Lab) -> None:
    lab.run_pod(container(), readinessGates=[{"conditionType": "example.com/lb"}])
    lab.run(5)
    assert (lab.conditions()["ContainersReady"], lab.conditions()["Ready"]) == ("True", "False")
    opened = {"type": "example.com/lb", "status": "True"}
    patch = {"status": {"conditions": [opened]}}
    lab.do(lab.client.patch(Pod, "web", patch, "default", subresource="status"))
    lab.run(3)
    assert lab.conditions()["Ready"] == "True"
    assert lab.conditions()["example.com/lb"] == "True"


def test_a_container_may_leave_a_last_message(lab: Lab) -> None:
    lab.run_pod(shell("echo out of tea > /dev/termination-log; exit 4"), restartPolicy="Never")
    lab.run(5)
    assert lab.state()["terminated"]["message"] == "out of tea\n"


def test_the_end_of_the_log_serves_as_last_message_if_wanted(lab: Lab) -> None:
    policy = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    lab.run_pod(shell("echo no tea; exit 4") | policy, restartPolicy="Never")
    lab.run(5)
    assert lab.state()["terminated"]["message"] == "no tea\n"


def test_an_init_container_of_an_unknown_image_ends_and_a_task_too(lab: Lab) -> None:
    prepare = {"name": "prepare", "image": "example.com/prepare:v1"}
    lab.run_pod(container(), initContainers=[prepare])
    lab.run(15)
    assert lab.conditions()["Ready"] == "True"
    lab.delete()
    lab.run(40)
    lab.run_pod(container(image="example.com/task:v1"), restartPolicy="OnFailure")
    lab.run(15)
    assert lab.pod().status.phase == "Succeeded"
    assert lab.runtime.log(lab.runtime.containers()[0].id)[0].text == (
        "k8slab: example.com/task:v1 is not simulated; no ports are declared, "
        "so it ends, for others wait for that"
    )
