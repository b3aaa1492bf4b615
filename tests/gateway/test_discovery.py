from __future__ import annotations

import json

import pytest

from k8slab.api.scheme import KINDS
from k8slab.gateway import discovery, openapi
from k8slab.gateway.negotiation import Form
from tests.gateway.conftest import CONFIG_MAPS

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"


def test_every_kind_is_found_from_the_root(lab) -> None:
    found = set()
    for group in [{"versions": [{"groupVersion": "v1"}]}, *lab.get("/apis")["groups"]]:
        for version in group["versions"]:
            name = version["groupVersion"]
            root = "apis" if "/" in name else "api"
            found |= {r["kind"] for r in lab.get(f"/{root}/{name}")["resources"]}
    assert {resource.kind for resource in KINDS} <= found


def test_aggregated_discovery_says_the_same_in_two_documents(lab) -> None:
    answer = lab.send("GET", "/apis", accept=AGGREGATED)
    assert answer.content_type == AGGREGATED.replace(";v=v2;as=", ";v=v2;as=")
    apps = next(g for g in json.loads(answer.body)["items"] if g["metadata"]["name"] == "apps")
    resources = {r["resource"]: r for r in apps["versions"][0]["resources"]}
    assert resources["deployments"]["shortNames"] == ["deploy"]
    assert [s["subresource"] for s in resources["deployments"]["subresources"]] == [
        "scale",
        "status",
    ]


STORED = {
    **{"ConfigMap": "qFsyl6wFWjQ=", "Endpoints": "fWeeMqaN/OA=", "LimitRange": "EBKMFVe6cwo="},
    **{"Namespace": "Q3oi5N2YM8M=", "Node": "XwShjMxG9Fs=", "Pod": "xPOwRZ+Yhw8="},
    **{"PersistentVolumeClaim": "QWTyNDq0dC4=", "PersistentVolume": "HN/zwEC+JgM="},
    **{"PodTemplate": "LIXB2x4IFpk=", "ReplicationController": "Jond2If31h0="},
    **{"ResourceQuota": "8uhSgffRX6w=", "Secret": "S6u1pOWzb84=", "Service": "0/CO1lhkEBI="},
    **{"ServiceAccount": "pbx9ZvyFpBE=", "Event": "r2yiGXH7wu8=", "CronJob": "sd5LIXh4Fjs="},
    "ClusterRole": "bYE5ZWDrJ44=",
}


@pytest.mark.parametrize("kind", STORED)
def test_the_storage_version_hash_is_upstreams(kind) -> None:
    resource = next(resource for resource in KINDS if resource.kind == kind)
    assert discovery.storage_version_hash(resource) == STORED[kind]


def aggregated(lab, path: str) -> dict:
    groups = json.loads(lab.send("GET", path, accept=AGGREGATED).body)["items"]
    return {group["metadata"].get("name", ""): group["versions"] for group in groups}


def test_groups_come_in_the_order_of_upstreams_priorities(lab) -> None:
    known = aggregated(lab, "/apis")
    assert list(known)[:6] == [
        *("apps", "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io"),
        *("autoscaling", "batch"),
    ]
    assert set(discovery.group_names()) == set(discovery.PREFERRED_ORDER)
    assert [version["version"] for version in known["autoscaling"]] == ["v2", "v1"]


def test_a_builtin_kind_leaves_out_the_group_that_stands_above_it(lab) -> None:
    (core,) = aggregated(lab, "/api")[""]
    kinds = {r["resource"]: r["responseKind"] for r in core["resources"]}
    assert kinds["pods"] == {"group": "", "version": "", "kind": "Pod"}
    pods = next(r for r in core["resources"] if r["resource"] == "pods")
    subresources = {s["subresource"]: s["responseKind"] for s in pods["subresources"]}
    assert subresources["eviction"] == {"group": "policy", "version": "v1", "kind": "Eviction"}
    assert subresources["exec"] == {"group": "", "version": "", "kind": "PodExecOptions"}
    assert subresources["status"] == kinds["pods"]


def test_namespaces_are_never_deleted_all_at_once(lab) -> None:
    (core,) = aggregated(lab, "/api")[""]
    verbs = {r["resource"]: r["verbs"] for r in core["resources"]}
    assert set(verbs["services"]) - set(verbs["namespaces"]) == {"deletecollection"}
    code, status = lab.answer("DELETE", "/api/v1/namespaces")
    assert (code, status["reason"]) == (405, "MethodNotAllowed")


def test_an_eviction_is_announced_as_such_or_drain_would_ignore_budgets(lab) -> None:
    resources = {r["name"]: r for r in lab.get("/api/v1")["resources"]}
    eviction = resources["pods/eviction"]
    assert (eviction["group"], eviction["version"], eviction["kind"]) == (
        "policy",
        "v1",
        "Eviction",
    )


@pytest.mark.parametrize("group_version", discovery.group_versions())
def test_every_reference_in_openapi_leads_somewhere(group_version) -> None:
    document = openapi.of_group_version(group_version)
    schemas = document["components"]["schemas"]
    for part in json.dumps(document).split('"$ref": "#/components/schemas/')[1:]:
        assert part.partition('"')[0] in schemas


def operations(group_version: str) -> dict[str, dict]:
    paths = openapi.of_group_version(group_version)["paths"]
    return {
        operation["operationId"]: {**operation, "path": path, "method": method}
        for path, item in paths.items()
        for method, operation in item.items()
        if method != "parameters"
    }


def test_operations_bear_the_names_that_clients_are_generated_with() -> None:
    found = operations("apps/v1")
    assert {name for name in found if name.endswith("Deployment")} == {
        *("createAppsV1NamespacedDeployment", "deleteAppsV1CollectionNamespacedDeployment"),
        *("deleteAppsV1NamespacedDeployment", "listAppsV1NamespacedDeployment"),
        *("patchAppsV1NamespacedDeployment", "readAppsV1NamespacedDeployment"),
        "replaceAppsV1NamespacedDeployment",
    }
    assert "replaceAppsV1NamespacedDeploymentScale" in found
    assert "listAppsV1DeploymentForAllNamespaces" in found
    assert "connectCoreV1PostNamespacedPodExec" in operations("v1")
    assert operations("v1")["createCoreV1NamespacedPod"]["tags"] == ["core_v1"]


@pytest.mark.parametrize("group_version", discovery.group_versions())
def test_each_verb_of_discovery_is_an_operation_of_openapi(group_version) -> None:
    found = operations(group_version)
    for resource in discovery.resources_of(group_version):
        of_kind = [
            operation["x-kubernetes-action"]
            for operation in found.values()
            if operation["x-kubernetes-group-version-kind"]["kind"] == resource.kind
        ]
        named = {"create": "post", "update": "put"}
        wanted = {named.get(verb, verb) for verb in discovery.verbs_of(resource)} - {"watch"}
        assert wanted <= set(of_kind)


def test_operations_say_what_they_are_sent_and_where() -> None:
    found = operations("v1")
    created = found["createCoreV1NamespacedPod"]
    reference = {"$ref": "#/components/schemas/io.k8s.api.core.v1.Pod"}
    assert created["requestBody"] == {"content": {"*/*": {"schema": reference}}, "required": True}
    patched = found["patchCoreV1Node"]
    assert "application/strategic-merge-patch+json" in patched["requestBody"]["content"]
    item = openapi.of_group_version("v1")["paths"][patched["path"]]
    assert [(p["name"], p["in"]) for p in item["parameters"]] == [
        ("name", "path"),
        ("pretty", "query"),
    ]


def test_a_trailing_slash_makes_no_difference(lab) -> None:
    assert lab.get("/version/") == lab.get("/version")


def text_of(lab, path: str) -> tuple[int, list[str]]:
    answer = lab.send("GET", path)
    return answer.status, answer.body.decode().splitlines()


def test_health_is_bad_while_etcd_is_gone(lab) -> None:
    assert lab.send("GET", "/readyz").body == b"ok"
    lab.endpoint.stop()
    code, lines = text_of(lab, "/readyz")
    assert (code, lines[-1]) == (500, "readyz check failed")
    assert "[-]etcd failed: reason withheld" in lines
    assert "[+]poststarthook/rbac/bootstrap-roles ok" in lines
    assert text_of(lab, "/livez/ping") == (200, ["ok"])
    code, (line,) = text_of(lab, "/livez/etcd")
    assert code == 500
    assert line.startswith("internal server error: rpc error: code = Unavailable")
    assert text_of(lab, "/livez?exclude=etcd") == (200, ["ok"])
    assert lab.answer("GET", CONFIG_MAPS)[0] == 500


def test_a_check_that_is_left_out_is_told(lab) -> None:
    code, lines = text_of(lab, "/readyz?verbose&exclude=etcd&exclude=nosuch")
    assert (code, lines[-1]) == (200, "readyz check passed")
    assert lines[:4] == ["[+]ping ok", "[+]log ok", "[+]etcd excluded: ok", "[+]etcd-readiness ok"]
    assert lines[-2] == ('warn: some health checks cannot be excluded: no matches for "nosuch"')


def test_an_unknown_path_is_404(lab) -> None:
    assert lab.send("GET", "/nosuch").status == 404
    assert lab.send("GET", "/healthz/nosuch").status == 404
    assert lab.send("GET", "/healthz/shutdown").status == 404  # of readyz only


def test_the_root_lists_paths_that_answer(lab) -> None:
    for path in lab.get("/")["paths"]:
        assert lab.send("GET", path).status == 200, path


def test_discovery_asked_plainly_is_plain() -> None:
    found = discovery.document("/apis", Form())
    assert found is not None
    assert found["kind"] == "APIGroupList"
