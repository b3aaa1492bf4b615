"""As whom a container may run."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api import load, to_dict
from k8slab.api.core import Pod
from k8slab.node.kubelet.security_context import verify_run_as_non_root
from tests.node.kubelet.lab import Lab, container, shell

NON_ROOT = {"runAsNonRoot": True}


def refusal(own: Any, of_pod: Any, image_user: int) -> str:
    meta = {"name": "web", "namespace": "default", "uid": "u"}
    spec: Any = {"containers": [{"name": "c"}]}
    if own is not None:
        spec["containers"][0]["securityContext"] = own
    if of_pod is not None:
        spec["securityContext"] = of_pod
    pod = load({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
    assert isinstance(pod, Pod)
    try:
        verify_run_as_non_root(pod, pod.spec.containers[0], image_user)
    except ValueError as error:
        return str(error)
    return ""


@pytest.mark.parametrize(
    ("own", "of_pod", "image_user", "words"),
    [
        (None, None, 0, ""),
        (NON_ROOT, None, 0, "container has runAsNonRoot and image will run as root"),
        (None, NON_ROOT, 0, "container has runAsNonRoot and image will run as root"),
        (None, NON_ROOT, 101, ""),
        (NON_ROOT, {"runAsUser": 1000}, 0, ""),
        ({**NON_ROOT, "runAsUser": 0}, None, 101, "container's runAsUser breaks non-root policy"),
        ({"runAsNonRoot": False}, NON_ROOT, 0, ""),
    ],
)
def test_who_may_not_be_root(own: Any, of_pod: Any, image_user: int, words: str) -> None:
    where = ' (pod: "web_default(u)", container: c)'
    assert refusal(own, of_pod, image_user) == (words + where if words else "")


def test_the_container_waits_and_says_why(lab: Lab) -> None:
    lab.run_pod(container(image="nginx", securityContext=NON_ROOT))
    lab.run(10)
    uid = lab.pod().metadata.uid
    message = (
        "container has runAsNonRoot and image will run as root "
        f'(pod: "web_default({uid})", container: web)'
    )
    reason = "CreateContainerConfigError"
    assert lab.state() == {"waiting": {"reason": reason, "message": message}}
    assert ("Failed", f"Error: {message}") in lab.events()


def test_user_and_groups_are_those_of_the_manifest_and_shown_in_the_status(lab: Lab) -> None:
    context = {"runAsUser": 1000, "runAsGroup": 3000, "fsGroup": 2000, "supplementalGroups": [4000]}
    lab.run_pod(shell("id; sleep 9999"), securityContext=context)
    lab.run(5)
    found = lab.runtime.containers()[0]
    printed = [line.text for line in lab.runtime.log(found.id)]
    assert printed == ["uid=1000 gid=3000 groups=2000,3000,4000"]
    user = to_dict(lab.pod().status.containerStatuses[0].user)
    linux = {"gid": 3000, "uid": 1000, "supplementalGroups": (2000, 3000, 4000)}
    assert user == {"linux": linux}
