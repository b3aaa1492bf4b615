from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from k8slab.api import load
from k8slab.api.core import ContainerState, ContainerStateTerminated, ContainerStatus
from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH, STRATEGIC_PATCH
from k8slab.control_plane.apiserver.validation import validate_part


def refused(lab: Any, change: dict[str, Any]) -> str:
    with pytest.raises(ApiError) as found:
        lab.patch("Pod", "web", {"spec": change}, STRATEGIC_PATCH)
    return found.value.message


def test_an_image_a_deadline_and_more_tolerations_can_be_set(lab: Any, pod: Any) -> None:
    lab.create(pod())
    lab.patch(
        "Pod",
        "web",
        {"spec": {"containers": [{"name": "web", "image": "nginx:1.27"}]}},
        STRATEGIC_PATCH,
    )
    kept = [
        {"key": t.key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 9}
        for t in lab.get("Pod", "web").spec.tolerations
    ]
    added = [*kept, {"key": "new", "operator": "Exists"}]
    changed = lab.patch(
        "Pod", "web", {"spec": {"activeDeadlineSeconds": 60, "tolerations": added}}, MERGE_PATCH
    )
    assert changed.spec.containers[0].image == "nginx:1.27"
    assert [t.tolerationSeconds for t in changed.spec.tolerations] == [9, 9, None]


def test_the_message_shows_the_lines_that_differ(lab: Any, pod: Any) -> None:
    lab.create(pod())
    text = refused(lab, {"hostNetwork": True})
    assert "spec: Forbidden: pod updates may not change fields other than" in text
    hunk = text[text.index("@@") :].split("\n")
    assert hunk[0].endswith(",7 @@")
    assert hunk[4:6] == ['-  "HostNetwork": false,', '+  "HostNetwork": true,']


def test_containers_cannot_be_added(lab: Any, pod: Any) -> None:
    lab.create(pod())
    text = refused(lab, {"containers": [{"name": "b", "image": "c"}]})
    assert text.endswith("spec.containers: Forbidden: pod updates may not add or remove containers")


def test_a_deadline_can_only_get_shorter(lab: Any, pod: Any) -> None:
    manifest = pod()
    manifest["spec"]["activeDeadlineSeconds"] = 60
    lab.create(manifest)
    assert refused(lab, {"activeDeadlineSeconds": 61}).endswith(
        "Invalid value: 61: must be less than or equal to previous value"
    )
    assert lab.patch("Pod", "web", {"spec": {"activeDeadlineSeconds": 59}}, MERGE_PATCH)


def test_a_gated_pod_may_become_choosier_about_its_node(lab: Any, pod: Any) -> None:
    manifest = pod()
    manifest["spec"] |= {"schedulingGates": [{"name": "a.b/c"}], "nodeSelector": {"a": "1"}}
    lab.create(manifest)
    assert lab.patch("Pod", "web", {"spec": {"nodeSelector": {"b": "2"}}}, MERGE_PATCH)
    assert "only additions to spec.nodeSelector are allowed" in refused(
        lab, {"nodeSelector": {"a": "2"}}
    )


def test_a_status_can_be_written_though_the_spec_would_be_refused_today(pod: Any) -> None:
    manifest = pod()
    manifest["spec"]["containers"] = []
    old = load(manifest)
    assert (
        validate_part(replace(old, status=replace(old.status, phase="Running")), old, "status")
        == []
    )


def test_a_container_that_ended_for_good_does_not_run_again(pod: Any) -> None:
    manifest = pod()
    manifest["spec"]["restartPolicy"] = "Never"
    bare: Any = load(manifest)
    ended = ContainerStatus(
        name="web", state=ContainerState(terminated=ContainerStateTerminated(exitCode=0))
    )
    old = replace(bare, status=replace(bare.status, containerStatuses=(ended,)))
    again = replace(ended, state=ContainerState())
    new = replace(old, status=replace(old.status, containerStatuses=(again,)))
    assert [str(error) for error in validate_part(new, old, "status")] == [
        "status.containerStatuses[0].state: Forbidden: "
        "may not be transitioned to non-terminated state"
    ]
