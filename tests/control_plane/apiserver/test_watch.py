from __future__ import annotations

from typing import Any

import pytest

from k8slab.api.errors import ApiError
from k8slab.client import MERGE_PATCH


def events(lab: Any, stream: Any) -> list[tuple[str, str]]:
    lab.sim.run(until=lab.sim.now + 1)
    batch = lab.sim.complete(stream.batch(timeout=1), "batch", timeout=5)
    return [(event.type, event.object.metadata.name) for event in batch]


def test_list_then_watch_misses_nothing(lab: Any, pod: Any) -> None:
    lab.create(pod("a"))
    listing = lab.request("list", "Pod")
    lab.create(pod("b"))
    stream = lab.request("watch", "Pod", resource_version=listing.resource_version)
    lab.create(pod("c"))
    assert events(lab, stream) == [("ADDED", "b"), ("ADDED", "c")]


def test_an_object_that_stops_matching_is_deleted_for_that_watcher(lab: Any, pod: Any) -> None:
    lab.create(pod(labels={"app": "web"}))
    stream = lab.request("watch", "Pod", label_selector="app=web", resource_version="0")
    lab.patch("Pod", "web", {"metadata": {"labels": {"app": "db"}}}, MERGE_PATCH)
    lab.patch("Pod", "web", {"metadata": {"labels": {"app": "web"}}}, MERGE_PATCH)
    assert events(lab, stream) == [("ADDED", "web"), ("DELETED", "web"), ("ADDED", "web")]


def test_a_kubelet_hears_only_of_its_own_pods(lab: Any, pod: Any) -> None:
    stream = lab.request("watch", "Pod", field_selector="spec.nodeName=worker-1")
    for name, node in (("a", "worker-1"), ("b", "worker-2")):
        manifest = pod(name)
        manifest["spec"]["nodeName"] = node
        lab.create(manifest)
    assert events(lab, stream) == [("ADDED", "a")]


@pytest.mark.parametrize("name", ["a", "b", "nobody"])
def test_who_names_one_object_gets_that_one(lab: Any, name: str) -> None:
    only = {"field_selector": f"metadata.name={name}"}
    stream = lab.request("watch", "Node", **only)
    for each in ("a", "b"):
        lab.create({"apiVersion": "v1", "kind": "Node", "metadata": {"name": each}})
    found = [name] if name != "nobody" else []
    assert [each.metadata.name for each in lab.request("list", "Node", **only).items] == found
    assert events(lab, stream) == [("ADDED", each) for each in found]


def test_a_name_alone_is_looked_for_in_all_namespaces(lab: Any) -> None:
    lab.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "other"}})
    config_map = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}
    for ns in ("default", "other"):
        lab.create(config_map, namespace=ns)
    everywhere = lab.request("list", "ConfigMap", namespace="", field_selector="metadata.name=a")
    assert [each.metadata.namespace for each in everywhere.items] == ["default", "other"]


def test_a_watch_from_a_compacted_version_is_refused(lab: Any, pod: Any) -> None:
    lab.create(pod("a"))
    lab.create(pod("b"))
    lab.endpoint.server.compact(lab.endpoint.server.revision)
    with pytest.raises(ApiError, match="too old resource version") as refused:
        lab.request("watch", "Pod", resource_version="2")
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


def test_a_write_is_the_cause_of_its_watch_events(lab: Any, pod: Any) -> None:
    stream = lab.request("watch", "Pod")
    lab.create(pod())
    lab.sim.run(until=1)
    event = lab.sim.complete(stream.batch(), "batch", timeout=5)[0]
    assert lab.sim.trace[event.cause].subject == "Pod/default/web"


def test_unsupported_fields_cannot_be_selected(lab: Any) -> None:
    with pytest.raises(ApiError, match=r"field label not supported: spec\.foo"):
        lab.request("list", "Pod", field_selector="spec.foo=1")


def test_the_pods_of_a_node_are_those_bound_to_it_now(lab: Any, pod: Any) -> None:
    for name, node in (("b", "worker-1"), ("a", "worker-1"), ("c", "worker-2"), ("d", "")):
        manifest = pod(name)
        manifest["spec"]["nodeName"] = node
        lab.create(manifest)
    found = {"field_selector": "spec.nodeName=worker-1"}
    assert [each.metadata.name for each in lab.request("list", "Pod", **found).items] == ["a", "b"]
    target = {"apiVersion": "v1", "kind": "Node", "name": "worker-1"}
    binding = {"metadata": {"name": "d"}, "target": target}
    lab.request("create", "Pod", name="d", subresource="binding", body=binding)
    lab.request("delete", "Pod", name="a", body={"gracePeriodSeconds": 0})
    assert [each.metadata.name for each in lab.request("list", "Pod", **found).items] == ["b", "d"]


def test_a_namespace_has_its_own_objects_and_none_of_its_neighbours(lab: Any) -> None:
    for ns in ("tea", "team", "team-a", "team0"):
        lab.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ns}})
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"of-{ns}"}}
        lab.create(secret, namespace=ns)
    listing = lab.request("list", "Secret", namespace="team")
    assert [each.metadata.name for each in listing.items] == ["of-team"]
