"""Behaviours 1-5, 9, 11, 12: phases, restarts, init containers, identity."""

from __future__ import annotations

import itertools

import pytest

from k8slab import Cluster
from k8slab.api.core import Event
from k8slab.api.errors import ApiError
from tests.conformance.lab import (
    apply,
    bind,
    column,
    condition,
    config_map,
    container,
    deployment,
    events,
    every,
    get,
    main,
    pod,
    pods,
    ready,
    restarts,
    service,
    shell,
    sleeper,
    status,
    waiting,
)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


# -- 1: phase, conditions, container states and STATUS are four things


def test_a_crash_looping_container_leaves_its_pod_in_phase_running(cluster: Cluster) -> None:
    apply(cluster, pod("crash", shell("exit 3")))
    cluster.run(30)
    assert get(cluster, "crash").status.phase == "Running"
    assert condition(get(cluster, "crash"), "Ready").status == "False"
    assert waiting(cluster, "crash") == "CrashLoopBackOff"
    assert column(cluster, "pod", "crash", "STATUS") == "CrashLoopBackOff"
    assert status(cluster, "crash").lastState.terminated.exitCode == 3


def test_status_is_kubectls_word_and_not_the_phase(cluster: Cluster) -> None:
    apply(
        cluster,
        pod("done", shell("exit 0"), restartPolicy="Never"),
        pod("failed", shell("exit 1"), restartPolicy="Never"),
        pod("init", container(), initContainers=[sleeper("first")]),
    )
    cluster.run(10)
    words = {n: column(cluster, "pod", n, "STATUS") for n in ("done", "failed", "init")}
    assert words == {"done": "Completed", "failed": "Error", "init": "Init:0/1"}
    phases = {n: get(cluster, n).status.phase for n in words}
    assert phases == {"done": "Succeeded", "failed": "Failed", "init": "Pending"}


def test_a_message_of_the_back_off_names_the_container_and_the_wait(cluster: Cluster) -> None:
    apply(cluster, pod("crash", shell("exit 3")))
    cluster.run(50)
    uid = get(cluster, "crash").metadata.uid
    about = f"restarting failed container=main pod=crash_default({uid})"
    assert status(cluster, "crash").state.waiting.message == f"back-off 40s {about}"
    assert events(cluster, "crash", "BackOff") == [
        f"Back-off restarting failed container main in pod crash_default({uid})"
    ]


def test_the_log_before_the_crash_is_there_after_the_restart(cluster: Cluster) -> None:
    script = "n=$(cat /v/n); echo run $((n+1)); echo $((n+1)) > /v/n; sleep 5; exit 3"
    apply(cluster, counting("crash", script))
    for before in (1, 2):
        cluster.run_until(lambda c, n=before: restarts(c, "crash") == n)
        cluster.run(1)
        assert cluster.kubectl("logs crash") == f"run {before + 1}\n"
        assert cluster.kubectl("logs crash --previous") == f"run {before}\n"


def test_without_a_restart_there_is_no_previous_log(cluster: Cluster) -> None:
    apply(cluster, pod("calm", sleeper()))
    ready(cluster, "calm")
    assert cluster.kubectl("logs calm --previous") == (
        'Error from server (BadRequest): previous terminated container "main" in pod "calm" '
        "not found\n"
    )


# -- 2: back-offs


def counting(name: str, script: str) -> dict[str, object]:
    """Return a Pod whose script finds in /v/n how often it has run."""
    mount = {"name": "v", "mountPath": "/v"}
    volumes = [{"name": "v", "emptyDir": {}}]
    script = f"touch /v/n; {script}"
    return pod(name, shell(script, volumeMounts=[mount]), volumes=volumes)


def starts(cluster: Cluster, name: str, total: float) -> list[float]:
    """Return the times between the starts of a container."""
    found: list[float] = []
    last = -1
    for _ in every(cluster, 0.5, total):
        if last != (last := restarts(cluster, name)):
            found.append(cluster.now)
    return [round(b - a) for a, b in itertools.pairwise(found)]


def test_restarts_come_at_once_then_after_10_20_40_up_to_300_seconds(cluster: Cluster) -> None:
    apply(cluster, pod("crash", shell("exit 1")))
    gaps = starts(cluster, "crash", 1400)
    expected = [0, 10, 20, 40, 80, 160, 300, 300]
    assert all(abs(a - b) <= 2 for a, b in zip(gaps, expected, strict=False)), gaps
    assert len(gaps) >= len(expected)


def test_ten_minutes_of_running_reset_the_back_off(cluster: Cluster) -> None:
    script = "n=$(cat /v/n); echo $((n+1)) > /v/n; [ $((n)) -lt 3 ] && exit 1; sleep 700; exit 1"
    apply(cluster, counting("flaky", script))
    gaps = starts(cluster, "flaky", 1600)
    assert gaps[:3] == pytest.approx([0, 10, 20], abs=2)
    assert gaps[3:] == pytest.approx([700, 700], abs=5)  # at once, each time


def test_image_pull_back_off_never_counts_as_a_restart(cluster: Cluster) -> None:
    cluster.world.registry.missing("ghost:1")
    apply(cluster, pod("ghost", container(image="ghost:1"), restartPolicy="Never"))
    seen = []
    for _ in every(cluster, 1, 200):
        if not seen or seen[-1] != waiting(cluster, "ghost"):
            seen.append(waiting(cluster, "ghost"))
    assert seen[-4:] == ["ErrImagePull", "ImagePullBackOff"] * 2
    assert get(cluster, "ghost").status.phase == "Pending"
    assert status(cluster, "ghost").restartCount == 0


# -- 3: init containers and sidecars


@pytest.mark.parametrize(
    ("policy", "phase", "word"),
    [
        ("Always", "Pending", "Init:CrashLoopBackOff"),
        ("OnFailure", "Pending", "Init:CrashLoopBackOff"),
        ("Never", "Failed", "Init:Error"),
    ],
)
def test_a_failing_init_container_holds_or_fails_the_pod(
    cluster: Cluster, policy: str, phase: str, word: str
) -> None:
    broken = [shell("exit 1", "setup")]
    apply(cluster, pod("web", container(), initContainers=broken, restartPolicy=policy))
    cluster.run(30)
    assert get(cluster, "web").status.phase == phase
    assert column(cluster, "pod", "web", "STATUS") == word
    assert (status(cluster, "web", "setup").restartCount > 0) == (policy != "Never")


def test_init_containers_run_one_after_the_other_and_sidecars_go_on(cluster: Cluster) -> None:
    first = shell("sleep 3", "first")
    sidecar = sleeper("proxy", restartPolicy="Always")
    last = shell("sleep 3", "last")
    apply(cluster, pod("web", container(), initContainers=[first, sidecar, last]))
    ready(cluster, "web")
    times = {s.name: s.state for s in get(cluster, "web").status.initContainerStatuses}
    assert times["first"].terminated.finishedAt <= times["proxy"].running.startedAt
    assert times["proxy"].running.startedAt <= times["last"].terminated.startedAt
    assert times["last"].terminated.finishedAt <= status(cluster, "web").state.running.startedAt


def test_the_exit_of_a_sidecar_does_not_affect_the_phase(cluster: Cluster) -> None:
    sidecar = shell("trap 'exit 7' TERM; while true; do sleep 1; done", "proxy")
    sidecar["restartPolicy"] = "Always"
    apply(cluster, pod("job", shell("sleep 5"), initContainers=[sidecar], restartPolicy="Never",
                       terminationGracePeriodSeconds=10))  # fmt: skip
    cluster.run_until("pod/job phase=Succeeded")
    assert status(cluster, "job", "proxy").state.terminated.exitCode == 7


def test_the_readiness_of_a_sidecar_counts(cluster: Cluster) -> None:
    probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1}
    sidecar = sleeper("proxy", restartPolicy="Always", readinessProbe=probe)
    apply(cluster, pod("web", container(), initContainers=[sidecar]))
    cluster.run(15)
    assert column(cluster, "pod", "web", "READY") == "1/2"
    found = condition(get(cluster, "web"), "Ready")
    assert (found.status, found.message) == ("False", "containers with unready status: [proxy]")
    cluster.kubectl("exec web -c proxy -- touch /tmp/ready")
    cluster.run(3)
    assert column(cluster, "pod", "web", "READY") == "2/2"


# -- 4, 5: phase and conditions


def test_completed_containers_under_always_stay_running(cluster: Cluster) -> None:
    apply(cluster, pod("once", shell("exit 0")))
    cluster.run(60)
    assert get(cluster, "once").status.phase == "Running"
    assert status(cluster, "once").lastState.terminated.reason == "Completed"
    assert waiting(cluster, "once") == "CrashLoopBackOff"


def test_ready_copies_containers_ready_first_and_gates_come_after(cluster: Cluster) -> None:
    gate = "example.com/gate"
    probe = {"exec": {"command": ["cat", "/tmp/ready"]}, "periodSeconds": 1}
    apply(
        cluster,
        pod("gated", sleeper(readinessProbe=probe), readinessGates=[{"conditionType": gate}]),
    )
    cluster.run(10)
    ready_, containers = (condition(get(cluster, "gated"), t) for t in ("Ready", "ContainersReady"))
    assert (ready_.reason, ready_.message) == (containers.reason, containers.message)
    cluster.kubectl("exec gated -- touch /tmp/ready")
    cluster.run(5)
    found = condition(get(cluster, "gated"), "Ready")
    assert (found.status, found.reason) == ("False", "ReadinessGatesNotReady")
    assert (
        found.message == f'corresponding condition of pod readiness gate "{gate}" does not exist.'
    )


def test_a_restarting_sidecar_does_not_uninitialise_a_pod(cluster: Cluster) -> None:
    sidecar = shell("sleep 10; exit 1", "proxy", restartPolicy="Always")
    apply(cluster, pod("web", container(), initContainers=[sidecar]))
    ready(cluster, "web")
    cluster.run_until(lambda c: waiting(c, "web", "proxy") == "CrashLoopBackOff")
    assert condition(get(cluster, "web"), "Initialized").status == "True"
    assert get(cluster, "web").status.phase == "Running"


def test_a_recreated_sandbox_uninitialises_a_pod(cluster: Cluster) -> None:
    apply(cluster, pod("web", container(), initContainers=[shell("sleep 5", "setup")]))
    ready(cluster, "web")
    before = get(cluster, "web")
    cluster.break_node("worker-1")
    cluster.run(1)
    cluster.repair_node("worker-1")
    cluster.run_until(lambda c: condition(get(c, "web"), "Initialized").status == "False")
    cluster.run_until(lambda c: condition(get(c, "web"), "Ready").status == "True")
    after = get(cluster, "web")
    assert before.metadata.uid == after.metadata.uid
    assert before.status.podIP != after.status.podIP
    assert status(cluster, "web").restartCount == 1


# -- 9: identity


def test_a_pod_is_bound_once_and_never_moves(cluster: Cluster) -> None:
    apply(cluster, pod("web"))
    ready(cluster, "web")
    with pytest.raises(ApiError, match='pod web is already assigned to node "worker-1"'):
        bind(cluster, "web", "control-plane")
    assert get(cluster, "web").spec.nodeName == "worker-1"


def test_a_controllers_new_pod_has_a_new_name_uid_and_address(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 1))
    ready(cluster, "deployment/web")
    old = pods(cluster, "web")[0]
    cluster.kubectl(f"delete pod {old.metadata.name} --wait=false")
    cluster.run(10)
    new = pods(cluster, "web")[0]
    assert old.metadata.name != new.metadata.name
    assert old.metadata.uid != new.metadata.uid
    assert old.status.podIP != new.status.podIP


def test_a_container_restart_keeps_the_address(cluster: Cluster) -> None:
    apply(cluster, pod("flaky", shell("sleep 5; exit 1")))
    ready(cluster, "flaky")
    ip = get(cluster, "flaky").status.podIP
    cluster.run(30)
    assert status(cluster, "flaky").restartCount >= 1
    assert get(cluster, "flaky").status.podIP == ip


# -- 11: Service environment variables


def test_service_variables_are_fixed_when_the_container_starts(cluster: Cluster) -> None:
    apply(cluster, pod("early", sleeper()))
    ready(cluster, "early")
    apply(cluster, service("web", 80))
    cluster.run(5)
    apply(cluster, pod("late", sleeper()))
    ready(cluster, "late")
    assert "WEB_SERVICE_HOST" not in cluster.kubectl("exec early -- env")
    assert "WEB_SERVICE_HOST=10." in cluster.kubectl("exec late -- env")


# -- 12: younger features


def test_a_pods_status_says_which_spec_it_speaks_of(cluster: Cluster) -> None:
    apply(cluster, pod("web"))
    ready(cluster, "web")
    assert get(cluster, "web").metadata.generation == 1
    assert get(cluster, "web").status.observedGeneration == 1
    cluster.kubectl("set image pod/web main=nginx:1.28")
    cluster.run(20)
    assert get(cluster, "web").metadata.generation == 2
    assert get(cluster, "web").status.observedGeneration == 2
    assert main(get(cluster, "web")).image == "nginx:1.28"
    assert status(cluster, "web").restartCount == 1


def test_restart_rules_restart_on_chosen_exit_codes_only(cluster: Cluster) -> None:
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    for name, code in (("again", 42), ("over", 1)):
        worker = shell(f"sleep 2; exit {code}", restartPolicy="Never", restartPolicyRules=[rule])
        apply(cluster, pod(name, worker, restartPolicy="Never"))
    cluster.run(30)
    assert status(cluster, "again").restartCount >= 1
    assert get(cluster, "again").status.phase == "Running"
    assert status(cluster, "over").restartCount == 0
    assert get(cluster, "over").status.phase == "Failed"


def test_pod_level_resources_are_what_the_scheduler_counts(cluster: Cluster) -> None:
    for name, cpu in (("web", "2"), ("late", "3")):
        resources = {"requests": {"cpu": cpu}}
        apply(cluster, pod(name, container(), sleeper("helper"), resources=resources))
        cluster.run(10)
    assert get(cluster, "web").status.phase == "Running"
    assert "1 Insufficient cpu" in events(cluster, "late", "FailedScheduling")[0]


def test_a_missing_config_map_is_named_and_waited_for(cluster: Cluster) -> None:
    env = [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "a"}}}]
    apply(cluster, pod("web", sleeper(env=env)))
    cluster.run(20)
    assert waiting(cluster, "web") == "CreateContainerConfigError"
    assert status(cluster, "web").state.waiting.message == 'configmap "settings" not found'
    apply(cluster, {**config_map("settings"), "data": {"a": "1"}})
    ready(cluster, "web")


def test_events_tell_a_start_in_order(cluster: Cluster) -> None:
    apply(cluster, pod("web"))
    ready(cluster, "web")
    found = [e for e in cluster.view.list(Event, "default") if e.involvedObject.name == "web"]
    reasons = [e.reason for e in sorted(found, key=lambda e: int(e.metadata.resourceVersion))]
    assert reasons == ["Scheduled", "Pulling", "Pulled", "Created", "Started"]
