"""Volumes as containers find them."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.core import ConfigMap, KeyToPath, Pod, Secret
from k8slab.api.meta import ObjectMeta
from k8slab.node.kubelet.volumes import MountFailed, files_of
from tests.node.kubelet.lab import Lab, shell

CM = ConfigMap(metadata=ObjectMeta(name="cm", namespace="default"), data={"a": "1", "b": "2"})


def test_keys_become_files_and_items_choose_and_rename_them() -> None:
    assert files_of(CM, ()) == {"a": "1", "b": "2"}
    assert files_of(CM, (KeyToPath(key="a", path="x/y"),)) == {"x/y": "1"}
    assert files_of(Secret(data={"k": "c2VjcmV0"}), ()) == {"k": "secret"}


def test_a_missing_key_is_an_error_unless_optional() -> None:
    items = (KeyToPath(key="z", path="z"),)
    with pytest.raises(MountFailed, match="configmap references non-existent config key: z"):
        files_of(CM, items)
    assert files_of(CM, items, optional=True) == {}


def logged(lab: Lab, script: str, volume: dict[str, Any], **mount: Any) -> list[str]:
    mounts = [{"name": "v", "mountPath": "/v", **mount}]
    lab.run_pod(shell(script, volumeMounts=mounts), volumes=[{"name": "v", **volume}])
    lab.run(5)
    return [line.text for line in lab.runtime.log(lab.runtime.containers()[0].id)]


def test_a_config_map_is_a_folder(lab: Lab) -> None:
    lab.create(CM)
    assert logged(lab, "echo $(cat /v/a /v/b)", {"configMap": {"name": "cm"}}) == ["12"]


def test_the_downward_api_writes_labels(lab: Lab) -> None:
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    assert logged(lab, "echo $(cat /v/labels)", {"downwardAPI": {"items": items}}) == ['app="web"']


def test_the_downward_api_follows_the_labels(lab: Lab) -> None:
    items = [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]
    script = "while true; do cat /v/labels; echo; sleep 5; done"
    before = logged(lab, script, {"downwardAPI": {"items": items}})
    change = {"metadata": {"labels": {"app": "shop"}}}
    lab.do(lab.client.merge(Pod, "web", change, "default"))
    lab.run(70)
    after = [line.text for line in lab.runtime.log(lab.runtime.containers()[0].id)]
    assert (before[0], after[-2]) == ('app="web"', 'app="shop"')


def test_the_downward_api_tells_what_the_node_has_where_there_is_no_limit(lab: Lab) -> None:
    ref = {"containerName": "web", "resource": "limits.cpu", "divisor": "1m"}
    items = [{"path": "cpu", "resourceFieldRef": ref}]
    assert logged(lab, "cat /v/cpu; echo", {"downwardAPI": {"items": items}}) == ["4000"]


def test_a_projected_volume_holds_token_and_objects(lab: Lab) -> None:
    lab.create(CM)
    sources = [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "cm", "items": [{"key": "a", "path": "ca"}]}},
    ]
    script = "echo $(cat /v/token) $(cat /v/ca)"
    assert logged(lab, script, {"projected": {"sources": sources}}) == [
        "system:serviceaccount:default:default 1"
    ]


def test_a_host_path_is_the_nodes_own_disk(lab: Lab) -> None:
    lab.machine.disk.write("/data/in", "from the node\n")
    volume = {"hostPath": {"path": "/data"}}
    assert logged(lab, "cat /v/in; echo back > /v/out", volume) == ["from the node"]
    assert lab.machine.disk.read("data/out") == "back\n"


def test_a_host_path_that_must_exist_is_checked(lab: Lab) -> None:
    volume = {"hostPath": {"path": "/none", "type": "Directory"}}
    lab.run_pod(shell("true"), volumes=[{"name": "v", **volume}])
    lab.run(5)
    message = (
        'MountVolume.SetUp failed for volume "v" : '
        "hostPath type check failed: /none is not a directory"
    )
    assert ("FailedMount", message) in lab.events()


def test_an_empty_dir_outlives_the_container_but_not_the_pod(lab: Lab) -> None:
    script = "echo x >> /v/log; cat /v/log; sleep 1; exit 1"
    logged(lab, script, {"emptyDir": {}})
    texts = [line.text for found in lab.runtime.containers() for line in lab.runtime.log(found.id)]
    assert texts == ["x", "x", "x"]
    lab.delete()
    lab.run(40)
    assert not [path for path in lab.machine.disk.files if "kubelet/pods" in path]


def test_a_sub_path_does_not_follow_changes(lab: Lab) -> None:
    lab.create(CM)
    mounts = [{"name": "v", "mountPath": "/v/a", "subPath": "a"}]
    lab.run_pod(
        shell("while true; do echo $(cat /v/a); sleep 30; done", volumeMounts=mounts),
        volumes=[{"name": "v", "configMap": {"name": "cm"}}],
    )
    lab.run(10)
    lab.do(lab.client.merge(ConfigMap, "cm", {"data": {"a": "new"}}, "default"))
    lab.run(200)
    texts = {line.text for line in lab.runtime.log(lab.runtime.containers()[0].id)}
    assert texts == {"1"}


def test_an_image_is_a_volume_of_its_files_and_cannot_be_written_to(lab: Lab) -> None:
    volume = {"image": {"reference": "nginx:1.29"}}
    script = "head -n1 /v/usr/share/nginx/html/index.html; echo x > /v/new; sleep 9999"
    assert logged(lab, script, volume) == [
        "<!DOCTYPE html>",
        "sh: can't create /v/new: Read-only file system",
    ]
    assert ("Pulling", 'Pulling image "nginx:1.29"') in lab.events()


def test_a_container_waits_for_the_image_of_its_volume(lab: Lab) -> None:
    lab.registry.missing("example.com/data:v1")
    volume = {"name": "data", "image": {"reference": "example.com/data:v1"}}
    mounts = [{"name": "data", "mountPath": "/data"}]
    lab.run_pod(shell("sleep 9999", volumeMounts=mounts), volumes=[volume])
    lab.run(5)
    assert lab.state()["waiting"]["reason"] in ("ErrImagePull", "ImagePullBackOff")
    lab.registry.restore("example.com/data:v1")
    lab.run(30)
    assert "running" in lab.state()
