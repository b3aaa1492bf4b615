"""Behaviours 13-18: the API server and its store."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from k8slab import Cluster
from k8slab.api.apps import ReplicaSet
from k8slab.api.core import ConfigMap, Namespace, Pod, Service
from k8slab.api.errors import ApiError
from k8slab.client.transport import Notes
from k8slab.control_plane.etcd import Etcd
from tests.conformance.lab import (
    apply,
    arrived,
    call,
    client,
    config_map,
    container,
    create,
    deployment,
    exists,
    get,
    node_port,
    patch,
    pod,
    pods,
    ready,
    service,
    watch,
)


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


# -- 13: versions and watches


def test_a_stale_resource_version_is_a_conflict(cluster: Cluster) -> None:
    old = create(cluster, config_map("settings"))
    cluster.kubectl("label cm settings a=1")
    stale = replace(old, data={"a": "1"})
    with pytest.raises(ApiError, match="the object has been modified") as refused:
        cluster.sim.complete(client(cluster).update(stale), "update", timeout=5)
    assert (refused.value.code, refused.value.reason) == (409, "Conflict")


def test_list_then_watch_never_misses_an_event(cluster: Cluster) -> None:
    create(cluster, config_map("before"))
    listed = call(cluster, "list", ConfigMap)
    create(cluster, config_map("between"))
    stream = watch(cluster, ConfigMap, listed.resource_version)
    create(cluster, config_map("after"))
    cluster.kubectl("delete cm before")
    cluster.run(1)
    assert arrived(cluster, stream) == [
        ("ADDED", "between"),
        ("ADDED", "after"),
        ("DELETED", "before"),
    ]


def test_a_watch_from_a_compacted_version_is_gone(cluster: Cluster) -> None:
    first = create(cluster, config_map("old")).metadata.resourceVersion
    cluster.kubectl("label cm old a=1")
    Etcd(cluster.sim, cluster.backend).compact(cluster.backend.revision)
    cluster.kill("kube-apiserver")  # its own cache of events outlives the compaction
    cluster.run(30)
    with pytest.raises(ApiError, match="too old resource version") as refused:
        watch(cluster, ConfigMap, first)
    assert (refused.value.code, refused.value.reason) == (410, "Expired")


# -- 14: validation


def test_validation_names_field_and_reason_in_upstreams_words(cluster: Cluster) -> None:
    wrong = pod("Web", container(image=""), restartPolicy="Sometimes")
    answer = apply(cluster, wrong)
    assert answer.startswith('The Pod "Web" is invalid: ')
    assert 'metadata.name: Invalid value: "Web": a lowercase RFC 1123 subdomain must' in answer
    assert "spec.containers[0].image: Required value" in answer
    assert (
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: '
        '"Always", "OnFailure", "Never"'
    ) in answer
    assert not exists(cluster, "Web")


def test_the_causes_of_a_status_can_be_read_by_programs(cluster: Cluster) -> None:
    with pytest.raises(ApiError) as refused:
        create(cluster, service("web", {"port": 0}))
    causes = refused.value.status.details.causes  # type: ignore[union-attr]
    assert (refused.value.code, refused.value.reason) == (422, "Invalid")
    assert ("spec.ports[0].port", "FieldValueInvalid") in {(c.field, c.reason) for c in causes}


def test_unknown_fields_are_errors_when_strict_and_warnings_otherwise(cluster: Cluster) -> None:
    typo = pod("web", container(readynessProbe={}))
    strict = apply(cluster, typo)
    assert 'strict decoding error: unknown field "spec.containers[0].readynessProbe"' in strict
    assert not exists(cluster, "web")
    notes = Notes()
    call(cluster, "create", Pod, body=typo, field_validation="Warn", notes=notes)
    assert notes.warnings == ['unknown field "spec.containers[0].readynessProbe"']
    assert exists(cluster, "web")


def test_a_pods_spec_is_fixed_but_for_a_few_fields(cluster: Cluster) -> None:
    apply(cluster, pod("web"))
    answer = patch(cluster, "pod", "web", {"spec": {"hostNetwork": True}})
    assert "spec: Forbidden: pod updates may not change fields other than" in answer
    assert "patched" in patch(cluster, "pod", "web", {"spec": {"activeDeadlineSeconds": 600}})


def test_a_selector_is_fixed_and_must_match_the_template(cluster: Cluster) -> None:
    wrong = deployment("web", 1)
    wrong["spec"]["template"]["metadata"]["labels"] = {"app": "other"}
    assert "`selector` does not match template `labels`" in apply(cluster, wrong)
    apply(cluster, deployment("web", 1))
    labels = {"app": "web", "tier": "front"}
    template = {"metadata": {"labels": labels}}
    change = {"spec": {"selector": {"matchLabels": labels}, "template": template}}
    answer = patch(cluster, "deployment", "web", change)
    assert "spec.selector: Invalid value" in answer
    assert "field is immutable" in answer


# -- 15: deletion


def owned(cluster: Cluster) -> None:
    apply(cluster, deployment("web", 2))
    ready(cluster, "deployment/web")


@pytest.mark.parametrize(
    ("cascade", "at_once", "in_the_end"),
    [
        ("background", (False, True), (False, False)),
        ("foreground", (True, True), (False, False)),
        ("orphan", (True, True), (False, True)),
    ],
)
def test_the_three_ways_to_delete_an_owner(
    cluster: Cluster, cascade: str, at_once: Any, in_the_end: Any
) -> None:
    owned(cluster)

    def left() -> tuple[bool, bool]:
        owner = cluster.view.get("Deployment", "web") is not None
        return owner, bool(cluster.view.list(ReplicaSet, "default"))

    cluster.kubectl(f"delete deployment web --wait=false --cascade={cascade}")
    assert left() == at_once
    cluster.run(30)
    assert left() == in_the_end
    assert bool(pods(cluster, "web")) == (cascade == "orphan")


def test_finalizers_hold_an_object(cluster: Cluster) -> None:
    create(cluster, config_map("held", finalizers=["example.com/hold"]))
    cluster.kubectl("delete cm held --wait=false")
    cluster.run(60)
    found = cluster.view.get(ConfigMap, "held")
    assert found is not None
    assert found.metadata.deletionTimestamp is not None
    patch(cluster, "cm", "held", {"metadata": {"finalizers": None}})
    assert not exists(cluster, "held", ConfigMap)


def test_deleting_a_namespace_deletes_what_is_in_it(cluster: Cluster) -> None:
    cluster.kubectl("create namespace shop")
    cluster.run(2)
    apply(cluster, pod("web", namespace="shop"))
    cluster.run(5)
    cluster.kubectl("delete namespace shop --wait=false")
    found = cluster.view.get(Namespace, "shop")
    assert found is not None
    assert found.status.phase == "Terminating"
    refused = apply(cluster, pod("late", namespace="shop"))
    assert "because it is being terminated" in refused
    cluster.run(60)
    assert cluster.view.get(Namespace, "shop") is None
    assert cluster.view.get(Pod, "web", "shop") is None


@pytest.mark.parametrize("name", ["default", "kube-system", "kube-public"])
def test_the_clusters_own_namespaces_cannot_be_deleted(cluster: Cluster, name: str) -> None:
    assert cluster.kubectl(f"delete namespace {name}") == (
        f'Error from server (Forbidden): namespaces "{name}" is forbidden: '
        "this namespace may not be deleted\n"
    )


# -- 16, 17: Services


def test_a_quoted_target_port_is_rejected_and_an_unknown_name_is_not(cluster: Cluster) -> None:
    answer = apply(cluster, service("web", {"port": 80, "targetPort": "9376"}))
    assert 'spec.ports[0].targetPort: Invalid value: "9376": must contain at least one letter' in (
        answer
    )
    assert "created" in apply(cluster, service("web", {"port": 80, "targetPort": "ghost"}))


def test_a_cluster_ip_is_immutable(cluster: Cluster) -> None:
    created = create(cluster, service("web", 80))
    other = {"spec": {"clusterIP": "10.96.7.7", "clusterIPs": ["10.96.7.7"]}}
    answer = patch(cluster, "service", "web", other)
    assert 'spec.clusterIPs[0]: Invalid value: ["10.96.7.7"]: may not change once set' in answer
    found = cluster.view.get(Service, "web")
    assert found is not None
    assert found.spec.clusterIP == created.spec.clusterIP


def test_dynamic_addresses_avoid_the_static_band(cluster: Cluster) -> None:
    given = [create(cluster, service(f"web-{i}", 80)).spec.clusterIP for i in range(40)]
    assert len({*given}) == 40
    assert not [ip for ip in given if ip.startswith("10.96.0.")]  # the first 256 are for choosing
    chosen = create(cluster, service("mine", 80, clusterIP="10.96.0.50"))
    assert chosen.spec.clusterIP == "10.96.0.50"
    answer = apply(cluster, service("yours", 80, clusterIP="10.96.0.50"))
    assert answer == (
        'The Service "yours" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.50"]: '
        "failed to allocate IP 10.96.0.50: provided IP is already allocated\n"
    )


def test_node_ports_are_one_space_in_a_range_with_a_static_band(cluster: Cluster) -> None:
    given = [node_port(create(cluster, service(f"n-{i}", 80, type="NodePort"))) for i in range(20)]
    assert all(30086 <= port <= 32767 for port in given)
    apply(cluster, service("tcp", {"port": 80, "nodePort": 30080}, type="NodePort"))
    udp = {"port": 80, "nodePort": 30080, "protocol": "UDP"}
    answer = apply(cluster, service("udp", udp, type="NodePort"))
    assert "spec.ports[0].nodePort: Invalid value: 30080: provided port is already allocated" in (
        answer
    )
    outside = apply(cluster, service("low", {"port": 80, "nodePort": 80}, type="NodePort"))
    assert "The range of valid ports is 30000-32767" in outside


# -- 18: etcd is down


def test_without_etcd_nothing_can_be_read_or_changed_and_pods_go_on(cluster: Cluster) -> None:
    apply(cluster, pod("web"), pod("client"), service("web", 80))
    ready(cluster, "web", "client")
    cluster.run(2)
    cluster.stop("etcd")
    cluster.run(5)
    for command in ("create cm a", "get pods web", "delete pod web"):
        assert "connection refused" in cluster.kubectl(command)
    assert cluster.request("pod/client", "http://web").ok
    cluster.start("etcd")
    cluster.run(60)
    assert get(cluster, "web").status.phase == "Running"
    assert "configmap/a created" in cluster.kubectl("create cm a")
