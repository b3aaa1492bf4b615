"""What upstream's suite asks of garbage collection, namespaces and quotas."""

from __future__ import annotations

from typing import Any

import pytest

from k8slab import Cluster
from k8slab.api.core import ConfigMap, Namespace, Pod, ResourceQuota, Service
from k8slab.api.errors import ApiError
from k8slab.api.meta import DeleteOptions, controller_of
from k8slab.client import MERGE_PATCH
from tests.conformance.lab import (
    apply,
    call,
    config_map,
    create,
    pod,
    pods,
    replica_set,
    service,
    sleeper,
)
from tests.conformance.test_apps_api import replication_controller


@pytest.fixture
def cluster() -> Cluster:
    return Cluster(workers=1, seed=1)


# -- garbage


def owned(name: str, *owners: Any, block: bool = True) -> dict[str, Any]:
    references = [
        {
            "apiVersion": owner.apiVersion,
            "kind": owner.kind,
            "name": owner.metadata.name,
            "uid": owner.metadata.uid,
            "blockOwnerDeletion": block,
        }
        for owner in owners
    ]
    return config_map(name, ownerReferences=references)


def config_maps(cluster: Cluster) -> list[str]:
    found = cluster.view.list(ConfigMap, "default")
    return sorted(c.metadata.name for c in found if c.metadata.name != "kube-root-ca.crt")


@pytest.mark.parametrize(("policy", "left"), [("Background", 0), ("Orphan", 2)])
def test_the_pods_of_a_replication_controller_go_or_stay(
    cluster: Cluster, policy: str, left: int
) -> None:
    rc = create(cluster, replication_controller("web", 2))
    cluster.run(8)
    options = DeleteOptions(propagationPolicy=policy)
    call(cluster, "delete", type(rc), name="web", body=options)
    cluster.run(10)
    found = pods(cluster, "web")
    assert len(found) == left
    assert [controller_of(p) for p in found] == [None] * left


def test_an_owner_stays_until_the_last_of_its_blocking_dependents_is_gone(cluster: Cluster) -> None:
    rc = create(cluster, replication_controller("web", 2))
    cluster.run(8)
    call(cluster, "delete", type(rc), name="web", body={"propagationPolicy": "Foreground"})
    cluster.run(0.5)
    held = call(cluster, "get", type(rc), name="web")
    assert held.metadata.finalizers == ("foregroundDeletion",)
    cluster.run(10)
    with pytest.raises(ApiError, match="not found"):
        call(cluster, "get", type(rc), name="web")


def test_a_dependent_with_another_living_owner_stays(cluster: Cluster) -> None:
    going, staying = create(cluster, config_map("going")), create(cluster, config_map("staying"))
    create(cluster, owned("both", going, staying))
    create(cluster, owned("one", going))
    call(cluster, "delete", ConfigMap, name="going", body={"propagationPolicy": "Foreground"})
    cluster.run(5)
    assert config_maps(cluster) == ["both", "staying"]
    both = call(cluster, "get", ConfigMap, name="both")
    assert [owner.name for owner in both.metadata.ownerReferences] == ["staying"]


def test_a_circle_of_owners_does_not_hold_itself(cluster: Cluster) -> None:
    a = create(cluster, config_map("a"))
    b = create(cluster, owned("b", a))
    c = create(cluster, owned("c", b))
    body = {"metadata": {"ownerReferences": owned("a", c)["metadata"]["ownerReferences"]}}
    call(cluster, "patch", ConfigMap, name="a", body=body, patch_type=MERGE_PATCH)
    call(cluster, "delete", ConfigMap, name="a", body={"propagationPolicy": "Foreground"})
    cluster.run(10)
    assert config_maps(cluster) == []


# -- namespaces


def namespace(cluster: Cluster, verb: str = "get", **fields: Any) -> Any:
    return call(cluster, verb, Namespace, namespace="", name="lab", **fields)


def test_a_namespace_is_patched_updated_and_has_a_phase(cluster: Cluster) -> None:
    cluster.kubectl("create namespace lab")
    labels = {"metadata": {"labels": {"team": "a"}}}
    assert namespace(cluster, "patch", body=labels, patch_type=MERGE_PATCH).metadata.labels == {
        "kubernetes.io/metadata.name": "lab",
        "team": "a",
    }
    told = {"status": {"conditions": [{"type": "Odd", "status": "True"}]}}
    namespace(cluster, "patch", subresource="status", body=told, patch_type=MERGE_PATCH)
    found = namespace(cluster, subresource="status")
    assert (found.status.phase, found.status.conditions[0].type) == ("Active", "Odd")


def test_a_finalizer_of_somebody_holds_a_namespace(cluster: Cluster) -> None:
    cluster.kubectl("create namespace lab")
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    namespace(cluster, "patch", body=held, patch_type=MERGE_PATCH)
    cluster.kubectl("delete namespace lab --wait=false")
    cluster.run(30)
    assert namespace(cluster).status.phase == "Terminating"
    free = {"metadata": {"finalizers": None}}
    namespace(cluster, "patch", body=free, patch_type=MERGE_PATCH)
    cluster.run(5)
    with pytest.raises(ApiError, match="not found"):
        namespace(cluster)


def test_pods_and_services_of_a_deleted_namespace_are_gone_when_it_comes_again(
    cluster: Cluster,
) -> None:
    cluster.kubectl("create namespace lab")
    made = [pod("p", sleeper()), service("s", 80)]
    for manifest in made:
        manifest["metadata"]["namespace"] = "lab"
    apply(cluster, *made)
    cluster.run(5)
    cluster.kubectl("delete namespace lab")
    cluster.kubectl("create namespace lab")
    assert cluster.view.list(Pod, "lab") == []
    assert cluster.view.list(Service, "lab") == []


def test_what_keeps_a_namespace_is_told_in_its_conditions(cluster: Cluster) -> None:
    cluster.kubectl("create namespace lab")
    held = config_map("held", namespace="lab", finalizers=["example.com/hold"])
    apply(cluster, held)
    cluster.kubectl("delete namespace lab --wait=false")
    cluster.run(20)
    told = {c.type: (c.status, c.message) for c in namespace(cluster).status.conditions}
    assert told["NamespaceContentRemaining"] == (
        "True",
        "Some resources are remaining: configmaps. has 1 resource instances",
    )
    assert told["NamespaceFinalizersRemaining"] == (
        "True",
        "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource "
        "instances",
    )


# -- quotas


def quota(cluster: Cluster, name: str = "q") -> dict[str, str]:
    found = cluster.view.get(ResourceQuota, name)
    assert found is not None
    return dict(found.status.used)


OBJECTS = {
    "configmaps": config_map("x"),
    "secrets": {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}},
    "services": service("x", 80),
    "replicationcontrollers": replication_controller("x", 0),
    "count/replicasets.apps": replica_set("x", 0),
    "pods": pod("x", sleeper()),
}


@pytest.mark.parametrize("resource", OBJECTS)
def test_a_quota_counts_an_object_as_long_as_it_lives(cluster: Cluster, resource: str) -> None:
    cluster.kubectl(f"create quota q --hard={resource}=9,resourcequotas=1")
    cluster.run(2)
    before = int(quota(cluster)[resource])
    assert quota(cluster)["resourcequotas"] == "1"  # it counts itself
    obj = create(cluster, OBJECTS[resource])
    cluster.run(2)
    assert int(quota(cluster)[resource]) == before + 1
    call(cluster, "delete", type(obj), name="x")
    cluster.run(10)
    assert int(quota(cluster)[resource]) == before


def asking(name: str, cpu: str, **spec: Any) -> dict[str, Any]:
    amounts = {"cpu": cpu, "memory": "100Mi"}
    return pod(name, sleeper(resources={"requests": amounts, "limits": amounts}), **spec)


def test_a_quota_refuses_what_is_too_much_and_gives_back_what_is_free_again(
    cluster: Cluster,
) -> None:
    cluster.kubectl("create quota q --hard=pods=5,requests.cpu=500m,requests.memory=1Gi")
    cluster.run(2)
    create(cluster, asking("a", "300m"))
    with pytest.raises(ApiError) as refused:
        create(cluster, asking("b", "300m"))
    text = "requested: requests.cpu=300m, used: requests.cpu=300m, limited: requests.cpu=500m"
    assert text in str(refused.value)
    cluster.run(2)
    assert quota(cluster)["requests.cpu"] == "300m"
    cluster.kubectl("delete pod a --now")
    cluster.run(8)
    assert quota(cluster) == {"pods": "0", "requests.cpu": "0", "requests.memory": "0"}
    create(cluster, asking("b", "300m"))


@pytest.mark.parametrize(
    ("scopes", "inside", "outside"),
    [
        ("BestEffort", pod("in", sleeper()), asking("out", "100m")),
        ("NotBestEffort", asking("in", "100m"), pod("out", sleeper())),
        (
            "Terminating",
            asking("in", "100m", activeDeadlineSeconds=600),
            asking("out", "100m"),
        ),
        (
            "NotTerminating",
            asking("in", "100m"),
            asking("out", "100m", activeDeadlineSeconds=600),
        ),
    ],
)
def test_a_scope_says_which_pods_count(
    cluster: Cluster, scopes: str, inside: Any, outside: Any
) -> None:
    cluster.kubectl(f"create quota q --hard=pods=5 --scopes={scopes}")
    cluster.run(2)
    create(cluster, outside)
    cluster.run(2)
    assert quota(cluster) == {"pods": "0"}
    create(cluster, inside)
    cluster.run(2)
    assert quota(cluster) == {"pods": "1"}


def test_a_quota_is_changed_and_its_status_follows(cluster: Cluster) -> None:
    cluster.kubectl("create quota q --hard=pods=5")
    cluster.run(2)
    more = {"spec": {"hard": {"pods": "7", "configmaps": "3"}}}
    call(cluster, "patch", ResourceQuota, name="q", body=more, patch_type=MERGE_PATCH)
    cluster.run(2)
    found = cluster.view.get(ResourceQuota, "q")
    assert found is not None
    assert dict(found.status.hard) == {"pods": "7", "configmaps": "3"}
    assert quota(cluster)["configmaps"] == "1"  # kube-root-ca.crt
    cluster.kubectl("delete quota q")
    assert cluster.view.get(ResourceQuota, "q") is None
