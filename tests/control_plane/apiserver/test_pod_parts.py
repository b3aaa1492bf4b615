"""Ephemeral containers and new amounts of resources: the two parts of a Pod that may change."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.core import ContainerState, ContainerStateRunning, ContainerStatus, Pod
from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH, STRATEGIC_PATCH

DEBUG = {"spec": {"ephemeralContainers": [{"name": "dbg", "image": "busybox"}]}}
AMOUNTS = {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"cpu": "200m"}}


def change(lab: Any, part: str, patch: Any, patch_type: str = STRATEGIC_PATCH) -> Pod:
    found = lab.patch("Pod", "web", patch, patch_type, subresource=part)
    assert isinstance(found, Pod)
    return found


def refused(lab: Any, part: str, patch: Any, patch_type: str = STRATEGIC_PATCH) -> str:
    with pytest.raises(ApiError) as found:
        change(lab, part, patch, patch_type)
    return found.value.message.removeprefix('Pod "web" is invalid: ')


def resized(**resources: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "web", "resources": resources}]}}


@pytest.fixture
def web(lab: Any, pod: Any) -> Any:
    manifest = pod()
    manifest["spec"]["containers"][0]["resources"] = AMOUNTS
    return lab.create(manifest)


def test_a_container_to_look_around_is_added_with_its_defaults(lab: Any, web: Any) -> None:
    changed = change(lab, "ephemeralcontainers", DEBUG)
    assert changed.spec.ephemeralContainers[0].imagePullPolicy == "Always"
    assert changed.metadata.generation == web.metadata.generation + 1


def test_an_ephemeral_container_stays_as_it_is(lab: Any, web: Any) -> None:
    change(lab, "ephemeralcontainers", DEBUG)
    other = {"spec": {"ephemeralContainers": [{"name": "dbg", "image": "alpine"}]}}
    text = refused(lab, "ephemeralcontainers", other)
    assert text.startswith("spec.ephemeralContainers: Forbidden: existing ephemeral containers ")
    assert '"dbg" may not be changed' in text
    none = {"spec": {"ephemeralContainers": []}}
    assert "may not be removed" in refused(lab, "ephemeralcontainers", none, MERGE_PATCH)


def test_the_door_for_ephemeral_containers_changes_nothing_else(lab: Any, web: Any) -> None:
    patch = {"metadata": {"labels": {"a": "b"}}, "spec": {"activeDeadlineSeconds": 5}}
    assert change(lab, "ephemeralcontainers", patch).spec == web.spec


def test_cpu_and_memory_of_a_pod_can_be_changed(lab: Any, web: Any) -> None:
    changed = change(lab, "resize", resized(requests={"cpu": "150m"}))
    assert changed.spec.containers[0].resources.requests == {"cpu": "150m", "memory": "64Mi"}
    assert changed.metadata.generation == 2


@pytest.mark.parametrize(
    ("resources", "text"),
    [
        (
            {"requests": {"memory": None}},
            "spec.containers[0].resources.requests: Forbidden: resource requests cannot be removed",
        ),
        (
            {"limits": {"cpu": None}},
            "spec.containers[0].resources.limits: Forbidden: resource limits cannot be removed",
        ),
        (
            {"limits": {"ephemeral-storage": "1Gi"}},
            "spec: Forbidden: only cpu and memory resources are mutable",
        ),
        (
            {"requests": {"cpu": "200m"}, "limits": {"memory": "64Mi"}},
            'spec: Invalid value: "Guaranteed": '
            "Pod QOS Class may not change as a result of resizing",
        ),
        (
            {"requests": {"cpu": "1"}},
            'spec.containers[0].resources.requests: Invalid value: "1": must be less than or equal '
            "to cpu limit of 200m",
        ),
    ],
)
def test_a_resize_is_refused_in_words(lab: Any, web: Any, resources: Any, text: str) -> None:
    assert refused(lab, "resize", resized(**resources)) == text


def test_a_resize_neither_renames_nor_adds(lab: Any, web: Any) -> None:
    one = {"name": "other", "image": "nginx"}
    two = {"spec": {"containers": [{"name": "web", "image": "nginx", "resources": AMOUNTS}, one]}}
    assert "containers may not be added or removed on resize" in refused(lab, "resize", two)
    renamed = {"spec": {"containers": [{**one, "resources": AMOUNTS}]}}
    assert "may not be renamed or reordered on resize" in refused(
        lab, "resize", renamed, MERGE_PATCH
    )


def test_a_kubelet_that_tells_no_resources_cannot_resize(lab: Any, web: Any) -> None:
    running = ContainerState(running=ContainerStateRunning())
    status = {"containerStatuses": [{"name": "web", "state": {"running": {}}}]}
    assert ContainerStatus(name="web", state=running).resources is None
    change(lab, "status", {"status": status})
    text = refused(lab, "resize", resized(requests={"cpu": "150m"}))
    assert text == "spec: Forbidden: Pod running on node without support for resize"


def test_other_kinds_have_no_such_door(lab: Any) -> None:
    with pytest.raises(ApiError, match="could not find the requested resource"):
        lab.request("get", "Deployment", "web", subresource="resize")
