"""The official Python client against a served cluster."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest

kubernetes = pytest.importorskip("kubernetes", reason="the official Python client")
# The client leaves the socket of an exec to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

POD = {
    "metadata": {"name": "box"},
    "spec": {
        "containers": [{"name": "box", "image": "busybox:1.37", "command": ["sleep", "99999"]}]
    },
}
DEPLOYMENT = {
    "metadata": {"name": "api"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "api"}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {"containers": [{"name": "api", "image": "nginx"}]},
        },
    },
}


@pytest.fixture(scope="module")
def api(serve) -> Iterator[Any]:
    for _, kubectl in serve():
        client = kubernetes.config.new_client_from_config(kubectl.environment["KUBECONFIG"])
        yield client
        client.close()
        gc.collect()  # what the client left lying is swept up before the next module


@pytest.fixture(scope="module")
def core(api) -> Any:
    return kubernetes.client.CoreV1Api(api)


@pytest.fixture(scope="module")
def apps(api) -> Any:
    return kubernetes.client.AppsV1Api(api)


@pytest.fixture(scope="module")
def box(core) -> str:
    core.create_namespaced_pod("default", POD)
    watch = kubernetes.watch.Watch()
    for event in watch.stream(core.list_namespaced_pod, "default", timeout_seconds=60):
        if event["object"].metadata.name == "box" and event["object"].status.phase == "Running":
            watch.stop()
    return "box"


def test_it_lists_nodes_and_pods(core) -> None:
    assert core.list_node().items[0].metadata.name == "control-plane"
    assert core.list_pod_for_all_namespaces(limit=3).metadata._continue


def test_a_watch_ends_when_it_has_seen_enough(core, box) -> None:
    assert core.read_namespaced_pod(box, "default").status.phase == "Running"


def test_logs_and_exec(core, box) -> None:
    stream = kubernetes.stream.stream
    call = core.connect_get_namespaced_pod_exec
    out = stream(call, box, "default", command=["echo", "hi"], stdout=True, stderr=True)
    assert out == "hi\n"
    assert core.read_namespaced_pod_log(box, "default") == ""


def test_a_deployment_is_created_scaled_and_patched(apps) -> None:
    apps.create_namespaced_deployment("default", DEPLOYMENT)
    apps.patch_namespaced_deployment_scale("api", "default", {"spec": {"replicas": 3}})
    assert apps.read_namespaced_deployment_scale("api", "default").spec.replicas == 3
    labels = {"metadata": {"labels": {"x": "y"}}}
    assert apps.patch_namespaced_deployment("api", "default", labels).metadata.labels["x"] == "y"


def test_a_conflict_and_a_missing_object_are_exceptions_with_a_status(core) -> None:
    body = {"metadata": {"name": "c"}, "data": {"a": "1"}}
    made = core.create_namespaced_config_map("default", body)
    core.patch_namespaced_config_map("c", "default", {"data": {"a": "2"}})
    with pytest.raises(kubernetes.client.ApiException) as refused:
        core.replace_namespaced_config_map("c", "default", made)
    assert (refused.value.status, refused.value.reason) == (409, "Conflict")
    with pytest.raises(kubernetes.client.ApiException, match="404"):
        core.read_namespaced_config_map("nope", "default")


def test_deleting_a_pod_returns_the_pod(core) -> None:
    core.create_namespaced_pod("default", {**POD, "metadata": {"name": "gone"}})
    assert core.delete_namespaced_pod("gone", "default").metadata.name == "gone"


def test_the_dynamic_client_finds_kinds_by_discovery(api) -> None:
    dynamic = kubernetes.dynamic.DynamicClient(api)
    maps = dynamic.resources.get(api_version="v1", kind="ConfigMap")
    maps.server_side_apply(
        namespace="default",
        name="ssa",
        body={
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "ssa"},
            "data": {"k": "v"},
        },
        field_manager="test",
    )
    found = maps.get(name="ssa", namespace="default")
    assert found.data.k == "v"
    assert found.metadata.managedFields[0].operation == "Apply"


def test_ports_are_forwarded(core, box) -> None:
    core.create_namespaced_pod(
        "default",
        {
            "metadata": {"name": "site"},
            "spec": {"containers": [{"name": "site", "image": "nginx:1.27"}]},
        },
    )
    watch = kubernetes.watch.Watch()
    for event in watch.stream(core.list_namespaced_pod, "default", timeout_seconds=60):
        if event["object"].metadata.name == "site" and event["object"].status.phase == "Running":
            watch.stop()
    forwarded = kubernetes.stream.portforward(
        core.connect_get_namespaced_pod_portforward, "site", "default", ports="80"
    )
    http = forwarded.socket(80)
    http.sendall(b"GET / HTTP/1.1\r\nHost: site\r\nConnection: close\r\n\r\n")
    http.settimeout(10)
    answer = b""
    while part := http.recv(4096):
        answer += part
    http.close()
    forwarded.websocket.close()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert forwarded.error(80) is None
