from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions
from k8slab.client import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH


def test_a_created_object_gets_what_only_the_server_can_give(lab: Any, pod: Any) -> None:
    stored = lab.create(pod(labels={"app": "web"}))
    assert stored.metadata.uid
    assert stored.metadata.resourceVersion == str(lab.endpoint.server.revision)
    assert (stored.metadata.generation, stored.status.phase) == (1, "Pending")
    assert stored.spec.restartPolicy == "Always"
    assert stored.spec.tolerations[0].tolerationSeconds == 300


def test_a_name_can_be_used_once(lab: Any, pod: Any) -> None:
    lab.create(pod())
    with pytest.raises(ApiError, match='pods "web" already exists') as refused:
        lab.create(pod())
    assert (refused.value.code, refused.value.reason) == (409, "AlreadyExists")


def test_generated_names_differ(lab: Any, pod: Any) -> None:
    manifest = pod()
    manifest["metadata"] = {"generateName": "web-"}
    names = {lab.create(manifest).metadata.name for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


def test_a_stale_resource_version_is_a_conflict(lab: Any, pod: Any) -> None:
    old = lab.create(pod())
    lab.patch("Pod", "web", {"metadata": {"labels": {"a": "1"}}}, MERGE_PATCH)
    with pytest.raises(ApiError, match="the object has been modified") as refused:
        lab.request("update", "Pod", "web", body=old)
    assert refused.value.reason == "Conflict"


def test_an_update_without_a_change_writes_nothing(lab: Any, pod: Any) -> None:
    stored = lab.create(pod())
    before = lab.endpoint.server.revision
    assert lab.request("update", "Pod", "web", body=stored) == stored
    assert lab.endpoint.server.revision == before


def test_the_status_is_written_by_itself_and_raises_no_generation(lab: Any, pod: Any) -> None:
    stored = lab.create(pod())
    wanted = replace(stored, status=replace(stored.status, phase="Running"), spec=stored.spec)
    running = lab.request("update", "Pod", "web", body=wanted, subresource="status")
    assert (running.status.phase, running.metadata.generation) == ("Running", 1)
    assert (
        lab.request(
            "update",
            "Pod",
            "web",
            body=stored.__class__(
                metadata=replace(running.metadata, labels={"x": "y"}), spec=running.spec
            ),
        ).status.phase
        == "Running"
    )


def test_a_pod_that_was_never_placed_goes_at_once(lab: Any, pod: Any) -> None:
    lab.create(pod())
    lab.request("delete", "Pod", "web")
    with pytest.raises(ApiError, match='pods "web" not found'):
        lab.get("Pod", "web")


def test_a_pod_on_a_node_waits_for_its_kubelet(lab: Any, pod: Any) -> None:
    manifest = pod()
    manifest["spec"]["nodeName"] = "worker-1"
    lab.create(manifest)
    marked = lab.request("delete", "Pod", "web")
    assert marked.metadata.deletionGracePeriodSeconds == 30
    assert marked.metadata.deletionTimestamp == "2026-01-01T00:00:30Z"
    sooner = lab.request("delete", "Pod", "web", body=DeleteOptions(gracePeriodSeconds=5))
    assert sooner.metadata.deletionTimestamp == "2026-01-01T00:00:05Z"
    lab.request("delete", "Pod", "web", body=DeleteOptions(gracePeriodSeconds=0))
    with pytest.raises(ApiError):
        lab.get("Pod", "web")


def test_finalizers_hold_an_object_until_they_are_gone(lab: Any, pod: Any) -> None:
    lab.create(pod(finalizers=["example.com/hold"]))
    lab.request("delete", "Pod", "web")
    assert lab.get("Pod", "web").metadata.deletionTimestamp
    lab.patch("Pod", "web", {"metadata": {"finalizers": None}}, MERGE_PATCH)
    with pytest.raises(ApiError, match="not found"):
        lab.get("Pod", "web")


def test_a_namespace_that_is_missing_takes_no_objects(lab: Any, pod: Any) -> None:
    with pytest.raises(ApiError, match='namespaces "ghost" not found'):
        lab.create(pod(), namespace="ghost")


def test_strategic_patches_merge_containers_by_name(lab: Any, pod: Any) -> None:
    lab.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {
                        "containers": [{"name": "a", "image": "x"}, {"name": "b", "image": "y"}]
                    },
                },
            },
        }
    )
    change = {"spec": {"template": {"spec": {"containers": [{"name": "b", "image": "z"}]}}}}
    patched = lab.patch("Deployment", "web", change, STRATEGIC_PATCH)
    images = [c.image for c in patched.spec.template.spec.containers]
    assert (images, patched.metadata.generation) == (["x", "z"], 2)


def test_json_patches_do_all_or_nothing(lab: Any, pod: Any) -> None:
    lab.create(pod(labels={"a": "1"}))
    steps = [
        {"op": "replace", "path": "/metadata/labels/a", "value": "2"},
        {"op": "test", "path": "/metadata/labels/a", "value": "3"},
    ]
    with pytest.raises(ApiError, match="the server rejected our request") as refused:
        lab.patch("Pod", "web", steps, JSON_PATCH)
    assert refused.value.code == 422
    assert lab.get("Pod", "web").metadata.labels == {"a": "1"}


def test_the_scale_of_a_deployment_is_a_number_of_its_own(lab: Any) -> None:
    lab.create(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [{"name": "a", "image": "x"}]},
                },
            },
        }
    )
    scale = lab.patch(
        "Deployment", "web", {"spec": {"replicas": 3}}, MERGE_PATCH, subresource="scale"
    )
    assert (scale.spec.replicas, scale.status.selector) == (3, "app=web")
    assert lab.get("Deployment", "web").spec.replicas == 3


def test_services_get_an_address_and_give_it_back(lab: Any) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {
            "type": "NodePort",
            "clusterIP": "10.96.0.50",
            "ports": [{"port": 80, "nodePort": 30080}],
        },
    }
    lab.create(manifest)
    other = {**manifest, "metadata": {"name": "other"}}
    with pytest.raises(ApiError, match="provided IP is already allocated"):
        lab.create(other)
    lab.request("delete", "Service", "web")
    assert lab.create(other).spec.clusterIP == "10.96.0.50"


def test_without_etcd_nothing_is_answered_and_nothing_forgotten(lab: Any, pod: Any) -> None:
    from k8slab.control_plane.etcd import Etcd

    lab.create(pod())
    lab.endpoint.stop()
    with pytest.raises(ApiError, match="connection refused"):
        lab.get("Pod", "web")
    lab.endpoint.serve(Etcd(lab.sim, lab.backend))
    assert lab.get("Pod", "web").metadata.name == "web"


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_first_namespaces_cannot_be_deleted(lab: Any, name: str) -> None:
    with pytest.raises(ApiError, match="this namespace may not be deleted") as refused:
        lab.request("delete", "Namespace", name)
    assert refused.value.reason == "Forbidden"


def test_a_daemon_sets_template_is_counted_by_the_server_alone(lab: Any) -> None:
    container = {"name": "agent", "image": "agent:1"}
    template = {"metadata": {"labels": {"app": "agent"}}, "spec": {"containers": [container]}}
    spec = {"selector": {"matchLabels": {"app": "agent"}}, "template": template}
    manifest = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"}}
    created = lab.create({**manifest, "spec": spec})
    key = "deprecated.daemonset.template.generation"
    assert created.metadata.annotations == {key: "1"}
    renamed = {"metadata": {"annotations": {key: "7"}}, "spec": {"minReadySeconds": 1}}
    assert lab.patch("DaemonSet", "agent", renamed, MERGE_PATCH).metadata.annotations[key] == "1"
    image = {"spec": {"template": {"spec": {"containers": [{**container, "image": "agent:2"}]}}}}
    assert lab.patch("DaemonSet", "agent", image, MERGE_PATCH).metadata.annotations[key] == "2"


def test_a_gated_pod_is_told_at_its_creation_that_it_waits(lab: Any, pod: Any) -> None:
    manifest = pod()
    manifest["spec"]["schedulingGates"] = [{"name": "example.com/quota"}]
    [condition] = lab.create(manifest).status.conditions
    assert (condition.type, condition.status) == ("PodScheduled", "False")
    assert condition.message == "Scheduling is blocked due to non-empty scheduling gates"
