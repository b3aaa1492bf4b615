"""sig-node: what upstream's conformance list asks of a kubelet, as far as no kernel is needed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import Node, Pod, Secret
from k8slab.api.quantity import value
from tests.conformance.lab import (
    BUSYBOX,
    NGINX,
    apply,
    condition,
    container,
    events,
    exists,
    get,
    node,
    pod,
    ready,
    restarts,
    service,
    shell,
    sleeper,
    status,
    waiting,
)

ONCE = {"restartPolicy": "Never"}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


def output(cluster: Cluster, name: str, main: dict[str, Any], **spec: Any) -> str:
    """Run a Pod to its end and return its log."""
    apply(cluster, pod(name, main, **{**ONCE, **spec}))
    cluster.run(20)
    return cluster.kubectl(f"logs {name}")


def secret(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": data}


def settings(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def ref(kind: str, name: str, key: str) -> dict[str, Any]:
    return {"name": key.upper(), "valueFrom": {f"{kind}KeyRef": {"name": name, "key": key}}}


def field(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def amount(name: str, resource: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"resourceFieldRef": {"resource": resource}}}


# -- environment


def test_variables_come_from_keys_of_config_maps_and_secrets(cluster: Cluster) -> None:
    apply(cluster, settings("settings", mode="fast"), secret("keys", word="open"))
    env = [ref("configMap", "settings", "mode"), ref("secret", "keys", "word")]
    text = output(cluster, "env", shell("echo $MODE $WORD", env=env))
    assert text == "fast open\n"


def test_whole_config_maps_and_secrets_become_variables_with_a_prefix(cluster: Cluster) -> None:
    apply(cluster, settings("settings", mode="fast"), secret("keys", word="open"))
    sources: list[Any] = [
        {"configMapRef": {"name": "settings"}},
        {"prefix": "p_", "secretRef": {"name": "keys"}},
    ]
    assert output(cluster, "env", shell("echo $mode $p_word", envFrom=sources)) == "fast open\n"


def test_the_downward_api_names_the_pod_and_its_addresses(cluster: Cluster) -> None:
    env = [
        field("NAME", "metadata.name"),
        field("SPACE", "metadata.namespace"),
        field("UID", "metadata.uid"),
        field("IP", "status.podIP"),
        field("HOST", "status.hostIP"),
    ]
    text = output(cluster, "env", shell("echo $NAME $SPACE $UID $IP $HOST", env=env))
    found = get(cluster, "env")
    about = found.status
    assert text == f"env default {found.metadata.uid} {about.podIP} {about.hostIP}\n"


def test_the_downward_api_tells_limits_and_by_default_what_the_node_has(cluster: Cluster) -> None:
    env = [amount("CPU", "limits.cpu"), amount("MEMORY", "limits.memory")]
    limits = {"limits": {"cpu": "2", "memory": "64Mi"}}
    assert output(cluster, "set", shell("echo $CPU $MEMORY", env=env, resources=limits)) == (
        f"2 {64 << 20}\n"
    )
    words = output(cluster, "unset", shell("echo $CPU", env=env)).split()
    assert words == [node(cluster, "worker-1").status.allocatable["cpu"]]


def test_variables_are_composed_and_substituted_in_commands_and_arguments(cluster: Cluster) -> None:
    env = [{"name": "A", "value": "one"}, {"name": "B", "value": "$(A)-two"}]
    main = container("main", BUSYBOX, env=env, command=["echo"], args=["$(B)", "$$(A)", "$(NO)"])
    assert output(cluster, "env", main) == "one-two $(A) $(NO)\n"


def test_services_that_exist_are_in_the_environment(cluster: Cluster) -> None:
    apply(cluster, service("foo-service", {"port": 8765, "targetPort": 8080}))
    cluster.run(1)
    lines = output(cluster, "env", shell("env")).splitlines()
    names = {line.partition("=")[0] for line in lines if line.startswith("FOO_SERVICE_")}
    assert {
        "FOO_SERVICE_SERVICE_HOST",
        "FOO_SERVICE_SERVICE_PORT",
        "FOO_SERVICE_PORT",
        "FOO_SERVICE_PORT_8765_TCP",
        "FOO_SERVICE_PORT_8765_TCP_PROTO",
        "FOO_SERVICE_PORT_8765_TCP_PORT",
        "FOO_SERVICE_PORT_8765_TCP_ADDR",
    } == names


@pytest.mark.parametrize("kind", ["configmap", "secret"])
def test_an_empty_key_is_refused(cluster: Cluster, kind: str) -> None:
    made = settings if kind == "configmap" else secret
    text = apply(cluster, made("empty", **{"": "x"}))
    assert "is invalid" in text
    assert not exists(cluster, "empty", Secret)


# -- commands, arguments, files


def test_command_and_args_replace_what_the_image_would_run(cluster: Cluster) -> None:
    apply(
        cluster,
        pod("defaults", container("main", "hello-world"), **ONCE),
        pod("args", container("main", BUSYBOX, args=["echo", "args alone"]), **ONCE),
        pod("command", container("main", BUSYBOX, command=["echo", "command"]), **ONCE),
    )
    cluster.run(20)
    logs = {name: cluster.kubectl(f"logs {name}") for name in ("defaults", "args", "command")}
    assert "Hello from Docker!" in logs["defaults"]
    assert (logs["args"], logs["command"]) == ("args alone\n", "command\n")


def test_a_sub_path_may_be_made_of_variables(cluster: Cluster) -> None:
    mounts: list[Any] = [
        {"name": "data", "mountPath": "/part", "subPathExpr": "$(NAME)"},
        {"name": "data", "mountPath": "/all"},
    ]
    main = shell(
        "echo hello > /part/f; cat /all/sub/f",
        env=[field("NAME", "metadata.name")],
        volumeMounts=mounts,
    )
    volumes = [{"name": "data", "emptyDir": {}}]
    assert output(cluster, "sub", main, volumes=volumes) == "hello\n"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("/tmp", "error SubPath `/tmp` must not be an absolute path"),
        ("..", "unable to provision SubPath `..`: must not contain '..'"),
    ],
)
def test_a_sub_path_stays_inside_of_its_volume(cluster: Cluster, part: str, words: str) -> None:
    mounts = [{"name": "data", "mountPath": "/part", "subPathExpr": "$(PART)"}]
    main = sleeper(env=[{"name": "PART", "value": part}], volumeMounts=mounts)
    apply(cluster, pod("sub", main, volumes=[{"name": "data", "emptyDir": {}}]))
    cluster.run(10)
    assert waiting(cluster, "sub") == "CreateContainerConfigError"
    assert status(cluster, "sub").state.waiting.message == words


def test_a_sub_path_that_was_wrong_is_mended_by_an_annotation(cluster: Cluster) -> None:
    mounts = [{"name": "data", "mountPath": "/part", "subPathExpr": "$(PART)"}]
    main = sleeper(env=[field("PART", "metadata.annotations['part']")], volumeMounts=mounts)
    volumes = [{"name": "data", "emptyDir": {}}]
    apply(cluster, pod("sub", main, volumes=volumes, annotations={"part": "/absolute"}))
    cluster.run(10)
    assert waiting(cluster, "sub") == "CreateContainerConfigError"
    cluster.kubectl("annotate pod sub part=inside --overwrite")
    ready(cluster, "sub")


def test_host_aliases_are_in_a_hosts_file_that_the_kubelet_keeps(cluster: Cluster) -> None:
    aliases = [{"ip": "123.45.67.89", "hostnames": ["foo", "bar"]}]
    text = output(cluster, "hosts", shell("cat /etc/hosts"), hostAliases=aliases)
    assert text.startswith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n")
    assert text.endswith("# Entries added by HostAliases.\n123.45.67.89\tfoo\tbar\n")


def test_a_hosts_file_that_a_container_mounts_is_left_alone(cluster: Cluster) -> None:
    apply(cluster, settings("own", hosts="10.0.0.1 mine\n"))
    mounts = [{"name": "own", "mountPath": "/etc/hosts", "subPath": "hosts"}]
    volumes = [{"name": "own", "configMap": {"name": "own"}}]
    main = shell("cat /etc/hosts", volumeMounts=mounts)
    assert output(cluster, "hosts", main, volumes=volumes) == "10.0.0.1 mine\n"


def test_a_request_from_a_pod_looks_into_its_hosts_file(cluster: Cluster) -> None:
    apply(cluster, pod("web"))
    ready(cluster, "web")
    ip = get(cluster, "web").status.podIP
    aliases = [{"ip": ip, "hostnames": ["shop.example"]}]
    apply(cluster, pod("client", hostAliases=aliases))
    ready(cluster, "client")
    assert cluster.request("pod/client", "http://shop.example").ok
    assert cluster.request("pod/client", "http://localhost").ok


# -- hooks


@pytest.mark.parametrize("kind", ["exec", "httpGet"])
def test_hooks_are_run_after_the_start_and_before_the_stop(cluster: Cluster, kind: str) -> None:
    apply(cluster, pod("server"))
    ready(cluster, "server")
    ip = get(cluster, "server").status.podIP
    fetch = {"command": ["wget", "-q", "-O", "/page", f"http://{ip}/"]}
    hook = {"exec": fetch} if kind == "exec" else {"httpGet": {"host": ip, "port": 80, "path": "/"}}
    apply(cluster, pod("hooked", sleeper(lifecycle={"postStart": hook, "preStop": hook})))
    ready(cluster, "hooked")
    assert cluster.kubectl("logs server").count("GET / ") == 1
    cluster.kubectl("delete pod hooked")
    cluster.run(10)
    assert cluster.kubectl("logs server").count("GET / ") == 2


# -- how a container ended


@pytest.mark.parametrize(
    ("policy", "script", "message"),
    [
        ("FallbackToLogsOnError", "echo log; exit 0", ""),
        ("FallbackToLogsOnError", "echo log; exit 1", "log\n"),
        ("FallbackToLogsOnError", "echo log; echo -n file > /dev/termination-log; exit 1", "file"),
        ("File", "echo log; exit 1", ""),
        ("File", "echo -n OK > /dev/termination-log", "OK"),
    ],
)
def test_the_termination_message(cluster: Cluster, policy: str, script: str, message: str) -> None:
    apply(cluster, pod("end", shell(script, terminationMessagePolicy=policy), **ONCE))
    cluster.run(10)
    assert status(cluster, "end").state.terminated.message == message


def test_the_termination_message_may_be_in_another_file(cluster: Cluster) -> None:
    path = "/dev/termination-custom-log"
    security = {"runAsUser": 10000}
    main = shell(f"echo -n DONE > {path}", terminationMessagePath=path, securityContext=security)
    apply(cluster, pod("end", main, **ONCE))
    cluster.run(10)
    assert status(cluster, "end").state.terminated.message == "DONE"


@pytest.mark.parametrize(
    ("policy", "code", "phase", "again"),
    [
        ("Always", 0, "Running", True),
        ("OnFailure", 1, "Running", True),
        ("OnFailure", 0, "Succeeded", False),
        ("Never", 0, "Succeeded", False),
        ("Never", 1, "Failed", False),
    ],
)
def test_the_status_after_an_exit(
    cluster: Cluster, policy: str, code: int, phase: str, again: bool
) -> None:
    apply(cluster, pod("end", shell(f"sleep 1; exit {code}"), restartPolicy=policy))
    cluster.run(20)
    assert get(cluster, "end").status.phase == phase
    assert (restarts(cluster, "end") > 0) == again


def test_a_failed_pod_says_why_and_can_be_deleted(cluster: Cluster) -> None:
    apply(cluster, pod("end", container("main", BUSYBOX, command=["false"]), **ONCE))
    cluster.run(10)
    ended = status(cluster, "end").state.terminated
    assert (ended.reason, ended.exitCode) == ("Error", 1)
    cluster.kubectl("delete pod end")
    assert not exists(cluster, "end")


# -- rights


def test_a_read_only_root_file_system_cannot_be_written_to(cluster: Cluster) -> None:
    security = {"readOnlyRootFilesystem": True}
    script = "echo a > /file; echo $?; echo b > /data/file; cat /data/file"
    mounts = [{"name": "data", "mountPath": "/data"}]
    main = shell(script, securityContext=security, volumeMounts=mounts)
    text = output(cluster, "ro", main, volumes=[{"name": "data", "emptyDir": {}}])
    assert "Read-only file system" in text
    assert text.splitlines()[-2:] == ["1", "b"]


@pytest.mark.parametrize("where", ["container", "pod"])
def test_user_and_group_are_those_of_the_manifest(cluster: Cluster, where: str) -> None:
    security = {"runAsUser": 1001, "runAsGroup": 2002}
    own = {"securityContext": security} if where == "container" else {}
    of_pod = {"securityContext": security} if where == "pod" else {}
    text = output(cluster, "id", shell("id", **own), **of_pod)
    assert text == "uid=1001 gid=2002 groups=2002\n"


def test_a_container_that_must_not_be_root_and_would_be_does_not_start(cluster: Cluster) -> None:
    apply(cluster, pod("root", sleeper(securityContext={"runAsNonRoot": True})))
    cluster.run(10)
    assert waiting(cluster, "root") == "CreateContainerConfigError"
    words = "container has runAsNonRoot and image will run as root"
    assert words in status(cluster, "root").state.waiting.message


def test_a_parameter_of_the_kernel_that_is_not_safe_is_forbidden(cluster: Cluster) -> None:
    sysctls = [{"name": "kernel.shmmax", "value": "1"}]
    apply(cluster, pod("sysctl", sleeper(), securityContext={"sysctls": sysctls}))
    cluster.run(5)
    found = get(cluster, "sysctl").status
    assert (found.phase, found.reason) == ("Failed", "SysctlForbidden")


# -- ephemeral containers


def look_into(cluster: Cluster, name: str, **fields: Any) -> None:
    added = container("look", BUSYBOX, command=["sh", "-c", "ps; sleep 999"], **fields)
    patch = json.dumps({"spec": {"ephemeralContainers": [added]}})
    cluster.kubectl(f"patch pod {name} --subresource ephemeralcontainers -p '{patch}'")
    cluster.run(5)


def test_an_ephemeral_container_starts_in_a_pod_that_runs(cluster: Cluster) -> None:
    apply(cluster, pod("web"))
    ready(cluster, "web")
    look_into(cluster, "web", targetContainerName="main")
    (found,) = get(cluster, "web").status.ephemeralContainerStatuses
    assert found.state.running is not None
    assert "nginx" in cluster.kubectl("logs web -c look")
    assert cluster.kubectl("exec web -c look -- echo hello") == "hello\n"


# -- resize


def resize(cluster: Cluster, name: str, cpu: str) -> None:
    amounts = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
    patch = json.dumps({"spec": {"containers": [{"name": "main", "resources": amounts}]}})
    cluster.kubectl(f"patch pod {name} --subresource resize -p '{patch}'")
    cluster.run(5)


def with_cpu(cpu: str, **fields: Any) -> dict[str, Any]:
    amounts = {"requests": {"cpu": cpu}, "limits": {"cpu": cpu}}
    return container("main", NGINX, resources=amounts, **fields)


def test_a_pod_is_resized_in_place(cluster: Cluster) -> None:
    apply(cluster, pod("web", with_cpu("500m")))
    ready(cluster, "web")
    resize(cluster, "web", "1")
    found = status(cluster, "web")
    assert (found.resources.limits["cpu"], found.restartCount) == ("1", 0)
    reasons = cluster.kubectl("get events").split()
    assert {"ResizeStarted", "ResizeCompleted"} <= set(reasons)


def test_a_resize_beyond_the_node_is_infeasible_and_changes_nothing(cluster: Cluster) -> None:
    apply(cluster, pod("web", with_cpu("500m")))
    ready(cluster, "web")
    resize(cluster, "web", "1000")
    pending = condition(get(cluster, "web"), "PodResizePending")
    assert pending.reason == "Infeasible"
    assert pending.message.startswith("Node didn't have enough capacity: cpu, requested: 1000000")
    assert status(cluster, "web").resources.limits["cpu"] == "500m"


# -- pressure


def test_a_node_short_of_memory_evicts_the_greediest_pod(cluster: Cluster) -> None:
    total = value(node(cluster, "worker-1").status.capacity["memory"]) >> 20
    args = ["--vm", "1", "--vm-bytes", f"{total - 80}M", "--vm-hang", "1"]
    hog = container("main", "polinux/stress", command=["stress", *args])
    apply(cluster, pod("web"), pod("hog", hog))
    cluster.run(40)
    found = get(cluster, "hog").status
    assert (found.phase, found.reason) == ("Failed", "Evicted")
    assert found.message.startswith("The node was low on resource: memory. ")
    assert get(cluster, "web").status.phase == "Running"
    taints = [taint.key for taint in node(cluster, "worker-1").spec.taints]
    assert taints == ["node.kubernetes.io/memory-pressure"]
    assert events(cluster, "hog", "Evicted") == [found.message]


# -- objects


def test_quality_of_service_is_set_at_creation(cluster: Cluster) -> None:
    equal = {"cpu": "100m", "memory": "64Mi"}
    guaranteed = {"requests": equal, "limits": equal}
    apply(
        cluster,
        pod("guaranteed", container(resources=guaranteed)),
        pod("burstable", container(resources={"requests": {"cpu": "100m"}})),
        pod("best-effort"),
    )
    found = [get(cluster, n).status.qosClass for n in ("guaranteed", "burstable", "best-effort")]
    assert found == ["Guaranteed", "Burstable", "BestEffort"]


def test_a_deadline_may_be_set_on_a_pod_that_runs(cluster: Cluster) -> None:
    apply(cluster, pod("late"))
    ready(cluster, "late")
    cluster.kubectl("""patch pod late -p '{"spec":{"activeDeadlineSeconds":10}}'""")
    cluster.run(30)
    found = get(cluster, "late").status
    assert (found.phase, found.reason) == ("Failed", "DeadlineExceeded")


def test_nodes_are_objects_like_others(cluster: Cluster) -> None:
    cluster.kubectl("label node worker-1 colour=red")
    found = cluster.view.list(Node, labels="colour=red")
    assert [n.metadata.name for n in found] == ["worker-1"]


def test_pods_are_listed_and_deleted_by_their_labels(cluster: Cluster) -> None:
    apply(cluster, *(pod(f"p{n}", labels={"group": "a"}) for n in range(3)), pod("other"))
    cluster.kubectl("delete pods -l group=a")
    cluster.run(5)
    assert [p.metadata.name for p in cluster.view.list(Pod, "default")] == ["other"]
