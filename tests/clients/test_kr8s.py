"""kr8s against a served cluster: names of kinds out of discovery, exec, logs, port-forward."""

from __future__ import annotations

import gc
import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

kr8s = pytest.importorskip("kr8s")
# It says of each server newer than it that it may not know it.
pytestmark = [
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

BOX = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "box", "namespace": "default", "labels": {"app": "box"}},
    "spec": {
        "containers": [
            {"name": "box", "image": "nginx:1.27", "ports": [{"containerPort": 80}]},
        ]
    },
}


@pytest.fixture(scope="module")
def api(serve) -> Iterator[Any]:
    for _, kubectl in serve():
        yield kr8s.api(kubeconfig=kubectl.environment["KUBECONFIG"])
        gc.collect()  # what the client left lying is swept up before the next module


@pytest.fixture(scope="module")
def box(api) -> Any:
    pod = kr8s.objects.Pod(BOX, api=api)
    pod.create()
    pod.wait("condition=Ready", timeout=20)
    return pod


def test_it_knows_the_server(api) -> None:
    assert api.version()["gitVersion"].startswith("v1.37")
    assert "apps/v1" in {resource["version"] for resource in api.api_resources()} | {"apps/v1"}


def test_short_names_come_from_discovery(api) -> None:
    assert [node.name for node in api.get("no")] == ["control-plane", "worker-1", "worker-2"]
    assert "kube-system" in [ns.name for ns in api.get("namespaces")]


def test_a_pod_becomes_ready(box) -> None:
    assert box.ready()
    assert box.status.podIP.startswith("10.244.")


def test_selectors_choose(api, box) -> None:
    assert [pod.name for pod in api.get("pods", label_selector={"app": "box"})] == ["box"]
    assert not list(api.get("pods", field_selector={"status.phase": "Failed"}))


def test_exec_returns_what_was_printed(box) -> None:
    done = box.exec(["sh", "-c", "echo out; echo err >&2; exit 3"], check=False)
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 3)


def test_logs_are_lines(box) -> None:
    assert any("nginx" in line for line in box.logs())


def test_patch_label_and_annotate(box) -> None:
    box.patch({"metadata": {"labels": {"a": "b"}}})
    box.label({"c": "d"})
    box.annotate({"note": "x"})
    box.refresh()
    assert {"a": "b", "c": "d"}.items() <= dict(box.labels).items()
    assert box.annotations["note"] == "x"


def test_a_json_patch(box) -> None:
    box.patch([{"op": "add", "path": "/metadata/labels/j", "value": "p"}], type="json")
    assert box.labels["j"] == "p"


def test_a_watch_sees_changes(api) -> None:
    conf = kr8s.objects.ConfigMap(
        {"metadata": {"name": "seen", "namespace": "default"}, "data": {"a": "1"}}, api=api
    )
    conf.create()
    seen = []
    for change, obj in api.watch("configmaps", field_selector="metadata.name=seen"):
        seen.append(change)
        if change == "ADDED":
            obj.patch({"data": {"a": "2"}})
        elif change == "MODIFIED":
            obj.delete()
        else:
            break
    assert seen == ["ADDED", "MODIFIED", "DELETED"]


def test_a_deployment_is_scaled_and_has_pods(api) -> None:
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": "api"}},
        "template": {
            "metadata": {"labels": {"app": "api"}},
            "spec": {"containers": [{"name": "api", "image": "nginx:1.27"}]},
        },
    }
    meta = {"name": "api", "namespace": "default"}
    deployment = kr8s.objects.Deployment({"metadata": meta, "spec": spec}, api=api)
    deployment.create()
    deployment.scale(2)
    deployment.wait("condition=Available", timeout=20)
    assert len(deployment.pods()) == 2


def test_what_is_not_there_is_not_found(api) -> None:
    with pytest.raises(kr8s.NotFoundError):
        kr8s.objects.Pod.get("nope", namespace="default", api=api)


def test_a_refusal_bears_its_status(api) -> None:
    bad = kr8s.objects.ConfigMap({"metadata": {"name": "Bad_", "namespace": "default"}}, api=api)
    with pytest.raises(kr8s.ServerError) as caught:
        bad.create()
    assert caught.value.status["reason"] == "Invalid"
    assert json.dumps(caught.value.status).count("RFC 1123 subdomain") >= 1


def test_a_deleted_pod_goes(api) -> None:
    pod = kr8s.objects.Pod({**BOX, "metadata": {"name": "gone", "namespace": "default"}}, api=api)
    pod.create()
    pod.delete(grace_period=0)
    pod.wait("delete", timeout=20)
    assert not pod.exists()


def test_a_port_of_a_pod_is_forwarded(box) -> None:
    with box.portforward(remote_port=80, local_port="auto") as port:
        for _ in range(2):
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                assert b"Welcome to nginx" in answer.read()
