"""lightkube against a served cluster: typed objects, applies, watches, errors."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

lightkube = pytest.importorskip("lightkube")
from lightkube import ApiError, Client, KubeConfig, codecs  # noqa: E402
from lightkube.models.meta_v1 import ObjectMeta  # noqa: E402
from lightkube.resources.apps_v1 import Deployment, ReplicaSet  # noqa: E402
from lightkube.resources.core_v1 import ConfigMap, Namespace, Node, Pod, Service  # noqa: E402
from lightkube.types import CascadeType, PatchType  # noqa: E402

from tests.clients.conftest import WEB  # noqa: E402


@pytest.fixture(scope="module")
def client(serve) -> Iterator[Any]:
    for _, kubectl in serve():
        config = KubeConfig.from_file(kubectl.environment["KUBECONFIG"])
        client = Client(config=config, field_manager="lightkube")
        yield client
        client.close()


@pytest.fixture(scope="module")
def web(client) -> Any:
    for obj in codecs.load_all_yaml(WEB):
        client.apply(obj, namespace="default")
    return client.wait(Deployment, "web", for_conditions=["Available"])


@pytest.fixture
def conf(client) -> Iterator[str]:
    name = "conf"
    client.create(ConfigMap(metadata=ObjectMeta(name=name, namespace="default"), data={"a": "1"}))
    yield name
    client.delete(ConfigMap, name)


def test_nodes_are_listed_as_objects(client) -> None:
    names = [node.metadata.name for node in client.list(Node)]
    assert names == ["control-plane", "worker-1", "worker-2"]


def test_a_deployment_is_applied_and_waited_for(web) -> None:
    assert web.status.availableReplicas == 2


def test_selectors_choose(client, web) -> None:
    assert len(list(client.list(Pod, labels={"app": "web"}))) == 2
    assert len(list(client.list(Pod, labels={"app": ["web", "db"]}))) == 2
    assert list(client.list(Pod, fields={"status.phase": "Failed"})) == []


def test_a_list_in_chunks_is_complete(client) -> None:
    names = [pod.metadata.name for pod in client.list(Pod, namespace="*", chunk_size=3)]
    assert len(names) == len(set(names)) > 9


def test_what_was_created_can_be_read(client, conf) -> None:
    assert client.get(ConfigMap, conf).data == {"a": "1"}


def test_creating_twice_is_a_conflict(client, conf) -> None:
    again = ConfigMap(metadata=ObjectMeta(name=conf, namespace="default"))
    with pytest.raises(ApiError) as caught:
        client.create(again)
    assert caught.value.status.reason == "AlreadyExists"


def test_an_old_version_is_not_replaced(client, conf) -> None:
    old = client.get(ConfigMap, conf)
    client.patch(ConfigMap, conf, {"data": {"a": "2"}})
    with pytest.raises(ApiError) as caught:
        client.replace(old)
    assert (caught.value.status.code, caught.value.status.reason) == (409, "Conflict")
    assert "the object has been modified" in caught.value.status.message


@pytest.mark.parametrize(
    ("kind", "patch"),
    [
        (PatchType.STRATEGIC, {"data": {"b": "2"}}),
        (PatchType.MERGE, {"data": {"b": "2"}}),
        (PatchType.JSON, [{"op": "add", "path": "/data/b", "value": "2"}]),
        (
            PatchType.APPLY,
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": "conf"},
                "data": {"b": "2"},
            },
        ),
    ],
)
def test_patches_of_every_type(client, conf, kind, patch) -> None:
    client.patch(ConfigMap, conf, patch, patch_type=kind)
    assert client.get(ConfigMap, conf).data == {"a": "1", "b": "2"}


def test_two_appliers_of_one_field_conflict(client) -> None:
    def wanted(value: str) -> ConfigMap:
        meta = ObjectMeta(name="ours", namespace="default")
        return ConfigMap(metadata=meta, data={"a": value})

    client.apply(wanted("1"), field_manager="one")
    with pytest.raises(ApiError) as caught:
        client.apply(wanted("2"), field_manager="two")
    assert 'conflict with "one"' in caught.value.status.message
    assert client.apply(wanted("2"), field_manager="two", force=True).data == {"a": "2"}


def test_what_is_not_there_is_not_found(client) -> None:
    with pytest.raises(ApiError) as caught:
        client.get(Pod, "nope")
    assert (caught.value.status.code, caught.value.status.reason) == (404, "NotFound")
    assert caught.value.status.message == 'pods "nope" not found'
    assert caught.value.status.details.kind == "pods"


def test_an_invalid_object_names_its_fields(client) -> None:
    bad = Service(metadata=ObjectMeta(name="Bad", namespace="default"))
    with pytest.raises(ApiError) as caught:
        client.create(bad)
    causes = {cause.field for cause in caught.value.status.details.causes}
    assert (caught.value.status.code, "metadata.name" in causes) == (422, True)


def test_scale_is_a_subresource(client, web) -> None:
    scale = client.get(Deployment.Scale, "web")
    scale.spec.replicas = 3
    client.replace(scale, "web")
    assert client.get(Deployment, "web").spec.replicas == 3
    client.patch(Deployment.Scale, "web", {"spec": {"replicas": 2}}, patch_type=PatchType.MERGE)


def test_a_watch_goes_on_from_a_version(client) -> None:
    start = client.create(ConfigMap(metadata=ObjectMeta(name="seen", namespace="default")))
    seen: list[str] = []
    fields = {"metadata.name": "seen"}
    watch = client.watch(ConfigMap, fields=fields, resource_version=start.metadata.resourceVersion)

    def read() -> None:
        for change, _ in watch:
            seen.append(change)
            if change == "DELETED":
                return

    reader = threading.Thread(target=read)
    reader.start()
    client.patch(ConfigMap, "seen", {"data": {"a": "1"}})
    client.delete(ConfigMap, "seen")
    reader.join(20)
    assert seen == ["MODIFIED", "DELETED"]


def test_logs_are_followed_to_their_end(client) -> None:
    pod = codecs.from_dict(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "talk", "namespace": "default"},
            "spec": {
                "restartPolicy": "Never",
                "containers": [
                    {"name": "c", "image": "busybox", "command": ["sh", "-c", "echo a; echo b"]}
                ],
            },
        }
    )
    version = client.create(pod).metadata.resourceVersion
    for _, seen in since(client, Pod, "talk", version):
        if seen.status.phase == "Succeeded":
            break
    assert [line.strip() for line in client.log("talk", follow=True)] == ["a", "b"]


def test_foreground_deletion_takes_the_dependents_first(client) -> None:
    (made,) = (obj for obj in codecs.load_all_yaml(WEB) if obj.kind == "Deployment")
    made.metadata.name = "gone"
    version = client.create(made, namespace="default").metadata.resourceVersion
    client.delete(Deployment, "gone", cascade=CascadeType.FOREGROUND)
    for change, _ in since(client, Deployment, "gone", version):
        if change == "DELETED":
            break
    assert not [rs for rs in client.list(ReplicaSet) if rs.metadata.name.startswith("gone-")]


def test_a_namespace_is_emptied_before_it_goes(client) -> None:
    made = client.create(Namespace(metadata=ObjectMeta(name="short")))
    client.create(ConfigMap(metadata=ObjectMeta(name="a", namespace="short")))
    client.delete(Namespace, "short")
    for change, _ in since(client, Namespace, "short", made.metadata.resourceVersion):
        if change == "DELETED":
            break
    assert list(client.list(ConfigMap, namespace="short")) == []


def since(client: Any, kind: Any, name: str, version: str) -> Iterator[tuple[str, Any]]:
    """The changes of one object after a version, for as long as they may take."""
    return client.watch(kind, fields={"metadata.name": name}, resource_version=version)
