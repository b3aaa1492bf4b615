"""sig-storage: volumes as containers find them, as far as the lab has them."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from k8slab import Cluster
from tests.conformance.lab import apply, config_map, pod, ready, shell, sleeper

ONCE = {"restartPolicy": "Never"}


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


def secret(name: str, **data: str) -> dict[str, Any]:
    coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": coded}


def settings(name: str, **data: str) -> dict[str, Any]:
    return {**config_map(name), "data": data}


def mounted(volume: dict[str, Any], script: str, **spec: Any) -> dict[str, Any]:
    """Return a Pod that has a volume at /v and runs a script once."""
    mounts = [{"name": "v", "mountPath": "/v"}]
    volumes = [{"name": "v", **volume}]
    return pod("web", shell(script, volumeMounts=mounts), volumes=volumes, **{**ONCE, **spec})


def printed(cluster: Cluster, volume: dict[str, Any], script: str, **spec: Any) -> str:
    apply(cluster, mounted(volume, script, **spec))
    cluster.run(20)
    return cluster.kubectl("logs web").rstrip("\n")


def source(kind: str, name: str, **fields: Any) -> dict[str, Any]:
    key = "secretName" if kind == "secret" else "name"
    return {kind: {key: name, **fields}}


def made(kind: str, name: str, **data: str) -> dict[str, Any]:
    return secret(name, **data) if kind == "secret" else settings(name, **data)


KINDS = pytest.mark.parametrize("kind", ["configMap", "secret"])


@KINDS
def test_each_key_is_a_file_and_items_choose_and_rename_them(cluster: Cluster, kind: str) -> None:
    apply(cluster, made(kind, "app", a="1", b="2"))
    assert printed(cluster, source(kind, "app"), "cat /v/a /v/b") == "12"
    cluster.kubectl("delete pod web --now")
    chosen = source(kind, "app", items=[{"key": "a", "path": "deep/er"}])
    assert printed(cluster, chosen, "cat /v/deep/er; ls /v") == "1deep"


def test_binary_data_is_there_beside_the_text(cluster: Cluster) -> None:
    data = base64.b64encode(b"raw").decode()
    apply(cluster, {**settings("app", text="t"), "binaryData": {"bytes": data}})
    assert printed(cluster, source("configMap", "app"), "cat /v/text /v/bytes") == "traw"


@KINDS
def test_a_change_arrives_and_an_optional_one_that_comes_later(cluster: Cluster, kind: str) -> None:
    apply(cluster, made(kind, "app", a="old"))
    volumes = [
        {"name": "v", **source(kind, "app")},
        {"name": "late", **source(kind, "late", optional=True)},
    ]
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("v", "late")]
    apply(cluster, pod("web", sleeper(volumeMounts=mounts), volumes=volumes))
    ready(cluster, "web")
    assert cluster.kubectl("exec web -- cat /v/a") == "old"
    assert "No such file" in cluster.kubectl("exec web -- cat /late/b")
    apply(cluster, made(kind, "app", a="new"), made(kind, "late", b="here"))
    cluster.run(120)
    assert cluster.kubectl("exec web -- cat /v/a /late/b") == "newhere"
    apply(cluster, made(kind, "late", c="other"))
    cluster.run(120)
    assert "No such file" in cluster.kubectl("exec web -- cat /late/b")


@KINDS
def test_what_is_immutable_stays_but_for_its_metadata(cluster: Cluster, kind: str) -> None:
    apply(cluster, made(kind, "app", a="1"))
    resource = kind.lower()
    assert "patched" in cluster.kubectl(f"patch {resource} app -p '{{\"immutable\": true}}'")
    text = '{"data": {"a": "Mg=="}}'
    assert "field is immutable when `immutable` is set" in (
        cluster.kubectl(f"patch {resource} app -p '{text}'")
    )
    assert "field is immutable" in (
        cluster.kubectl(f"patch {resource} app -p '{{\"immutable\": false}}'")
    )
    assert "labeled" in cluster.kubectl(f"label {resource} app team=a")
    assert "deleted" in cluster.kubectl(f"delete {resource} app")


@KINDS
def test_one_object_may_be_several_volumes(cluster: Cluster, kind: str) -> None:
    apply(cluster, made(kind, "app", a="1"))
    volumes = [{"name": name, **source(kind, "app")} for name in ("one", "two")]
    mounts = [{"name": name, "mountPath": f"/{name}"} for name in ("one", "two")]
    apply(
        cluster,
        pod("web", shell("cat /one/a /two/a", volumeMounts=mounts), volumes=volumes, **ONCE),
    )
    cluster.run(20)
    assert cluster.kubectl("logs web") == "11\n"


def test_secrets_of_one_name_in_two_namespaces_are_two(cluster: Cluster) -> None:
    cluster.kubectl("create namespace other")
    apply(cluster, secret("app", a="mine"))
    cluster.kubectl("create secret generic app --from-literal=a=theirs -n other")
    assert printed(cluster, source("secret", "app"), "cat /v/a") == "mine"


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        ("limits.cpu", "2"),
        ("requests.cpu", "1"),
        ("limits.memory", "67108864"),
        ("requests.memory", "33554432"),
    ],
)
def test_the_downward_api_writes_requests_and_limits(
    cluster: Cluster, resource: str, shown: str
) -> None:
    item = {"path": "x", "resourceFieldRef": {"containerName": "main", "resource": resource}}
    resources = {
        "requests": {"cpu": "250m", "memory": "32Mi"},
        "limits": {"cpu": "1250m", "memory": "64Mi"},
    }
    made = mounted({"downwardAPI": {"items": [item]}}, "cat /v/x")
    made["spec"]["containers"][0]["resources"] = resources
    apply(cluster, made)
    cluster.run(20)
    assert cluster.kubectl("logs web") == f"{shown}\n"


def test_without_limits_the_downward_api_writes_what_the_node_has(cluster: Cluster) -> None:
    items = [
        {"path": name, "resourceFieldRef": {"containerName": "main", "resource": f"limits.{name}"}}
        for name in ("cpu", "memory")
    ]
    shown = printed(cluster, {"downwardAPI": {"items": items}}, "cat /v/cpu; echo; cat /v/memory")
    assert shown == f"4\n{8092 * 2**20}"


def test_the_downward_api_follows_labels_and_annotations(cluster: Cluster) -> None:
    items = [
        {"path": name, "fieldRef": {"fieldPath": f"metadata.{name}"}}
        for name in ("name", "labels", "annotations")
    ]
    mounts = [{"name": "v", "mountPath": "/v"}]
    volumes = [{"name": "v", "downwardAPI": {"items": items}}]
    apply(cluster, pod("web", sleeper(volumeMounts=mounts), volumes=volumes))
    ready(cluster, "web")
    assert cluster.kubectl("exec web -- cat /v/name") == "web"
    cluster.kubectl("label pod web tier=front")
    cluster.kubectl("annotate pod web build=two")
    cluster.run(90)
    assert 'tier="front"' in cluster.kubectl("exec web -- cat /v/labels")
    assert 'build="two"' in cluster.kubectl("exec web -- cat /v/annotations")


def test_a_projected_volume_holds_all_of_them(cluster: Cluster) -> None:
    apply(cluster, settings("app", a="1"), secret("key", b="2"))
    sources = [
        {"configMap": {"name": "app"}},
        {"secret": {"name": "key", "items": [{"key": "b", "path": "in/b"}]}},
        {"downwardAPI": {"items": [{"path": "who", "fieldRef": {"fieldPath": "metadata.name"}}]}},
        {"configMap": {"name": "nowhere", "optional": True}},
    ]
    volume = {"projected": {"sources": sources}}
    assert printed(cluster, volume, "cat /v/a /v/in/b /v/who") == "12web"


def test_containers_share_an_empty_dir_that_outlives_a_restart(cluster: Cluster) -> None:
    mounts = [{"name": "v", "mountPath": "/v"}]
    writer = shell("date >> /v/runs; [ $(wc -l < /v/runs) -gt 1 ] || exit 1; sleep 9999",
                   volumeMounts=mounts)  # fmt: skip
    reader = sleeper("reader", volumeMounts=mounts)
    apply(cluster, pod("web", writer, reader, volumes=[{"name": "v", "emptyDir": {}}]))
    cluster.run(30)
    assert cluster.kubectl("exec web -c reader -- wc -l /v/runs") == "2 /v/runs\n"


def test_a_part_of_a_volume_may_be_mounted_over_what_is_there(cluster: Cluster) -> None:
    apply(cluster, settings("app", conf="mine"))
    mounts = [{"name": "v", "mountPath": "/etc/group", "subPath": "conf"}]
    volumes = [{"name": "v", **source("configMap", "app")}]
    script = "cat /etc/group; grep -c root /etc/passwd"
    apply(cluster, pod("web", shell(script, volumeMounts=mounts), volumes=volumes, **ONCE))
    cluster.run(20)
    assert cluster.kubectl("logs web") == "mine1\n"


def test_fifty_config_maps_are_fifty_volumes(cluster: Cluster) -> None:
    names = [f"c{number}" for number in range(50)]
    apply(cluster, *(settings(name, it=name) for name in names))
    volumes = [{"name": name, **source("configMap", name)} for name in names]
    mounts = [{"name": name, "mountPath": f"/v/{name}"} for name in names]
    apply(cluster, pod("web", sleeper(volumeMounts=mounts), volumes=volumes))
    ready(cluster, "web")
    assert cluster.kubectl("exec web -- cat /v/c7/it /v/c49/it") == "c7c49"
