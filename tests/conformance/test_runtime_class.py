"""RuntimeClasses: what a Pod takes over from the one that it names, and what if there is none."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from tests.conformance.lab import apply, container, events, get, pod, ready


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


def runtime_class(name: str, handler: str = "runc", **fields: Any) -> dict[str, Any]:
    meta = {"name": name}
    kind = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass"}
    return {**kind, "metadata": meta, "handler": handler, **fields}


def test_a_pod_with_an_unknown_runtime_class_is_refused(cluster: Cluster) -> None:
    refused = apply(cluster, pod("web", runtimeClassName="nope"))
    assert 'pods "web" is forbidden: pod rejected: RuntimeClass "nope" not found' in refused
    apply(cluster, runtime_class("short-lived"))
    cluster.kubectl("delete runtimeclass short-lived")
    refused = apply(cluster, pod("web", runtimeClassName="short-lived"))
    assert 'pod rejected: RuntimeClass "short-lived" not found' in refused


def test_a_runtime_class_adds_its_overhead_and_its_place_to_the_pod(cluster: Cluster) -> None:
    scheduling = {
        "nodeSelector": {"kubernetes.io/hostname": "worker-1"},
        "tolerations": [{"key": "sandboxed", "operator": "Exists"}],
    }
    overhead = {"podFixed": {"cpu": "250m", "memory": "120Mi"}}
    apply(cluster, runtime_class("heavy", overhead=overhead, scheduling=scheduling))
    asking = container(resources={"requests": {"cpu": "100m"}})
    apply(cluster, pod("web", asking, runtimeClassName="heavy"))
    ready(cluster, "web")
    found = get(cluster, "web")
    assert found.spec.overhead == {"cpu": "250m", "memory": "120Mi"}
    assert found.spec.nodeName == "worker-1"
    assert found.spec.tolerations[-1].key == "sandboxed"
    row = next(
        line.split()
        for line in cluster.kubectl("describe node worker-1").split("\n")
        if " web " in line
    )
    assert (row[2], row[6]) == ("350m", "120Mi")


def test_an_overhead_of_the_pods_own_is_refused(cluster: Cluster) -> None:
    apply(cluster, runtime_class("heavy", overhead={"podFixed": {"cpu": "250m"}}))
    wrong = pod("web", runtimeClassName="heavy", overhead={"cpu": "1"})
    assert "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead" in apply(
        cluster, wrong
    )
    alone = pod("web", overhead={"cpu": "1"})
    assert (
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        in apply(cluster, alone)
    )


def test_a_runtime_class_without_overhead_adds_none(cluster: Cluster) -> None:
    apply(cluster, runtime_class("plain"))
    apply(cluster, pod("web", runtimeClassName="plain"))
    ready(cluster, "web")
    assert get(cluster, "web").spec.overhead == {}


def test_a_handler_that_the_runtime_has_not_is_told_by_an_event(cluster: Cluster) -> None:
    apply(cluster, runtime_class("gvisor", "runsc"))
    apply(cluster, pod("web", runtimeClassName="gvisor"))
    cluster.run(5)
    assert events(cluster, "web", "FailedCreatePodSandBox")[0] == (
        "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to get sandbox "
        'runtime: no runtime for "runsc" is configured'
    )
    cluster.kubectl("delete runtimeclass gvisor")
    cluster.run(15)
    assert (
        'runtimeclass.node.k8s.io "gvisor" not found'
        in (events(cluster, "web", "FailedCreatePodSandBox")[-1])
    )


def test_a_runtime_classs_handler_is_a_name_and_stays(cluster: Cluster) -> None:
    assert 'handler: Invalid value: "Not_A_Name"' in (
        apply(cluster, runtime_class("bad", "Not_A_Name"))
    )
    apply(cluster, runtime_class("plain"))
    assert "field is immutable" in apply(cluster, runtime_class("plain", "other"))
    assert cluster.kubectl("get runtimeclasses").split("\n")[1].split()[:2] == ["plain", "runc"]
