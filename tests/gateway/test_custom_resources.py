"""Kinds that somebody defined, over HTTP: discovery, paths, OpenAPI."""

from __future__ import annotations

import json
from typing import Any

import pytest

from k8slab.client import Client
from k8slab.control_plane.apiserver.custom_resources.controller import CustomResourceController
from tests.control_plane.apiserver.custom_resources.conftest import definition, schema, version
from tests.gateway.conftest import Direct, Lab

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
GROUP = "/apis/stable.example.com"
TABS = f"{GROUP}/v1/namespaces/default/crontabs"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
SPEC: dict[str, Any] = {
    "required": ["cronSpec"],
    "properties": {"cronSpec": {"type": "string", "description": "When."}},
}


@pytest.fixture
def defined() -> Lab:
    lab = Lab()
    client = Client(Direct(lab.server), "system:apiserver")
    lab.sim.spawn(CustomResourceController(lab.sim, client).run(), "definitions")
    new = version(
        schema=schema(SPEC, status={"type": "object"}),
        subresources={
            "status": {},
            "scale": {"specReplicasPath": ".spec.n", "statusReplicasPath": ".status.n"},
        },
    )
    old = version("v1beta1", storage=False)
    lab.post(CRDS, definition(new, old, names={"shortNames": ["ct"], "categories": ["all"]}))
    lab.sim.run(lab.sim.now + 1)
    return lab


def test_its_group_is_listed_after_all_others_best_version_first(defined: Lab) -> None:
    groups = defined.get("/apis")["groups"]
    assert groups[-1]["name"] == "stable.example.com"
    assert [v["version"] for v in groups[-1]["versions"]] == ["v1", "v1beta1"]
    assert defined.get(GROUP)["preferredVersion"]["version"] == "v1"


def test_its_resources_are_listed_with_their_parts(defined: Lab) -> None:
    listed = {r["name"]: r for r in defined.get(f"{GROUP}/v1")["resources"]}
    assert list(listed) == ["crontabs", "crontabs/scale", "crontabs/status"]
    assert listed["crontabs"]["shortNames"] == ["ct"]
    assert listed["crontabs/scale"]["kind"] == "Scale"
    assert [r["name"] for r in defined.get(f"{GROUP}/v1beta1")["resources"]] == ["crontabs"]


def test_aggregated_discovery_has_it_too(defined: Lab) -> None:
    items = defined.get("/apis", accept=AGGREGATED)["items"]
    found = items[-1]["versions"][0]["resources"][0]
    assert found["responseKind"] == {
        "group": "stable.example.com",
        "version": "v1",
        "kind": "CronTab",
    }
    assert [s["subresource"] for s in found["subresources"]] == ["scale", "status"]


def test_its_objects_are_made_listed_and_deleted(defined: Lab) -> None:
    status, made = defined.answer("POST", TABS, {"metadata": {"name": "a"}, "spec": {}})
    assert (status, made["reason"]) == (422, "Invalid")
    body = {"metadata": {"name": "a"}, "spec": {"cronSpec": "x", "colour": 1}}
    answer = defined.send("POST", TABS, body)
    assert answer.status == 201
    assert ("Warning", '299 - "unknown field \\"spec.colour\\""') in answer.headers
    listing = defined.get(TABS)
    assert (listing["kind"], listing["apiVersion"]) == ("CronTabList", "stable.example.com/v1")
    deleted = defined.answer("DELETE", f"{TABS}/a")[1]
    assert (deleted["kind"], deleted["details"]["group"]) == ("Status", "stable.example.com")


def test_a_group_or_version_that_is_not_served_is_not_found(defined: Lab) -> None:
    for path in (
        "/apis/nowhere.example.com/v1/things",
        f"{GROUP}/v2/crontabs",
        f"{GROUP}/v1/cranes",
    ):
        answer = defined.send("GET", path)
        assert (answer.status, answer.body) == (404, b"404 page not found\n")


def test_openapi_has_its_schema(defined: Lab) -> None:
    where = "apis/stable.example.com/v1"
    assert where in defined.get("/openapi/v3")["paths"]
    document = defined.get(f"/openapi/v3/{where}")
    tab = document["components"]["schemas"]["com.example.stable.v1.CronTab"]
    assert tab["properties"]["spec"]["properties"]["cronSpec"]["description"] == "When."
    assert tab["x-kubernetes-group-version-kind"] == [
        {"group": "stable.example.com", "version": "v1", "kind": "CronTab"}
    ]
    for part in json.dumps(document).split('"$ref": "#/components/schemas/')[1:]:
        assert part.partition('"')[0] in document["components"]["schemas"]


def test_openapi_v2_is_there_for_older_clients(defined: Lab) -> None:
    document = defined.get("/openapi/v2")
    assert document["swagger"] == "2.0"
    assert "com.example.stable.v1.CronTab" in document["definitions"]
    assert "io.k8s.api.core.v1.Pod" in document["definitions"]
    for part in json.dumps(document).split('"$ref": "#/definitions/')[1:]:
        assert part.partition('"')[0] in document["definitions"]


def test_openapi_v2_in_protobuf_names_paths_and_kinds(defined: Lab) -> None:
    asked = "application/com.github.proto-openapi.spec.v2@v1.0+protobuf"
    answer = defined.send("GET", "/openapi/v2", accept=asked)
    assert answer.content_type == asked.replace("@", ".")
    assert answer.body.startswith(b"\x0a\x032.0")
    assert f"{GROUP}/v1/namespaces/{{namespace}}/crontabs/{{name}}".encode() in answer.body
    assert b'"kind":"CronTab"' in answer.body


def test_strategic_merge_is_refused_with_what_is_read_instead(defined: Lab) -> None:
    defined.post(TABS, {"metadata": {"name": "a"}, "spec": {"cronSpec": "x"}})
    kind = "application/strategic-merge-patch+json"
    status, refused = defined.answer("PATCH", f"{TABS}/a", {"spec": {}}, content_type=kind)
    assert status == 415
    assert refused["reason"] == "UnsupportedMediaType"
    assert refused["message"].endswith("merge-patch+json, application/apply-patch+yaml")
