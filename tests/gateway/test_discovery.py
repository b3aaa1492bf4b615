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


@pytest.mark.parametrize(
    ("kind", "hash_"), [("CronJob", "sd5LIXh4Fjs="), ("ClusterRole", "bYE5ZWDrJ44=")]
)
def test_the_storage_version_hash_is_upstreams(kind, hash_) -> None:
    resource = next(resource for resource in KINDS if resource.kind == kind)
    assert discovery.storage_version_hash(resource) == hash_


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


def test_a_trailing_slash_makes_no_difference(lab) -> None:
    assert lab.get("/version/") == lab.get("/version")


def test_health_is_bad_while_etcd_is_gone(lab) -> None:
    assert lab.send("GET", "/readyz").body == b"ok"
    lab.endpoint.stop()
    answer = lab.send("GET", "/readyz")
    assert answer.status == 500
    assert b"[-]etcd failed" in answer.body
    assert lab.send("GET", "/livez/ping").body == b"ok"
    assert lab.answer("GET", CONFIG_MAPS)[0] == 500


def test_an_unknown_path_is_404(lab) -> None:
    assert lab.send("GET", "/nosuch").status == 404
    assert lab.send("GET", "/healthz/nosuch").status == 404


def test_the_root_lists_paths_that_answer(lab) -> None:
    for path in lab.get("/")["paths"]:
        assert lab.send("GET", path).status == 200, path


def test_discovery_asked_plainly_is_plain() -> None:
    found = discovery.document("/apis", Form())
    assert found is not None
    assert found["kind"] == "APIGroupList"
